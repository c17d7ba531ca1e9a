"""Delimited text as records, as strictly as the export's own files: RECORD is the line.

What is not as those are is made so first, line by line: other encodings become UTF-8, further
header lines and lines to skip become blank. Lines keep their numbers.
"""

import codecs
import csv
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from flows.errors import NightRefused
from flows.intake.dialect import Shape, measured
from flows.intake.header import DELIMITERS, Header
from flows.intake.lines import RECORD_LIMIT, read_line_by_line
from flows.intake.misfits import REPEATS_HEADER, is_footer
from flows.intake.rows import has_one_row_per_line, regular_rows
from flows.intake.sources.given import Given, unique_names
from transforms.mapping.sources import BAD, RECORD, TEXT

_BOM = b"\xef\xbb\xbf"
_HEAD = 1 << 20
_BLOCK = 1 << 24
_LINE_TEXT = "_line"


class _AnyRows:
    """Stands where lines are told from rows: of an unknown table, only remarks are none."""

    def __init__(self, header: Header) -> None:
        self.header = header

    def below_blank(self, line: int) -> None:
        """Know nothing of a blank line."""

    def is_footer(self, line: str) -> bool:
        """Whether a line with too few or too many fields is a total, a ruler or a remark."""
        return is_footer(line.partition(self.header.delimiter)[0])


def read_delimited(file: Given) -> Iterator[pl.DataFrame]:
    """Read delimited text. Raises NightRefused."""
    file.refuse_options("quotes")
    path = _as_utf8(file)
    header = _header(path, file)
    if not _is_plain(file):
        path = _blanked(path, header, file)
    shape = measured(path, header)
    lines = file.lines
    lines.total, lines.header = shape.lines, int(header.line > 0)
    batch_rows = file.settings.batch_rows
    if has_one_row_per_line(path, shape):
        rows = regular_rows(path, shape, batch_rows)
    else:
        rows = read_line_by_line(path, shape, batch_rows, lines, _AnyRows(header))
    try:
        for batch in rows:
            lines.rows += batch.height
            yield _records(batch, shape)
    except (PolarsError, PanicException, csv.Error):
        raise NightRefused(f"{file.name}: cannot be read as CSV; export the file again") from None
    if not lines.rows:
        yield _records(_nothing(shape), shape)


def _nothing(shape: Shape) -> pl.DataFrame:
    schema = dict.fromkeys((*shape.header.names, "unreadable"), pl.String())
    return pl.DataFrame(schema=schema | {"line": pl.UInt32()})


def _records(batch: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """Return rows as records; the header again is none."""
    names = shape.header.names
    text = pl.col(_LINE_TEXT) if _LINE_TEXT in batch.columns else pl.lit(None, dtype=pl.String)
    again = pl.all_horizontal(
        pl.col(name).fill_null("").str.strip_chars() == name for name in names[:8]
    )
    bad = pl.when(again & (pl.lit(len(names) > 1))).then(pl.lit(REPEATS_HEADER))
    why = pl.coalesce("unreadable", bad)
    row = pl.concat_str([pl.col(n).fill_null("") for n in names], separator=shape.header.delimiter)
    return batch.with_columns(why.alias(BAD)).select(
        *names,
        pl.col("line").cast(pl.UInt32).alias(RECORD),
        BAD,
        pl.when(pl.col(BAD).is_not_null()).then(pl.coalesce(text, row)).alias(TEXT),
    )


# -- what makes a file like those of an export ---------------------------------------------------


def _is_plain(file: Given) -> bool:
    source = file.source
    return source.header in (None, 1) and not source.skip and file.source.options == {}


def _as_utf8(file: Given) -> Path:
    """Return the file as UTF-8; bytes that are not of its encoding stay, and are told by line."""
    name = codecs.lookup(file.source.encoding).name
    if name in ("utf-8", "utf-8-sig", "ascii"):
        return file.path
    target = file.scratch / "as-utf8"
    try:
        with (
            file.path.open("r", encoding=name, newline="") as text,
            target.open("w", encoding="utf-8", newline="") as plain,
        ):
            while block := text.read(_BLOCK):
                plain.write(block)
    except UnicodeError:
        raise NightRefused(
            f"{file.name}: not {file.source.encoding}; say its `encoding` in the mapping"
        ) from None
    return target


def _header(path: Path, file: Given) -> Header:
    """Return the columns of a file, from its header lines or the names given."""
    source = file.source
    with path.open("rb") as stream:
        head = stream.read(_HEAD).removeprefix(_BOM).splitlines()
    if source.header == 0:
        line = next((one for one in head if one.strip()), b"")
        delimiter = source.delimiter or _delimiter([line.decode("utf-8", "replace")])
        return Header(tuple(unique_names(source.names)), 0, delimiter, 0)
    first = next((at for at, line in enumerate(head, 1) if line.strip()), None)
    at = source.header_lines or ([first] if first else [])
    if not at or max(at) > len(head):
        raise NightRefused(f"{file.name}: no line {max(at, default=1)}, where its header should be")
    try:
        texts = [head[line - 1].decode() for line in at]
    except UnicodeDecodeError:
        raise NightRefused(
            f"{file.name}: its header is not UTF-8; say its `encoding` in the mapping"
        ) from None
    delimiter = source.delimiter or _delimiter(texts)
    names = [_joined(cells) for cells in zip_longest(*_cells(texts, delimiter), fillvalue="")]
    if source.delimiter is None and len(names) == 1:
        raise NightRefused(
            f"{file.name}: no columns in line {at[0]}: say its `header` line or its `delimiter`"
        )
    return Header(tuple(unique_names(names)), 0, delimiter, at[-1])


def _cells(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(RECORD_LIMIT)
    return csv.reader(lines, delimiter=delimiter)


def _joined(cells: tuple[str, ...]) -> str:
    return " ".join(dict.fromkeys(cell.strip() for cell in cells if cell.strip()))


def _delimiter(lines: list[str]) -> str:
    return max(DELIMITERS, key=lambda one: lines[0].count(one))


def _blanked(path: Path, header: Header, file: Given) -> Path:
    """Return the text with blank lines in the place of those that are no records."""
    source = file.source
    above = set(range(1, header.line)) if header.line else set()
    blank = {line - 1 for line in (*above, *source.header_lines[:-1], *source.skip)}
    blank -= {header.line - 1}
    target = file.scratch / "blanked"
    unquoted = source.options.get("quotes") is False
    start = 0
    with path.open("rb") as stream, target.open("wb") as plain:
        while lines := stream.readlines(_BLOCK):
            for at in blank & set(range(start, start + len(lines))):
                lines[at - start] = b"\n"
            if unquoted:
                lines = _with_quotes(lines, header.delimiter.encode())
            plain.writelines(lines)
            start += len(lines)
    return target


def _with_quotes(lines: list[bytes], delimiter: bytes) -> list[bytes]:
    """Return lines of a file that quotes nothing as one that does: a quote is a character."""
    return [
        line if b'"' not in line else _quoted(line.rstrip(b"\r\n"), delimiter) for line in lines
    ]


def _quoted(line: bytes, delimiter: bytes) -> bytes:
    cells = line.replace(b'"', b'""').split(delimiter)
    return b'"' + (b'"' + delimiter + b'"').join(cells) + b'"\n'
