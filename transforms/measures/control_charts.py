"""Statistical process control: p-charts, XmR-charts, run charts and funnel plots.

- p-chart and funnel: limits are standard deviations of a binomial share around the overall one.
- XmR-chart: limits are three times the mean moving range / 1.128; ranges above 3.267 times their
  mean are left out of it first (Nelson 1982, Journal of Quality Technology 14:172).
- Run chart, for fewer than 20 points: around the median, without limits. Rules of Anhoej (2014,
  PLoS ONE 9:e113825): a run longer than round(log2 n) + 3 points, or fewer crossings of the median
  than the 5 % quantile of a binomial with n - 1 and 1/2; n points are off the median. On 12 points
  only the crossings can signal: half of them are on each side.
- Rules of the other charts are those of the NHS "Making data count" guides: a point beyond a limit,
  eight in a row on one side of the centre line, six in a row rising or falling.

A run is marked as a whole, with the day on which it starts. A point without a value (left out) is
passed over by the rules.
"""

from math import comb, log2

import polars as pl

SIGMAS = 3.0
RANGE_TO_SIGMA, TOO_WIDE = 1.128, 3.267
ONE_SIDE, TREND = 8, 6
LIMITS_FROM, RULES_FROM = 20, 10
"""Points from which a chart has limits, and from which a run chart has rules."""

BEYOND = "beyond a limit"
SIDE = "eight on one side"
TRENDING = "six rising or falling"
LONG_RUN = "unusually long run"
FEW_CROSSINGS = "unusually few crossings"
_HAIR = 1e-9


def p_chart(points: pl.DataFrame, centre: float | None = None) -> pl.DataFrame:
    """Add centre, lower, upper, signal, run_start and side to shares: one row per period.

    `points` has start, numerator, denominator and value, which may be null. `centre` is the
    overall share, where it is of more than what is shown.
    """
    of_shown = pl.col("numerator").sum() / pl.col("denominator").sum()
    middle = of_shown if centre is None else pl.lit(centre)
    spread = SIGMAS * (pl.col("centre") * (1 - pl.col("centre")) / pl.col("denominator")).sqrt()
    return _signals(
        _bare(points)
        .with_columns(centre=middle)
        .with_columns(
            lower=(pl.col("centre") - spread).clip(0, 1),
            upper=(pl.col("centre") + spread).clip(0, 1),
        )
    )


def xmr_chart(points: pl.DataFrame) -> pl.DataFrame:
    """Add centre, lower, upper, signal, run_start and side to values: one row per period."""
    ordered = _bare(points)
    ranges = ordered["value"].drop_nulls().diff().abs().drop_nulls()
    usual = ranges.filter(ranges < TOO_WIDE * (ranges.mean() or 0))  # type: ignore[operator]
    spread = pl.lit(usual.mean(), dtype=pl.Float64) * SIGMAS / RANGE_TO_SIGMA
    return _signals(
        ordered.with_columns(centre=pl.col("value").mean()).with_columns(
            lower=(pl.col("centre") - spread).clip(lower_bound=0), upper=pl.col("centre") + spread
        )
    )


def run_chart(points: pl.DataFrame) -> pl.DataFrame:
    """Add centre (the median), signal, run_start and side: one row per period; no limits."""
    no_limit = pl.lit(None, dtype=pl.Float64)
    ordered = _bare(points).with_columns(
        centre=pl.col("value").median(), lower=no_limit, upper=no_limit
    )
    runs = _runs(ordered, pl.col("value") - pl.col("centre")).filter(pl.col("side") != 0)
    longest, crossings = longest_run(runs.height), fewest_crossings(runs.height)
    judged = runs.height >= RULES_FROM
    few = judged and runs["run"].n_unique() - 1 < crossings
    long = runs.filter(pl.col("length") > longest) if judged else runs.clear()
    told = long.select("start", "run_start", "side", signal=pl.lit(LONG_RUN))
    marked = ordered.join(told, on="start", how="left", maintain_order="left")
    if not few:
        return marked
    return marked.with_columns(
        signal=pl.coalesce("signal", pl.lit(FEW_CROSSINGS)),
        run_start=pl.coalesce("run_start", pl.col("start").first()),
    )


def _bare(points: pl.DataFrame) -> pl.DataFrame:
    """Return points in order of their start, without what another chart said of them."""
    return points.drop("signal", "run_start", "side", strict=False).sort("start")


