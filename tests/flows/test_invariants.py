"""What holds for every registry: generated registries through real code."""

import tempfile
from datetime import date
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.job import Job
from flows.night import run_night
from flows.outputs import Result
from flows.settings import Settings
from flows.synth import Registry, synthesise
from flows.synth.files import write_export
from transforms.acceptance.tolerances import Tolerance, Tolerances
from transforms.reading.mapping import Mapping

END = date(2026, 6, 30)
seeds = st.integers(0, 10_000)
slow = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


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
