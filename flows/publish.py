"""Publishing: everything is written and synced aside, then appears with one rename."""

import ctypes
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import pyarrow as pa
from polars.exceptions import PanicException, PolarsError

from flows.errors import NightRefused
from flows.keys import NO_KEYS, Keys

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_ENCRYPTED = b"PARE"
RUN = "run.json"
STAGING, GONE = ".staging-", ".gone-"
"""What unfinished and removed nights are called: no reader looks at them."""
_ROOM_FOR_A_FOOTER = 1 << 20
_RUNS_AS_FORMULA = r"^[=+\-@\t\r]"


def night_folder(out: Path, run_date: object) -> Path:
    """Return the folder of a published night."""
    return out / f"run_date={run_date}"


def nights(out: Path, before: object = None) -> list[Path]:
    """Return the published nights, oldest first; with `before`, those of earlier dates."""
    found = sorted(path for path in out.glob("run_date=????-??-??") if path.is_dir())
    if before is None:
        return found
    return [path for path in found if path.name < night_folder(out, before).name]


def day_of(folder: Path) -> str:
    """Return the date of a published night's folder, as YYYY-MM-DD."""
    return folder.name.removeprefix("run_date=")


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
    try:
        frame.write_parquet(
            path, arrow_schema=pa.schema(fields), metadata=dict(identity), encryption=keys.writing
        )
    except PolarsError:
        # Where the disk fills up in the footer, polars says "transport error" and no more.
        if shutil.disk_usage(path.parent).free < _ROOM_FOR_A_FOOTER:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from None
        raise


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


def sha256(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def publish(staged: Path, target: Path) -> None:
    """Make a staged folder the published one: whole, or not at all.

    A night of the same date is replaced in the same step; `latest` points at the newest date.
    """
    for path in sorted(staged.iterdir()):
        sync(path)
    sync(staged)
    if target.exists():
        _exchange(staged, target)
        shutil.rmtree(staged)
    else:
        staged.rename(target)
    sync(target.parent)
    _point_latest(target.parent)


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders in one step, so that no reader finds neither."""
    libc = ctypes.CDLL(None, use_errno=True)
    swapped = getattr(libc, "renameat2", None)
    names = os.fsencode(one), os.fsencode(other)
    if swapped is None or swapped(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE):
        code = ctypes.get_errno() or errno.ENOSYS
        if code not in (errno.ENOSYS, errno.EINVAL):
            raise OSError(code, os.strerror(code), str(other))
        # A file system that cannot swap: two renames, and an instant between them.
        aside = one.with_name(one.name + ".old")
        other.rename(aside)
        one.rename(other)
        aside.rename(one)


def _point_latest(out: Path) -> None:
    newest = nights(out)[-1].name
    pointer = out / ".latest"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(newest)
    pointer.replace(out / "latest")


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_published(
    out: Path, name: str, run_date: str | None = None, keys: Keys = NO_KEYS
) -> pl.DataFrame | None:
    """Return a table of a published night (the newest by default); None when there is none.

    Raises NightRefused when it cannot be read.
    """
    folders = nights(out)
    if run_date is not None:
        folders = [folder for folder in folders if folder.name == f"run_date={run_date}"]
    return read_table(folders[-1] / name, keys) if folders else None


def read_table(
    path: Path,
    keys: Keys,
    columns: Sequence[str] | None = None,
    of: pl.Series | None = None,
) -> pl.DataFrame:
    """Return a published table, or those of `columns` that it has, or the rows of some patients.

    Raises NightRefused when it cannot be read.
    """
    try:
        locked = is_encrypted(path)
        if locked and keys.encryption is None:
            raise NightRefused(f"{path} is encrypted; set THYRISK_ENCRYPTION_KEY_FILE")
        decryption = keys.reading if locked else None
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False, decryption=decryption)
        if of is not None:
            scan = scan.filter(pl.col("patient_id").is_in(of.implode()))
        if columns is not None:
            scan = scan.select(cs.by_name(*columns, require_all=False))
        return scan.collect(engine="streaming")
    except (PolarsError, PanicException, OSError) as error:
        raise NightRefused(
            f"{path} cannot be read ({type(error).__name__}); `thyrisk verify {path.parent}` says "
            f"what is wrong with that night"
        ) from None


def read_run(folder: Path) -> dict[str, Any] | None:
    """Return run.json of a published night; None when it is not there or not whole."""
    try:
        report: dict[str, Any] = json.loads((folder / RUN).read_bytes())
    except (OSError, ValueError):
        return None
    return report


def is_encrypted(path: Path) -> bool:
    """Tell whether a parquet file is encrypted, footer and all."""
    with path.open("rb") as stream:
        return stream.read(4) == _ENCRYPTED


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
