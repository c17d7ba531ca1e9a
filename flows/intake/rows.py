"""Files become frames of text, batch by batch; nothing is interpreted yet.

A batch has the columns of the table's contract as text (under the contract's names), `extra`
(columns outside the contract, as JSON), `line` and `row_hash`. A line that is not a row of the
table (wrong number of fields, not UTF-8) is a batch row too: its text is in `extra` under
UNREADABLE and `unreadable` says why.
"""

import csv
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.exceptions import PanicException, PolarsError

from flows.errors import NightRefused, is_out_of_space
from flows.intake.dialect import CELL_LIMIT, Shape, refuse_repeated, shape_of
from flows.intake.export import SourceFile, refuse_if_changed, unpacked
from flows.settings import Settings
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping, received_names
from transforms.reading.row_hash import with_row_hash

UNREADABLE = "_line"
_UNREADABLE_FILE = (
    PolarsError,
    PanicException,
    pa.ArrowException,
    csv.Error,
    UnicodeError,
    OSError,
)
_NULL = "\x00"
_FEW_ROWS = 1_000_000
_ROWS_PER_BYTE = 8


class Irregular(Exception):
    """A file that looked regular is not: it must be read again, record by record."""

    def __init__(self, file: SourceFile) -> None:
        super().__init__(file.path.name)
        self.file = file


def batches(
    file: SourceFile,
    mapping: Mapping,
    scratch: Path,
    settings: Settings,
    *,
    careful: bool = False,
) -> Iterator[pl.DataFrame]:
    """Read a file of the export in batches of about `settings.batch_rows` rows.

    Raises NightRefused; and Irregular, at any batch, when the file needs `careful` reading.
    """
    try:
        if file.is_parquet:
            read = _parquet(file, mapping, settings.batch_rows)
        else:
            read = _delimited(file, mapping, scratch, settings, careful)
        for batch in read:
            yield with_row_hash(batch, TABLES[file.table].columns)
    except NightRefused:
        refuse_if_changed(file)
        raise
    except _UNREADABLE_FILE as error:
        if is_out_of_space(error):
            raise
        refuse_if_changed(file)
        # The error's own text may quote cells: it is not passed on.
        raise NightRefused(
            f"{file.path.name}: cannot be read as {'parquet' if file.is_parquet else 'CSV'} "
            f"({type(error).__name__}); export the file again"
        ) from None
    refuse_if_changed(file)


def _parquet(file: SourceFile, mapping: Mapping, batch_rows: int) -> Iterator[pl.DataFrame]:
    # pyarrow refuses damaged files that polars reads, or panics on.
    with pq.ParquetFile(file.path) as parquet:
        rows = parquet.metadata.num_rows
        if rows > _FEW_ROWS and rows > file.bytes * _ROWS_PER_BYTE:
            raise NightRefused(
                f"{file.path.name}: claims {rows} rows in {file.bytes} bytes, too few for rows "
                f"with a key each; export it again"
            )
        names = tuple(parquet.schema_arrow.names)
        nested = sum(pa.types.is_nested(field.type) for field in parquet.schema_arrow)
        if nested:
            raise NightRefused(f"{file.path.name}: {nested} nested columns; export flat ones")
        refuse_repeated(file, mapping, names)
        columns = _select(file, mapping, names)
        extra = _extra(file, mapping, names, None)
        read = 0
        for batch in parquet.iter_batches(batch_size=batch_rows):
            batch.validate(full=True)
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)  # noqa: S101
            text = frame.with_columns(pl.all().cast(pl.String)).with_row_index("line", read + 1)
            read += frame.height
            yield text.select(*columns, extra, "line", unreadable=pl.lit(None, dtype=pl.String))
    if read != rows:
        raise NightRefused(
            f"{file.path.name}: {read} rows where its own footer says {rows}; export it again"
        )


def _delimited(
    file: SourceFile, mapping: Mapping, scratch: Path, settings: Settings, careful: bool
) -> Iterator[pl.DataFrame]:
    path = unpacked(file, scratch, settings.max_unpack_ratio)
    shape = shape_of(path, file, mapping)
    columns = _select(file, mapping, shape.header)
    regular = not careful and (shape.is_regular or _has_one_row_per_line(path, shape))
    read = (_regular if regular else _irregular)(path, shape, settings.batch_rows)
    while True:
        try:
            batch = next(read, None)
        except (PolarsError, PanicException):
            if not regular:
                raise
            raise Irregular(file) from None
        if batch is None:
            return
        extra = _extra(file, mapping, shape.header, batch)
        yield batch.select(*columns, extra, "line", "unreadable")


