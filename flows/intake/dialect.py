"""The shape of a delimited file: what one pass over its bytes tells, before it is read."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flows.errors import NightRefused
from flows.intake.export import SourceFile
from transforms.reading.mapping import Mapping, received_names

CELL_LIMIT = 1 << 24
"""Characters in a cell at most, where a file is read record by record."""

_DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 24


@dataclass(frozen=True)
class Shape:
    """What one pass over the bytes of a delimited file tells."""

    delimiter: str
    header: tuple[str, ...]
    lines: int
    separators: int
    has_quotes: bool
    is_utf8: bool

    @property
    def is_regular(self) -> bool:
        """Whether each line certainly is one row with as many fields as the header."""
        expected = (len(self.header) - 1) * self.lines
        return self.is_utf8 and not self.has_quotes and self.separators == expected


def shape_of(path: Path, file: SourceFile, mapping: Mapping) -> Shape:
    """Look at the text of `file` that lies at `path`. Raises NightRefused."""
    name = file.path.name
    with path.open("rb") as stream:
        first = stream.readline(CELL_LIMIT)
        if first.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in first:
            raise NightRefused(f"{name}: not UTF-8 text (UTF-16?); export it as UTF-8")
        try:
            line = first.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise NightRefused(f"{name}: its header is not UTF-8; export it as UTF-8") from error
        if not line:
            raise NightRefused(f"{name}: empty; a table without rows still needs its header")
        header, delimiter = _header(line, file.table, mapping)
        refuse_repeated(file, mapping, header)
        stream.seek(0)
        lines = separators = 0
        has_quotes, is_utf8, last = False, True, b""
        rest = b""
        while chunk := stream.read(_CHUNK):
            values = np.frombuffer(chunk, dtype=np.uint8)
            lines += int(np.count_nonzero(values == ord("\n")))
            separators += int(np.count_nonzero(values == ord(delimiter)))
            has_quotes = has_quotes or b'"' in chunk
            is_utf8, rest = _still_utf8(rest, chunk, is_utf8)
            last = chunk[-1:]
    lines += last != b"\n"
    return Shape(delimiter, header, lines, separators, has_quotes, is_utf8 and not rest)


def refuse_repeated(file: SourceFile, mapping: Mapping, header: tuple[str, ...]) -> None:
    """Raise NightRefused when a column appears twice."""
    if len(set(header)) != len(header):
        known = received_names(mapping, file.table).values()
        twice = [column for column in known if header.count(column) > 1]
        raise NightRefused(
            f"{file.path.name}: columns appear twice: {', '.join(twice) or 'others'}"
        )


def _still_utf8(rest: bytes, chunk: bytes, so_far: bool) -> tuple[bool, bytes]:
    """Check a chunk; a character cut at its end is left for the next."""
    if not so_far or (not rest and chunk.isascii()):
        return so_far and b"\x00" not in chunk, b""
    whole = rest + chunk
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(whole) - error.start < 4 and error.reason == "unexpected end of data":
            return True, whole[error.start :]
        return False, b""
    return b"\x00" not in chunk, b""


def _header(line: str, table: str, mapping: Mapping) -> tuple[tuple[str, ...], str]:
    """Split the header by the delimiter that finds most of the names that are expected."""
    expected = set(received_names(mapping, table).values())
    split = {
        delimiter: tuple(cell.strip() for cell in next(csv.reader([line], delimiter=delimiter)))
        for delimiter in _DELIMITERS
    }
    best = max(_DELIMITERS, key=lambda delimiter: len(expected & set(split[delimiter])))
    return split[best], best
