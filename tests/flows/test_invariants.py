"""What holds for every registry: generated registries through real code."""

import tempfile
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from flows.job import Job
from flows.night import run_night
from flows.outputs import Result
from flows.settings import Settings
from flows.synth import Registry, synthesise
from flows.synth.files import write_export
from schemas.contracts import LATEST
from schemas.registry import EVENT_TABLES
from tests.registry import NOTHING_ASIDE, read_text
from transforms.acceptance.tolerances import Tolerance, Tolerances
from transforms.reading.mapping import Mapping
from transforms.variables.as_of import known_as_of
from transforms.variables.features import features
from transforms.variables.windows import Windows

END = date(2026, 6, 30)
seeds = st.integers(0, 10_000)
slow = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def clean_tables(seed: int, patients: int = 60) -> dict[str, pl.DataFrame]:
    tables, _ = read_text(synthesise(patients, seed).tables, END)
    return tables


def derive(tables: dict[str, pl.DataFrame], as_of: date) -> pl.DataFrame:
    lazy = {name: frame.lazy() for name, frame in tables.items()}
    record = known_as_of(lazy, NOTHING_ASIDE, as_of)
    return features(record, NOTHING_ASIDE, Windows())


@slow
@given(seeds, st.integers(0, 6500))
def test_as_of_never_sees_later_rows(seed: int, days_before: int) -> None:
    as_of = END - timedelta(days=days_before)
    tables = clean_tables(seed)
    known = {
        name: frame.filter(pl.col(f"{LATEST}{EVENT_TABLES[name].date}") <= as_of)
        if name in EVENT_TABLES
        else frame
        for name, frame in tables.items()
    }
    assert_frame_equal(derive(tables, as_of), derive(known, as_of))


@slow
@given(seeds, seeds)
def test_the_order_of_rows_never_matters(seed: int, order: int) -> None:
    tables = clean_tables(seed)
    shuffled = {
        name: frame.sample(fraction=1, shuffle=True, seed=order) for name, frame in tables.items()
    }
    assert_frame_equal(derive(tables, END), derive(shuffled, END))


@slow
@given(seeds)
def test_one_patients_rows_never_change_anothers_variables(seed: int) -> None:
    tables = clean_tables(seed)
    few = tables["patients"]["patient_no"].head(10)
    alone = {
        name: frame.filter(pl.col("patient_no").is_in(few.implode()))
        for name, frame in tables.items()
    }
    together = derive(tables, END).filter(pl.col("patient_no").is_in(few.implode()))
    assert_frame_equal(derive(alone, END), together)


def run(registry: Registry, folder: Path) -> Result:
    write_export(registry, folder / "export")
    out = folder / "out"
    any_age = Tolerances(newest_age=Tolerance(refuse=None))
    unlimited = Settings(max_bad_share=1.0, report=False, acceptance=any_age)
    return run_night(
        Job(folder / "export", out, END, out / "warehouse.duckdb", Mapping(), unlimited)
    )


@slow
@given(seeds, st.floats(0, 0.5), st.integers(1, 80))
def test_rows_and_patients_are_conserved_whatever_the_dirt(
    seed: int, dirt: float, patients: int
) -> None:
    registry = synthesise(patients, seed, dirt)
    with tempfile.TemporaryDirectory() as folder:
        result = run(registry, Path(folder))
        quarantine = pl.read_parquet(result.folder / "quarantine.parquet", hive_partitioning=False)
        for file in result.files:
            rows = registry.tables[file.table].height
            assert rows == file.rows_loaded + file.rows_quarantined + file.duplicates
            kept = quarantine.filter(pl.col("table") == file.table)
            assert kept["cell"].null_count() == file.rows_quarantined
            assert kept["cell"].count() == file.cells_set_aside
        assert quarantine["original"].null_count() == 0
        assert quarantine["reasons"].list.len().min() in (None, *range(1, 20))
        assert result.patients == registry.tables["patients"]["patient_id"].n_unique()
