"""Workbooks (xlsx, xls, ods) as hospitals keep them: several header lines, merged cells, colours.

A record is a row of the sheet below the header, numbered as the sheet numbers it. Dates are days
whatever the workbook counts them from. A merged area has its value in each of its cells. A
formula without a stored result, and an error, are texts that no column takes, never empty cells.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import fastexcel
import polars as pl

from flows.errors import NightRefused, is_failure, is_out_of_space
from flows.intake.sources.given import Given, unique_names, whole
from flows.intake.sources.opendocument_seen import sheets_of
from flows.intake.sources.packed_parts import parts_of
from flows.intake.sources.words import plural
from flows.intake.sources.workbook_seen import Seen, book_of, see_sheet
from transforms.mapping.sources import RECORD

HIDDEN = "_hidden"
"""Column that says of a record whether its row is hidden (yes, no)."""

MARKED = "_marked"
"""Column that says what of a record's row was not read: colour, strikethrough, comment."""

NOT_STORED = "#NOT STORED"
"""The text of a cell whose formula has no stored result: no value of any column."""

_ERROR = "#ERROR"
_MOST_CELLS = 200_000_000
_MIDNIGHT = " 00:00:00"
_BLIND = (
    "an .xls does not tell its merged cells, hidden rows, colours, comments, strikethrough and "
    "formulas without a result; save it as .xlsx to have them looked at"
)


def read_xlsx(file: Given) -> Iterator[pl.DataFrame]:
    """Yield the rows of one sheet; `part` names it, else it is the first that is not hidden.

    Names in several lines of `header` are joined with a space. Raises NightRefused.
    """
    file.refuse_options()
    name, path, wanted = file.name, file.path, file.source.part
    kind = Path(name).suffix.lower()
    if kind == ".xls":
        reader = _opened(file)
        chosen = _chosen(reader.sheet_names, set(), wanted, file)
        file.tell(_BLIND)
        yield _read(file, reader, chosen, Seen())
        return
    try:
        with parts_of(path, name, file.settings.max_unpack_ratio) as packed:
            if kind == ".ods":
                found, hidden = sheets_of(packed, name)
                chosen = _chosen(list(found), hidden, wanted, file)
                seen = found[chosen]
            else:
                book = book_of(packed, name)
                chosen = _chosen(list(book.sheets), book.hidden, wanted, file)
                seen = see_sheet(packed, book, chosen, name)
                if book.from_1904:
                    file.tell("days are counted from 1904, not from 1900")
    except (KeyError, ValueError, OverflowError):
        raise NightRefused(f"{name}: not whole as a workbook; save or copy it again") from None
    if seen.last_row * (seen.last_column - seen.first_column + 1) > _MOST_CELLS:
        raise NightRefused(
            f"{name}: sheet with {seen.last_row} rows and {seen.last_column} columns; delete what "
            f"lies far below or right of the table, or save it as CSV"
        )
    yield _read(file, _opened(file), chosen, seen)


def _opened(file: Given) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(str(file.path))
    except BaseException as error:
        raise _unreadable(file.name, error) from None


def _unreadable(name: str, error: BaseException) -> BaseException:
    if not is_failure(error) or is_out_of_space(error):
        return error
    # The reader's own words may quote cells.
    return NightRefused(
        f"{name}: cannot be read as a workbook ({type(error).__name__}); save it again, or "
        f"as CSV UTF-8"
    )


def _chosen(sheets: Sequence[str], hidden: set[str], wanted: str | None, file: Given) -> str:
    """Return the sheet to read, and say what the others are. Raises NightRefused."""
    name = file.name
    shown = [sheet for sheet in sheets if sheet not in hidden]
    if wanted is not None and wanted not in sheets:
        raise NightRefused(f"{name}: no sheet {wanted!r}; it has {', '.join(map(repr, sheets))}")
    if wanted is None and not shown:
        raise NightRefused(f"{name}: no sheet that is not hidden; name the one to read")
    chosen = wanted if wanted is not None else shown[0]
    others = [sheet for sheet in sheets if sheet != chosen]
    if chosen in hidden:
        file.tell("the sheet that is read is hidden")
    if others:
        unseen = sum(sheet in hidden for sheet in others)
        file.tell(
            f"{plural(len(others), 'other sheet')} not read here"
            + (f", {unseen} of them hidden" if unseen else "")
        )
    return chosen


