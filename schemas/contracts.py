"""The contract of a table at validation: its pandera model and the checks that need context.

A frame under contract has the typed columns of the model, the received text of each typed
column as `received.<column>`, the days that a date may be as `earliest.<column>` and
`latest.<column>`, and what the row must agree with, as `context.<column>`:
`context.patient_known`, `context.birth_earliest`, `context.death_latest`,
`context.first_diagnosis_earliest`. Each check's `error` is the reason that a person reads; the
column that it names is the cell that is set aside. Only a row without its key, its patient or
the column that says what it is (`identifies`) is quarantined whole.
"""

from collections.abc import Callable
from datetime import date
from functools import cache

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData

from schemas import codes
from schemas.ranges import Range, ranges_of
from schemas.registry import TABLES, Table

RECEIVED = "received."
CONTEXT = "context."
EARLIEST, LATEST = "earliest.", "latest."
"""The first and the last day that a date may be: `2014-03` is the whole of March 2014."""
EARLIEST_DATE = date(1900, 1, 1)

Expectation = tuple[str, pl.Expr]
"""A reason in words and the expression that is true (or null) where all is well."""


def received(column: str) -> pl.Expr:
    """Return the text of a cell as it was received."""
    return pl.col(RECEIVED + column)


def context(column: str) -> pl.Expr:
    """Return what is known of the row's patient."""
    return pl.col(CONTEXT + column)


def earliest(column: str) -> pl.Expr:
    """Return the first day that a date may be."""
    return pl.col(EARLIEST + column)


def latest(column: str) -> pl.Expr:
    """Return the last day that a date may be."""
    return pl.col(LATEST + column)


def is_text(table: Table, column: str) -> bool:
    """Tell whether a column keeps its text as it is."""
    return bool(table.schema.columns[column].dtype.type == pl.String)


def _readable(table: Table, column: str) -> Expectation:
    dtype = table.schema.columns[column].dtype.type
    if dtype == pl.Date:
        wanted = "not a date (YYYY-MM-DD, or YYYY-MM, YYYY)"
    elif dtype == pl.Float64:
        wanted = "not a number"
    elif dtype == pl.Boolean:
        wanted = "not one of yes, no"
    else:
        wanted = f"not one of {', '.join(dtype.categories)}"
    read = earliest(column) if dtype == pl.Date else pl.col(column)
    return f"{column}: {wanted}", read.is_not_null() | received(column).is_null()


def _not_too_early(table: Table, column: str) -> Expectation | None:
    if table.schema.columns[column].dtype.type != pl.Date:
        return None
    return f"{column}: before {EARLIEST_DATE}", earliest(column) >= EARLIEST_DATE


def in_range_of(one: Range) -> pl.Expr:
    """Tell which rows a range speaks of: those of its analyte and units."""
    speaks = pl.col(one.column).is_not_null()
    if one.analyte is not None:
        speaks &= pl.col("analyte").cast(pl.String) == one.analyte
    if one.units:
        unit = (TABLES[one.table].schema.columns[one.column].metadata or {})["unit"]
        speaks &= pl.col(unit).cast(pl.String).is_in(one.units)
    return speaks.fill_null(False)


def _possible(one: Range) -> Expectation:
    return one.impossible, ~in_range_of(one) | pl.col(one.column).is_between(*one.possible)


def _has_unit(table: Table, column: str) -> Expectation | None:
    unit = (table.schema.columns[column].metadata or {}).get("unit")
    if unit is None:
        return None
    return f"{column}: has no known {unit}", pl.col(column).is_null() | pl.col(unit).is_not_null()


def _lab_unit_fits() -> Expectation:
    fits = pl.lit(False)
    for analyte, units in codes.LAB_UNITS.items():
        fits |= (pl.col("analyte") == analyte) & pl.col("unit").cast(pl.String).is_in(units)
    known = pl.col("analyte").is_not_null() & pl.col("unit").is_not_null()
    return "value: its unit is not one of this analyte", fits | ~known | pl.col("value").is_null()