def longest_run(useful: int) -> int:
    """Return the longest run that chance leaves among so many points off the median."""
    return round(log2(useful)) + 3 if useful else 0


def fewest_crossings(useful: int) -> int:
    """Return the fewest crossings that chance leaves among so many points off the median."""
    steps, below = max(useful - 1, 0), 0
    for crossings in range(steps + 1):
        below += comb(steps, crossings)
        if below >= 0.05 * 2**steps:
            return crossings
    return 0


def _runs(points: pl.DataFrame, what: pl.Expr) -> pl.DataFrame:
    """Return the points with a value in runs of one sign: start, side, run, length, run_start."""
    side = pl.when(what.abs() > _HAIR).then(what.sign()).otherwise(0).cast(pl.Int8)
    known = points.filter(pl.col("value").is_not_null()).select("start", side=side)
    off = known.filter(pl.col("side") != 0).with_columns(run=pl.col("side").rle_id())
    return off.with_columns(
        length=pl.len().over("run"), run_start=pl.col("start").first().over("run")
    )


def _signals(points: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("value")
    beyond = ~value.is_between(pl.col("lower") - _HAIR, pl.col("upper") + _HAIR)
    side = _runs(points, value - pl.col("centre")).filter(pl.col("length") >= ONE_SIDE)
    trend = _trends(points)
    marked = points
    for name, runs in (("on_side", side), ("on_trend", trend)):
        told = runs.select("start", pl.struct("run_start", "side").alias(name))
        marked = marked.join(told, on="start", how="left", maintain_order="left")
    is_beyond, is_side = beyond.fill_null(False), pl.col("on_side").is_not_null()
    is_trend = pl.col("on_trend").is_not_null()
    rule = (
        pl.when(is_beyond)
        .then(pl.lit(BEYOND))
        .when(is_side)
        .then(pl.lit(SIDE))
        .when(is_trend)
        .then(pl.lit(TRENDING))
    )
    own = (value - pl.col("centre")).sign().cast(pl.Int8)
    return marked.with_columns(
        signal=rule,
        run_start=pl.when(is_beyond)
        .then("start")
        .otherwise(
            pl.coalesce(
                pl.col("on_side").struct.field("run_start"),
                pl.col("on_trend").struct.field("run_start"),
            )
        ),
        side=pl.when(is_beyond)
        .then(own)
        .otherwise(
            pl.coalesce(
                pl.col("on_side").struct.field("side"), pl.col("on_trend").struct.field("side")
            )
        ),
    ).drop("on_side", "on_trend")


def _trends(points: pl.DataFrame) -> pl.DataFrame:
    """Return the points of trends, each with the point that it starts from."""
    known = points.filter(pl.col("value").is_not_null())
    known = known.select("start", step=pl.col("value").diff(), before=pl.col("start").shift())
    steps = known.with_columns(
        side=pl.when(pl.col("step").abs() > _HAIR)
        .then(pl.col("step").sign())
        .otherwise(0)
        .cast(pl.Int8)
    ).drop_nulls("step")
    runs = steps.with_columns(run=pl.col("side").rle_id()).with_columns(
        length=pl.len().over("run"), run_start=pl.col("before").first().over("run")
    )
    long = runs.filter(pl.col("side") != 0, pl.col("length") >= TREND - 1)
    firsts = long.unique("run", keep="first", maintain_order=True)
    return pl.concat(
        [
            long.select("start", "run_start", "side"),
            firsts.select(pl.col("before").alias("start"), "run_start", "side"),
        ]
    ).unique("start", keep="first", maintain_order=True)


def funnel(centres: pl.DataFrame) -> pl.DataFrame:
    """Add the overall share and its 95 % and 99.8 % limits: one row per centre.

    `centres` has centre, numerator, denominator and value. `signal` names the limit passed.
    """
    overall = pl.col("numerator").sum() / pl.col("denominator").sum()
    error = (pl.col("centre_line") * (1 - pl.col("centre_line")) / pl.col("denominator")).sqrt()
    return (
        centres.with_columns(centre_line=overall)
        .with_columns(away=(pl.col("value") - pl.col("centre_line")).abs() / error)
        .with_columns(
            signal=pl.when(pl.col("away") > 3.09)
            .then(pl.lit("beyond the 99.8 % limit"))
            .when(pl.col("away") > 1.96)
            .then(pl.lit("beyond the 95 % limit"))
        )
        .drop("away")
    )
