"""From received text to typed cells. What cannot be read becomes null beside its text."""

from datetime import date

import polars as pl

from schemas.contracts import RECEIVED, is_text
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping, mapped_text

YES = ("yes", "true", "1", "y", "positive")
NO = ("no", "false", "0", "n", "negative")


def read_date(text: pl.Expr) -> pl.Expr:
    """Read an ISO 8601 date; of a timestamp, its date."""
    is_timestamp = text.str.len_bytes() > len("YYYY-MM-DD")
    shape = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}"
    of_timestamp = pl.when(is_timestamp & text.str.contains(shape)).then(text.str.head(10))
    day = pl.coalesce(
        text.str.to_date("%Y-%m-%d", strict=False, exact=True),
        of_timestamp.str.to_date("%Y-%m-%d", strict=False),
    )
    # polars knows the years before 1 and after 9999; Python and ISO 8601 do not.
    return pl.when(day.is_between(date.min, date.max)).then(day)


def read_number(text: pl.Expr, *, decimal_comma: bool = False) -> pl.Expr:
    """Read a finite number; words, NaN and infinity are not numbers."""
    if decimal_comma:
        text = text.str.replace(",", ".", literal=True)
    number = text.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def read_flag(text: pl.Expr) -> pl.Expr:
    """Read yes or no."""
    lower = text.str.to_lowercase()
    return pl.when(lower.is_in(YES)).then(True).when(lower.is_in(NO)).then(False)


def typed(text: pl.DataFrame, table: str, mapping: Mapping) -> pl.DataFrame:
    """Read one table: one row per received row, in the same order.

    Returns the columns of the contract in their types, and beside each typed one the text it
    was read from as `received.<column>`. Columns of `text` outside the contract stay.
    """
    described = TABLES[table]
    mapped = text.with_columns(mapped_text(mapping, table, c) for c in described.columns)
    expressions = []
    for name, column in described.schema.columns.items():
        if is_text(described, name):
            continue
        dtype, cell = column.dtype.type, pl.col(name)
        if dtype == pl.Date:
            value = read_date(cell)
        elif dtype == pl.Float64:
            value = read_number(cell, decimal_comma=mapping.decimal_comma)
        elif dtype == pl.Boolean:
            value = read_flag(cell)
        else:
            value = cell.cast(dtype, strict=False)
        expressions += [value.alias(name), cell.alias(RECEIVED + name)]
    return mapped.with_columns(expressions)
