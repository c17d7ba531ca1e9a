"""Files of any common format as columns of text, without a mapping."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.disk import in_memory
from flows.errors import UsageError, is_failure
from flows.inspection.sniffing import Dialect, dialect_from, dialect_of, encoding_of

TEXT = (".csv", ".tsv", ".txt", ".tab", ".dat", ".asc", ".psv", ".text")
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
LINES = (".ndjson", ".jsonl")
PACKED = ".gz"
_LOOKED_AT = 400
_BUDGET = 1 << 30
"""Bytes that the columns of one pass may take in memory, about."""
_GROWTH = 3
"""How much larger text is in memory than in a file."""


@dataclass(frozen=True)
class Part:
    """A table in a file: the file itself, or a sheet of a workbook."""

    file: Path
    part: str
    """The name of the sheet; empty where the file is one table."""
    format: str
    frame: pl.LazyFrame
    """One row per record, all columns text."""
    names: tuple[str, ...]
    bytes: int
    dialect: Dialect | None = None
    remarks: tuple[str, ...] = ()
    plain: pl.LazyFrame | None = None
    """The same with double quotes as letters, for a file whose quotes are damaged."""
    is_quoted: bool = True

    @property
    def passes(self) -> Iterator[tuple[str, ...]]:
        """Yield the columns in groups that fit into memory together."""
        size = max(1, len(self.names) * _BUDGET // max(self.bytes * _GROWTH, 1))
        for start in range(0, len(self.names), size):
            yield self.names[start : start + size]


def files_in(given: list[Path]) -> list[Path]:
    """Return the files, and those in the folders, that are given. Raises UsageError."""
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += sorted(p for p in path.iterdir() if p.is_file() and not _is_hidden(p))
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"{path}: no such file; give files or folders to look at")
    if not found:
        raise UsageError("no file in there; give files or folders to look at")
    return found


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "~$"))


@contextmanager
def opened(path: Path) -> Iterator[list[Part]]:
    """Give the tables of a file. Raises UsageError where it cannot be read, without its words."""
    suffix = _suffix(path)
    try:
        if suffix == ".parquet":
            yield [_parquet(path)]
        elif suffix in WORKBOOKS:
            yield _workbook(path)
        elif suffix in LINES or suffix == ".json":
            yield [_json(path, suffix)]
        elif suffix in TEXT or not suffix:
            with _as_utf8(path) as (readable, encoding):
                yield [_delimited(path, readable, encoding)]
        else:
            known = ", ".join((*TEXT, ".parquet", *WORKBOOKS, *LINES, ".json"))
            raise UsageError(f"{path.name}: not looked into; known: {known}, each also .gz")
    except UsageError:
        raise
    except BaseException as error:
        if not is_failure(error):
            raise
        # The reader's own words may quote cells.
        raise UsageError(f"{path.name}: cannot be read ({type(error).__name__})") from error


def _suffix(path: Path) -> str:
    suffixes = [one.lower() for one in path.suffixes]
    if suffixes[-1:] == [PACKED]:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


@contextmanager
def _as_utf8(path: Path) -> Iterator[tuple[Path, str]]:
    """Give a file as plain UTF-8: itself, or in memory what it is unpacked and recoded."""
    if path.suffix.lower() == PACKED:
        import gzip

        with in_memory(gzip.decompress(path.read_bytes())) as plain, _as_utf8(plain) as found:
            yield found
        return
    encoding = encoding_of(path)
    if encoding == "utf-8":
        yield path, encoding
        return
    with in_memory(path.read_bytes().decode(encoding, "replace").encode()) as plain:
        yield plain, encoding


def _delimited(path: Path, readable: Path, encoding: str) -> Part:
    dialect = dialect_of(readable, "utf-8")
    remarks = []
    if len(dialect.names) == 1:
        remarks.append("no comma, semicolon, tab or | divides its lines: is it of fixed width?")
    if not dialect.is_quoted:
        remarks.append("its double quotes do not pair up: read as if they were letters")
    frame = _scanned(readable, dialect, '"' if dialect.is_quoted else None)
    plain = _scanned(readable, dialect, None)
    dialect = Dialect(**{**dialect.__dict__, "encoding": encoding})
    size = readable.stat().st_size
    return Part(
        path,
        "",
        "csv",
        frame,
        dialect.names,
        size,
        dialect,
        tuple(remarks),
        plain,
        dialect.is_quoted,
    )


def _scanned(path: Path, dialect: Dialect, quote: str | None) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        has_header=False,
        separator=dialect.delimiter,
        quote_char=quote,
        skip_lines=dialect.first - 1,
        infer_schema=False,
        schema={name: pl.String() for name in dialect.names},
        truncate_ragged_lines=True,
        missing_columns="insert",
        encoding="utf8-lossy",
    )


def _parquet(path: Path) -> Part:
    frame = pl.scan_parquet(path)
    frame = frame.select(_as_text(name, dtype) for name, dtype in frame.collect_schema().items())
    return Part(path, "", "parquet", frame, tuple(frame.collect_schema()), path.stat().st_size * 4)


def _json(path: Path, suffix: str) -> Part:
    if suffix == ".json":
        said = json.loads(path.read_text("utf-8"))
        rows = (
            said
            if isinstance(said, list)
            else next((one for one in said.values() if isinstance(one, list)), [said])
        )
        frame = pl.DataFrame(rows, infer_schema_length=None).lazy()
    else:
        frame = pl.scan_ndjson(path, infer_schema_length=None)
    frame = _flat(frame)
    frame = frame.select(_as_text(name, dtype) for name, dtype in frame.collect_schema().items())
    form = "json" if suffix == ".json" else "ndjson"
    return Part(path, "", form, frame, tuple(frame.collect_schema()), path.stat().st_size)


def _flat(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Give each field of a struct a column of its own: `code.text`."""
    while structs := [
        n for n, dtype in frame.collect_schema().items() if isinstance(dtype, pl.Struct)
    ]:
        frame = frame.with_columns(pl.col(n).name.prefix_fields(f"{n}.") for n in structs)
        frame = frame.unnest(structs)
    return frame


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, (pl.List, pl.Array)):
        return pl.format("[{}]", column.list.len()).alias(name)
    if isinstance(dtype, (pl.Binary, pl.Object)):
        return pl.lit(None, dtype=pl.String).alias(name)
    if isinstance(dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S").alias(name)
    return column.cast(pl.String)


def _workbook(path: Path) -> list[Part]:
    import fastexcel

    book = fastexcel.read_excel(path)
    parts = []
    for sheet in book.sheet_names:
        loaded = book.load_sheet(
            sheet, header_row=None, dtypes="string", skip_whitespace_tail_rows=True
        )
        rows = loaded.to_polars()
        if not rows.width or not rows.height:
            continue
        cells = [
            ["" if cell is None else str(cell) for cell in row]
            for row in rows.head(_LOOKED_AT).rows()
        ]
        dialect = dialect_from(cells, "", "")
        table = rows.slice(dialect.first - 1)
        table.columns = list(dialect.names)[: table.width]
        midnight = table.with_columns(pl.all().str.strip_suffix(" 00:00:00"))
        remark = "colours, comments and strikethrough, where there are some, are not read"
        size = path.stat().st_size * 4
        parts.append(
            Part(path, sheet, "xlsx", midnight.lazy(), dialect.names, size, dialect, (remark,))
        )
    return parts
