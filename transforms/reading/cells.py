"""From received text to typed cells. What cannot be read becomes null beside its text."""

from datetime import date

import polars as pl

from schemas.contracts import EARLIEST, LATEST, RECEIVED, is_text
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping, mapped_text

YES = ("yes", "true", "1", "y", "positive")
NO = ("no", "false", "0", "n", "negative")


def read_day(text: pl.Expr) -> pl.Expr:
    """Read a whole ISO 8601 date; of a timestamp, its date."""
    is_timestamp = text.str.len_bytes() > len("YYYY-MM-DD")
    shape = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}"
    of_timestamp = pl.when(is_timestamp & text.str.contains(shape)).then(text.str.head(10))
    day = pl.coalesce(
        text.str.to_date("%Y-%m-%d", strict=False, exact=True),
        of_timestamp.str.to_date("%Y-%m-%d", strict=False),
    )
    # polars knows the years before 1 and after 9999; Python and ISO 8601 do not.
    return pl.when(day.is_between(date.min, date.max)).then(day)


def read_partial(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Read a month (`2014-03`) or a year (`2014`): the first and the last day that it may be."""
    month = pl.when(text.str.contains(r"^\d{4}-\d{2}$")).then(text + pl.lit("-01"))
    year = pl.when(text.str.contains(r"^\d{4}$")).then(text + pl.lit("-01-01"))
    in_month, in_year = read_day(month), read_day(year)
    return (
        pl.coalesce(in_month, in_year),
        pl.coalesce(in_month.dt.month_end(), in_year.dt.offset_by("11mo").dt.month_end()),
    )


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
    was read from as `received.<column>`; beside a date, the days that it may be, as
    `earliest.<column>` and `latest.<column>` (the date itself is null unless it is whole).
    Columns of `text` outside the contract stay.
    """
    described = TABLES[table]
    mapped = text.with_columns(mapped_text(mapping, table, c) for c in described.columns)
    expressions: list[pl.Expr] = []
    for name, column in described.schema.columns.items():
        if is_text(described, name):
            continue
        dtype, cell = column.dtype.type, pl.col(name)
        if dtype == pl.Date:
            expressions += _days(mapped, name)
            value = read_day(cell)
        elif dtype == pl.Float64:
            value = read_number(cell, decimal_comma=mapping.decimal_comma)
        elif dtype == pl.Boolean:
            value = read_flag(cell)
        else:
            value = cell.cast(dtype, strict=False)
        expressions += [value.alias(name), cell.alias(RECEIVED + name)]
    return mapped.with_columns(expressions)


def _days(mapped: pl.DataFrame, name: str) -> tuple[pl.Expr, pl.Expr]:
    """Return the first and the last day of a date column; partial dates are rare."""
    whole, length = read_day(pl.col(name)), mapped[name].str.len_bytes()
    first = last = whole
    if length.is_in([len("YYYY"), len("YYYY-MM")]).any():
        start, end = read_partial(pl.col(name))
        first, last = pl.coalesce(whole, start), pl.coalesce(whole, end)
    return first.alias(EARLIEST + name), last.alias(LATEST + name)
