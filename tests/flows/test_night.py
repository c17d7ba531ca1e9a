"""Whole nights on synthetic exports: what goes in comes out, once, the same every time."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from flows.errors import NightError, NightRefused, NightRunning, UsageError
from flows.job import Job
from flows.lock import held
from flows.night import STEPS, run_night
from flows.outputs import Result
from flows.published.write import write_csv
from flows.settings import Settings
from flows.synth import Registry as Synthetic
from flows.synth import synthesise
from flows.synth.files import write_export
from schemas.published import PatientRisk, columns_of
from schemas.registry import TABLES
from tests.flows.conftest import RunNight, publish
from tests.registry import Registry, days
from transforms.reading.mapping import Mapping

AS_OF = date(2026, 6, 30)
PARQUET = (
    "patient_risk.parquet",
    "model_scores.parquet",
    "predictors.parquet",
    "features.parquet",
    "worklist.parquet",
    "registry_list.parquet",
    "quarantine.parquet",
    "criteria.parquet",
    "needs.parquet",
    "on_file.parquet",
    "reviews.parquet",
    "qi_measures.parquet",
    "past_predictions.parquet",
    "surveillance.parquet",
    "timeline.parquet",
    "profile.parquet",
    "patients_left_out.parquet",
    "ledger.parquet",
)
CSV = ("worklist.csv", "registry_list.csv")
WITH_LINES = ("quarantine.parquet", "registry_list.parquet")
"""Those that name files and lines."""


@pytest.fixture(scope="module")
def synthetic() -> Synthetic:
    return synthesise(600, seed=5, dirt=0.02)


@pytest.fixture(scope="module")
def exported(synthetic: Synthetic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "export"
    write_export(synthetic, folder, mixed=True)
    return folder


@pytest.fixture
def export(exported: Path, tmp_path: Path) -> Path:
    """Return an export of the test's own."""
    return Path(shutil.copytree(exported, tmp_path / "export"))


