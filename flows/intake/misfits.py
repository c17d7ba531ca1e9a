"""Lines that have as many fields as a row and are none: headers again, totals, other tables.

They must not become patients. What is judged is the line and its place, never whether a cell is
right: a row with bad cells stays a row.
"""

import re
from typing import Any

import polars as pl

from flows.intake.header import Header
from schemas.contracts import is_text
from schemas.registry import TABLES
from transforms.reading.cells import NO, YES
from transforms.reading.mapping import Mapping, received_names

UNREADABLE = "_line"
"""The column that has the text of a line that is no row."""
REPEATS_HEADER = "row: repeats the header"
NOT_A_ROW = "row: not a row of the table"
OTHER_TABLE = "row: below a header that is not this file's"
UNDER_NO_NAME = "row: a cell in a column without a name"
NO_ROWS = frozenset({REPEATS_HEADER, NOT_A_ROW})
"""Reasons of lines that are nobody's: no patient's row hides behind them."""

_FEW = 2
_WORDS = r"(?:(?:grand |sub)?totals?|sum|summe|summary|(?:gesamt)?anzahl|gesamt|count|mean|average)"
_THINGS = r"(?:rows?|records?|lines?|entries|patients?|zeilen|datensätze|einträge|patienten)"
_FOOTER = (
    rf"(?i)^\s*(?:{_WORDS}(?: {_THINGS})?\s*[:=]?\s*[\d.,' ]*"
    rf"|\(?\d[\d.,' ]*\s*{_THINGS}\b.*"
    rf"|(?:number|no\.?|count|sum|total|anzahl) (?:of |der )?{_THINGS}\b.*"
    r"|[-=*#_~]{2,}.*|#\s.*|(?:end|ende) (?:of|der|des) .*|eof|\x1a)\s*$"
)
_REMARK = r"\S\s+\S+\s+\S|:\s"
"""Three words, or what follows a colon: a remark, where it is the only cell of its line."""
_LOOKS_READABLE = r"^\D?\s?[\d.,]+$|\d{4}|\d\D\d"
"""A number with or without a comparator, or a date in any spelling."""


def is_footer(cell: str) -> bool:
    """Whether the first cell of a line says that the line is a total, a ruler or a remark."""
    return re.match(_FOOTER, cell) is not None


