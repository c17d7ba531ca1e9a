"""The header of a delimited file: where it is, how it is split, and what to do when it is not."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from flows.errors import NightRefused
from flows.intake.export import SourceFile
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping, received_names

DELIMITERS = (",", ";", "\t", "|")
_BOM = b"\xef\xbb\xbf"
_HEAD = 1 << 20
_LOOKED_AT = 100
_UNNAMED = "\x00unnamed"


@dataclass(frozen=True)
class Header:
    """A header line: the names of its columns, in order, each once."""

    names: tuple[str, ...]
    unnamed: int
    """Columns at the end of `names` that have no name in the file: they must be empty."""
    delimiter: str
    line: int
    """Its line; the lines before it are blank."""


def header_of(path: Path, file: SourceFile, mapping: Mapping) -> Header:
    """Read the header of the text at `path`. Raises NightRefused."""
    name = file.path.name
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NightRefused(f"{name}: not UTF-8 text (UTF-16?); export it as UTF-8")
    lines = head.removeprefix(_BOM).splitlines()
    at = next((at for at, line in enumerate(lines) if line.strip()), None)
    if at is None:
        raise NightRefused(f"{name}: empty; a table without rows still needs its header")
    if b"\x00" in lines[at]:
        raise NightRefused(f"{name}: not UTF-8 text (UTF-16?); export it as UTF-8")
    if len(lines[at]) >= _HEAD - len(_BOM):
        raise NightRefused(
            f"{name}: its first line is longer than {_HEAD} bytes; export it as lines of text"
        )
    try:
        line = lines[at].decode()
    except UnicodeDecodeError as error:
        raise NightRefused(f"{name}: its header is not UTF-8; export it as UTF-8") from error
    delimiter = _delimiter(line, set(received_names(mapping, file.table).values()))
    found = _split(line, delimiter)
    if found is None:
        raise NightRefused(
            f"{name}: line {at + 1}: the header has a quote that is not closed or stands inside a "
            f"name; a header is one line, with each name whole in double quotes or in none"
        )
    if missing_columns(found, file.table, mapping):
        _refuse_elsewhere(file, mapping, lines, at, found)
    names, unnamed = _named(found)
    refuse_repeated(file, mapping, names)
    return Header(names, unnamed, delimiter, at + 1)


def missing_columns(names: tuple[str, ...], table: str, mapping: Mapping) -> list[str]:
    """Return the names of the columns that a file must have, and these `names` have not."""
    unit_is_said = set(mapping.of(table).units)
    needed = received_names(mapping, table)
    described = TABLES[table]
    may_lack = described.optional | set(described.absent) | unit_is_said
    may_lack |= mapping.coverage.absent_columns(table)
    return [
        theirs for ours, theirs in needed.items() if theirs not in names and ours not in may_lack
    ]


def refuse_repeated(file: SourceFile, mapping: Mapping, header: tuple[str, ...]) -> None:
    """Raise NightRefused when a column appears twice."""
    if len(set(header)) != len(header):
        known = received_names(mapping, file.table).values()
        twice = [column for column in known if header.count(column) > 1]
        raise NightRefused(
            f"{file.path.name}: columns appear twice: {', '.join(twice) or 'others'}; give each "
            f"column one name"
        )


def row_pattern(delimiter: str, fields: str) -> str:
    """Return the pattern of a row of so many `fields` (a quantifier), as RFC 4180 has it."""
    separator = re.escape(delimiter)
    field = f'(?:"[^"]*(?:""[^"]*)*"|[^"\\r\\n{separator}]*)'
    return f"^{field}(?:{separator}{field}){fields}$"


def _delimiter(line: str, expected: set[str]) -> str:
    """Return the delimiter that finds most of the names that are expected."""
    bare = line.replace('"', "")

    def found(delimiter: str) -> tuple[int, int]:
        cells = [cell.strip() for cell in bare.split(delimiter)]
        return len(expected & set(cells)), len(cells)

    return max(DELIMITERS, key=found)


def _split(line: str, delimiter: str) -> tuple[str, ...] | None:
    """Split a line into its cells; None where its quotes are not those of a CSV."""
    if '"' in line and not re.match(row_pattern(delimiter, "*"), line):
        return None
    csv.field_size_limit(_HEAD)
    return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=delimiter)))


def _named(found: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """Give the columns at the end that have no name one that no file has."""
    unnamed = 0
    while unnamed < len(found) and not found[-1 - unnamed]:
        unnamed += 1
    named = found[: len(found) - unnamed]
    return (*named, *(f"{_UNNAMED}{at}" for at in range(unnamed))), unnamed


def _refuse_elsewhere(
    file: SourceFile, mapping: Mapping, lines: list[bytes], at: int, found: tuple[str, ...]
) -> None:
    """Raise NightRefused when it shows why a header lacks columns; else leave it to the caller."""
    name, expected = file.path.name, set(received_names(mapping, file.table).values())
    for number, line in enumerate(lines[at + 1 : at + _LOOKED_AT], at + 2):
        text = line.decode("utf-8", "replace")
        cells = _split(text, _delimiter(text, expected))
        if cells and expected & set(cells) and not missing_columns(cells, file.table, mapping):
            raise NightRefused(
                f"{name}: line {at + 1} is not the header, which seems to be on line {number}; "
                f"remove the lines before it"
            )
    if expected & {cell.strip("'`") for cell in found} - set(found):
        raise NightRefused(
            f"{name}: its names are in apostrophes; export it with double quotes or none"
        )
    if len(found) == 1:
        raise NightRefused(
            f"{name}: no columns in line {at + 1}; the first line must be the header, and columns "
            f"are separated by a comma, a semicolon, a tab or |"
        )
    if not expected & set(found):
        raise NightRefused(
            f"{name}: line {at + 1} has none of the columns of {file.table}; the first line must "
            f"be the header. If all columns are named otherwise, say so in the mapping file."
        )
