"""Statistical process control: p-charts, XmR-charts and funnel plots, with the usual run rules.

Limits are three standard deviations of a binomial share (p-chart, funnel) or 2.66 mean moving
ranges (XmR), after Shewhart; the run rules are those of the NHS "Making data count" guides: a point
beyond a limit, eight in a row on one side of the centre line, six in a row rising or falling.
"""

import polars as pl

SIGMAS = 3.0
MOVING_RANGE = 2.66
ONE_SIDE, TREND = 8, 6


def p_chart(points: pl.DataFrame) -> pl.DataFrame:
    """Add centre, lower, upper and signal to shares: one row per period, in order of `start`.

    `points` has start, numerator, denominator and value.
    """
    centre = pl.col("numerator").sum() / pl.col("denominator").sum()
    spread = SIGMAS * (pl.col("centre") * (1 - pl.col("centre")) / pl.col("denominator")).sqrt()
    return _signals(
        points.sort("start")
        .with_columns(centre=centre)
        .with_columns(
            lower=(pl.col("centre") - spread).clip(0, 1),
            upper=(pl.col("centre") + spread).clip(0, 1),
        )
    )


def xmr_chart(points: pl.DataFrame) -> pl.DataFrame:
    """Add centre, lower, upper and signal to values: one row per period, in order of `start`."""
    ordered = points.sort("start")
    spread = MOVING_RANGE * pl.col("value").diff().abs().mean()
    return _signals(
        ordered.with_columns(centre=pl.col("value").mean()).with_columns(
            lower=(pl.col("centre") - spread).clip(lower_bound=0), upper=pl.col("centre") + spread
        )
    )


def _signals(points: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("value")
    beyond = ~value.is_between(pl.col("lower") - 1e-9, pl.col("upper") + 1e-9)
    side = (value - pl.col("centre")).sign()
    direction = value.diff().sign()
    return points.with_columns(
        signal=pl.when(beyond)
        .then(pl.lit("beyond a limit"))
        .when(_in_row(side, ONE_SIDE))
        .then(pl.lit("eight on one side"))
        .when(_in_row(direction, TREND - 1))
        .then(pl.lit("six rising or falling"))
    )


def _in_row(sign: pl.Expr, length: int) -> pl.Expr:
    """Tell the points that end a run of so many of one sign, other than 0."""
    same = pl.all_horizontal(
        (sign.shift(back) == sign).fill_null(False) for back in range(1, length)
    )
    return (same & (sign != 0)).fill_null(False)


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