class Misfits:
    """Marks the lines of one file that are no rows, batch by batch."""

    def __init__(self, table: str, mapping: Mapping, header: Header) -> None:
        self.header = header
        self._ours = {theirs: ours for ours, theirs in received_names(mapping, table).items()}
        self._readable = _readable_codes(table, mapping)
        key = received_names(mapping, table)[TABLES[table].key or "patient_id"]
        first = header.names[0]
        self._starts_with_text = self._ours.get(first) not in self._readable
        self._tells = [key] if not self._starts_with_text or first == key else [first, key]
        self._dates = _dates(table)
        self._names = _all_names(mapping) | {name.lower() for name in header.names}
        names = "|".join(re.escape(name) for name in sorted(self._names) if name.isprintable())
        self._suspect = rf"(?i)^[\s\x{{feff}}]*(?:{names})\s*$|{_FOOTER}|{_REMARK}"
        self._top = header.line + 1
        self._below = {self._top}
        self._other_since: int | None = None

    def below_blank(self, line: int) -> None:
        """Say that a line is blank: below it the header of another table may stand."""
        self._below.add(line + 1)

    def is_footer(self, line: str) -> bool:
        """Whether a line with too few or too many fields is a total, a ruler or a remark."""
        return self._starts_with_text and is_footer(line.partition(self.header.delimiter)[0])

    def marked(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return a batch with `unreadable` and UNREADABLE filled for lines that are no rows."""
        reason = self._reason(batch)
        if reason is None:
            return batch
        names = self.header.names
        cells = [pl.col(name).fill_null("") for name in names]
        text = pl.concat_str(cells, separator=self.header.delimiter)
        if UNREADABLE in batch.columns:
            text = pl.coalesce(UNREADABLE, text)
        bad = pl.col("unreadable").is_not_null()
        return batch.with_columns(unreadable=pl.coalesce("unreadable", reason)).with_columns(
            pl.when(bad).then(text).alias(UNREADABLE),
            *(pl.when(~bad).then(name).alias(name) for name in names),
        )

    def _reason(self, batch: pl.DataFrame) -> pl.Expr | None:
        """Return why lines are no rows, as a text per line; None where all are rows."""
        reasons, apart = self._judged(batch)
        found = [pl.lit(None, dtype=pl.String)]
        if reasons:
            said = pl.col("line").replace_strict(
                list(reasons), list(reasons.values()), default=None, return_dtype=pl.String
            )
            found.append(said)
        for first, last in apart:
            inside = pl.col("line").is_between(first, last, closed="none")
            found.append(pl.when(inside).then(pl.lit(OTHER_TABLE)))
        unnamed = self.header.names[len(self.header.names) - self.header.unnamed :]
        filled = [pl.col(name).str.strip_chars() != "" for name in unnamed]
        if filled and batch.select(pl.any_horizontal(filled).any()).item():
            found.append(pl.when(pl.any_horizontal(filled)).then(pl.lit(UNDER_NO_NAME)))
        return pl.coalesce(found) if len(found) > 1 else None

    def _judged(self, batch: pl.DataFrame) -> tuple[dict[int, str], list[tuple[int, float]]]:
        """Return the reason of each line that is none, and the stretches of another table."""
        reasons: dict[int, str] = {}
        apart: list[tuple[int, float]] = []
        for row in batch.filter(self._is_suspect()).iter_rows(named=True):
            line = row["line"]
            kind = self._kind(row)
            if kind is None:
                continue
            reasons[line] = REPEATS_HEADER if kind == "own header" else NOT_A_ROW
            if kind == "footer":
                continue
            self._below.add(line + 1)
            if kind != "other header":
                self._top = line + 1
            if kind == "own header" and self._other_since is not None:
                apart.append((self._other_since, line))
                self._other_since = None
            elif kind == "other header" and self._other_since is None:
                self._other_since = line
        if self._other_since is not None:
            apart.append((self._other_since, float("inf")))
        return reasons, apart

    def _is_suspect(self) -> pl.Expr:
        by_name = [pl.col(name).str.contains(self._suspect) for name in self._tells]
        near = [below + more for below in self._below for more in range(3)]
        by_place = pl.col("line").is_in(near) & pl.col("unreadable").is_null()
        return pl.any_horizontal(*by_name, by_place).fill_null(value=False)

    def _kind(self, row: dict[str, Any]) -> str | None:
        """Say what a suspect line is: own header, other header, second header, footer, or a row."""
        cells = {name: _bare(row[name]) for name in self.header.names if row[name]}
        in_place = sum(cell in (name.lower(), self._ours.get(name)) for name, cell in cells.items())
        names = sum(cell in self._names for cell in cells.values())
        if names >= _FEW and 2 * names >= len(cells):
            # With a name out of its place, the rows below have their cells in another order.
            return "own header" if in_place == names else "other header"
        said = [row[name] or "" for name in self._tells]
        if any(is_footer(cell) or (len(cells) == 1 and re.search(_REMARK, cell)) for cell in said):
            return "footer"
        if row["line"] in self._below and self._looks_like_names(cells):
            return "second header" if row["line"] == self._top else "other header"
        return None

    def _looks_like_names(self, cells: dict[str, str]) -> bool:
        """Whether a line fills a date and more, and none of that could be a date or a value."""
        typed = {ours: cells[name] for name, ours in self._ours.items() if name in cells}
        typed = {ours: cell for ours, cell in typed.items() if ours in self._readable}
        can_be_read = any(
            cell in codes if codes else re.search(_LOOKS_READABLE, cell)
            for ours, cell in typed.items()
            for codes in [self._readable[ours]]
        )
        return len(typed) >= _FEW and bool(typed.keys() & self._dates) and not can_be_read


def _bare(cell: str) -> str:
    return cell.strip("\ufeff \t").lower()


def _all_names(mapping: Mapping) -> set[str]:
    """Return the names of all columns of all tables, the contract's and the hospital's."""
    names = [
        name for table in TABLES for pair in received_names(mapping, table).items() for name in pair
    ]
    return {name.lower() for name in names}


def _readable_codes(table: str, mapping: Mapping) -> dict[str, frozenset[str]]:
    """Return the codes of each column that is no free text; none for dates and numbers."""
    known: dict[str, frozenset[str]] = {}
    for name, column in TABLES[table].schema.columns.items():
        if is_text(TABLES[table], name):
            continue
        dtype = column.dtype.type
        codes = list(mapping.of(table).codes.get(name, ()))
        if isinstance(dtype, pl.Enum):
            codes += dtype.categories.to_list()
        elif dtype == pl.Boolean:
            codes += [*YES, *NO]
        known[name] = frozenset(code.lower() for code in codes)
    return known


def _dates(table: str) -> set[str]:
    columns = TABLES[table].schema.columns.items()
    return {name for name, column in columns if column.dtype.type == pl.Date}
