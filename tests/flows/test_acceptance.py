"""A plausible lie is noticed: real exports, one wrong in a way that every single cell allows."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.acceptance import accept
from flows.errors import NightRefused, UsageError
from flows.published.nights import read_table
from flows.secrets import NO_KEYS, Keys
from flows.synth import synthesise
from tests.flows.conftest import RunNight, publish
from tests.flows.test_cli import thyrisk

Tables = dict[str, pl.DataFrame]
FIRST = date(2026, 7, 1)
KEYS = Keys(pseudonym=b"a key of the test, long enough")


@pytest.fixture(scope="module")
def registry() -> Tables:
    return synthesise(120, seed=5).tables


@pytest.fixture(scope="module")
def first_night(registry: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output of a first night of the whole registry."""
    root = tmp_path_factory.mktemp("first")
    return publish(write(registry, root / "good"), root / "out", FIRST).folder.parent


@pytest.fixture
def after_first(first_night: Path, out: Path) -> Path:
    """Return the folder of the test, in which the first night is published."""
    shutil.copytree(first_night, out, symlinks=True)
    return out


def write(tables: Tables, folder: Path, extracted: date | None = None) -> Path:
    folder.mkdir()
    for name, rows in tables.items():
        rows.write_csv(folder / f"{name}.csv")
    if extracted:
        manifest = {"extracted_at": f"{extracted}T01:00:00Z"}
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def grown(tables: Tables, share: float) -> Tables:
    """Return a registry to which the rest of its patients has not come yet."""
    ids = tables["patients"]["patient_id"]
    there = ids.head(int(ids.len() * share)).implode()
    return {name: rows.filter(pl.col("patient_id").is_in(there)) for name, rows in tables.items()}


def set_cells(table: str, **cells: pl.Expr) -> Callable[[Tables], Tables]:
    return lambda tables: tables | {table: tables[table].with_columns(**cells)}


def relabelled(table: str, column: str, old: str, new: str) -> Callable[[Tables], Tables]:
    return set_cells(table, **{column: pl.col(column).replace(old, new)})


