"""Every way in which one cell or one row of a patient can be seen to be damaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import polars as pl

from schemas.registry import TABLES, Table
from tests.registry import Row, Rows

UNREADABLE = "??"
_CONTRADICT = ("key twice", "too old")


@dataclass(frozen=True)
class Damage:
    """One cell of one row, or (column None) the row."""

    table: str
    position: int
    column: str | None
    kind: str

    def __str__(self) -> str:
        return f"{self.table}[{self.position}].{self.column} {self.kind}"

    @property
    def what(self) -> tuple[str, str, str]:
        """Table, column and kind: what a long run must have tried."""
        return self.table, self.column or "*", self.kind


def damaged(rows: Rows, damage: Damage) -> Rows:
    """Return the rows of a patient with one damage."""
    changed = dict(rows)
    theirs = [dict(row) for row in rows[damage.table]]
    row = theirs[damage.position]
    if damage.column is None:
        theirs += _row(row, damage)
    else:
        row[damage.column] = _cell(row.get(damage.column), damage)
    changed[damage.table] = theirs
    return changed


def _row(row: Row, damage: Damage) -> list[Row]:
    """Damage a row as a whole; return the rows that come with that."""
    key = TABLES[damage.table].key or ""
    if damage.kind == "key blank":
        row[key] = None
        return []
    return [row | {TABLES[damage.table].date or "sex": UNREADABLE}]


def _cell(cell: Any, damage: Damage) -> Any:
    if damage.kind == "blank":
        return None
    if damage.kind == "month":
        return f"{cell:%Y-%m}"
    if damage.kind == "year":
        return f"{cell:%Y}"
    return {"too old": "1850-01-01", "negative": "-1", "zero": "0"}.get(damage.kind, UNREADABLE)


def damages(rows: Rows) -> Iterator[Damage]:
    """Return every damage to the rows of one patient."""
    for name, table in TABLES.items():
        for position, row in enumerate(rows[name]):
            if table.key is None:
                continue
            if table.key != "patient_id":
                yield Damage(name, position, None, "key blank")
            yield Damage(name, position, None, "key twice")
            for column in table.columns:
                for kind in kinds(table, column):
                    if kind not in ("month", "year") or isinstance(row.get(column), date):
                        yield Damage(name, position, column, kind)


def kinds(table: Table, column: str) -> list[str]:
    """Return how a cell of a column can be damaged so that it shows.

    A key damages its row; a row whose patient cannot be read is counted, not doubted; any text
    is a text, but an M category is a code.
    """
    if column in ("patient_id", table.key):
        return []
    dtype = table.schema.columns[column].dtype.type
    found = [] if column in table.empty_answers else ["blank"]
    if dtype != pl.String or column == "m":
        found.append("unreadable")
    if dtype == pl.Date:
        found += ["month", "year", "too old"]
    if dtype == pl.Float64:
        found.append("negative")
    if column == "activity":
        found.append("zero")
    return found


def spoiled(rows: Rows, chance: Random, number: int) -> Rows:
    """Return the rows of a patient with so many damages already.

    No contradictions: damage to one side of one would bring back the other.
    """
    for _ in range(number):
        ways = [damage for damage in damages(rows) if damage.kind not in _CONTRADICT]
        if ways:
            rows = damaged(rows, chance.choice(ways))
    return rows


@dataclass(frozen=True)
class Loss:
    """What a registry does not have at all, or not to be read: a table, a column or a code."""

    table: str
    column: str | None
    code: str | None
    kind: str

    def __str__(self) -> str:
        name = ".".join(part for part in (self.table, self.column, self.code) if part)
        return f"{name} {self.kind}"

    @property
    def what(self) -> tuple[str, str, str]:
        """Table, column and kind."""
        name = self.column or "*"
        return self.table, f"{name}.{self.code}" if self.code else name, f"all: {self.kind}"


def losses() -> Iterator[Loss]:
    """Return every loss of a table, a column or a kind of rows that still lets a night run."""
    for name, table in TABLES.items():
        if table.key is None:
            continue
        if name != "patients":
            yield Loss(name, None, None, "header only")
            yield Loss(name, None, None, "not collected")
            yield Loss(name, None, None, "partial")
        for column in table.columns:
            if column in ("patient_id", table.key):
                continue
            if column == table.says_what:
                yield Loss(name, column, None, "unreadable")
                for code in table.schema.columns[column].dtype.type.categories:
                    yield Loss(name, column, code, "not collected, no row")
                    yield Loss(name, column, code, "not collected")
                continue
            yield Loss(name, column, None, "not collected")
            yield Loss(name, column, None, "not collected, empty")
            if "unreadable" in kinds(table, column):
                yield Loss(name, column, None, "unreadable")
            if table.schema.columns[column].dtype.type == pl.Date:
                yield Loss(name, column, None, "month")
                yield Loss(name, column, None, "year")


def lost(rows: Rows, loss: Loss) -> Rows:
    """Return a registry with a loss."""
    changed = dict(rows)
    theirs = rows[loss.table]
    if loss.kind == "header only":
        theirs = []
    elif loss.kind == "not collected, no row":
        theirs = [row for row in theirs if row[loss.column or ""] != loss.code]
    elif loss.kind == "not collected, empty":
        theirs = [row | {loss.column or "": None} for row in theirs]
    elif not loss.kind.startswith(("not collected", "partial")):
        cell = loss.column or ""
        theirs = [
            row | {cell: _cell(row.get(cell), Damage(loss.table, 0, cell, loss.kind))}
            if isinstance(row.get(cell), date) or loss.kind == "unreadable"
            else row
            for row in theirs
        ]
    changed[loss.table] = theirs
    return changed


def said(loss: Loss) -> dict[str, str]:
    """Return what the mapping, or the export itself, says of a loss."""
    name = ".".join(part for part in (loss.table, loss.column, loss.code) if part)
    if loss.kind == "partial":
        return {name: "partial"}
    is_uncollected = loss.kind.startswith("not collected") or loss.kind == "header only"
    return {name: "not_collected"} if is_uncollected else {}
