"""What a night is asked to do."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

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


def job_of(
    export: Path | None,
    out: Path,
    as_of: date | None,
    warehouse: Path | None,
    mapping: Path | None,
    settings: Path | None,
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
    )
