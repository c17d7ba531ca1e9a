"""95 % intervals of what the measures show: shares, medians, and medians with some still waiting.

- Share: Wilson (1927, Journal of the American Statistical Association 22:209).
- Median: order statistics, ranks n/2 -+ 0.98 sqrt(n) (Campbell and Gardner 1988, BMJ 296:1454).
- Wait: Kaplan-Meier; the median is the first day on which half are reviewed, its interval the days
  on which the limits of the curve (Greenwood, on the log scale) pass one half (Brookmeyer and
  Crowley 1982, Biometrics 38:29). Null where the curve or a limit does not come down to it.
"""

import polars as pl

Z = 1.959963984540054
_HALF = 0.5 + 1e-12


def wilson(count: pl.Expr, total: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the limits of a share; null of nothing."""
    share = count / total
    middle = (share + Z**2 / (2 * total)) / (1 + Z**2 / total)
    half = Z * (share * (1 - share) / total + Z**2 / (4 * total**2)).sqrt() / (1 + Z**2 / total)
    some = total > 0
    return (
        pl.when(some).then((middle - half).clip(0, 1).round(6)),
        pl.when(some).then((middle + half).clip(0, 1).round(6)),
    )


def of_median(answer: pl.Expr, smallest: int) -> tuple[pl.Expr, pl.Expr]:
    """Return the limits of a median; null where they would be those of fewer than `smallest`."""
    known = answer.drop_nulls().sort()
    n = answer.count()
    rank = (n / 2 - Z * n.cast(pl.Float64).sqrt() / 2).round().cast(pl.Int64)
    enough = rank >= smallest
    at = pl.when(enough).then(rank - 1)
    upper = pl.when(enough).then(n - rank)
    return known.get(at, null_on_oob=True), known.get(upper, null_on_oob=True)


def waited(days: pl.Expr, ended: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return the median of waits of which some have not ended, and its limits."""
    order = [days, ~ended]
    day, over = days.sort_by(order), ended.sort_by(order).cast(pl.Float64)
    at_risk = (pl.len() - pl.int_range(pl.len())).cast(pl.Float64)
    left = (1 - over / at_risk).cum_prod()
    # Of ties, one after the other: the terms telescope to d / (n (n - d)).
    last_one = at_risk == 1
    error = pl.when(last_one).then(0.0).otherwise(over / (at_risk * (at_risk - 1))).cum_sum().sqrt()
    above_none = left > 1e-12  # where nobody is left, the log scale has no limits
    low, high = (pl.when(above_none).then(left * (z * error).exp()) for z in (-Z, Z))
    first = [day.filter(line <= _HALF).first() for line in (left, low, high)]
    return first[0], first[1], first[2]
