"""What a night is asked to do, and what it starts from."""

from collections.abc import Mapping as ByName
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from flows.intake.export import Export
from flows.mapped.prepare import Prepared
from flows.secrets import NO_KEYS, Keys, load_keys
from flows.settings import Settings, load_mapping, load_settings
from transforms.reading.mapping import Mapping


@dataclass(frozen=True)
class Job:
    """One night. Without an export, a past night is run again."""

    export: Path | None
    out: Path
    as_of: date
    warehouse: Path
    mapping: Mapping
    settings: Settings
    keys: Keys = NO_KEYS
    as_of_clock: bool = False
    """Whether `as_of` is what the clock said, not what somebody asked for."""
    allow_future: bool = False
    """Whether a date after tomorrow is meant."""


@dataclass(frozen=True)
class Tonight:
    """What is known before the first row is read: nothing of it changes later."""

    job: Job
    run_id: str
    mapping: Mapping
    settings: Settings
    """Those of the job; of a past night, those that it had."""
    seq: int
    """Its number in the warehouse."""
    started_at: datetime
    scratch: Path
    export: Export | None
    """None where a past night's rows are read again from the warehouse."""
    previous: str | None
    """The folder of the published night that it is compared with."""
    last: pl.DataFrame | None
    """What is compared of that night's patient_risk."""
    rows_before: ByName[str, int] = field(default_factory=dict)
    """Rows per table that the last night read."""
    extracted_on: date | None = None
    """The day of the extraction, where the export says it."""
    imports: int = 0
    """How many imports of reviews it sees."""
    made: Prepared = field(default_factory=Prepared)
    """What the rules of the mapping made of the export's files."""
    kept_quarantine: pl.DataFrame | None = None
    """What a past night set aside, as it was kept."""
    warnings: tuple[str, ...] = ()
    labels: ByName[str, str] = field(default_factory=dict)
    """What files are called where their names must not be shown: name -> label."""

    @property
    def as_of(self) -> date:
        """The date of the night."""
        return self.job.as_of

    @property
    def keys(self) -> Keys:
        """The keys of the night."""
        return self.job.keys

    @property
    def replayed(self) -> bool:
        """Whether it is a past night, run again."""
        return self.export is None


def job_of(
    export: Path | None,
    out: Path,
    as_of: date | None,
    warehouse: Path | None,
    mapping: Path | None,
    settings: Path | None,
    allow_future: bool = False,
) -> Job:
    """Return the job from what a command or a Prefect run was given. Raises UsageError.

    `as_of` defaults to today (UTC), `warehouse` to OUT/warehouse.duckdb; the keys come from the
    environment.
    """
    return Job(
        export=export,
        out=out,
        as_of=as_of or datetime.now(UTC).date(),
        warehouse=warehouse or out / "warehouse.duckdb",
        mapping=load_mapping(mapping),
        settings=load_settings(settings),
        keys=load_keys(),
        as_of_clock=as_of is None,
        allow_future=allow_future,
    )
