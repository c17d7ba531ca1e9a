"""Files with quotes, ragged lines or broken bytes, read line by line.

A line that is a whole row by itself is a row, whatever quote stands open before it: so a stray
quote cannot swallow its neighbours. Only the lines between such rows are looked at more closely:
those that together are one row with line breaks in quoted cells are a row, each other is no row.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from flows.errors import NightError, NightRefused
from flows.intake.dialect import Shape
from flows.intake.header import Header, row_pattern
from flows.intake.misfits import NOT_A_ROW, UNREADABLE

RECORD_LIMIT = 1 << 24
"""Bytes in a line at most, and in a row with line breaks."""
_BLOCK = 1 << 24
_OPEN = "row: a quote is opened and not closed"
_STRAY = "row: a quote inside a cell"


class Judge(Protocol):
    """What tells, of lines that are no rows by themselves, the remarks."""

    header: Header

    def below_blank(self, line: int) -> None:
        """Hear that a line is blank."""

    def is_footer(self, line: str) -> bool:
        """Whether a line with too few or too many fields is a total, a ruler or a remark."""


Bad = tuple[int, bytes]
"""A line that is no row by itself: its number and text."""


@dataclass
class Lines:
    """The lines of a delimited file by what became of them, counted while it is read.

    total = header + rows + inside + blank; `total` is counted from line ends alone. Of parquet,
    which has no lines, only rows.
    """

    total: int = 0
    header: int = 0
    rows: int = 0
    """Rows, also those that are set aside."""
    inside: int = 0
    """Further lines of rows that have line breaks in quoted cells."""
    blank: int = 0

    def check(self, name: str) -> None:
        """Raise NightError when a line was lost or made up."""
        found = self.header + self.rows + self.inside + self.blank
        if found != self.total:
            raise NightError(f"{name}: {self.total} lines, but {found} accounted for")


def read_line_by_line(
    path: Path, shape: Shape, batch_rows: int, lines: Lines, misfits: Judge
) -> Iterator[pl.DataFrame]:
    """Yield the rows below the header: its columns, `line`, `unreadable` and UNREADABLE."""
    csv.field_size_limit(RECORD_LIMIT)
    lines.blank = max(0, shape.header.line - 1)
    left: list[Bad] = []
    for first, block, is_last in _blocks(path):
        skip = max(0, shape.header.line - first + 1)
        rows, bad = _whole_rows(block[skip:], first + skip, shape)
        bad = left + bad
        last_row = rows["line"][-1] if rows.height else 0
        open_end = [line for line in bad if line[0] > last_row]
        held = not is_last and sum(len(text) for _, text in open_end) < RECORD_LIMIT
        left = open_end if held else []
        records = _records(bad[: len(bad) - len(left)], shape, lines, misfits)
        found = pl.concat([rows, records]).sort("line")
        yield from found.iter_slices(batch_rows)


def _blocks(path: Path) -> Iterator[tuple[int, list[bytes], bool]]:
    """Yield (number of the first line, lines with their ends, whether these are the last)."""
    first, rest = 1, b""
    with path.open("rb") as stream:
        while chunk := stream.read(_BLOCK):
            lines = (rest + chunk).splitlines(keepends=True)
            # What ends in a CR may go on with its LF.
            rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
            if max(len(rest), *map(len, lines), 0) > RECORD_LIMIT:
                raise NightRefused(
                    f"{path.name}: cannot be read as CSV: a line is longer than {RECORD_LIMIT} "
                    f"bytes; export the file again"
                )
            yield first, lines, False
            first += len(lines)
    yield first, [rest] if rest else [], True


def _whole_rows(block: list[bytes], first: int, shape: Shape) -> tuple[pl.DataFrame, list[Bad]]:
    """Split lines into those that are rows by themselves, read, and the others."""
    try:
        text = pl.Series(block, dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        text = pl.Series([_decoded(line) for line in block], dtype=pl.String)
    text = text.str.strip_chars_end("\r\n")
    pattern = row_pattern(shape.header.delimiter, f"{{{shape.width - 1}}}")
    whole = text.str.contains(pattern) & ~text.str.contains("\x00", literal=True)
    whole = whole.fill_null(value=False)
    numbers = pl.int_range(first, first + len(block), dtype=pl.UInt32, eager=True)
    bad = [(number, block[number - first]) for number in numbers.filter(~whole)]
    schema = dict.fromkeys(shape.header.names, pl.String())
    if not whole.any():
        return _frame([], shape), bad
    rows = pl.read_csv(
        io.BytesIO(text.filter(whole).str.join("\n").item().encode()),
        has_header=False,
        separator=shape.header.delimiter,
        schema=schema,
    )
    return rows.with_columns(
        numbers.filter(whole).alias("line"),
        unreadable=pl.lit(None, dtype=pl.String),
        **{UNREADABLE: pl.lit(None, dtype=pl.String)},
    ), bad


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def _frame(rows: list[list[str | int | None]], shape: Shape) -> pl.DataFrame:
    names = [*shape.header.names, "line", "unreadable", UNREADABLE]
    schema = dict.fromkeys(names, pl.String()) | {"line": pl.UInt32()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _records(bad: list[Bad], shape: Shape, lines: Lines, misfits: Judge) -> pl.DataFrame:
    """Read the lines that are no rows by themselves: joined where they are one row together."""
    rows: list[list[str | int | None]] = []
    at = 0
    while at < len(bad):
        number, line = bad[at]
        record = _joined(bad, at, shape)
        if record is not None:
            cells, further = record
            rows.append([*(cell or None for cell in cells), number, None, None])
            lines.inside += further
            at += further
        elif not line.strip(b" \t\r\n"):
            lines.blank += 1
            misfits.below_blank(number)
        else:
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            rows.append([*[None] * shape.width, number, _why(line, text, misfits), text])
        at += 1
    return _frame(rows, shape)


def _joined(bad: list[Bad], at: int, shape: Shape) -> tuple[list[str], int] | None:
    """Return the cells of a row that begins on a line, and how many more lines it has.

    None where there is none: a line with a quote left open ends at the next such line at the
    latest, and none of the lines between or that one may look like a row of its own.
    """
    number, line = bad[at]
    if line.count(b'"') % 2 == 0:
        return None
    delimiter, parts, size = shape.header.delimiter, [line], len(line)
    for further, (next_number, more) in enumerate(bad[at + 1 :], 1):
        size += len(more)
        if (
            next_number != number + further
            or size > RECORD_LIMIT
            or more.count(delimiter.encode()) >= shape.width - 1
        ):
            return None
        parts.append(more)
        if more.count(b'"') % 2:
            break
    else:
        return None
    text = _decoded(b"".join(parts))
    if text is None or "\x00" in text:
        return None
    text = text.removesuffix("\n").removesuffix("\r")
    if not re.match(row_pattern(delimiter, f"{{{shape.width - 1}}}"), text):
        return None
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)), further


def _why(line: bytes, text: str, misfits: Judge) -> str:
    """Say why a line is no row."""
    header = misfits.header
    if misfits.is_footer(text):
        return NOT_A_ROW
    if _decoded(line) is None:
        return "row: not UTF-8"
    if "\x00" in text:
        return "row: a NUL byte"
    if text.count('"') % 2:
        return _OPEN
    if not re.match(row_pattern(header.delimiter, "*"), text):
        return _STRAY
    fields = len(next(csv.reader([text], delimiter=header.delimiter)))
    return f"row: {fields} fields where the header has {len(header.names)}"