@pytest.fixture(scope="module")
def result(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Return one night of the export, for tests that only look at it."""
    return publish(exported, tmp_path_factory.mktemp("night") / "out")


def published(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / name, hive_partitioning=False)


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (*PARQUET, *CSV)}


def query(warehouse: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as db:
        return db.execute(sql).fetchall()


def test_every_row_read_is_loaded_quarantined_or_a_duplicate(
    result: Result, synthetic: Synthetic
) -> None:
    for file in result.files:
        assert file.rows_read == synthetic.tables[file.table].height
        assert file.rows_read == file.rows_loaded + file.rows_quarantined + file.duplicates
    quarantine = published(result.folder, "quarantine.parquet")
    rows, cells = quarantine["cell"].null_count(), quarantine["cell"].count()
    assert rows == sum(file.rows_quarantined for file in result.files)
    assert cells == sum(file.cells_set_aside for file in result.files)


def test_every_patient_of_the_export_is_in_every_output(
    result: Result, synthetic: Synthetic
) -> None:
    patients = synthetic.tables["patients"]["patient_id"].unique().sort()
    for name in ("patient_risk.parquet", "features.parquet"):
        assert published(result.folder, name)["patient_id"].to_list() == patients.to_list()
    scores = published(result.folder, "model_scores.parquet")
    assert scores.height == 4 * len(patients)
    assert scores.select("patient_id", "model").is_duplicated().any() is False


def test_planted_dirt_is_found_and_nothing_else_is_quarantined(
    result: Result, synthetic: Synthetic
) -> None:
    dirt = synthetic.dirt.filter(pl.col("table") != "")
    caught = published(result.folder, "quarantine.parquet")
    planted = dirt.filter(pl.col("fate") == "quarantined")
    # An empty key cannot be looked up by its key; a future date is counted apart.
    missed = planted.filter(pl.col("kind") != "empty key").join(
        caught, on=["table", "row_key"], how="anti"
    )
    assert missed.is_empty()
    extra = caught.filter(pl.col("row_key").is_not_null()).join(
        planted, on=["table", "row_key"], how="anti"
    )
    # An event before its patient's diagnosis, when dirt moved or hid the diagnosis, is bad too.
    assert extra.height <= 0.1 * planted.height
    repeated = dirt.filter(pl.col("fate") == "duplicate").height
    assert sum(file.duplicates for file in result.files) == repeated


def test_the_variables_are_what_was_planted(result: Result, synthetic: Synthetic) -> None:
    features = published(result.folder, "features.parquet")
    soiled = synthetic.dirt.filter(pl.col("fate") == "quarantined")["patient_id"]
    clean = synthetic.truth.filter(~pl.col("patient_id").is_in(soiled.implode()))
    clean = clean.filter(pl.col("patient_id").is_in(features["patient_id"].implode()))
    assert clean.height > 300
    names = [name for name in clean.columns if name not in ("courses", "site_count")]
    derived = features.join(clean.select("patient_id"), on="patient_id").sort("patient_id")
    for name in names:
        wanted = clean.sort("patient_id")[name]
        got = derived[name]
        if wanted.dtype == pl.String:
            got = got.cast(pl.String)
        differs = (
            got.ne_missing(wanted)
            if wanted.dtype != pl.Float64
            else ((got - wanted).abs().fill_null(0) > 1e-3) | (got.is_null() != wanted.is_null())
        )
        assert not differs.any(), name


def test_shuffling_rows_and_splitting_files_changes_nothing(
    result: Result, night: RunNight, synthetic: Synthetic, tmp_path: Path
) -> None:
    other = tmp_path / "shuffled"
    other.mkdir()
    for name, frame in synthetic.tables.items():
        shuffled = frame.sample(fraction=1, shuffle=True, seed=random.Random(3).randint(0, 99))  # noqa: S311
        half = frame.height // 2
        shuffled[:half].write_csv(other / f"{name}-1.csv", separator=";")
        shuffled[half:].write_parquet(other / f"{name}-2.parquet")
    second = night(other, to=tmp_path / "other")
    for name in (n for n in PARQUET if n not in WITH_LINES):
        assert_frame_equal(published(result.folder, name), published(second.folder, name))
    where = ["table", "row_key", "original"]
    reasons = [
        published(one.folder, "quarantine.parquet").drop("file", "line").sort(where)
        for one in (result, second)
    ]
    assert_frame_equal(*reasons)


def test_the_same_inputs_give_the_same_bytes(result: Result, export: Path, night: RunNight) -> None:
    second = night(export)
    assert content(result.folder) == content(second.folder)
    assert result.run_id == second.run_id


def test_loading_the_same_export_twice_adds_nothing(export: Path, night: RunNight) -> None:
    first = night(export)
    before = content(first.folder)
    second = night(export)
    assert sum(first.new_versions.values()) > 0
    assert sum(second.new_versions.values()) == 0
    assert content(second.folder) == before


def test_a_later_export_replaces_what_it_corrects_and_keeps_history(
    export: Path, night: RunNight, synthetic: Synthetic, tmp_path: Path, out: Path
) -> None:
    first = night(export, as_of=date(2026, 6, 29))
    before = content(first.folder)
    labs = synthetic.tables["labs"]
    corrected = labs.with_columns(
        value=pl.when(pl.int_range(pl.len()) == 7).then(pl.lit("12.5")).otherwise("value")
    ).slice(0, labs.height - 3)
    later = tmp_path / "later"
    write_export(Synthetic(synthetic.tables | {"labs": corrected}, *_rest(synthetic)), later)
    second = night(later, as_of=AS_OF)
    assert second.new_versions == dict.fromkeys(TABLES, 0) | {"labs": 1}
    versions = query(
        out / "warehouse.duckdb",
        f"SELECT value, seen_from, seen_until FROM raw.labs "
        f"WHERE lab_id = '{labs['lab_id'][7]}' ORDER BY seen_from",
    )
    assert versions == [(labs["value"][7], 1, 2), ("12.5", 2, None)]
    replayed = night(later, as_of=date(2026, 6, 29))
    assert replayed.replayed
    assert content(replayed.folder) == before
    assert night(None, as_of=date(2026, 6, 29)).run_id == first.run_id


def _rest(synthetic: Synthetic) -> tuple[pl.DataFrame, pl.DataFrame]:
    return synthetic.truth, synthetic.dirt


def test_as_of_never_sees_later_rows(night: RunNight, synthetic: Synthetic, tmp_path: Path) -> None:
    day = date(2020, 1, 1)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    write_export(synthetic, whole)
    known = {
        name: frame
        if (when := TABLES[name].date) is None
        else frame.filter(~(pl.col(when).str.to_date(strict=False) > day).fill_null(False))
        for name, frame in synthetic.tables.items()
    }
    write_export(Synthetic(known, *_rest(synthetic)), cut)
    one, other = night(whole, day, tmp_path / "one"), night(cut, day, tmp_path / "other")
    received = (*WITH_LINES, "profile.parquet", "patients_left_out.parquet")
    for name in (n for n in PARQUET if n not in received):
        assert_frame_equal(published(one.folder, name), published(other.folder, name))


def test_raw_rows_keep_their_origin_and_valid_rows_their_types(
    result: Result,
) -> None:
    warehouse = result.folder.parent / "warehouse.duckdb"
    raw = query(
        warehouse,
        "SELECT count(*), count(file), count(line), count(loaded_at), count(run_id), "
        "count(row_hash), any_value(run_id) FROM raw.labs",
    )[0]
    assert len(set(raw[:-1])) == 1
    assert raw[-1] == result.run_id
    for file in result.files:
        (valid,) = query(warehouse, f"SELECT count(*) FROM valid.{file.table}")[0]
        assert valid == file.rows_loaded
    kinds = query(
        warehouse,
        "SELECT typeof(value), typeof(sample_date) FROM valid.labs LIMIT 1",
    )
    assert kinds == [("DOUBLE", "DATE")]
    (marts,) = query(warehouse, "SELECT count(*) FROM marts.patient_risk")[0]
    assert marts == result.patients


def test_cells_set_aside_keep_the_text_the_line_and_their_reason(
    night: RunNight, tmp_path: Path
) -> None:
    registry = Registry().usual("A").usual("B")
    registry.add("labs", "A", sample_date="2020-02-31", analyte="Tg", value="high", unit="stone")
    registry.stg("A", 700)
    result = night(registry.write(tmp_path / "export"))
    cells = published(result.folder, "quarantine.parquet").to_dicts()
    for cell in cells:
        assert (cell["table"], cell["file"], cell["line"]) == ("labs", "labs.csv", 2)
        assert json.loads(cell["original"])["value"] == "high"
    assert {cell["cell"]: cell["reasons"] for cell in cells} == {
        "sample_date": ["sample_date: not a date (YYYY-MM-DD, or YYYY-MM, YYYY)"],
        "unit": ["unit: not one of ng/mL, ug/L, µg/L, pmol/L, IU/mL, kIU/L, mIU/L, uIU/mL, µIU/mL"],
        "value": ["value: not a number"],
    }
    features = published(result.folder, "features.parquet")
    assert features["quarantined_rows"].to_list() == [0, 0]
    assert features["cells_set_aside"].to_list() == [3, 0]
    # It may be the last stimulated Tg before the index date.
    assert features["stg_500"].to_list() == [None, None]


def test_a_row_without_what_it_is_is_quarantined_whole(night: RunNight, tmp_path: Path) -> None:
    registry = Registry().usual("A")
    registry.add("labs", "A", sample_date=days(-3), analyte="Calcitonin", value=5, unit="ng/mL")
    result = night(registry.write(tmp_path / "export"))
    (row,) = published(result.folder, "quarantine.parquet").to_dicts()
    assert (row["cell"], row["patient_id"]) == (None, "A")
    assert row["reasons"] == [
        "analyte: not one of Tg, TgAb, TSH",
    ]


def test_rows_of_a_key_with_different_contents_name_their_patient(
    night: RunNight, tmp_path: Path
) -> None:
    registry = Registry().usual("A").usual("B").usual("C")
    registry.add("events", "C", event_id="E", event_date=days(20), type="recurrence")
    registry.add("events", "C", event_id="E", event_date=days(30), type="recurrence")
    result = night(registry.write(tmp_path / "export"))
    quarantine = published(result.folder, "quarantine.parquet")
    assert quarantine["patient_id"].to_list() == ["C", "C"]
    risk = published(result.folder, "patient_risk.parquet")
    assert risk["quarantined_rows"].to_list() == [0, 0, 2]


def test_a_patient_whose_own_row_is_bad_is_still_there(night: RunNight, tmp_path: Path) -> None:
    registry = Registry().usual("A", sex="F").metastasis("A", "lung")
    result = night(registry.write(tmp_path / "export"))
    (row,) = published(result.folder, "patient_risk.parquet").to_dicts()
    assert row["patient_id"] == "A"
    assert row["quarantined_rows"] == 0
    assert row["rrdtc_status"] == "bounded"
    assert row["os_status"] == "bounded"


@pytest.mark.parametrize("damage", ["missing table", "wrong sha", "missing column", "half gone"])
def test_a_refused_night_publishes_nothing_and_leaves_the_last_one(
    export: Path, night: RunNight, out: Path, synthetic: Synthetic, damage: str
) -> None:
    good = night(export, as_of=date(2026, 6, 29))
    before = content(good.folder)
    if damage == "missing table":
        (export / "surgeries.csv").unlink()
    elif damage == "wrong sha":
        with (export / "surgeries.csv").open("a") as stream:
            stream.write("S99,P0000001,2020-01-01,total\n")
    elif damage == "missing column":
        (export / "manifest.json").unlink()
        synthetic.tables["surgeries"].drop("procedure").write_csv(export / "surgeries.csv")
    else:
        (export / "manifest.json").unlink()
        synthetic.tables["surgeries"].head(100).write_csv(export / "surgeries.csv")
    with pytest.raises(NightRefused, match="surgeries"):
        night(export)
    assert [path.name for path in out.glob("run_date=*")] == ["run_date=2026-06-29"]
    assert content(good.folder) == before
    assert not list(out.glob(".staging-*"))


@pytest.mark.parametrize("fails_at", ["load labs", "derive variables", "write", "publish"])
def test_a_night_that_broke_off_leaves_no_trace_in_the_next(
    result: Result, export: Path, night: RunNight, out: Path, fails_at: str
) -> None:
    def breaking(name: str, step: Callable[..., Any], *args: Any) -> Any:
        if name == fails_at:
            raise OSError("disk full")
        return step(*args)

    job = Job(export, out, AS_OF, out / "warehouse.duckdb", Mapping(), Settings(report=False))
    with pytest.raises(NightError, match="disk full"):
        run_night(job, breaking)
    assert not list(out.glob("run_date=*"))
    assert content(night(export).folder) == content(result.folder)
    everything = "SELECT count(*), sum(line), min(seen_from), max(seen_until) FROM raw.labs"
    never = result.folder.parent
    rows = [query(to / "warehouse.duckdb", everything) for to in (out, never)]
    assert rows[0] == rows[1]


def test_too_many_bad_rows_refuse_the_night_and_say_why(
    export: Path, night: RunNight, synthetic: Synthetic
) -> None:
    (export / "manifest.json").unlink()
    bad = synthetic.tables["events"].with_columns(type=pl.lit("relapse"))
    bad.write_csv(export / "events.csv")
    with pytest.raises(NightRefused, match="type: not one of recurrence, progression"):
        night(export)
    assert night(export, max_bad_share_of={"events": 1.0}).patients == 600


def test_a_second_night_at_the_same_time_ends_at_once_and_names_the_holder(
    export: Path, night: RunNight, out: Path
) -> None:
    with (
        held(out / ".lock", holder="night of 2026-06-30"),
        pytest.raises(NightRunning, match=r"process \d+, night of 2026-06-30"),
    ):
        night(export)


def test_a_past_night_that_never_was_cannot_be_run_again(night: RunNight) -> None:
    with pytest.raises(UsageError, match="no night of 2026-06-30"):
        night(None)


def test_changes_since_the_last_night_are_named(night: RunNight, tmp_path: Path) -> None:
    registry = Registry().usual("A", 62).metastasis("A", "lymph_node").usual("B")
    first = night(registry.write(tmp_path / "one"), as_of=date(2026, 6, 29))
    registry.pet("A", days(-2), suv_max=8).usual("C")
    second = night(registry.write(tmp_path / "two"), as_of=AS_OF)
    assert second.previous == first.folder.name
    risk = published(second.folder, "patient_risk.parquet")
    changed = dict(risk.select("patient_id", "changed_since_last").iter_rows())
    assert changed["A"][0] == "rrdtc_flag: indeterminate -> high"
    assert changed["B"] == []
    assert changed["C"] == ["new patient"]
    work = published(second.folder, "worklist.parquet")
    assert work["patient_id"][0] == "A"
    assert work.select("list", "known_since", "why_lead").row(0) == (
        "new",
        AS_OF,
        "High RR-DTC risk at 131I on 2020-06-15",
    )


def test_parquet_says_what_each_column_is_and_which_night_it_is_of(
    result: Result,
) -> None:
    for name in PARQUET:
        schema = pq.read_schema(result.folder / name)
        metadata = pq.read_metadata(result.folder / name).metadata
        assert metadata[b"thyrisk_run_id"].decode() == result.run_id
        assert all(field.metadata[b"description"] for field in schema), name
    assert published(result.folder, "patient_risk.parquet").schema == pl.Schema(
        columns_of(PatientRisk)
    )


def test_formulas_do_not_run_in_a_spreadsheet(tmp_path: Path) -> None:
    write_csv(pl.DataFrame({"a": ["=1+1", "-x", "@y", "fine"]}), tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_text().split() == ["a", "'=1+1", "'-x", "'@y", "fine"]


def test_run_json_counts_and_checksums_everything(result: Result) -> None:
    report = json.loads((result.folder / "run.json").read_text())
    for name, digest in report["outputs"].items():
        assert hashlib.sha256((result.folder / name).read_bytes()).hexdigest() == digest
    assert set(report["outputs"]) == {*PARQUET, *CSV}
    required = {name for name, table in TABLES.items() if table.required}
    assert {file["table"] for file in report["files"]} == required


def test_an_error_of_ours_is_never_published(export: Path, night: RunNight, out: Path) -> None:
    with pytest.raises(NightError):
        night(export / "nowhere")
    assert not list(out.glob("run_date=*"))


def test_a_night_takes_the_steps_that_it_names(export: Path, night: RunNight) -> None:
    taken = list(night(export, report=True).seconds)
    assert tuple(taken) == STEPS


def test_readers_read_the_last_night_during_the_next(
    export: Path, night: RunNight, out: Path
) -> None:
    first = night(export)
    before = published(first.folder, "patient_risk.parquet")
    seen = []

    def reading(name: str, step: Callable[..., Any], *args: Any) -> Any:
        done = step(*args)
        latest = published(out / "latest", "patient_risk.parquet")
        seen.append(latest.equals(before))
        return done

    # The same date again is swapped in; its contents are the same.
    for day in (AS_OF, AS_OF.replace(month=7)):
        warehouse = out / "warehouse.duckdb"
        run_night(Job(export, out, day, warehouse, Mapping(), Settings(report=False)), reading)
    assert all(seen[:-1]) and len(seen) > 30


def test_a_night_killed_after_it_was_published_counts_as_published(
    export: Path, night: RunNight, out: Path, tmp_path: Path
) -> None:
    def dying(name: str, step: Callable[..., Any], *args: Any) -> Any:
        step_result = step(*args)
        if name == "publish":
            raise OSError("killed here")
        return step_result

    first = date(2026, 6, 29)
    warehouse = out / "warehouse.duckdb"
    with pytest.raises(NightError):
        run_night(Job(export, out, first, warehouse, Mapping(), Settings(report=False)), dying)
    before = content(out / f"run_date={first}")
    result = night(export)
    assert result.previous == f"run_date={first}"
    assert sum(result.new_versions.values()) == 0
    assert content(night(None, as_of=first).folder) == before


def test_what_shapes_the_output_shapes_the_identity(
    export: Path, night: RunNight, tmp_path: Path
) -> None:
    runs = {
        night(export, to=tmp_path / name, **settings).run_id
        for name, settings in (
            ("usual", {}),
            ("capped", {"worklist_cap": 3}),
            ("shown", {"smallest_cell": 1}),
            ("memory", {"duckdb_memory": "400MB"}),
        )
    }
    assert len(runs) == 3
