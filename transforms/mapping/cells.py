"""One cell of the contract as an expression of DuckDB SQL over a record, whose cells are text.

What no pattern, code or form of a date covers stays as it was received, so that the contract
sets it aside with its text; where the contract could read it all the same, behind NOT_COVERED.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas.registry import TABLES
from transforms.mapping.dates import MACROS as DATES
from transforms.mapping.dates import as_iso, completed, is_date, of_parts, shifted
from transforms.mapping.rules import NAMED, RESERVED, ROW, Cell
from transforms.mapping.sources import RECORD, Pattern, Source, expanded

NOT_COVERED = "not covered: "
"""What stands before a text that the contract could read, and the mapping does not cover."""

_FLAGS = ("yes", "true", "1", "y", "positive", "no", "false", "0", "n", "negative")
_NUMBERS = ("number", "low", "high")


class BadRule(ValueError):
    """A rule that does not fit the columns of its source; the message begins with its key."""


def literal(text: str) -> str:
    """Return a text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def name(text: str) -> str:
    """Return the name of a column or table as SQL has it."""
    return '"' + text.replace('"', '""') + '"'


@dataclass(frozen=True)
class Record:
    """What a rule sees of a record: its columns, those of what is joined, how its text reads."""

    columns: frozenset[str]
    joined: Mapping[str, frozenset[str]]
    source: Source
    patterns: Mapping[str, Pattern]

    def column(self, text: str) -> str:
        """Return a column as SQL: of the record, or `alias.column` of one joined to it."""
        if text in self.columns or text in RESERVED:
            return name(text)
        alias, _, theirs = text.partition(".")
        if theirs in self.joined.get(alias, ()):
            return f"{name(alias)}.{name(theirs)}"
        raise BadRule(f"no column {text!r}{self._meant(text)}")

    def _meant(self, text: str) -> str:
        others = [*self.columns, *(f"{a}.{c}" for a, cs in self.joined.items() for c in cs)]
        bare = re.sub(r"\W", "", text).casefold()
        alike = sorted(one for one in others if re.sub(r"\W", "", one).casefold() == bare)
        near = alike or sorted(one for one in others if bare and bare in one.casefold())[:3]
        if near:
            return f"; did you mean {' or '.join(map(repr, near))}?"
        return f"; there are {', '.join(sorted(self.columns)[:40])}"


def cell_sql(cell: Cell, table: str, column: str, record: Record, strict: bool = False) -> str:
    """Return the expression of a column of the contract. Raises BadRule.

    `strict`: null in the place of what is not covered.
    """
    dtype = TABLES[table].schema.columns[column].dtype.type
    identifies = column in TABLES[table].identifies
    return _Column(dtype, identifies, record).sql(cell, strict)


