"""Dates as people write them, turned into ISO 8601 where there is no doubt about the order."""

from typing import Literal

import polars as pl

Order = Literal["dmy", "mdy"]

WHICH_FIRST = "day or month first? Say which with --dates"

_DATE = r"^(\d{1,2})([./-])(\d{1,2})([./-])(\d{4})"
_TIME = r"[T ](\d{1,2}:\d{2}(?::\d{2})?)"


def as_iso(text: pl.Expr, order: Order | None = None) -> pl.Expr:
    """Return local dates as YYYY-MM-DD, in doubt as they are; anything else stays as it is.

    With dots the day is first: 31.12.2026. With slashes or dashes it is what `order` says, or
    what alone is possible: 12/31/2026. A year has four digits. A time of day is left out.
    """
    stripped = text.str.strip_chars()
    first, second = _number(stripped, 1), _number(stripped, 3)
    dotted = stripped.str.extract(_DATE, 2) == "."
    if order is None:
        day_first = dotted | (first > 12) | (first == second)
        month_first = second > 12
    else:
        day_first = dotted | (order == "dmy")
        month_first = ~day_first
    year = stripped.str.extract(_DATE, 5)
    written = (
        pl.when(day_first)
        .then(_iso(year, second, first))
        .when(month_first)
        .then(_iso(year, first, second))
    )
    return pl.coalesce(pl.when(_is_local(stripped)).then(written), text)


def in_doubt(text: pl.Expr, order: Order | None = None) -> pl.Expr:
    """Tell the local dates of which nobody can say whether the day or the month is first."""
    stripped = text.str.strip_chars()
    unchanged = as_iso(text, order).str.strip_chars() == stripped
    return _is_local(stripped) & unchanged


def time_of(text: pl.Expr) -> pl.Expr:
    """Return the time of day that a date is written with; null without one."""
    written = text.str.extract(_TIME, 1)
    padded = pl.when(written.str.contains(r"^\d:")).then(pl.lit("0") + written).otherwise(written)
    return pl.coalesce(
        padded.str.to_time("%H:%M:%S", strict=False), padded.str.to_time("%H:%M", strict=False)
    )


def _is_local(text: pl.Expr) -> pl.Expr:
    same_separator = text.str.extract(_DATE, 2) == text.str.extract(_DATE, 4)
    rest = text.str.replace(_DATE, "")
    return same_separator & ((rest == "") | rest.str.contains(f"^{_TIME}"))


def _number(text: pl.Expr, group: int) -> pl.Expr:
    return text.str.extract(_DATE, group).cast(pl.UInt8, strict=False)


def _iso(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    return pl.concat_str(
        year,
        month.cast(pl.String).str.zfill(2),
        day.cast(pl.String).str.zfill(2),
        separator="-",
    )
