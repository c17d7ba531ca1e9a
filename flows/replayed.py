"""The last published night's tables, read again from the warehouse; nothing is written."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from flows.errors import NightRefused
from flows.history import night_again, past_night
from flows.job import Job, Tonight
from flows.landmarks import Registry
from flows.load import load_table
from flows.lock import LOCK, held
from flows.pseudonyms import pseudonymised
from flows.read import Read
from flows.warehouse.warehouse import Warehouse
from schemas.registry import TABLES
from transforms.variables.as_of import known_as_of


@contextmanager
def last_night(job: Job) -> Iterator[Registry]:
    """Give what the last published night knew, while no other night runs.

    Raises NightRefused when there is none, NightRunning while one runs.
    """
    if not job.warehouse.is_file():
        raise NightRefused(f"{job.warehouse}: no warehouse; has a night been published?")
    locks = (job.out / LOCK, job.warehouse.with_name(job.warehouse.name + ".lock"))
    with (
        held(*locks, holder="a validation"),
        tempfile.TemporaryDirectory() as scratch,
        Warehouse(job.warehouse, job.settings.duckdb_memory, Path(scratch), job.keys) as warehouse,
    ):
        runs = warehouse.published()
        if not runs:
            raise NightRefused(f"{job.warehouse} has no published night")
        job = replace(job, export=None, as_of=max(run.as_of for run in runs))
        past = past_night(job, runs)
        assert past is not None  # noqa: S101
        yield _read(night_again(job, datetime.now(UTC), Path(scratch), warehouse, past), warehouse)


def _read(night: Tonight, warehouse: Warehouse) -> Registry:
    read = Read()
    for table in TABLES:
        read = load_table(night, warehouse, read, table)
    set_aside = read.set_aside.lazy()
    coverage = night.mapping.coverage.with_found(read.empty)
    return Registry(
        known_as_of(read.rows, set_aside, night.as_of, coverage, night.extracted_on),
        set_aside,
        night.settings.windows,
        pseudonymised(read.names, night.keys),
        night.extracted_on,
    )
