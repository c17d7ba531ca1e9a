"""Values that are possible and yet seldom so: they are used, and counted."""

import polars as pl

from schemas.contracts import in_range_of
from schemas.ranges import Range, ranges_of


def unusual(rows: pl.DataFrame, table: str) -> dict[str, int]:
    """Return how many values lie beyond the usual, by what is said of them in words."""
    found = rows.select(
        (in_range_of(one) & ~pl.col(one.column).is_between(*one.usual)).sum().alias(_words(one))
        for one in ranges_of(table)
    )
    return {words: count for words, count in found.sum().to_dicts()[0].items() if count}


def _words(one: Range) -> str:
    low, high = one.usual
    return f"{one.table}.{one.column}: beyond the usual {low:g} to {high:g} {one.where}".strip()
