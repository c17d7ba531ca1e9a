"""Quality-improvement measures, counted per centre and period."""

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from schemas.published import QiMeasures, columns_of
from transforms.measures.charting import with_charts
from transforms.measures.definitions import PATHWAY, Measure, completeness
from transforms.measures.disclosure import rounded, suppressed
from transforms.measures.intervals import of_median, waited, wilson

__all__ = ["PATHWAY", "Measure", "completeness", "measure"]

RECENT_YEARS = 5
"""Centres are compared from the first of January so many years before tonight."""

_OF_ALL_CENTRES = ("month", "quarter", "year")
_NO_TARGETS: Mapping[str, float] = {}


def measure(
    measures: Sequence[Measure],
    rows: Mapping[str, pl.DataFrame],
    as_of: date,
    smallest: int,
    round_to: int = 1,
    targets: Mapping[str, float] = _NO_TARGETS,
) -> pl.DataFrame:
    """Count every measure: one row per measure, centre (and all of them), and period.

    `rows` has, by what a measure is of: `patients`, one row each with the columns of features and
    patient_risk; `courses`, `reviews` and `waits`, one row each with its patient's columns. Counts
    that could point at a patient (1 to `smallest` - 1) are left out, others rounded to a multiple
    of `round_to`; months and quarters are of all centres only. See
    `transforms.measures.disclosure`. `targets` has what a registry aims at, by measure.
    """
    counted = []
    for of, at in dict.fromkeys((one.of, one.at) for one in measures):
        asked = [one for one in measures if (one.of, one.at) == (of, at)]
        lazy = rows[of].lazy()
        if shares := [one for one in asked if one.unit is None]:
            counted.append(_shares(shares, lazy, at, as_of))
        counted += [_medians(one, lazy, as_of, smallest) for one in asked if one.unit is not None]
    # One after the other: together they need half a gigabyte more for a million patients.
    together = pl.concat((one.collect() for one in counted), how="diagonal_relaxed")
    together = together.join(_about(measures), on="measure").sort(
        "measure", "period", "start", "centre"
    )
    safe = _with_intervals(rounded(suppressed(together, smallest), round_to))
    charted = with_charts(safe, together, measures, as_of, smallest, round_to, targets)
    return charted.select(
        pl.col(name).cast(dtype) for name, dtype in columns_of(QiMeasures).items()
    )


def _with_intervals(shown: pl.DataFrame) -> pl.DataFrame:
    """Add the interval of shares, of the counts that are shown; medians have theirs."""
    is_share = pl.col("numerator").is_not_null()
    limits = wilson(pl.col("numerator"), pl.col("denominator"))
    has_own = pl.col("value").is_not_null()
    mine = [name if name in shown.columns else None for name in ("lower", "upper")]
    return shown.with_columns(
        pl.when(is_share).then(limit).when(has_own).then(pl.col(own) if own else None).alias(name)
        for name, own, limit in zip(("lower", "upper"), mine, limits, strict=True)
    )


def _about(measures: Sequence[Measure]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "measure": [one.name for one in measures],
            "unit": [one.unit or "share" for one in measures],
            "direction": [one.direction for one in measures],
            "sensitive": [one.sensitive for one in measures],
        }
    )


def _shares(measures: Sequence[Measure], rows: pl.LazyFrame, at: str, as_of: date) -> pl.LazyFrame:
    """Count the answers by centre and month, all measures at once; then add the months up."""
    counts: list[pl.Expr] = []
    for one in measures:
        asked = one.among.fill_null(False)
        for what, is_so in (
            ("numerator", one.counts),
            ("denominator", one.counts.is_not_null()),
            ("unknown", one.counts.is_null()),
        ):
            counts.append((asked & is_so).sum().cast(pl.Int64).alias(f"{what}|{one.name}"))
    by_month = (
        rows.filter(pl.col(at).is_not_null())
        .group_by(_centre(), month=pl.col(at).dt.truncate("1mo"))
        .agg(counts)
        .unpivot(index=["centre", "month"], value_name="count")
        .with_columns(pl.col("variable").str.split_exact("|", 1).struct.unnest())
        .rename({"field_0": "what", "field_1": "measure"})
    )
    sums = [
        pl.col("count").filter(pl.col("what") == what).sum().alias(what)
        for what in ("numerator", "denominator", "unknown")
    ]
    return (
        _by_period(by_month, pl.col("month"), as_of)
        .group_by("measure", "centre", "period", "start")
        .agg(sums)
        .filter(pl.col("denominator") + pl.col("unknown") > 0)
        .with_columns(
            value=pl.when(pl.col("denominator") > 0).then(
                (pl.col("numerator") / pl.col("denominator")).round(6)
            )
        )
    )


def _medians(one: Measure, rows: pl.LazyFrame, as_of: date, smallest: int) -> pl.LazyFrame:
    """Take the medians of each centre and period: they cannot be added up from months.

    Of waits, those that have not ended are the unknown ones, and count until tonight.
    """
    asked = rows.filter(one.among, pl.col(one.at).is_not_null()).select(
        _centre(), at=pl.col(one.at), answer=one.counts, ended=one.ended
    )
    answer, ended = pl.col("answer"), pl.col("ended")
    if one.ended is None:
        known, value = answer.is_not_null(), answer.median()
        lower, upper = of_median(answer, smallest)
    else:
        known = ended
        value, lower, upper = waited(answer, ended)
    return (
        _by_period(asked, pl.col("at").dt.truncate("1mo"), as_of)
        .group_by("centre", "period", "start")
        .agg(
            numerator=pl.lit(None, dtype=pl.Int64),
            denominator=known.sum().cast(pl.Int64),
            unknown=(~known).sum().cast(pl.Int64),
            value=value.cast(pl.Float64).round(3),
            lower=lower.cast(pl.Float64).round(3),
            upper=upper.cast(pl.Float64).round(3),
        )
        .with_columns(measure=pl.lit(one.name))
    )


def _centre() -> pl.Expr:
    return pl.col("centre").fill_null("unknown")


def _by_period(rows: pl.LazyFrame, month: pl.Expr, as_of: date) -> pl.LazyFrame:
    """Repeat rows for all centres together (centre null), and for each period they are in.

    A single centre has no months, quarters and years: they would be small, and could be
    subtracted, over centres and over time. The recent years are whole years for the same reason.
    """
    everybody = rows.with_columns(centre=pl.lit(None, dtype=pl.String))
    both = pl.concat([rows, everybody])
    recent = pl.lit(as_of).dt.offset_by(f"-{RECENT_YEARS}y").dt.truncate("1y")
    starts = {
        "month": month,
        "quarter": month.dt.truncate("1q"),
        "year": month.dt.truncate("1y"),
        "recent": pl.when(month >= recent).then(recent),
    }
    periods = pl.concat(
        (everybody if period in _OF_ALL_CENTRES else both).with_columns(
            period=pl.lit(period), start=start
        )
        for period, start in starts.items()
    )
    return periods.filter(pl.col("start").is_not_null())
