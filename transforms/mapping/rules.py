"""How records become rows of a table: one rule per source, one cell per column of the contract."""

import re
from collections.abc import Iterator
from typing import Any, Literal, Union

from pydantic import Field, field_validator, model_validator

from transforms.mapping.sources import OF_A_RECORD, Said, known_date_form

NAME, VALUE, ROW = "_name", "_value", "_row"
"""What an unpivot adds: which column a row is of, the cell, and the row's number in its record."""
RESERVED = (*OF_A_RECORD, NAME, VALUE, ROW)

NAMED = re.compile(r"\{([^{}]+)\}")
"""A column in braces, in a template."""
_ORIGINS = ("column", "first", "constant", "template", "sql", "days", "year")


class Cell(Said):
    """Where a cell of the contract comes from, and how it reads. A text alone is `column`."""

    column: str | None = None
    """A column of the source (or `alias.column` of what was joined)."""
    first: list[Union[str, "Cell"]] | None = None
    """Several of these: the first that is not empty."""
    constant: str | None = None
    """The same text in every row; wants an `assumption`, except for what the row is."""
    template: str | None = None
    """Text with columns in braces: `{patient}-{_record}`; empty where one of them is empty."""
    sql: str | None = None
    """An expression of DuckDB SQL over the columns, which are text."""
    anchor: Union[str, "Cell", None] = None
    """The date from which `days` are counted."""
    days: Union[str, "Cell", None] = None
    """Days since `anchor` (before it, where negative)."""
    year: str | None = None
    """The column of the year of a date."""
    month: str | None = None
    """The column of its month; empty: the date is a year."""
    day: str | None = None
    """The column of its day; empty: the date is a month."""
    pattern: str | None = None
    """The pattern (`[patterns.X]`) that takes the text apart."""
    take: str = "number"
    """What of the pattern: `number`, `unit`, `comparator`, `low`, `high`, or a name of its own."""
    codes: dict[str, str] = Field({})
    """Text -> code of the contract; "" is an empty cell, and leads to one."""
    ignore_case: bool = False
    """Whether capitals and small letters are the same in `codes`."""
    date: str | None = None
    """How the date is written, where not as the source says."""
    complete: str | None = None
    """The month and day that a year gets, as `07-01`, the day (`15`) that a month gets."""
    decimal: Literal[".", ","] | None = None
    """The mark before the decimals, where not as the source says."""
    assumption: str | None = None
    """What is taken for granted here, in words; it is published."""

    @model_validator(mode="before")
    @classmethod
    def _a_text_is_a_column(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given

    @field_validator("date")
    @classmethod
    def _date_is_known(cls, form: str | None) -> str | None:
        return None if form is None else known_date_form(form)

    @model_validator(mode="after")
    def _has_one_origin(self) -> "Cell":
        given = [name for name in _ORIGINS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"want one of {', '.join(_ORIGINS)}, not {len(given)}")
        if (self.anchor is None) != (self.days is None):
            raise ValueError("anchor and days belong together")
        if self.complete is not None and not self.assumption:
            raise ValueError("complete wants an `assumption`: what is taken for granted")
        if self.take in ("low", "high") and self.pattern and not self.assumption:
            raise ValueError(f"take = {self.take!r} wants an `assumption`: which end counts")
        return self


def cells_of(cell: Cell) -> Iterator[Cell]:
    """Yield a cell and those inside it."""
    yield cell
    for inside in (*(cell.first or ()), cell.anchor, cell.days):
        if isinstance(inside, Cell):
            yield from cells_of(inside)


def columns_of(cell: Cell) -> Iterator[str]:
    """Yield the columns that a cell names; not those in its SQL."""
    for one in cells_of(cell):
        named = (one.column, one.year, one.month, one.day)
        inside = (*(one.first or ()), one.anchor, one.days)
        yield from (text for text in (*named, *inside) if isinstance(text, str))
        yield from NAMED.findall(one.template or "")


class Join(Said):
    """The one record of another source that belongs to a record."""

    source: str
    """The other source."""
    on: dict[str, str]
    """Column of this source -> column of the other: both have the same text."""
    latest: list[str] = Field([])
    """Of several records that fit: the one with the highest of these columns."""
    missing: Literal["keep", "leave_out", "reject"] = "keep"
    """What becomes of a record without any: its columns are empty, or it is no row."""


class Latest(Said):
    """Of the records that say the same, the newest counts; the others are merged into it."""

    per: list[str]
    """The columns that are the same in what is one."""
    by: list[str]
    """The columns that tell which is newest: numbers as numbers, else as text; empty is oldest."""


class Unpivot(Said):
    """One row for each filled column (or group of columns, or item of a list) of a record."""

    columns: list[str] = Field([])
    """Columns that become rows: `_name` has the column's name, `_value` its cell."""
    groups: dict[str, str] = Field({})
    """Name -> columns with `{n}` for a number, as `tg = "TG_{n}"`: one row for each `n`."""
    n: list[str] = Field([])
    """What `{n}` stands for, in order."""
    split: str | None = None
    """A column with a list in its cell: one row for each item, in `_value`."""
    separator: str = "|"
    """What stands between the items."""
    keep_empty: bool = False
    """Whether a row with nothing in it is a row."""

    @model_validator(mode="after")
    def _is_one_kind(self) -> "Unpivot":
        if sum(map(bool, (self.columns, self.groups, self.split))) != 1:
            raise ValueError("want one of columns, groups, split")
        if bool(self.groups) != bool(self.n):
            raise ValueError("groups and n belong together")
        if self.groups and not all("{n}" in column for column in self.groups.values()):
            raise ValueError("groups: want {n} in each column")
        return self


class From(Said):
    """Rows of a table from the records of one source."""

    source: str
    """The source whose records become rows."""
    name: str | None = None
    """What the ledger calls this rule. Default: its table and number, as `labs.2`."""
    join: dict[str, Join] = Field({})
    """Alias -> a record of another source; its columns are `alias.column`."""
    where: dict[str, str] = Field({})
    """Name -> condition in SQL that a record must fulfil; a text alone is called `where`."""
    leave_out: dict[str, str] = Field({})
    """Name -> condition in SQL of records that are no rows."""
    latest: Latest | None = None
    """Of several records, the newest."""
    unpivot: Unpivot | None = None
    """Several rows from one record."""
    columns: dict[str, Cell] = Field({})
    """Column of the contract -> where its cells come from."""
    sql: str | None = None
    """In the place of all of these: one SELECT over the sources, with the columns of the contract,
    `_file` and `_record`."""

    @model_validator(mode="before")
    @classmethod
    def _a_text_is_a_condition(cls, given: Any) -> Any:
        if isinstance(given, dict):
            words = {k: given[k] for k in ("where", "leave_out") if isinstance(given.get(k), str)}
            return given | {name: {name: text} for name, text in words.items()}
        return given

    @model_validator(mode="after")
    def _is_one_kind(self) -> "From":
        others = (self.join, self.where, self.leave_out, self.latest, self.unpivot, self.columns)
        if (self.sql is not None) == any(map(bool, others)):
            raise ValueError("want columns (and what goes with them), or sql alone")
        return self
