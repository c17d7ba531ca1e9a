"""Settings: one typed object, built once at the edge and passed down.

They come from `--settings FILE.toml`; a variable THYRISK_<NAME> of the environment (with __ for
a section, as THYRISK_WINDOWS__FDG_DAYS) overrides the file.
"""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from cronsim import CronSim, CronSimError
from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from flows.errors import UsageError
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping
from transforms.variables.windows import Windows

_Model = TypeVar("_Model", bound=BaseModel)


class Settings(BaseSettings):
    """Everything about a night that an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix="THYRISK_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    windows: Windows = Windows()
    max_bad_share: float = Field(
        0.2, ge=0, le=1, description="refuse the night when more of a table's rows are bad"
    )
    max_bad_share_of: dict[str, float] = Field(
        {}, description="the same for single tables, as labs = 0.05"
    )
    max_unattributed_share: float = Field(
        0.1, ge=0, le=1, description="refuse when of more of a table's rows the patient is unknown"
    )
    max_shrink_share: float = Field(
        0.5, ge=0, le=1, description="refuse when a table lost more of its rows since last time"
    )
    judge_from_bad_rows: int = Field(
        10, ge=1, description="fewer bad rows than this never refuse a night"
    )
    judge_from_rows: int = Field(
        100, ge=1, description="a table that had fewer rows than this is never said to have shrunk"
    )
    batch_rows: int = Field(1_000_000, ge=1, description="rows read and validated at a time")
    duckdb_memory: str = Field("500MB", description="memory that DuckDB may use")
    max_unpack_ratio: int = Field(
        200, ge=1, description="refuse a compressed file that grows more than so many times"
    )
    require_manifest: bool = Field(
        False, description="refuse an export without a manifest.json that lists its files"
    )
    worklist_cap: int = Field(
        0, ge=0, description="patients on the worklist at most; 0 lists all who wait"
    )
    report: bool = Field(True, description="write report.html")
    report_patients: int = Field(
        400, ge=0, description="patients of the worklist whom the report shows in full"
    )
    smallest_cell: int = Field(
        5, ge=1, description="reports do not show counts of patients between 1 and this, exclusive"
    )
    keep_nights: int = Field(
        0, ge=0, description="published nights to keep, newest first; 0 keeps all"
    )
    keep_history: int = Field(
        0, ge=0, description="nights the warehouse can run again; older versions go; 0 keeps all"
    )
    notify_block: str | None = Field(
        None, description="Prefect block to notify of a failed night, as slack-webhook/thyrisk"
    )
    umask: str = Field(
        "077", pattern="^0?[0-7]{3}$", description="rights that new files and folders do not get"
    )
    schedule: str = Field(
        "0 2 * * *", description="when nights are due, as cron has it, UTC; for `thyrisk status`"
    )
    stale_after_hours: float = Field(
        36, gt=0, description="`thyrisk status` warns when the last night ended longer ago"
    )

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, schedule: str) -> str:
        try:
            CronSim(schedule, datetime(2000, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            raise ValueError(f"not a cron schedule: {error}") from error
        return schedule

    @field_validator("max_bad_share_of")
    @classmethod
    def _tables_exist(cls, shares: dict[str, float]) -> dict[str, float]:
        for table in shares:
            if table not in TABLES:
                raise ValueError(f"{table}: no such table; known: {', '.join(TABLES)}")
        return shares


def load_settings(path: Path | None) -> Settings:
    """Build the settings from a file and the environment. Raises UsageError."""
    if path is not None and not path.is_file():
        raise UsageError(f"settings: no such file: {path}")

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, TomlConfigSettingsSource(settings_cls, toml_file=path)

    return _checked(FromFile, f"settings {path}" if path else "settings", {})


def load_mapping(path: Path | None) -> Mapping:
    """Read a mapping file; without one, the contract's own dialect. Raises UsageError."""
    if path is None:
        return Mapping()
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"mapping: cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"mapping {path}: not TOML: {error}") from error
    return _checked(Mapping, f"mapping {path}", content)


def _checked(model: type[_Model], what: str, content: dict[str, Any]) -> _Model:
    try:
        return model(**content)
    except ValidationError as error:
        problems = "\n".join(
            f"  {'.'.join(str(part) for part in problem['loc']) or 'file'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise UsageError(f"{what}:\n{problems}") from error
    except ValueError as error:
        raise UsageError(f"{what}: {error}") from error
