"""The reviews that came outside the export: an append-only table in `<warehouse>.reviews`.

Each import is one numbered parquet file, there whole or not at all, and never changed. A patient
stands in it as the reviewer named them: `pseudonyms` is the fingerprint of the key, null where
the published nights have the registry's identifiers.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from flows.disk import full_disk_said, sync
from flows.errors import NightRefused
from flows.published.nights import is_encrypted, read_table
from flows.secrets import Keys
from transforms.review.reviews import GIVEN

KEPT = pl.Schema(
    {
        "patient_id": pl.String,
        "pseudonyms": pl.String,
        **{name: dtype for name, dtype in GIVEN.items() if name != "patient_no"},
        "received_at": pl.Datetime("us", "UTC"),
    }
)
"""One row per review, as it was taken."""

_TOLD_APART = [name for name in KEPT if name not in ("source", "received_at")]
_UNFINISHED = ".unfinished"
_DAMAGED = "put the folder back from a backup: what people decided is in it"


def folder_of(warehouse: Path) -> Path:
    """Return where the reviews of a warehouse are kept."""
    return warehouse.with_name(warehouse.name + ".reviews")


def count(warehouse: Path) -> int:
    """Return how many imports there are. Raises NightRefused when one between is gone."""
    found = _parts(warehouse)
    if [path.name for path in found] != [_name(number) for number in range(1, len(found) + 1)]:
        raise NightRefused(f"{folder_of(warehouse)}: files are missing; {_DAMAGED}")
    return len(found)


def read(warehouse: Path, keys: Keys, imports: int | None = None) -> pl.DataFrame:
    """Return the reviews of the first so many imports (all by default), as KEPT.

    Raises NightRefused when one cannot be read.
    """
    there = count(warehouse)
    wanted = there if imports is None else imports
    if wanted > there:
        raise NightRefused(
            f"{folder_of(warehouse)}: {there} imports, but a night saw {wanted}; {_DAMAGED}"
        )
    parts = [_part(path, keys) for path in _parts(warehouse)[:wanted]]
    try:
        return pl.concat([pl.DataFrame(schema=KEPT), *(part.cast(KEPT) for part in parts)])
    except pl.exceptions.PolarsError:
        raise NightRefused(f"{folder_of(warehouse)}: not reviews; {_DAMAGED}") from None


def append(warehouse: Path, reviews: pl.DataFrame, keys: Keys) -> int:
    """Keep reviews (as KEPT) that are not kept yet; return how many those are.

    When this returns they are on the disk. A kill before leaves none of them.
    """
    folder = folder_of(warehouse)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        for left in folder.glob(f"*{_UNFINISHED}"):
            left.unlink()
        before = read(warehouse, keys)
        new = (
            reviews.select(*KEPT).cast(KEPT).unique(_TOLD_APART, keep="first", maintain_order=True)
        )
        new = new.join(before, on=_TOLD_APART, how="anti", nulls_equal=True, maintain_order="left")
        if new.height:
            _write(new, folder / _name(count(warehouse) + 1), keys)
    return new.height


def _write(rows: pl.DataFrame, path: Path, keys: Keys) -> None:
    aside = path.with_name(path.name + _UNFINISHED)
    with full_disk_said(path.parent):
        rows.write_parquet(aside, encryption=keys.writing)
    sync(aside)
    aside.rename(path)
    sync(path.parent)
    sync(path.parent.parent)


def _part(path: Path, keys: Keys) -> pl.DataFrame:
    try:
        return read_table(path, keys)
    except NightRefused:
        if keys.encryption is None and is_encrypted(path):
            raise
        raise NightRefused(f"{path} cannot be read; {_DAMAGED}") from None


def _parts(warehouse: Path) -> list[Path]:
    return sorted(folder_of(warehouse).glob("[0-9]*.parquet"))


def _name(number: int) -> str:
    return f"{number:08}.parquet"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else appends. The lock of a process goes with it."""
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
