"""Files become frames of text, batch by batch; nothing is interpreted yet.

A batch has the columns of the table's contract as text (under the contract's names), `extra`
(columns outside the contract, as JSON), `line` and `row_hash`. A line that is not a row of the
table (wrong number of fields, not UTF-8) is a batch row too: its text is in `extra` under
UNREADABLE and `unreadable` says why.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.exceptions import PanicException, PolarsError

from flows.errors import NightRefused, is_out_of_space
from flows.intake.dialect import Shape, shape_of
from flows.intake.export import SourceFile, refuse_if_changed, unpacked
from flows.intake.header import missing_columns, refuse_repeated, row_pattern
from flows.intake.lines import Lines, read_line_by_line
from flows.intake.misfits import UNREADABLE, Misfits
from flows.settings import Settings
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping, received_names
from transforms.reading.row_hash import with_row_hash

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
    lines: Lines | None = None,
) -> Iterator[pl.DataFrame]:
    """Read a file of the export in batches of about `settings.batch_rows` rows.

    Counts the file's lines into `lines`. Raises NightRefused; and Irregular, at any batch, when
    the file needs `careful` reading.
    """
    lines = Lines() if lines is None else lines
    try:
        if file.rows_at is not None:
            read = _mapped(file.rows_at, file.table, settings.batch_rows, lines)
        elif file.is_parquet:
            read = _parquet(file, mapping, settings.batch_rows, lines)
        else:
            read = _delimited(file, mapping, scratch, settings, careful, lines)
        yield from read
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


def _parquet(
    file: SourceFile, mapping: Mapping, batch_rows: int, lines: Lines
) -> Iterator[pl.DataFrame]:
    # pyarrow refuses damaged files that polars reads, or panics on.
    with pq.ParquetFile(file.path, page_checksum_verification=True) as parquet:
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
            lines.rows = lines.total = read
            empty = pl.lit(None, dtype=pl.String)
            received = text.select(*columns, extra, "line", unreadable=empty)
            yield _identified(received, file, mapping, names)
    if read != rows:
        raise NightRefused(
            f"{file.path.name}: {read} rows where its own footer says {rows}; export it again"
        )


def _mapped(path: Path, table: str, batch_rows: int, lines: Lines) -> Iterator[pl.DataFrame]:
    """Read rows that a mapping's rules made: the same contents are the same row, wherever from."""
    with pq.ParquetFile(path) as parquet:
        for batch in parquet.iter_batches(batch_size=batch_rows):
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)  # noqa: S101
            is_row = pl.col("unreadable").is_null()
            counted = frame.with_columns(extra=pl.when(~is_row).then("extra"))
            hashed = with_row_hash(counted, TABLES[table].columns)
            lines.rows = lines.total = lines.rows + frame.height
            yield hashed.with_columns(frame["extra"])


def _delimited(
    file: SourceFile,
    mapping: Mapping,
    scratch: Path,
    settings: Settings,
    careful: bool,
    lines: Lines,
) -> Iterator[pl.DataFrame]:
    path = unpacked(file, scratch, settings.max_unpack_ratio)
    shape = shape_of(path, file, mapping)
    names = shape.header.names[: shape.width - shape.header.unnamed]
    columns = _select(file, mapping, names)
    misfits = Misfits(file.table, mapping, shape.header)
    lines.total, lines.header = shape.lines, 1
    quoted = shape.has_quotes and has_one_row_per_line(path, shape)
    regular = not careful and (shape.is_regular or quoted)
    if regular:
        read = regular_rows(path, shape, settings.batch_rows)
    else:
        read = read_line_by_line(path, shape, settings.batch_rows, lines, misfits)
    try:
        for batch in read:
            lines.rows += batch.height
            marked = misfits.marked(batch)
            extra = _extra(file, mapping, names, marked)
            rows = marked.select(*columns, extra, "line", "unreadable")
            yield _identified(rows, file, mapping, names)
    except (PolarsError, PanicException):
        if not regular:
            raise
        raise Irregular(file) from None
    if regular and lines.rows + 1 != lines.total:
        raise Irregular(file)
    lines.check(file.path.name)


def regular_rows(path: Path, shape: Shape, batch_rows: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file of which each line below the first is one: `line`, `unreadable`."""
    text = pl.scan_csv(
        path,
        glob=False,
        separator=shape.header.delimiter,
        quote_char='"' if shape.has_quotes else None,
        has_header=False,
        skip_lines=1,
        schema=dict.fromkeys(shape.header.names, pl.String()),
        row_index_name="line",
        row_index_offset=2,
    )
    unreadable = pl.lit(None, dtype=pl.String).alias("unreadable")
    for batch in text.collect_batches(chunk_size=batch_rows, maintain_order=True):
        yield batch.with_columns(unreadable)


def has_one_row_per_line(path: Path, shape: Shape) -> bool:
    """Check line by line: all fields, and no quote left open."""
    if not shape.may_be_regular:
        return False
    pattern = row_pattern(shape.header.delimiter, f"{{{shape.width - 1}}}")
    # A blank line is read as null: it is no row.
    whole = pl.col("line").str.strip_chars_end("\r").str.contains(pattern).fill_null(value=False)
    lines = pl.scan_csv(
        path,
        glob=False,
        separator=_NULL,
        quote_char=None,
        has_header=False,
        schema={"line": pl.String},
    )
    return bool(lines.select(whole.all()).collect(engine="streaming").item())


def _select(file: SourceFile, mapping: Mapping, header: tuple[str, ...]) -> list[pl.Expr]:
    """Return the contract's columns from the columns of a file. Raises NightRefused."""
    names = received_names(mapping, file.table)
    absent = {ours for ours, theirs in names.items() if theirs not in header}
    missing = missing_columns(header, file.table, mapping)
    if missing:
        raise NightRefused(
            f"{file.path.name}: no column {', '.join(missing)} among its {len(header)}. If it is "
            f"named otherwise, say so in the mapping file; the first line must be the header."
        )
    empty = pl.lit(None, dtype=pl.String)
    return [
        (empty if ours in absent else pl.col(theirs)).alias(ours) for ours, theirs in names.items()
    ]


def _identified(
    rows: pl.DataFrame, file: SourceFile, mapping: Mapping, header: tuple[str, ...]
) -> pl.DataFrame:
    """Add the row hash, of what was received; then say what a column that is not there says."""
    table, names = TABLES[file.table], received_names(mapping, file.table)
    says = {c: word for c, word in table.absent.items() if word and names[c] not in header}
    hashed = with_row_hash(rows, table.columns)
    return hashed.with_columns(pl.lit(word).alias(c) for c, word in says.items())


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
