"""What a registry collects: only where something is collected does its absence mean "none".

A mapping file states it per table, per column or per code:

    [coverage]
    labs = "not_collected"
    "imaging.recist" = "not_collected"
    "events.type.progression" = "not_collected"
    metastases = { status = "partial", until = "diagnosis" }

What is not said is collected, unless the export shows otherwise: a table with a header alone, or
a column that is empty in every row. What is said is believed.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, RootModel, model_validator

from schemas.registry import TABLES

Status = Literal["collected", "partial", "not_collected"]
Until = Literal["diagnosis", "index"]


class Statement(BaseModel):
    """Whether something is collected; `partial` may be complete until a day of the patient."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    status: Status
    """Only where it is `collected` does absence mean none; a word alone is this."""
    until: Until | None = None
    """With `partial`: the day of the patient's until which all of it is there."""

    @model_validator(mode="before")
    @classmethod
    def _a_word_is_a_status(cls, given: Any) -> Any:
        return {"status": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _only_partial_has_a_scope(self) -> "Statement":
        if self.until and self.status != "partial":
            raise ValueError(f"until = {self.until!r} belongs to status partial")
        return self


COLLECTED = Statement(status="collected")
NOT_COLLECTED = Statement(status="not_collected")


def least(said: Iterable[Statement]) -> Statement:
    """Return the statement under which the least is collected."""
    order: tuple[Status, ...] = ("not_collected", "partial", "collected")
    return min(said, key=lambda one: (order.index(one.status), one.until or ""))


class Coverage(RootModel[dict[str, Statement]]):
    """What is said of tables, columns (`table.column`) and codes (`table.column.code`)."""

    model_config = ConfigDict(frozen=True)

    root: dict[str, Statement] = {}

    @model_validator(mode="after")
    def _names_exist(self) -> "Coverage":
        for name, said in self.root.items():
            table, column, code = _parts(name)
            if table not in TABLES:
                raise ValueError(f"{name}: no such table; known: {', '.join(TABLES)}")
            if column is not None and column not in TABLES[table].columns:
                raise ValueError(f"{name}: no such column of {table}")
            if code is not None:
                dtype = TABLES[table].schema.columns[column or ""].dtype.type
                known = list(getattr(dtype, "categories", ()))
                if code not in known:
                    raise ValueError(f"{name}: no such code; known: {', '.join(known)}")
            elif column in TABLES[table].identifies and said.status != "collected":
                raise ValueError(f"{name}: no row can be used without it; say {table} instead")
        return self

    def of(self, table: str, column: str | None = None, code: str | None = None) -> Statement:
        """Return what holds for a table, a column or a code: the least of what is said."""
        names = [table]
        if column is not None:
            names.append(f"{table}.{column}")
        if code is not None:
            names.append(f"{table}.{column}.{code}")
        return least(self.root.get(name, COLLECTED) for name in names)

    def speaks_of(self, table: str, column: str) -> bool:
        """Tell whether something is said of a table, or of a column of it (`*`: the table)."""
        return bool({table, f"{table}.{column}"} & self.root.keys())

    def absent_columns(self, table: str) -> frozenset[str]:
        """Return the columns that an export of this registry need not have."""
        return frozenset(
            column
            for name, said in self.root.items()
            if said.status == "not_collected"
            for of_table, column, code in [_parts(name)]
            if of_table == table and column is not None and code is None
        )

    @property
    def absent_tables(self) -> frozenset[str]:
        """Return the tables that an export of this registry need not have."""
        return frozenset(
            name for name, said in self.root.items() if name in TABLES and said == NOT_COLLECTED
        )

    def with_found(self, empty: Mapping[str, tuple[str, ...]]) -> "Coverage":
        """Return this with the tables and columns that turned out to be empty, where unsaid.

        `empty` has, per table, `*` when it has no row, else its columns without any cell.
        """
        found = {
            table if column == "*" else f"{table}.{column}": NOT_COLLECTED
            for table, columns in empty.items()
            for column in columns
        }
        return Coverage(found | self.root)


def _parts(name: str) -> tuple[str, str | None, str | None]:
    table, _, rest = name.partition(".")
    column, _, code = rest.partition(".")
    return table, column or None, code or None
