"""Days and columns of a synthetic registry: numpy arrays to polars and back."""

from datetime import date
from typing import Any

import polars as pl

END = date(2026, 6, 30)
"""The day of the extraction; nothing that is not dirt happens after it."""

Ints = Any
"""A numpy array of whole numbers; days are counted from 1970-01-01."""
Floats = Any
"""A numpy array of numbers."""
Bools = Any
"""A numpy array of truth values."""
Words = Any
"""A numpy array of text."""

_EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Return the days from 1970-01-01 to a date."""
    return (day - _EPOCH).days


def dates(days: Ints) -> pl.Series:
    """Return day numbers as dates."""
    return pl.Series(days.astype("int32")).cast(pl.Date)


def blank_where(values: Any, empty: Bools) -> pl.Series:
    """Return the values as a series, null where `empty` is true."""
    series = pl.Series(values)
    return pl.select(pl.when(~pl.Series(empty)).then(series)).to_series()


def numbered(prefix: str, count: int, digits: int, start: int = 0) -> pl.Series:
    """Return keys in order, as T00000000."""
    number = pl.int_range(start, start + count).cast(pl.String).str.zfill(digits)
    return pl.select(pl.format(prefix + "{}", number)).to_series()