def _event_order(table: Table) -> list[Expectation]:
    when = table.date or ""
    order = [
        ("patient_id: not in patients", context("patient_known")),
        (f"{when}: before the patient's birth_date", latest(when) >= context("birth_earliest")),
    ]
    if not table.may_follow_death:
        order.append(
            (f"{when}: after the patient's death_date", earliest(when) <= context("death_latest"))
        )
    if table.not_before_diagnosis:
        order.append(
            (
                f"{when}: before the patient's first diagnosis_date",
                latest(when) >= context("first_diagnosis_earliest"),
            )
        )
    return order


def _patient_order() -> list[Expectation]:
    contact = "last_contact_date"
    return [
        ("death_date: before birth_date", latest("death_date") >= earliest("birth_date")),
        ("last_contact_date: before birth_date", latest(contact) >= earliest("birth_date")),
        ("last_contact_date: after death_date", earliest(contact) <= latest("death_date")),
    ]


def expectations(table: Table) -> list[Expectation]:
    """Return every expectation of a row of `table` beyond its types, with its reason."""
    typed = [column for column in table.columns if not is_text(table, column)]
    found = [_readable(table, column) for column in typed]
    found += [x for column in typed if (x := _not_too_early(table, column))]
    found += [x for column in typed if (x := _has_unit(table, column))]
    found += [_possible(one) for one in ranges_of(table.name)]
    if table.name == "labs":
        found.append(_lab_unit_fits())
    if table.name == "reviews":
        is_deferred = pl.col("decision") == "deferred"
        has_date = pl.col("deferred_until").is_not_null()
        found.append(("deferred_until: empty for a deferred patient", ~is_deferred | has_date))
        has_reason = pl.col("reason").is_not_null()
        is_dismissed = pl.col("decision") == "dismissed"
        found.append(("reason: only a dismissal has one", is_dismissed | ~has_reason))
    if table.name == "i131_treatments":
        found.append(("activity: not above 0", pl.col("activity") > 0))
    return found + (_patient_order() if table.date is None else _event_order(table))


def _check(expected: pl.Expr) -> Callable[[PolarsData], pl.LazyFrame]:
    # A null means that the expectation does not apply to the row.
    return lambda data: data.lazyframe.select(expected.fill_null(True))


@cache
def contract(name: str) -> pa.DataFrameSchema:
    """Return the pandera schema that the rows of table `name` are validated against.

    An expectation is checked on the column that its reason names: pandera then reports that
    one cell of a failing row, not the row.
    """
    table = TABLES[name]
    checks: dict[str, list[pa.Check]] = {column: [] for column in table.columns}
    for reason, rule in expectations(table):
        checks[reason.partition(":")[0]].append(pa.Check(_check(rule), error=reason))
    columns = {
        column: pa.Column(declared.dtype.type, checks=checks[column], nullable=declared.nullable)
        for column, declared in table.schema.columns.items()
    }
    return pa.DataFrameSchema(columns=columns, name=name, coerce=False, strict=False)


@cache
def fulfilled(name: str) -> pl.Expr:
    """Return whether a row of table `name` is as its contract wants it, all checks at once.

    Pandera takes a hundred times as long, and says which cell is why: it need not look at others.
    """
    table = TABLES[name]
    needed = [column for column, said in table.schema.columns.items() if not said.nullable]
    rules = [rule.fill_null(True) for _, rule in expectations(table)]
    return pl.all_horizontal(*(pl.col(column).is_not_null() for column in needed), *rules)


def is_typed(rows: pl.DataFrame, name: str) -> bool:
    """Tell whether a frame has every column of table `name`, of its type."""
    types = rows.schema
    columns = TABLES[name].schema.columns
    return all(types.get(column) == said.dtype.type for column, said in columns.items())


def empty_cell_reason(column: str) -> str:
    """Return the reason for a required cell that is empty."""
    return f"{column}: empty"
