# ruff: noqa: S311 - randomness is only for damage
"""Damage may blur an answer, never change it; and what a patient's answers depend on."""

from datetime import date
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from flows.job import Job
from flows.night import run_night
from flows.secrets import NO_KEYS
from flows.settings import Settings
from schemas.features import FEATURES
from schemas.registry import EVENT_TABLES, TABLES
from tests.law.answers import COUNT_DAMAGE, PREFIX, When, answers, differences, gathered
from tests.law.damage import damaged, damages, kinds, losses, spoiled
from tests.law.law import Tried, every_kind, people, some_night, try_cells_and_rows, try_losses
from tests.registry import AS_OF, COLLECTED, Rows, days, write_export

seeds = st.integers(0, 2**32)


def brief(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],  # one damage to one patient is small enough
        suppress_health_check=list(HealthCheck),
    )


@brief(3)
@given(seeds)
def test_a_damaged_cell_or_row_may_blur_an_answer_never_change_it(seed: int) -> None:
    chance, tried = Random(seed), Tried()
    try_cells_and_rows(people(chance, 12), some_night(chance), tried, 1000, chance)
    assert tried.broken == []


@brief(2)
@given(seeds)
def test_a_table_or_column_that_is_lost_may_blur_answers_never_change_them(seed: int) -> None:
    chance, tried = Random(seed), Tried()
    try_losses(people(chance, 40), When(), tried, chance.sample(list(losses()), 2))
    assert tried.broken == []


def test_every_column_can_be_damaged_in_every_way() -> None:
    assert every_kind() == {
        (name, column, kind)
        for name, table in TABLES.items()
        if table.key
        for column in table.columns
        for kind in kinds(table, column)
    } | {
        (name, "*", kind)
        for name, table in TABLES.items()
        if table.key
        for kind in ("key blank", "key twice")
        if name != "patients" or kind == "key twice"
    }


@pytest.mark.parametrize(
    ("old", "new", "is_broken"),
    [("no", "yes", True), ("no", None, False), (None, "no", True), ("no", "no", False)],
)
def test_an_answer_may_become_unknown_and_nothing_else(
    old: str | None, new: str | None, is_broken: bool
) -> None:
    before = pl.DataFrame({"patient_id": ["A"], "recurrence": [old]})
    after = pl.DataFrame({"patient_id": ["A~1"], "base": ["A"], "recurrence": [new]})
    assert (differences(before, after).height > 0) is is_broken


@brief(3)
@given(seeds)
def test_the_order_of_rows_never_matters(seed: int) -> None:
    chance = Random(seed)
    together, when = gathered(people(chance, 30).items()), some_night(chance)
    before = answers(together, when)
    for rows in together.values():
        chance.shuffle(rows)
    assert_frame_equal(before, answers(together, when), check_exact=True)


@brief(3)
@given(seeds)
def test_other_patients_never_matter_however_damaged_they_are(seed: int) -> None:
    chance = Random(seed)
    patients, when = people(chance, 20), some_night(chance)
    name = chance.choice(sorted(patients))
    others = {other: spoiled(rows, chance, 3) for other, rows in patients.items() if other != name}
    together = answers(gathered((others | {name: patients[name]}).items()), when)
    alone = answers(gathered([(name, patients[name])]), when)
    assert_frame_equal(together.filter(patient_id=name), alone, check_exact=True)


@brief(3)
@given(seeds, st.integers(-60, 900))
def test_as_of_never_sees_the_future(seed: int, day: int) -> None:
    chance, as_of = Random(seed), days(day)
    together = gathered(people(chance, 30).items())
    when = When(as_of=as_of, extracted_on=AS_OF)
    known = together | {
        name: [row for row in together[name] if _is_by(row[table.date or ""], as_of)]
        for name, table in EVENT_TABLES.items()
    }
    assert_frame_equal(answers(together, when), answers(known, when), check_exact=True)


def _is_by(day: date, as_of: date) -> bool:
    return day <= as_of


def test_a_real_night_publishes_what_the_law_was_tried_on(tmp_path: Path) -> None:
    chance = Random(7)
    parts: list[tuple[str, Rows]] = []
    for name, rows in people(chance, 40).items():
        parts.append((name, rows))
        for i, damage in enumerate(chance.sample(list(damages(rows)), 2)):
            parts.append((f"{name}~{i}", damaged(rows, damage)))
    together = gathered(parts)
    job = Job(
        write_export(together, tmp_path / "export"),
        tmp_path / "out",
        AS_OF,
        tmp_path / "out" / "warehouse.duckdb",
        COLLECTED,
        Settings(report=False, max_bad_share=1),
        NO_KEYS,
    )
    folder = run_night(job).folder
    expected = answers(together, When())
    published = pl.read_parquet(folder / "features.parquet").with_columns(
        pl.col("^.*_row$").str.replace(f"^.*{PREFIX}", "")
    )
    shown = [name for name in FEATURES if name not in COUNT_DAMAGE]
    assert_frame_equal(published.select(shown), expected.select(shown), check_exact=True)
    risk = pl.read_parquet(folder / "patient_risk.parquet")
    for ours, column in (
        ("rrdtc_flag", "liu2022_score.risk"),
        ("rrdtc_status", "liu2022_score.status"),
        ("os_risk_group", "jin2025_os.risk"),
        ("pfs_risk_group", "jin2025_pfs.risk"),
    ):
        assert risk[ours].to_list() == expected[column].to_list()
