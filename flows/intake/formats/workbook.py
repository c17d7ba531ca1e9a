"""Workbooks (xlsx, xls, ods) as hospitals keep them: several header lines, merged cells, colours.

A record is a row of the sheet below the header, numbered as the sheet numbers it. Dates are days
whatever the workbook counts them from. A merged area has its value in each of its cells. A
formula without a stored result, and an error, are texts that no column takes, never empty cells.
"""

from collections.abc import Sequence
from pathlib import Path

import fastexcel
import polars as pl

from flows.errors import NightRefused, is_failure, is_out_of_space
from flows.intake.formats.opendocument_seen import sheets_of
from flows.intake.formats.packed_parts import parts_of
from flows.intake.formats.records import (
    NOT_STORED,
    RECORD,
    UNREADABLE,
    Records,
    plural,
    records,
)
from flows.intake.formats.workbook_seen import Book, Seen, book_of, see_sheet

HIDDEN = "_hidden"
"""Column that says of a record whether its row is hidden (yes, no)."""

MARKED = "_marked"
"""Column that says what of a record's row was not read: colour, strikethrough, comment."""

_ERROR = "#ERROR"
_MOST_CELLS = 200_000_000
_MIDNIGHT = " 00:00:00"
_JOINED = " / "
_BLIND = (
    "an .xls does not tell its merged cells, hidden rows, colours, comments, strikethrough and "
    "formulas without a result; save it as .xlsx to have them looked at"
)


def read_workbook(
    path: Path,
    *,
    sheet: str | None = None,
    header: tuple[int, int] | None = None,
    max_ratio: int = 1000,
) -> Records:
    """Read a sheet of a workbook; without a name, the first that is not hidden.

    `header` is the first and last row of the header; without it the first row that has a value.
    Names in several header rows are joined with " / ". Raises NightRefused.
    """
    name = path.name
    if path.suffix.lower() == ".xls":
        reader = _opened(path)
        chosen, remarks = _chosen(reader.sheet_names, set(), sheet, name)
        return _read(path, reader, chosen, Seen(), header, [*remarks, _BLIND])
    try:
        with parts_of(path, max_ratio) as packed:
            if path.suffix.lower() == ".ods":
                found, hidden = sheets_of(packed, name)
                chosen, remarks = _chosen(list(found), hidden, sheet, name)
                seen = found[chosen]
            else:
                book = book_of(packed, name)
                chosen, remarks = _chosen(list(book.sheets), book.hidden, sheet, name)
                seen = see_sheet(packed, book, chosen, name)
                remarks += _of_book(book)
    except (KeyError, ValueError, OverflowError):
        raise NightRefused(f"{name}: not whole as a workbook; save or copy it again") from None
    if seen.last_row * (seen.last_column - seen.first_column + 1) > _MOST_CELLS:
        raise NightRefused(
            f"{name}: sheet with {seen.last_row} rows and {seen.last_column} columns; delete what "
            f"lies far below or right of the table, or save it as CSV"
        )
    return _read(path, _opened(path), chosen, seen, header, remarks)


def _opened(path: Path) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(str(path))
    except BaseException as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: BaseException) -> BaseException:
    if not is_failure(error) or is_out_of_space(error):
        return error
    # The reader's own words may quote cells.
    return NightRefused(
        f"{path.name}: cannot be read as a workbook ({type(error).__name__}); save it again, or "
        f"as CSV UTF-8"
    )


def _chosen(
    sheets: Sequence[str], hidden: set[str], wanted: str | None, name: str
) -> tuple[str, list[str]]:
    shown = [sheet for sheet in sheets if sheet not in hidden]
    if wanted is not None and wanted not in sheets:
        raise NightRefused(f"{name}: no sheet {wanted!r}; it has {', '.join(map(repr, sheets))}")
    if wanted is None and not shown:
        raise NightRefused(f"{name}: no sheet that is not hidden; name the one to read")
    chosen = wanted if wanted is not None else shown[0]
    others = [sheet for sheet in sheets if sheet != chosen]
    remarks = [f"the sheet {chosen!r} is hidden"] if chosen in hidden else []
    if others:
        unseen = sum(sheet in hidden for sheet in others)
        remarks.append(
            f"{plural(len(others), 'other sheet')} not read here"
            + (f", {unseen} of them hidden" if unseen else "")
        )
    return chosen, remarks


def _of_book(book: Book) -> list[str]:
    return ["days are counted from 1904, not from 1900"] if book.from_1904 else []


def _read(
    path: Path,
    reader: fastexcel.ExcelReader,
    sheet: str,
    seen: Seen,
    header: tuple[int, int] | None,
    remarks: list[str],
) -> Records:
    cells = _cells(path, reader, sheet, seen)
    cells = _filled(cells, seen)
    first, last = header or _first_row(cells, path.name)
    if not 1 <= first <= last <= cells.height:
        raise NightRefused(f"{path.name}: no header in rows {first} to {last}")
    names, unnamed = _names(cells, first, last)
    body = cells.slice(last).rename(dict(zip(cells.columns, names, strict=True)))
    body = body.drop(name for name in unnamed if body[name].null_count() == body.height)
    body = body.with_row_index(RECORD, last + 1)
    values = pl.exclude(RECORD)
    is_row = pl.any_horizontal(values.is_not_null())
    rows = body.filter(is_row).with_columns(
        pl.lit(None, dtype=pl.String).alias(UNREADABLE),
        pl.when(pl.col(RECORD).is_in(list(seen.hidden_rows)))
        .then(pl.lit("yes"))
        .otherwise(pl.lit("no"))
        .alias(HIDDEN),
        _marked(seen),
    )
    said = _remarks(seen, rows, last, names)
    if first > 1:
        remarks.append(f"{plural(first - 1, 'row')} above the header not read")
    return records([rows], path.name, [*remarks, *said])


