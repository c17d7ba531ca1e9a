"""Which periods of a measure make its chart, what the chart signals, and the target beside it.

The periods are the shortest in which enough is expected: in three of four, 5 with the answer yes
and 5 with no (of medians: 5 answers). A period that has not ended is left out. At most the newest
40 are charted. The limits are around the share of all of them, those left out too;
`periods_hidden` says how many those are.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from transforms.measures.control_charts import LIMITS_FROM, p_chart, run_chart, xmr_chart
from transforms.measures.definitions import Measure

MOST_POINTS = 40
EXPECTED = 5
LENGTHS = {"month": "1mo", "quarter": "3mo", "year": "12mo"}
_KEY = ["measure", "period", "start"]
_CHARTED: dict[str, Any] = {
    "charted": pl.Boolean,
    "centre_line": pl.Float64,
    "limit_lower": pl.Float64,
    "limit_upper": pl.Float64,
    "signal": pl.String,
    "rule": pl.String,
    "run_start": pl.Date,
    "periods_hidden": pl.UInt32,
}


def with_charts(
    shown: pl.DataFrame,
    counted: pl.DataFrame,
    measures: Sequence[Measure],
    as_of: date,
    smallest: int,
    round_to: int,
    targets: Mapping[str, float],
) -> pl.DataFrame:
    """Add the columns of a chart to measures as they are shown: one row per row.

    `counted` has the same rows with the counts that are left out or rounded in `shown`.
    """
    points = _points(counted, as_of)
    schema: dict[str, Any] = {name: shown.schema[name] for name in _KEY}
    parts = [pl.DataFrame(schema=schema | _CHARTED)]
    there = set(points["measure"])
    for one in (one for one in measures if one.name in there):
        of_one = points.filter(measure=one.name).sort("start").tail(MOST_POINTS)
        seen = shown.filter(pl.col("centre").is_null()).join(of_one.select(_KEY), on=_KEY)
        if seen.height:
            # With it and what is shown, nobody gets nearer to what is left out than this.
            step = max(round_to, smallest) if seen["suppressed"].any() else round_to
            centre = _overall(of_one, smallest, step)
            parts.append(_chart(one, seen.sort("start"), centre))
    charted = pl.concat(parts)
    of_all = shown.filter(pl.col("centre").is_null()).join(charted, on=_KEY, how="left")
    rest = shown.filter(pl.col("centre").is_not_null())
    target = pl.col("measure").replace_strict(targets, default=None, return_dtype=pl.Float64)
    return (
        pl.concat([of_all, rest], how="diagonal")
        .with_columns(pl.col("charted").fill_null(False), target=target)
        .sort("measure", "period", "start", "centre")
    )


def _points(counted: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the periods that make the charts: one row per measure and period, with its counts."""
    ends = pl.coalesce(
        pl.when(pl.col("period") == period).then(pl.col("start").dt.offset_by(length))
        for period, length in LENGTHS.items()
    )
    tomorrow = pl.lit(as_of + timedelta(days=1))
    is_all, is_of_some = pl.col("centre").is_null(), pl.col("denominator") > 0
    ended = counted.filter(is_all & is_of_some & (ends <= tomorrow))
    share = pl.col("numerator").sum() / pl.col("denominator").sum()
    rarer = pl.min_horizontal(share, 1 - share).fill_null(1)
    order = (
        pl.col("period")
        .cast(pl.String)
        .replace_strict(
            {period: place for place, period in enumerate(LENGTHS)}, return_dtype=pl.UInt8
        )
    )
    lengths = ended.group_by("measure", "period").agg(
        # In three of four periods: their sizes differ.
        expected=pl.col("denominator").quantile(0.25, "lower") * rarer
    )
    fits = pl.col("expected") >= EXPECTED
    longest = pl.col("period").cast(pl.String) == "year"
    chosen = lengths.filter(fits | longest).sort("measure", order)
    chosen = chosen.unique("measure", keep="first", maintain_order=True)
    return ended.join(chosen.select("measure", "period"), on=["measure", "period"])


def _chart(one: Measure, seen: pl.DataFrame, overall: float | None) -> pl.DataFrame:
    """Return what the chart of one measure says of each of its periods."""
    if seen["value"].count() < LIMITS_FROM:
        drawn = run_chart(seen)
    elif one.unit is None:
        drawn = p_chart(seen, overall)
    else:
        drawn = xmr_chart(seen)
    better = {"higher": 1, "lower": -1, "neither": 0}[one.direction]
    side = pl.col("side") * better
    means = (
        pl.when(pl.col("signal").is_null())
        .then(None)
        .when(side > 0)
        .then(pl.lit("better"))
        .when(side < 0)
        .then(pl.lit("worse"))
        .otherwise(pl.lit("different"))
    )
    return drawn.select(
        *_KEY,
        charted=pl.lit(True),
        centre_line=pl.col("centre").cast(pl.Float64).round(6),
        limit_lower=pl.col("lower").round(6),
        limit_upper=pl.col("upper").round(6),
        signal=means,
        rule="signal",
        run_start="run_start",
        periods_hidden=pl.lit(seen["suppressed"].sum(), dtype=pl.UInt32),
    )


def _overall(counted: pl.DataFrame, smallest: int, round_to: int) -> float | None:
    """Return the share of all periods of a chart, of counts that are rounded as those shown.

    None where it would give a small count away: then it is the share of what is shown.
    """
    count, of = (int(counted[name].sum()) for name in ("numerator", "denominator"))
    if 0 < count < smallest or 0 < of - count < smallest:
        return None
    rounded, out_of = ((n + round_to // 2) // round_to * round_to for n in (count, of))
    return min(1.0, rounded / out_of) if out_of else None


def latest(measured: pl.DataFrame) -> pl.DataFrame:
    """Return how each measure stands: one row per measure, its newest charted period.

    measure, start, value, lower, upper, unit, direction, target, on_target (null without a
    target), signal, rule, run_start, centre_line, periods_hidden.
    """
    newest = (
        measured.filter("charted")
        .sort("measure", "start")
        .group_by("measure", maintain_order=True)
        .last()
    )
    value, target = pl.col("value"), pl.col("target")
    met = pl.when(pl.col("direction") == "lower").then(value <= target).otherwise(value >= target)
    return newest.select(
        *("measure", "start", "value", "lower", "upper", "unit", "direction", "target"),
        met.alias("on_target"),
        *("signal", "rule", "run_start", "centre_line", "periods_hidden"),
    )
