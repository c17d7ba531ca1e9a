"""A mapping tried on an export: a whole night, of which nothing is kept."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from flows.errors import told
from flows.job import Job, Tonight
from flows.mapped.ledger import summary
from flows.night import directly, private, read_tables
from flows.opening import open_night
from flows.outputs import Outputs
from flows.results import results_of
from flows.settings import Settings
from flows.warehouse.warehouse import Warehouse
from models.spec import library
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping, assumptions

_LENIENT = {"max_bad_share": 1.0, "max_bad_share_of": {}, "max_unattributed_share": 1.0}


@dataclass(frozen=True)
class Checked:
    """What a mapping makes of an export."""

    sources: list[dict[str, Any]]
    """Per file of a source: its records by fate."""
    rules: pl.DataFrame
    """Per source, table, rule, fate and reason: records and rows."""
    tables: pl.DataFrame
    """Per table: rows, loaded, quarantined, duplicates, cells set aside, empty columns."""
    uncovered: pl.DataFrame
    """Per table, column, reason and value: how many cells were set aside."""
    assumptions: list[dict[str, str]]
    models: pl.DataFrame
    """Per model: patients by status."""
    predictors: pl.DataFrame
    """Per model and predictor: patients of whom it is known, lacks, and is all that lacks."""
    coverage: dict[str, str]
    patients: int
    warnings: tuple[str, ...]


@contextmanager
def tried(
    mapping: Mapping, export: Path, settings: Settings, as_of: date | None
) -> Iterator[tuple[Tonight, Outputs]]:
    """Run a night up to what it would publish, in a folder that is gone afterwards.

    A table that is too bad, or a night too old, refuses nothing here. Raises NightError.
    """
    lenient = settings.model_copy(update={**_LENIENT, "report": False, "require_manifest": False})
    with tempfile.TemporaryDirectory(prefix="thyrisk-") as aside, private(settings.umask):
        out, scratch = Path(aside) / "out", Path(aside) / "scratch"
        out.mkdir()
        scratch.mkdir()
        today = datetime.now(UTC)
        day = as_of or today.date()
        job = Job(export, out, day, out / "warehouse.duckdb", mapping, lenient, allow_future=True)
        with told(out), Warehouse(job.warehouse, lenient.duckdb_memory, scratch, job.keys) as db:
            tonight = open_night(job, today, scratch, db, directly)
            yield tonight, results_of(tonight, read_tables(tonight, db, directly), directly)


def checked(mapping: Mapping, export: Path, settings: Settings, as_of: date | None) -> Checked:
    """Return what a mapping makes of an export. Raises NightError."""
    with tried(mapping, export, settings, as_of) as (tonight, outputs):
        tables = outputs.tables
        ledger = outputs.ledger
        return Checked(
            sources=summary(ledger),
            rules=_by_rule(ledger),
            tables=_by_table(outputs),
            uncovered=_uncovered(outputs.quarantine),
            assumptions=list(assumptions(mapping)),
            models=_models(outputs),
            predictors=_predictors(tables["predictors"], outputs),
            coverage=_coverage(mapping, outputs),
            patients=outputs.counts.patients,
            warnings=(*tonight.warnings, *outputs.counts.warnings, *outputs.remarks),
        )


def _by_rule(ledger: pl.DataFrame) -> pl.DataFrame:
    return (
        ledger.group_by("source", "table", "rule", "fate", "reason")
        .agg(records=pl.len(), rows=pl.col("rows").sum())
        .sort("source", "table", "rule", "fate", "reason")
    )


def _by_table(outputs: Outputs) -> pl.DataFrame:
    counted = ("rows_read", "rows_loaded", "rows_quarantined", "duplicates", "cells_set_aside")
    files = outputs.counts.files
    rows = [
        {"table": table, **{what: sum(getattr(f, what) for f in of_table) for what in counted}}
        for table in TABLES
        if (of_table := [file for file in files if file.table == table])
    ]
    return pl.DataFrame(rows)


def _uncovered(quarantine: pl.DataFrame) -> pl.DataFrame:
    """Return what was set aside for a cell by what was received, the most frequent first."""
    told = pl.col("reasons").list.first().str.extract(r"^(\w+):", 1)
    is_cell = pl.col("cell").is_in(sorted({c for table in TABLES.values() for c in table.columns}))
    cells = quarantine.with_columns(cell=pl.coalesce("cell", told)).filter(
        is_cell, ~pl.col("not_yet")
    )
    named = [
        cells.filter(pl.col("cell") == name).with_columns(
            value=pl.col("original").str.json_path_match(f"$.{name}")
        )
        for name in cells["cell"].unique().sort()
    ]
    if not named:
        schema = {"table": pl.String, "cell": pl.String, "reason": pl.String}
        return pl.DataFrame(schema=schema | {"value": pl.String, "cells": pl.UInt32})
    return (
        pl.concat(named)
        .with_columns(reason=pl.col("reasons").list.first())
        .group_by("table", "cell", "reason", "value")
        .agg(cells=pl.len())
        .sort(["cells", "table", "cell", "value"], descending=[True, False, False, False])
    )


def _models(outputs: Outputs) -> pl.DataFrame:
    statuses = ("scored", "bounded", "insufficient", "ineligible")
    return pl.DataFrame(
        [
            {"model": name, **{s: int((frame["status"] == s).sum()) for s in statuses}}
            for name, frame in outputs.scores.items()
        ]
    )


def _predictors(predictors: pl.DataFrame, outputs: Outputs) -> pl.DataFrame:
    """Return, for the patients whom a model is for, how often each predictor lacks."""
    status = pl.concat(
        frame.select("patient_id", "status", pl.lit(name).alias("model"))
        for name, frame in outputs.scores.items()
    )
    meant = predictors.join(
        status.filter(pl.col("status") != "ineligible"), on=["patient_id", "model"]
    )
    lacks = pl.col("points").is_null()
    lacking = lacks.sum().over("patient_id", "model")
    labels = {
        (model.name, one.name): one.label
        for model in library().values()
        for one in model.predictors
    }
    counted = (
        meant.with_columns(is_alone=lacks & (lacking == 1))
        .group_by("model", "predictor")
        .agg(
            known=(~lacks).sum(),
            unknown=lacks.sum(),
            would_complete=pl.col("is_alone").sum(),
        )
        .sort(
            ["would_complete", "unknown", "model", "predictor"],
            descending=[True, True, False, False],
        )
    )
    named = [labels.get(key, key[1]) for key in counted.select("model", "predictor").iter_rows()]
    return counted.with_columns(label=pl.Series(named, dtype=pl.String))


def _coverage(mapping: Mapping, outputs: Outputs) -> dict[str, str]:
    """Return what is said of coverage, and which tables have no row."""
    said = {
        name: f"{one.status}{f' until {one.until}' if one.until else ''}"
        for name, one in mapping.coverage.root.items()
    }
    with_rows = {file.table for file in outputs.counts.files if file.rows_loaded}
    for table in TABLES:
        if table not in with_rows and table not in said and TABLES[table].required:
            said[table] = "no row: treated as not_collected"
    return said