def _read(file: Given, reader: fastexcel.ExcelReader, sheet: str, seen: Seen) -> pl.DataFrame:
    """Return the rows below the header that have a value, as text."""
    cells = _filled(_cells(file, reader, sheet, seen), seen)
    lines = _header(file, cells)
    names = _names(file, cells, lines)
    last = max(lines, default=0)
    if above := min(lines, default=1) - 1:
        file.tell(f"{plural(above, 'row')} above the header not read")
    body = whole(cells.slice(last), last + 1).rename(dict(zip(cells.columns, names, strict=True)))
    has_value = pl.any_horizontal(pl.col(names).is_not_null())
    hidden = pl.col(RECORD).is_in(sorted(seen.hidden_rows))
    rows = body.filter(has_value & ~pl.col(RECORD).is_in(file.source.skip)).with_columns(
        pl.when(hidden).then(pl.lit("yes")).otherwise(pl.lit("no")).alias(HIDDEN),
        _marked(seen),
    )
    for remark in _remarks(seen, rows, last, names):
        file.tell(remark)
    return rows


def _header(file: Given, cells: pl.DataFrame) -> list[int]:
    """Return the lines that have the names; none where the mapping has them."""
    if file.source.header == 0:
        return []
    lines = file.source.header_lines
    if not lines:
        has_value = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        lines = [(has_value.arg_max() or 0) + 1]
    if not all(1 <= line <= cells.height for line in lines):
        raise NightRefused(f"{file.name}: header in line {max(lines)} of {cells.height}")
    return lines


def _cells(file: Given, reader: fastexcel.ExcelReader, sheet: str, seen: Seen) -> pl.DataFrame:
    """Return the cells of a sheet as text: one row per row of the sheet, from its first."""
    try:
        loaded = reader.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
        cells = loaded.to_polars()
    except BaseException as error:
        raise _unreadable(file.name, error) from None
    if not cells.width:
        raise NightRefused(f"{file.name}: an empty sheet; name the sheet that has the table")
    start = seen.start_of(cells.width) if seen.last_column else 1
    if start is None:
        raise NightRefused(
            f"{file.name}: {cells.width} columns are not those of its XML; save it again, or as "
            f"CSV UTF-8"
        )
    seen.first_column = start
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


def _names(file: Given, cells: pl.DataFrame, lines: Sequence[int]) -> list[str]:
    """Return a name for each column, each once; those of several lines are joined."""
    given = file.source.names
    if given and len(given) != cells.width:
        raise NightRefused(f"{file.name}: {cells.width} columns, `names` has {len(given)}")
    if given:
        return unique_names(given)
    head = cells[[line - 1 for line in lines]]
    parts = ([" ".join(part.split()) for part in column.drop_nulls()] for column in head)
    return unique_names(" ".join(dict.fromkeys(part)) for part in parts)


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
    for kind, words in (
        ("formula", "a formula without a stored result"),
        ("error", "an error"),
    ):
        if count := sum(row > last and what == kind for row, _, what in seen.said):
            said.append(f"{plural(count, 'cell')} with {words}: unreadable, not empty")
    if merged := sum(bottom > last for _, _, bottom, _ in seen.merged):
        said.append(f"{plural(merged, 'merged area')}: each of its cells has its value")
    for column, added in sorted(seen.formats.items()):
        if 0 <= column - start < len(names):
            shown = ", ".join(sorted(added))
            said.append(
                f"column {names[column - start]!r} shows {shown!r}, its cells do not have it"
            )
    return said
