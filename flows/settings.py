"""Settings: one typed object, built once at the edge and passed down.

They come from `--settings FILE.toml`; a variable THYRISK_<NAME> of the environment (with __ for
a section, as THYRISK_WINDOWS__FDG_DAYS) overrides the file.
"""

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import get_close_matches
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
from flows.mapping_file import read_mapping
from flows.sizes import SIZE
from schemas.registry import TABLES
from transforms.acceptance.tolerances import Tolerances
from transforms.reading.mapping import Mapping
from transforms.review.listing import Listing
from transforms.surveillance.watching import Watching
from transforms.variables.windows import Windows

_PREFIX = "THYRISK_"
_KEYS = ("pseudonym_key", "pseudonym_key_file", "encryption_key", "encryption_key_file")
_PLACES = ("export", "out", "mapping", "settings")
"""What a deployment is told by the environment of its worker."""
_OTHER_VARIABLES = ("debug", *_KEYS, *_PLACES)
_Model = TypeVar("_Model", bound=BaseModel)


class Settings(BaseSettings):
    """Everything about a night that an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix="THYRISK_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    windows: Windows = Windows()
    acceptance: Tolerances = Tolerances()
    listing: Listing = Listing()
    surveillance: Watching = Watching()
    max_bad_share: float = Field(
        0.2, ge=0, le=1, description="refuse the night when more of a table's rows are bad"
    )
    max_bad_share_of: dict[str, float] = Field(
        {}, description="the same for single tables, as labs = 0.05"
    )
    max_unattributed_share: float = Field(
        0.1, ge=0, le=1, description="refuse when of more of a table's rows the patient is unknown"
    )
    judge_from_bad_rows: int = Field(
        10, ge=1, description="fewer bad rows than this never refuse a night"
    )
    batch_rows: int = Field(1_000_000, ge=1, description="rows read and validated at a time")
    duckdb_memory: str = Field("500MB", description="memory that DuckDB may use")
    memory: str | None = Field(
        None, description="memory that a night may use, as 8GB; unset: what the machine has free"
    )
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
    round_counts: int = Field(
        5, ge=1, description="quality measures show counts as multiples of this; 1 as they are"
    )
    targets: dict[str, float] = Field(
        {}, description="what the registry aims at, by quality measure, as scored_os = 0.9"
    )
    local_models: Path | None = Field(
        None, description="folder of local model files, scored in every night beside the others"
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

    @field_validator("duckdb_memory", "memory")
    @classmethod
    def _is_size(cls, size: str | None) -> str | None:
        if size is not None and not re.match(SIZE, size, re.IGNORECASE):
            raise ValueError("want a number and a unit, as 500MB, 2GB or 1.5GiB")
        return size

    @field_validator(
        "max_bad_share",
        "max_unattributed_share",
        "max_bad_share_of",
        mode="before",
    )
    @classmethod
    def _is_share(cls, shares: Any) -> Any:
        for share in shares.values() if isinstance(shares, dict) else [shares]:
            try:
                fits = 0 <= float(share) <= 1
            except (TypeError, ValueError):
                fits = False
            if not fits:
                raise ValueError("want a share from 0 to 1, as 0.2 for 20 %")
        return shares

    @field_validator("targets")
    @classmethod
    def _measures_exist(cls, targets: dict[str, float]) -> dict[str, float]:
        if targets:
            from models.spec import library
            from transforms.measures.definitions import PATHWAY, REVIEWING, completeness

            known = {one.name for one in (*PATHWAY, *REVIEWING, *completeness(library().values()))}
            for name in targets.keys() - known:
                raise ValueError(f"{name}: no such measure; `thyrisk measures` lists them")
        return targets

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
    _refuse_unknown(os.environ)

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


def _refuse_unknown(environment: Iterable[str]) -> None:
    """Raise UsageError for a variable that sets nothing: its author thinks that it does."""
    known = [*Settings.model_fields, *_OTHER_VARIABLES]
    known += [f"windows__{name}" for name in Windows.model_fields]
    known += [f"listing__{name}" for name in Listing.model_fields]
    known += [f"surveillance__{name}" for name in Watching.model_fields]
    for variable in sorted(environment):
        name = variable.upper().removeprefix(_PREFIX).lower()
        if not variable.upper().startswith(_PREFIX) or name in known:
            continue
        if name.startswith(("max_bad_share_of__", "targets__")):
            continue
        near = get_close_matches(name, known, 1)
        hint = f"; did you mean {_PREFIX}{near[0].upper()}?" if near else ""
        raise UsageError(
            f"the variable {variable} of the environment sets nothing{hint} `thyrisk settings` "
            f"lists what can be set"
        )


def load_mapping(path: Path | None) -> Mapping:
    """Read a mapping, a file or a folder of them; without, the contract's dialect.

    Raises UsageError.
    """
    return Mapping() if path is None else read_mapping(path)


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