def _cells(path: Path, reader: fastexcel.ExcelReader, sheet: str, seen: Seen) -> pl.DataFrame:
    """Return the cells of a sheet as text: one row per row of the sheet, from its first."""
    try:
        loaded = reader.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
        cells = loaded.to_polars()
    except BaseException as error:
        raise _unreadable(path, error) from None
    if not cells.width:
        raise NightRefused(f"{path.name}: an empty sheet; name the sheet that has the table")
    start = seen.first_column or 1
    if seen.last_column and cells.width != seen.last_column - start + 1:
        raise NightRefused(
            f"{path.name}: {cells.width} columns where its XML has {seen.last_column - start + 1}; "
            f"save it again, or as CSV UTF-8"
        )
    if cells.height < seen.last_row:
        missing = pl.DataFrame(schema=cells.schema).clear(seen.last_row - cells.height)
        cells = pl.concat([cells, missing])
    cells.columns = [str(at) for at in range(start, start + cells.width)]
    text = pl.all().str.strip_suffix(_MIDNIGHT).str.strip_chars()
    return cells.with_columns(text).with_columns(pl.all().replace("", None))


def _filled(cells: pl.DataFrame, seen: Seen) -> pl.DataFrame:
    """Put in what the reader leaves empty: formulas without results, errors, merged cells."""
    says = {"formula": NOT_STORED, "error": _ERROR}
    columns = {name: cells[name] for name in cells.columns}
    by_column: dict[str, dict[int, str]] = {}
    for row, column, what in seen.said:
        by_column.setdefault(str(column), {})[row - 1] = says[what]
    for name, put in by_column.items():
        columns[name] = columns[name].scatter(list(put), list(put.values()))
    for top, left, bottom, right in seen.merged:
        if str(left) not in columns or top > cells.height:
            continue
        value = columns[str(left)][top - 1]
        rows = list(range(top - 1, min(bottom, cells.height)))
        for name in (str(at) for at in range(left, min(right, int(cells.columns[-1])) + 1)):
            columns[name] = columns[name].scatter(rows, value)
    return pl.DataFrame(columns)


def _first_row(cells: pl.DataFrame, name: str) -> tuple[int, int]:
    has_value = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    at = has_value.arg_max()
    if at is None or not has_value[at]:
        raise NightRefused(f"{name}: an empty sheet; name the sheet that has the table")
    return at + 1, at + 1


def _names(cells: pl.DataFrame, first: int, last: int) -> tuple[list[str], list[str]]:
    """Return a name for each column, each once, and which of them the sheet leaves unnamed."""
    names: list[str] = []
    unnamed: list[str] = []
    head = cells.slice(first - 1, last - first + 1)
    for column in head.columns:
        parts = [" ".join(part.split()) for part in head[column].drop_nulls()]
        name = _JOINED.join(dict.fromkeys(parts)) or f"(column {column})"
        if not parts:
            unnamed.append(name)
        again = names.count(name) + sum(n.startswith(f"{name} (") for n in names)
        names.append(f"{name} ({again + 1})" if name in names else name)
    return names, unnamed


def _marked(seen: Seen) -> pl.Expr:
    words = [
        pl.when(pl.col(RECORD).is_in(sorted(set(rows)))).then(pl.lit(what))
        for what, rows in seen.marks.items()
    ]
    if not words:
        return pl.lit(None, dtype=pl.String).alias(MARKED)
    return pl.concat_str(words, separator=", ", ignore_nulls=True).replace("", None).alias(MARKED)


def _remarks(seen: Seen, rows: pl.DataFrame, last: int, names: Sequence[str]) -> list[str]:
    """Say what the rows below the header have that was not read, or not as it is shown."""
    said: list[str] = []
    if hidden := (rows[HIDDEN] == "yes").sum():
        said.append(f"{plural(int(hidden), 'hidden row')} read like the others")
    start = seen.first_column or 1
    if concealed := sum(start <= at < start + len(names) for at in seen.hidden_columns):
        said.append(f"{plural(concealed, 'hidden column')} read like the others")
    for what, where in seen.marks.items():
        if below := sum(row > last for row in where):
            said.append(f"{plural(below, 'cell')} with {what}: what that means is not read")
    if seen.marks.get("colour by a rule"):
        said.append("cells coloured by a rule: what that means is not read")
    for kind, words in (("formula", "formulas without a stored result"), ("error", "errors")):
        if count := sum(row > last and what == kind for row, _, what in seen.said):
            said.append(f"{count} cells are {words}: they are unreadable, not empty")
    if merged := sum(bottom > last for _, _, bottom, _ in seen.merged):
        said.append(f"{plural(merged, 'merged area')}: each of its cells has its value")
    for column, added in sorted(seen.formats.items()):
        if 0 <= column - start < len(names):
            shown = ", ".join(sorted(added))
            said.append(
                f"column {names[column - start]!r} shows {shown!r}, its cells do not have it"
            )
    return said