def _regular(path: Path, shape: Shape, batch_rows: int) -> Iterator[pl.DataFrame]:
    text = pl.scan_csv(
        path,
        glob=False,
        separator=shape.delimiter,
        quote_char='"' if shape.has_quotes else None,
        has_header=False,
        skip_lines=1,
        schema=dict.fromkeys(shape.header, pl.String()),
        row_index_name="line",
        row_index_offset=2,
    )
    unreadable = pl.lit(None, dtype=pl.String).alias("unreadable")
    for batch in text.collect_batches(chunk_size=batch_rows, maintain_order=True):
        yield batch.with_columns(unreadable)


def _has_one_row_per_line(path: Path, shape: Shape) -> bool:
    """Check a file with quotes: no quoted line break, and in each line all fields."""
    if not shape.is_utf8 or not shape.has_quotes:
        return False
    sep = re.escape(shape.delimiter)
    field = f'(?:"(?:[^"]|"")*"|[^"{sep}]*)'
    whole = pl.col("line").str.contains(f"^{field}(?:{sep}{field}){{{len(shape.header) - 1}}}\r?$")
    lines = pl.scan_csv(
        path,
        glob=False,
        separator=_NULL,
        quote_char=None,
        has_header=False,
        schema={"line": pl.String},
    )
    return bool(lines.select(whole.all()).collect(engine="streaming").item())


def _irregular(path: Path, shape: Shape, batch_rows: int) -> Iterator[pl.DataFrame]:
    """Read a file with quotes, ragged lines or broken bytes, record by record."""
    width = len(shape.header)
    fields = [*shape.header, "line", "unreadable", UNREADABLE]
    schema = dict.fromkeys(fields, pl.String()) | {"line": pl.UInt32()}
    csv.field_size_limit(CELL_LIMIT)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        records = csv.reader(stream, delimiter=shape.delimiter)
        next(records)
        start = records.line_num + 1
        while chunk := list(islice(_numbered(records, start), batch_rows)):
            start = records.line_num + 1
            rows = [
                _record(record, line, width, shape.delimiter) for line, record in chunk if record
            ]
            yield pl.DataFrame(rows, schema=schema, orient="row")


def _numbered(records: Any, start: int) -> Iterator[tuple[int, list[str]]]:
    for record in records:
        yield start, record
        start = records.line_num + 1


def _record(record: list[str], line: int, width: int, delimiter: str) -> list[str | int | None]:
    why = None
    if len(record) != width:
        why = f"row: {len(record)} fields where the header has {width}"
    elif any("�" in cell for cell in record):
        why = "row: not UTF-8"
    if why:
        return [*[None] * width, line, why, delimiter.join(record)]
    return [*(cell or None for cell in record), line, None, None]


def _select(file: SourceFile, mapping: Mapping, header: tuple[str, ...]) -> list[pl.Expr]:
    """Return the contract's columns from the columns of a file. Raises NightRefused."""
    table, mapped = TABLES[file.table], mapping.of(file.table)
    names = received_names(mapping, file.table)
    absent = {ours for ours, theirs in names.items() if theirs not in header}
    missing = [names[ours] for ours in names if ours in absent - table.optional - set(mapped.units)]
    if missing:
        raise NightRefused(
            f"{file.path.name}: no column {', '.join(missing)} among its {len(header)}. If it is "
            f"named otherwise, say so in the mapping file; the first line must be the header."
        )
    empty = pl.lit(None, dtype=pl.String)
    columns = [
        (empty if ours in absent else pl.col(theirs)).alias(ours) for ours, theirs in names.items()
    ]
    return columns


def _extra(
    file: SourceFile, mapping: Mapping, header: tuple[str, ...], rows: pl.DataFrame | None
) -> pl.Expr:
    """Return the columns outside the contract as JSON; of a line that is no row, the line."""
    known = received_names(mapping, file.table).values()
    others = [name for name in header if name not in known]
    extra = pl.struct(others).struct.json_encode() if others else pl.lit(None, dtype=pl.String)
    if rows is not None and UNREADABLE in rows.columns:
        extra = pl.coalesce(UNREADABLE, extra)
    return extra.alias("extra")
