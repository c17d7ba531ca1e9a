"""The last published night's tables, read again from the warehouse; nothing is written."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from flows.errors import NightRefused
from flows.history import night_again
from flows.job import Job
from flows.landmarks import Registry
from flows.load import load_table
from flows.lock import LOCK, held
from flows.pseudonyms import pseudonymised
from flows.warehouse.warehouse import Warehouse
from schemas.registry import TABLES


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
        Warehouse(job.warehouse, job.settings.duckdb_memory, Path(scratch)) as warehouse,
    ):
        latest = warehouse.latest_as_of()
        past = warehouse.night_of(latest) if latest else None
        if latest is None or past is None:
            raise NightRefused(f"{job.warehouse} has no published night")
        now = datetime.now(UTC)
        night = night_again(replace(job, as_of=latest), now, Path(scratch), warehouse, past)
        for table in TABLES:
            load_table(night, warehouse, table)
        names = night.patients.select(patient_id="patient_no", name="patient_id")
        shown = pseudonymised(names.select(patient_id="name", number="patient_id"), night.keys)
        yield Registry(
            {name: frame.lazy() for name, frame in night.tables.items()},
            night.set_aside.lazy(),
            latest,
            night.settings.windows,
            shown.select(patient_id="number", name="patient_id"),
        )