@dataclass(frozen=True)
class _Column:
    dtype: Any
    identifies: bool
    record: Record

    def sql(self, cell: Cell, strict: bool) -> str:
        """Return the expression: where it comes from, then how it reads."""
        text = self._origin(cell, strict)
        decimal = cell.decimal or self.record.source.decimal
        taken = cell.pattern is not None
        if cell.pattern is not None:
            text = self._taken(text, self.record.patterns[cell.pattern], cell.take, strict)
        if cell.codes:
            text = self._coded(text, cell, strict)
        made = cell.constant is not None or cell.days is not None or cell.first is not None
        if self.dtype == pl.Date and not made:
            form = cell.date or self.record.source.dates
            text = as_iso(text, form, self.record.source.time_zone)
            if strict:
                text = f"CASE WHEN {is_date(text)} THEN {text} END"
        if self.dtype == pl.Date and cell.complete:
            text = completed(text, cell.complete)
        if self.dtype == pl.Float64 and decimal == "," and not taken and not made:
            text = f"with_dot({text})"
        return text

    def _origin(self, cell: Cell, strict: bool) -> str:
        column = self.record.column
        if cell.column is not None:
            return self._text(cell.column)
        if cell.constant is not None:
            return literal(cell.constant)
        if cell.template is not None:
            return self._template(cell.template)
        if cell.sql is not None:
            return f"nullif(trim(CAST((\n{cell.sql}\n) AS VARCHAR)), '')"
        if cell.first is not None:
            cells = [Cell(column=one) if isinstance(one, str) else one for one in cell.first]
            tried = [self.sql(one, strict=True) for one in cells]
            as_is = [] if strict else [self.sql(one, strict=False) for one in cells]
            return f"coalesce({', '.join(tried + as_is)})"
        if cell.year is not None:
            month, day = (column(one) if one else "NULL" for one in (cell.month, cell.day))
            return of_parts(column(cell.year), month, day)
        return self._shifted(cell)

    def _text(self, column: str) -> str:
        found = self.record.column(column)
        return f"CAST({found} AS VARCHAR)" if column in (RECORD, ROW) else found

    def _shifted(self, cell: Cell) -> str:
        """Return a date counted from another one."""
        anchor, days = cell.anchor, cell.days
        assert anchor is not None and days is not None  # noqa: S101
        of_date = _Column(pl.Date, False, self.record)
        of_text = _Column(pl.String, False, self.record)
        start = of_date.sql(Cell(column=anchor) if isinstance(anchor, str) else anchor, False)
        after = of_text.sql(Cell(column=days) if isinstance(days, str) else days, False)
        return shifted(start, after)

    def _template(self, text: str) -> str:
        parts: list[str] = []
        at = 0
        for found in NAMED.finditer(text):
            parts += [literal(text[at : found.start()])] if found.start() > at else []
            parts.append(self._text(found.group(1)))
            at = found.end()
        parts += [literal(text[at:])] if at < len(text) else []
        return "(" + " || ".join(parts or ["NULL"]) + ")"  # null where one of them is

    def _taken(self, text: str, pattern: Pattern, take: str, strict: bool) -> str:
        """Return what a pattern takes from a text; each expression has to fit the whole of it."""
        options = literal("is" if pattern.ignore_case else "s")
        decimal = pattern.decimal or self.record.source.decimal
        cases = []
        for one in pattern.match:
            made = expanded(pattern, one, decimal)
            number = made.groupindex.get(take)
            if number is None:
                continue
            whole = literal(f"^(?:{made.pattern})$")
            group = f"nullif(regexp_extract({text}, {whole}, {number}, {options}), '')"
            cases.append(
                f"WHEN regexp_matches({text}, {whole}, {options}) THEN {_as(take, group, pattern)}"
            )
        return f"CASE {' '.join(cases)} ELSE {self._uncovered(text, strict)} END"

    def _coded(self, text: str, cell: Cell, strict: bool) -> str:
        """Return the code of a text."""
        seen: Callable[[str], str] = str.casefold if cell.ignore_case else str
        shown = f"lower({text})" if cell.ignore_case else text
        codes = {seen(theirs.strip()): ours for theirs, ours in cell.codes.items()}
        empty = codes.pop("", None)
        cases = [f"WHEN {text} IS NULL THEN {'NULL' if not empty else literal(empty)}"]
        by_code: dict[str, list[str]] = {}
        for theirs, ours in codes.items():
            by_code.setdefault(ours, []).append(literal(theirs))
        for ours, said in by_code.items():
            code = literal(ours) if ours else "NULL"
            cases.append(f"WHEN {shown} IN ({', '.join(said)}) THEN {code}")
        if isinstance(self.dtype, pl.Enum) or cell.pattern is not None:
            rest = "NULL" if strict else text
        else:
            rest = self._uncovered(text, strict)
        return f"CASE {' '.join(cases)} ELSE {rest} END"

    def _uncovered(self, text: str, strict: bool) -> str:
        """Return a text that is not covered as something that the contract sets aside."""
        if strict:
            return "NULL"
        if self.dtype == pl.String:
            return "NULL" if self.identifies else text
        if self.dtype == pl.Date:
            return f"no_date({text})"
        if self.dtype == pl.Float64:
            return f"no_number({text})"
        known = _FLAGS if self.dtype == pl.Boolean else tuple(self.dtype.categories)
        return f"no_word({text}, [{', '.join(literal(word.lower()) for word in known)}])"


def _as(take: str, group: str, pattern: Pattern) -> str:
    """Return what was taken as the contract writes it."""
    if take in _NUMBERS:
        return f"replace({group}, ',', '.')"
    if take == "comparator":
        return f"replace(replace({group}, '≤', '<='), '≥', '>=')"
    if take == "unit":
        seen = str.casefold if pattern.ignore_case else str
        shown = f"lower({group})" if pattern.ignore_case else group
        cases = (
            f"WHEN {literal(seen(theirs))} THEN {literal(ours)}"
            for theirs, ours in pattern.units.items()
        )
        return f"CASE {shown} {' '.join(cases)} END"
    return group


MACROS = DATES | {
    "with_dot(t)": "CASE WHEN regexp_full_match(t, '[+-]?[0-9]*,[0-9]+') "
    "THEN replace(t, ',', '.') WHEN contains(t, '.') AND try_cast(t AS DOUBLE) IS NOT NULL "
    f"THEN {literal(NOT_COVERED)} || t ELSE t END",
    "no_number(t)": "CASE WHEN try_cast(t AS DOUBLE) IS NOT NULL "
    f"THEN {literal(NOT_COVERED)} || t ELSE t END",
    "no_date(t)": f"CASE WHEN is_date(t) THEN {literal(NOT_COVERED)} || t ELSE t END",
    "no_word(t, words)": "CASE WHEN list_contains(words, lower(t)) "
    f"THEN {literal(NOT_COVERED)} || t ELSE t END",
}
"""What the SQL calls by name: macro with its parameters -> what it stands for."""
