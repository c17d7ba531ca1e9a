"""The published nights: where they are, and what they hold."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
from polars.exceptions import PanicException, PolarsError

from flows.errors import NightRefused
from flows.published.run_report import RunReport, parsed
from flows.secrets import NO_KEYS, Keys

_ENCRYPTED = b"PARE"
RUN = "run.json"
LATEST = "latest"
"""The link to the newest night."""

STAGING, GONE = ".staging-", ".gone-"
"""What unfinished and removed nights are called: no reader looks at them."""


def night_folder(out: Path, run_date: object) -> Path:
    """Return the folder of a published night."""
    return out / f"run_date={run_date}"


def nights(out: Path, before: object = None) -> list[Path]:
    """Return the published nights, oldest first; with `before`, those of earlier dates.

    A folder that is only named like one is none: run.json says of which date a night is.
    """
    found = sorted(path for path in out.glob("run_date=????-??-??") if is_night(path))
    if before is None:
        return found
    return [path for path in found if path.name < night_folder(out, before).name]


def is_night(folder: Path) -> bool:
    """Tell whether a folder is a published night of the date that it is named after."""
    report = report_of(folder)
    return report is not None and folder.name == night_folder(folder, report.as_of).name


def day_of(folder: Path) -> str:
    """Return the date of a published night's folder, as YYYY-MM-DD."""
    return folder.name.removeprefix("run_date=")


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
    with _readable(path):
        scan = _scan(path, keys)
        if of is not None:
            scan = scan.filter(pl.col("patient_id").is_in(of.implode()))
        if columns is not None:
            scan = scan.select(cs.by_name(*columns, require_all=False))
        return scan.collect(engine="streaming")


def rows_of(path: Path, keys: Keys) -> int:
    """Return how many rows a published table has. Raises NightRefused when it cannot be read."""
    with _readable(path):
        return int(_scan(path, keys).select(pl.len()).collect().item())


def _scan(path: Path, keys: Keys) -> pl.LazyFrame:
    locked = is_encrypted(path)
    if locked and keys.encryption is None:
        raise NightRefused(f"{path} is encrypted; set THYRISK_ENCRYPTION_KEY_FILE")
    decryption = keys.reading if locked else None
    return pl.scan_parquet(path, glob=False, hive_partitioning=False, decryption=decryption)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (PolarsError, PanicException, OSError) as error:
        raise NightRefused(
            f"{path} cannot be read ({type(error).__name__}); `thyrisk verify {path.parent}` says "
            f"what is wrong with that night"
        ) from None


def read_run(folder: Path) -> dict[str, Any] | None:
    """Return run.json of a published night; None when it is not there or not whole."""
    try:
        content = (folder / RUN).read_bytes()
        parsed(content)
    except (OSError, ValueError):
        return None
    report: dict[str, Any] = json.loads(content)
    return report


def report_of(folder: Path) -> RunReport | None:
    """Return what run.json of a published night says; None when it is not there or not whole."""
    try:
        return parsed((folder / RUN).read_bytes())
    except (OSError, ValueError):
        return None


def is_encrypted(path: Path) -> bool:
    """Tell whether a parquet file is encrypted, footer and all."""
    with path.open("rb") as stream:
        return stream.read(4) == _ENCRYPTED
