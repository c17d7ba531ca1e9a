"""What a reader of a format gives: text, one row per record, and what it saw and did not read."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from flows.errors import NightRefused

RECORD = "_record"
"""The number of the record in its file, from 1: line, element, or row of the sheet."""

UNREADABLE = "_unreadable"
"""Why a record could not be read; null for one that was."""

NOT_STORED = "#NOT STORED"
"""The text of a cell whose formula has no stored result: no value of any column."""

MOST_COLUMNS = 5_000


@dataclass(frozen=True)
class Records:
    """The records of a file."""

    frame: pl.DataFrame
    """One row per record: `_record`, `_unreadable`, and text as it is in the file."""
    remarks: tuple[str, ...] = ()
    """What was seen and not read, in words; no value of a cell is in there."""


def records(batches: Iterable[pl.DataFrame], name: str, remarks: Iterable[str] = ()) -> Records:
    """Put batches, whose columns may differ, into one frame. Raises NightRefused."""
    empty = pl.DataFrame(schema={RECORD: pl.UInt32, UNREADABLE: pl.String})
    frame = pl.concat([empty, *batches], how="diagonal")
    if frame.width > MOST_COLUMNS:
        raise NightRefused(
            f"{name}: more than {MOST_COLUMNS} different columns; is this the file it should be?"
        )
    return Records(frame, tuple(remarks))


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"
