"""How a delimited file is written: encoding, delimiter, quotes, where its header ends.

Told from the bytes alone; that a file is not UTF-8 is told from all of them.
"""

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from transforms.inspection import forms as f

DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 22
_HEAD = 1 << 20
_LINES = 400
_MOST_HEADERS = 6
_TITLE = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written."""

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    """One name per column, each once."""
    labels: tuple[tuple[str, ...], ...]
    """What the other header lines say, per column."""
    header: int
    """Its line, from 1; 0 where there is none."""
    first: int
    """The line of the first record."""
    others: tuple[int, ...] = ()
    """Lines that are neither the header nor records."""
    is_quoted: bool = True


def encoding_of(path: Path) -> str:
    """Return the encoding of a file: by its mark, else UTF-8 if all of it is, else a guess."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        try:
            decoder.decode(head)
            while chunk := stream.read(_CHUNK):
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _eight_bits(head)
    return "utf-8"


def _eight_bits(head: bytes) -> str:
    """Tell Chinese from western European text: which of both reads as words."""
    whole = head[: head.rfind(b"\n") + 1] or head
    try:
        chinese = whole.decode("gb18030")
    except UnicodeDecodeError:
        return "cp1252"
    signs = sum("\u4e00" <= char <= "\u9fff" for char in chinese)
    letters = sum(not char.isascii() for char in chinese)
    pairs = len(re.findall(r"[\u4e00-\u9fff]{2}", chinese))
    return "gb18030" if letters and signs > 0.8 * letters and pairs > signs / 4 else "cp1252"


def dialect_of(path: Path, encoding: str) -> Dialect:
    """Look at the first lines of a file."""
    with path.open(encoding=encoding, errors="replace", newline="") as stream:
        text = stream.read(_HEAD).removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:_LINES]
    delimiter = _delimiter(lines)
    is_quoted = text.count('"') % 2 == 0 or len(text) >= _HEAD
    cells = [_split(line, delimiter, is_quoted) for line in lines]
    return dialect_from(cells, encoding, delimiter, is_quoted)


def dialect_from(
    cells: list[list[str]], encoding: str, delimiter: str, is_quoted: bool = True
) -> Dialect:
    """Find the header among the first rows of a table."""
    widths = Counter(len(row) for row in cells if any(row))
    width = max(widths, key=lambda one: (widths[one], one), default=1)
    enough = min(width, 2)
    at = [n for n, row in enumerate(cells, 1) if len(row) >= enough and _fills(row)]
    rows = [[cell.strip() for cell in (cells[n - 1] + [""] * width)[:width]] for n in at]
    headers = _headers(rows)
    if not at or not headers:
        first = at[0] if at else 1
        names = tuple(f"column_{n}" for n in range(1, width + 1))
        return Dialect(encoding, delimiter, names, ((),) * width, 0, first, is_quoted=is_quoted)
    chosen = max(range(headers), key=lambda n: (_as_names(rows[n]), -n))
    first = at[headers] if headers < len(at) else at[headers - 1] + 1
    labels = tuple(
        tuple(
            rows[n][column]
            for n in range(headers)
            if n != chosen and rows[n][column] not in ("", rows[chosen][column])
        )
        for column in range(width)
    )
    others = tuple(at[n] for n in range(headers) if n != chosen)
    names = _each_once(rows[chosen])
    return Dialect(encoding, delimiter, names, labels, at[chosen], first, others, is_quoted)


def _fills(row: list[str]) -> bool:
    """Tell a row from a title above the table: more than one cell says something."""
    return sum(bool(cell.strip()) for cell in row) >= min(2, len(row))


def _delimiter(lines: list[str]) -> str:
    def regular(delimiter: str) -> tuple[float, int]:
        counts = Counter(len(_split(line, delimiter, True)) for line in lines if line.strip())
        wide = {width: n for width, n in counts.items() if width > 1}
        if not wide:
            return 0.0, 0
        width = max(wide, key=lambda one: wide[one])
        return wide[width] / sum(counts.values()), width

    return max(DELIMITERS, key=regular)


def _split(line: str, delimiter: str, is_quoted: bool) -> list[str]:
    if not is_quoted:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def _headers(rows: list[list[str]]) -> int:
    """Return how many rows above the records are header lines.

    A column whose cells below are numbers or dates has a word above them: header lines have
    words where records have numbers. Without such columns the first row is the header.
    """
    if len(rows) < 2:
        return len(rows)
    below = rows[min(_MOST_HEADERS, len(rows) // 2) :]
    typed = [at for at in range(len(rows[0])) if _is_typed([row[at] for row in below])]
    if not typed:
        return 1 if len(set(rows[0])) == len(rows[0]) or not _repeats_below(rows) else 0
    # One column of numbers is too little to tell a further header line from a record.
    most = _MOST_HEADERS if len(typed) > 1 else 1
    for number, row in enumerate(rows[: most + 1]):
        said = [row[at] for at in typed if row[at]]
        values = _values(said)
        if said and sum(values) >= 0.5 * len(values):
            return number
        if number == most or (number and not said):
            return number
    return 1


def _repeats_below(rows: list[list[str]]) -> bool:
    return any(cell and cell in (row[at] for row in rows[1:]) for at, cell in enumerate(rows[0]))


def _is_typed(cells: list[str]) -> bool:
    said = [cell for cell in cells if cell]
    values = _values(said)
    return len(said) > 0 and sum(values) >= 0.8 * len(values) > 0


def _values(cells: list[str]) -> list[bool]:
    """Tell for each cell that is no null whether it is a number or a date."""
    if not cells:
        return []
    one_each = pl.DataFrame({"value": cells}).with_columns(n=pl.lit(1, dtype=pl.UInt32))
    formed = f.with_forms(one_each)
    forms = formed.filter(~pl.col("form").is_in((f.NULL, f.EMPTY)))["form"]
    return [form != f.TEXT for form in forms]


def _as_names(row: list[str]) -> int:
    """Tell how well a line serves as names: how many cells say something, each once."""
    said = [cell for cell in row if cell]
    return sum(bool(_TITLE.search(cell)) and ":" not in cell for cell in set(said))


def _each_once(row: list[str]) -> tuple[str, ...]:
    seen: Counter[str] = Counter()
    names = []
    for at, cell in enumerate(row, 1):
        name = cell or f"column_{at}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return tuple(names)
