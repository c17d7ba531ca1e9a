"""The showcase: twenty nights, reviews between them, and eight stories where they belong."""

from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.errors import UsageError
from flows.published.nights import nights, read_run
from flows.synth.columns import END
from flows.synth.history import BROKEN_OFF, SEED, Told, run_history
from flows.synth.stories import (
    COMPLETE_RESPONSE,
    DEAD,
    DEFERRED,
    LOSS_OF_UPTAKE,
    PET_OUTSIDE,
    QUARANTINED_COURSE,
    STORIES,
    TGAB,
    UPTAKE_LATER,
)
from flows.synth.story import Story

PATIENTS = 150
"""A small part of the showcase's; the stories are the same."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Told]]:
    told: list[Told] = []
    out = tmp_path_factory.mktemp("showcase") / "out"
    run_history(out, PATIENTS, SEED, told.append, page=False)
    return out, told


@pytest.fixture(scope="module")
def out(history: tuple[Path, list[Told]]) -> Path:
    return history[0]


def table(out: Path, name: str) -> pl.DataFrame:
    folder = out / f"run_date={END}"
    return pl.read_parquet(folder / f"{name}.parquet", hive_partitioning=False).with_columns(
        pl.col("patient_id").cast(pl.String)
    )


def told_of(out: Path, name: str, story: Story) -> dict[str, Any]:
    return table(out, name).row(by_predicate=pl.col("patient_id") == story.patient_id, named=True)


def test_twenty_nights_are_there_one_was_refused_first_and_one_was_late(
    history: tuple[Path, list[Told]],
) -> None:
    out, told = history
    assert len(nights(out)) == 20
    assert [one.day for one in told if one.words.startswith("refused")] == [BROKEN_OFF]
    assert (out / "refused" / f"{BROKEN_OFF}.json").exists()
    assert [one.day for one in told if "late" in one.words] == [date(2026, 5, 22)]
    assert {(b.day - a.day).days for a, b in pairwise(told)} == {0, 1, 4, 7, 10}


def test_no_other_night_warns_of_the_nights_before(out: Path) -> None:
    for folder in nights(out):
        run = read_run(folder)
        assert run is not None
        assert [one for one in run["comparisons"] if one["verdict"] != "fine"] == [], folder.name


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.patient_id)
def test_each_story_stands_in_its_place(out: Path, story: Story) -> None:
    listed = table(out, "worklist").filter(pl.col("patient_id") == story.patient_id)
    place = listed["list"].cast(pl.String).to_list()
    assert place == ([] if story.place == "absent" else [story.place])


def test_loss_of_uptake_is_told_with_its_course_and_day(out: Path) -> None:
    told = told_of(out, "worklist", LOSS_OF_UPTAKE)
    assert "2026-06-22" in told["why_lead"]
    assert told["reason_kind"] == "criterion"
    assert told["rrdtc_met_date"] == date(2026, 6, 22)


def test_a_pet_outside_the_window_asks_for_another_while_it_counts(out: Path) -> None:
    told = told_of(out, "worklist", PET_OUTSIDE)
    assert (told["todo_kind"], told["valid_until"]) == ("examination", date(2026, 7, 2))
    assert told["urgency_rule"] == "closing_window"
    on_file = table(out, "on_file").filter(pl.col("patient_id") == PET_OUTSIDE.patient_id)
    assert on_file.height >= 1


def test_a_thyroglobulin_beside_antibodies_is_marked(out: Path) -> None:
    assert told_of(out, "features", TGAB)["tgab_interference"]


def test_who_is_not_listed_is_found_with_the_reason(out: Path) -> None:
    assert "2026-05-30" in told_of(out, "patient_risk", DEAD)["not_listed_reason"]
    assert (
        "complete response" in told_of(out, "patient_risk", COMPLETE_RESPONSE)["not_listed_reason"]
    )
    assert told_of(out, "features", COMPLETE_RESPONSE)["cumulative_activity_mci"] > 600


def test_a_deferral_that_has_come_is_due(out: Path) -> None:
    told = told_of(out, "worklist", DEFERRED)
    assert told["deferred_until"] == date(2026, 6, 29)
    assert told["review_decision"] == "deferred"


def test_a_course_without_its_key_is_in_quarantine_and_told(out: Path) -> None:
    rows = table(out, "quarantine").filter(pl.col("patient_id") == QUARANTINED_COURSE.patient_id)
    assert rows["table"].to_list() == ["i131_treatments"]
    assert told_of(out, "worklist", QUARANTINED_COURSE)["quarantined_rows"] == 1
    told = table(out, "registry_list").filter(pl.col("patient_id") == QUARANTINED_COURSE.patient_id)
    assert "treatment_id: empty" in told["reason"].to_list()


def test_uptake_after_none_is_no_class_of_the_model(out: Path) -> None:
    told = told_of(out, "features", UPTAKE_LATER)
    assert told["uptake_category"] is None
    assert "no such class" in told["uptake_reason"]


def test_the_last_night_is_short_and_asks_for_nothing_impossible(out: Path) -> None:
    listed = table(out, "worklist").join(
        table(out, "features").select("patient_id", "died", "disease", "dtc"), on="patient_id"
    )
    new = listed.filter(pl.col("list") == "new").height
    assert 1 <= new <= 15
    assert listed.filter(pl.col("died").fill_null(False)).is_empty()
    assert (listed["disease"] == "yes").all()
    examined = listed.filter(pl.col("todo_kind") == "examination")
    assert not examined.is_empty()
    assert (examined["valid_until"] >= END).all()


def test_most_of_the_open_episodes_were_reviewed(out: Path) -> None:
    risk = table(out, "patient_risk")
    reviewed = risk.filter(pl.col("reviewed_at").is_not_null()).height
    waiting = table(out, "worklist").height
    assert reviewed > 2 * waiting > 0


def test_a_second_run_leaves_what_is_there_and_no_other_history_is_mixed_in(out: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    told: list[Told] = []
    run_history(out, PATIENTS, SEED, told.append, last=2)
    assert [one.words for one in told] == ["there already"] * 2
    with pytest.raises(UsageError, match="other nights"):
        run_history(out, PATIENTS, SEED + 1, told.append, last=1)
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}


def test_a_folder_with_other_nights_is_refused(tmp_path: Path, out: Path) -> None:
    (tmp_path / "run_date=2026-01-01").mkdir()
    run = (nights(out)[0] / "run.json").read_text().replace("2026-03-31", "2026-01-01")
    (tmp_path / "run_date=2026-01-01" / "run.json").write_text(run)
    with pytest.raises(UsageError, match="other nights"):
        run_history(tmp_path, PATIENTS, SEED, lambda told: None, last=1)


def test_the_manual_tells_the_stories_and_their_places() -> None:
    page = (Path(__file__).parents[3] / "docs" / "first-night.md").read_text()
    for story in STORIES:
        assert f"| `{story.patient_id}` | {story.place} | {story.title} |" in page
