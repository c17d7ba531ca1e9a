"""Small numbers: counts that could point at a patient are left out of what is shown.

A count from 1 to `smallest` - 1 is left out, and so is its complement; of measures that say
nothing of a patient's health (completeness), only groups that are as small themselves. Where one
group alone is left out beside a shown total, the next smallest is left out too. What is shown
is rounded, shares with it: what was left out cannot be had by subtracting what is shown, months
from a year or centres from all. Rounded parts need not add up to their rounded total.
"""

import polars as pl

_COUNTS = ("numerator", "denominator", "unknown", "value")


def is_small(count: pl.Expr, smallest: int) -> pl.Expr:
    """Tell whether a count could point at a patient."""
    return (count > 0) & (count < smallest)


def suppressed(measured: pl.DataFrame, smallest: int) -> pl.DataFrame:
    """Leave small counts out of measures: one row per row, with `suppressed`.

    Rows are told apart by measure, period, start and centre (null: all centres); `sensitive`
    says whether the answers themselves are.
    """
    count, denominator = pl.col("numerator"), pl.col("denominator")
    few_answers = is_small(count, smallest) | is_small(denominator - count, smallest)
    small = is_small(denominator, smallest) | (pl.col("sensitive") & few_answers.fill_null(False))
    group = ["measure", "period", "start"]
    is_centre = pl.col("centre").is_not_null()
    hidden = pl.col("suppressed") & is_centre
    lone = (hidden.sum().over(group) == 1) & is_centre & ~pl.col("suppressed")
    lone &= pl.col("sensitive")
    rank = pl.when(lone & (denominator > 0)).then(denominator).rank("ordinal").over(group)
    return (
        measured.sort("measure", "period", "start", "centre")
        .with_columns(suppressed=small)
        .with_columns(suppressed=pl.col("suppressed") | (rank == 1).fill_null(False))
        .with_columns(
            pl.when(~pl.col("suppressed")).then(pl.col(name)).alias(name) for name in _COUNTS
        )
    )


def rounded(measured: pl.DataFrame, to: int) -> pl.DataFrame:
    """Round counts to the nearest multiple, and take shares of what is rounded.

    One row per row. Medians, which have no numerator, stay.
    """
    if to == 1:
        return measured
    # Half a multiple goes up, as everywhere else than in a banker's rounding.
    counts = {name: (pl.col(name) + to // 2) // to * to for name in _COUNTS[:3]}
    share = (pl.col("numerator") / pl.col("denominator")).round(6)
    has_share = pl.col("numerator").is_not_null()
    return measured.with_columns(**counts).with_columns(
        value=pl.when(~has_share)
        .then("value")
        .when(pl.col("denominator") > 0)
        .then(pl.min_horizontal(share, pl.lit(1.0)))
    )


def shown(counts: dict[str, int], smallest: int) -> dict[str, int | None]:
    """Return counts of groups with the small ones left out (None), and never one alone."""
    small = [name for name, count in counts.items() if 0 < count < smallest]
    others = sorted((n for n in counts if counts[n] >= smallest), key=lambda n: (counts[n], n))
    hidden = {*small, *(others[:1] if len(small) == 1 else [])}
    return {name: None if name in hidden else count for name, count in counts.items()}
