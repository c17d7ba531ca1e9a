"""Writing a night: everything is written and synced aside, then appears with one rename."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from flows.disk import exchange, full_disk_said, sync
from flows.errors import NightRefused
from flows.published.nights import GONE, LATEST, nights
from flows.secrets import Keys

_RUNS_AS_FORMULA = r"^[=+\-@\t\r]"


def write_parquet(
    frame: pl.DataFrame,
    path: Path,
    descriptions: Mapping[str, str],
    identity: Mapping[str, str],
    keys: Keys,
) -> None:
    """Write a table with a description on each column and the night's identity on the file."""
    fields = [
        field.with_metadata({"description": descriptions.get(field.name, "")})
        for field in _arrow_schema(frame)
    ]
    with full_disk_said(path.parent):
        frame.write_parquet(
            path, arrow_schema=pa.schema(fields), metadata=dict(identity), encryption=keys.writing
        )


def _arrow_schema(frame: pl.DataFrame) -> pa.Schema:
    schema: pa.Schema = frame.clear().to_arrow().schema
    return schema


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Write a table for spreadsheets: cells that would run as formulas are quoted with '."""
    guarded = frame.with_columns(
        pl.when(pl.col(name).str.contains(_RUNS_AS_FORMULA))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name, dtype in frame.schema.items()
        if dtype == pl.String
    )
    guarded.write_csv(path)


def publish(staged: Path, target: Path) -> None:
    """Make a staged folder the published one: whole, or not at all.

    A night of the same date is replaced in the same step; `latest` points at the newest date.
    """
    for path in sorted(staged.iterdir()):
        sync(path)
    sync(staged)
    if target.exists() or target.is_symlink():
        exchange(staged, target)
        _remove(staged)
    else:
        staged.rename(target)
    sync(target.parent)
    point_latest(target.parent)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def refuse_unless_link(out: Path) -> None:
    """Raise NightRefused when `latest` is something else than the link to the newest night."""
    latest = out / LATEST
    if latest.exists() and not latest.is_symlink():
        raise NightRefused(
            f"{latest} is no link, and a night makes it the link to the newest night: move what "
            f"is there away (was the folder copied without its links?)"
        )


def point_latest(out: Path, but: Path | None = None) -> None:
    """Let `latest` point to the newest whole night, `but` left out; remove it where none is."""
    whole = [night for night in nights(out) if night != but]
    pointer = out / f".{LATEST}"
    pointer.unlink(missing_ok=True)
    if whole:
        pointer.symlink_to(whole[-1].name)
        pointer.replace(out / LATEST)
    else:
        (out / LATEST).unlink(missing_ok=True)
    sync(out)


def remove_nights(out: Path, keep: int) -> list[str]:
    """Remove all but the newest `keep` nights (0 keeps all); return the names of those removed.

    A night goes out of sight in one step before its files are deleted.
    """
    old = nights(out)[:-keep] if keep else []
    for folder in old:
        hidden = out / f"{GONE}{folder.name}"
        folder.rename(hidden)
        shutil.rmtree(hidden)
    return [folder.name for folder in old]


def json_ready(value: Any) -> Any:
    """Return a value as JSON has it: dates in ISO 8601."""
    if isinstance(value, dict):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