def half_of(table: str) -> Callable[[Tables], Tables]:
    return lambda tables: tables | {table: tables[table].head(tables[table].height // 2)}


def header_of(table: str) -> Callable[[Tables], Tables]:
    return lambda tables: tables | {table: tables[table].clear()}


def other_hospital(_: Tables) -> Tables:
    return synthesise(120, seed=77).tables


def other_hospital_s_ids(tables: Tables) -> Tables:
    other = pl.col("patient_id").str.replace("P", "H")
    return {name: rows.with_columns(patient_id=other) for name, rows in tables.items()}


def swapped(tables: Tables) -> Tables:
    """Write day and month the wrong way round where that gives a date."""
    when = pl.col("sample_date")
    other = when.str.replace(r"-(\d\d)-(\d\d)$", "-$2-$1")
    is_date = when.str.slice(8, 2).cast(pl.Int32) <= 12
    cells = pl.when(is_date).then(other).otherwise(when)
    return set_cells("labs", sample_date=cells)(tables)


def of_seven_years_ago(tables: Tables) -> Tables:
    return tables | {"labs": tables["labs"].filter(pl.col("sample_date") < "2019-06-30")}


WRONG = {
    "half a table lost": (half_of("surgeries"), "rows_lost", "surgeries"),
    "half a small table lost": (half_of("events"), "rows_lost", "events"),
    "events cut to the header": (header_of("events"), "rows_lost", "events"),
    "another hospital's export": (other_hospital_s_ids, "patients_gone", "patients"),
    "another hospital's export, ids alike": (
        other_hospital,
        "cells_changed",
        "patients.birth_date",
    ),
    "day and month swapped": (swapped, "cells_changed", "labs.sample_date"),
    "GBq labelled mCi": (
        set_cells("i131_treatments", activity_unit=pl.lit("mCi")),
        "units",
        "i131_treatments.activity",
    ),
    "MBq labelled GBq": (
        relabelled("i131_treatments", "activity_unit", "MBq", "GBq"),
        "unit_new_or_gone",
        "i131_treatments.activity in MBq",
    ),
    "mm labelled cm": (
        relabelled("imaging", "largest_lung_nodule_unit", "mm", "cm"),
        "units",
        "imaging.largest_lung_nodule in mm",
    ),
    "values ten times too large": (
        set_cells("labs", value=(pl.col("value").cast(pl.Float64) * 10).cast(pl.String)),
        "quantiles",
        "labs.value Tg in ng/mL",
    ),
    "a column gone empty": (
        set_cells("patients", death_date=pl.lit(None, dtype=pl.String)),
        "cells_emptied",
        "patients.death_date",
    ),
    "everybody dead": (
        set_cells("patients", death_date=pl.col("last_contact_date")),
        "cells_filled",
        "patients.death_date",
    ),
    "a seven-year-old file": (of_seven_years_ago, "newest_back", "labs.sample_date"),
    "every recurrence a progression": (
        set_cells("events", type=pl.lit("progression")),
        "cells_changed",
        "events.type",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_looks_right_and_is_not_refuses_the_night(
    case: str, registry: Tables, night: RunNight, after_first: Path, tmp_path: Path
) -> None:
    damage, what, where = WRONG[case]
    with pytest.raises(NightRefused) as refused:
        night(write(damage(registry), tmp_path / "wrong"), as_of=FIRST + timedelta(days=1))
    assert refused.value.exit_status == 3
    record = json.loads((after_first / "refused" / "2026-07-02.json").read_text())
    found = [
        one
        for one in record["findings"]
        if one["what"] == what and one["where"].startswith(where) and one["verdict"] == "refused"
    ]
    assert found, record["findings"]
    assert "thyrisk accept 2026-07-02" in str(refused.value)
    assert not (after_first / "run_date=2026-07-02").exists()
    assert (after_first / "latest").readlink() == Path("run_date=2026-07-01")


def test_nights_that_grow_as_registries_do_neither_warn_nor_refuse(
    registry: Tables, night: RunNight, tmp_path: Path
) -> None:
    results = []
    for n in range(9):
        folder = write(grown(registry, 0.84 + 0.02 * n), tmp_path / f"export{n}")
        results.append(night(folder, as_of=FIRST + timedelta(days=n)))
    assert [
        one for result in results for one in result.comparisons if one["verdict"] != "fine"
    ] == []
    assert len(results[-1].compared_with) == 7
    assert {one["what"] for one in results[-1].comparisons} > {"rows_lost", "quantiles", "units"}


def test_a_loss_in_small_steps_is_seen_against_several_nights(
    registry: Tables, night: RunNight, tmp_path: Path
) -> None:
    shuffled = registry["labs"].sample(fraction=1, shuffle=True, seed=1)

    def steps() -> Iterator[Any]:
        for n in range(8):
            labs = shuffled.head(int(shuffled.height * 0.92**n))
            export = write(registry | {"labs": labs}, tmp_path / f"export{n}")
            yield night(
                export,
                as_of=FIRST + timedelta(days=n),
                acceptance={"newest_back": {"refuse": None}},
            )

    with pytest.raises(NightRefused, match=r"labs: \d+ tonight, before \d+; rows_lost"):
        list(steps())


def test_the_same_files_again_are_said(registry: Tables, night: RunNight, tmp_path: Path) -> None:
    export = write(registry, tmp_path / "export")
    results = [night(export, as_of=FIRST + timedelta(days=n)) for n in range(3)]
    assert [sum("identical_nights" in w for w in one.warnings) for one in results] == [0, 1, 1]
    with pytest.raises(NightRefused, match="all files: 3 tonight"):
        night(
            export, as_of=FIRST + timedelta(days=3), acceptance={"identical_nights": {"refuse": 3}}
        )


def test_an_old_extraction_refuses_even_the_first_night(
    registry: Tables, night: RunNight, tmp_path: Path
) -> None:
    export = write(registry, tmp_path / "export", extracted=FIRST)
    assert any("extraction_age" in w for w in night(export, as_of=date(2026, 7, 20)).warnings)
    with pytest.raises(NightRefused, match="extraction_age"):
        night(export, as_of=date(2033, 7, 1), to=tmp_path / "other", allow_future=True)


def test_an_export_without_anything_new_for_years_refuses_even_the_first_night(
    registry: Tables, night: RunNight, tmp_path: Path
) -> None:
    with pytest.raises(NightRefused, match=r"all tables: 2,5\d\d tonight; newest_age"):
        night(write(registry, tmp_path / "export"), as_of=date(2033, 7, 1), allow_future=True)


def test_a_refused_night_is_published_once_it_is_accepted_and_says_so(
    registry: Tables, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    good, half = write(registry, tmp_path / "good"), half_of("labs")(registry)
    half = write(half, tmp_path / "half")

    def run(export: Path, day: str) -> Any:
        asked = ("--export", export, "--out", out, "--as-of", day, "--no-server")
        return thyrisk("nightly", *asked)

    assert run(good, "2026-07-01").returncode == 0
    refused = run(half, "2026-07-02")
    assert refused.returncode == 3, refused.stderr
    assert "Traceback" not in refused.stderr
    why = "the laboratory of one centre has left"
    accepted = thyrisk("accept", "2026-07-02", "--out", out, "--why", why)
    assert accepted.returncode == 0, accepted.stderr
    let_through = run(half, "2026-07-02")
    assert let_through.returncode == 0, let_through.stderr
    assert why in let_through.stdout
    assert "rows_lost" in let_through.stdout
    report = json.loads((out / "run_date=2026-07-02" / "run.json").read_text())
    assert report["accepted"]["why"] == why
    assert any(one["verdict"] == "refused" for one in report["comparisons"])
    following = run(half, "2026-07-03")
    assert following.returncode == 0, following.stderr
    assert "rows_lost" not in following.stdout


def test_an_acceptance_is_for_the_very_night_that_was_refused(
    registry: Tables, night: RunNight, after_first: Path, tmp_path: Path
) -> None:
    second = FIRST + timedelta(days=1)
    with pytest.raises(NightRefused):
        night(write(half_of("labs")(registry), tmp_path / "half"), as_of=second)
    accept(after_first, second, "fewer laboratories")
    with pytest.raises(NightRefused, match="imaging"):
        night(write(half_of("imaging")(registry), tmp_path / "other"), as_of=second)
    with pytest.raises(NightRefused, match="labs"):
        night(tmp_path / "half", as_of=second)


def test_a_night_run_again_stays_accepted(
    registry: Tables, night: RunNight, after_first: Path, tmp_path: Path
) -> None:
    days = [FIRST + timedelta(days=n) for n in range(3)]
    half = write(half_of("labs")(registry), tmp_path / "half")
    with pytest.raises(NightRefused):
        night(half, as_of=days[1])
    accept(after_first, days[1], "fewer laboratories")
    first = night(half, as_of=days[1])
    night(half, as_of=days[2])
    again = night(None, as_of=days[1])
    assert again.accepted is not None
    assert again.accepted == first.accepted
    assert again.comparisons == first.comparisons


def test_there_is_nothing_to_accept_where_nothing_was_refused(out: Path) -> None:
    with pytest.raises(UsageError, match="no night of 2026-07-01 was refused"):
        accept(out, FIRST, "why not")
    done = thyrisk("accept", "1 July", "--out", out, "--why", "x")
    assert done.returncode == 2


@pytest.mark.usefixtures("after_first")
def test_a_tolerance_is_a_setting(registry: Tables, night: RunNight, tmp_path: Path) -> None:
    never = {"refuse": "never", "warn": "never"}
    named = dict.fromkeys(("cells_emptied", "cells_filled"), never)
    damage = WRONG["a column gone empty"][0]
    export = write(damage(registry), tmp_path / "empty")
    result = night(
        export, as_of=FIRST + timedelta(days=1), acceptance=named | {"flags_moved": never}
    )
    assert [one for one in result.comparisons if one["what"] == "cells_emptied"]


def test_figures_are_published_and_a_night_run_again_has_the_same(
    registry: Tables, night: RunNight, out: Path, tmp_path: Path
) -> None:
    night(write(grown(registry, 0.96), tmp_path / "one"), as_of=FIRST)
    path = out / "run_date=2026-07-01" / "profile.parquet"
    before = path.read_bytes()
    night(write(registry, tmp_path / "two"), as_of=FIRST + timedelta(days=1))
    night(None, as_of=FIRST)
    assert path.read_bytes() == before
    rows = read_table(path, NO_KEYS).filter(what="rows", where="patients")["figure"]
    assert rows.to_list() == [115]


def test_a_refusal_under_pseudonyms_names_no_file_of_several(
    registry: Tables, night: RunNight, out: Path, tmp_path: Path
) -> None:
    def export(name: str, rows: int) -> Path:
        folder = write(registry, tmp_path / name)
        labs = registry["labs"]
        (folder / "labs.csv").unlink()
        labs.head(200).write_csv(folder / "labs-CANARY.csv")
        labs.slice(200, rows).write_csv(folder / "labs-z.csv")
        return folder

    night(export("one", 900), as_of=FIRST, keys=KEYS)
    with pytest.raises(NightRefused, match="labs, file 2: 100 tonight") as refused:
        night(export("two", 100), as_of=FIRST + timedelta(days=1), keys=KEYS)
    said = str(refused.value) + (out / "refused" / "2026-07-02.json").read_text()
    assert "CANARY" not in said
    assert registry["patients"]["patient_id"][0] not in said
