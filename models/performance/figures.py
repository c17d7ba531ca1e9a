"""A figure: an estimate with its 95 % interval, and the name of its definition.

Intervals are normal on the scale on which the estimate is most nearly so, and stay in its range:
`plain`, `log` for ratios, `logit` for shares, `loglog` (log(-log(1 - x))) for incidences.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import exp, isfinite, log, log1p, nan
from statistics import NormalDist
from typing import Literal

import polars as pl

Z = NormalDist().inv_cdf(0.975)
"""The normal quantile of a 95 % interval."""
Scale = Literal["plain", "log", "logit", "loglog"]


@dataclass(frozen=True)
class Figure:
    """An estimate, its 95 % interval, standard error on the scale of the estimate, definition."""

    measure: str
    estimate: float
    lower: float
    upper: float
    standard_error: float
    definition: str
    horizon: float | None = None
    cutoff: float | None = None
    note: str = ""


FIGURES = {
    "measure": pl.String,
    "horizon": pl.Float64,
    "cutoff": pl.Float64,
    "estimate": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "standard_error": pl.Float64,
    "definition": pl.String,
    "note": pl.String,
}
"""The columns of a frame of figures; one row is one figure."""


def figure(
    measure: str,
    estimate: float,
    error: float,
    definition: str,
    *,
    scale: Scale = "plain",
    horizon: float | None = None,
    cutoff: float | None = None,
    limits: tuple[float, float] = (-float("inf"), float("inf")),
) -> Figure:
    """Return a figure with the normal interval on a scale, inside the limits of the measure."""
    lower, upper = interval(estimate, error, scale)
    low, high = limits
    return Figure(
        measure, estimate, max(lower, low), min(upper, high), error, definition, horizon, cutoff
    )


def interval(estimate: float, error: float, scale: Scale = "plain") -> tuple[float, float]:
    """Return the 95 % interval; NaN where the scale has none."""
    if not (isfinite(estimate) and isfinite(error)):
        return nan, nan
    if scale == "plain":
        return estimate - Z * error, estimate + Z * error
    if estimate <= 0 or (scale != "log" and estimate >= 1):
        return nan, nan
    if scale == "log":
        width = Z * error / estimate
        return estimate * exp(-width), estimate * exp(width)
    if scale == "logit":
        centre, width = log(estimate / (1 - estimate)), Z * error / (estimate * (1 - estimate))
        return 1 / (1 + exp(width - centre)), 1 / (1 + exp(-width - centre))
    hazard = -log1p(-estimate)
    width = Z * error / ((1 - estimate) * hazard)
    return 1 - exp(-hazard * exp(-width)), 1 - exp(-hazard * exp(width))


def missing(measure: str, note: str, horizon: float | None = None) -> Figure:
    """Return what stands in place of a figure that cannot be given, with the reason."""
    return Figure(measure, nan, nan, nan, nan, "", horizon, None, note)


def as_frame(figures: Iterable[Figure]) -> pl.DataFrame:
    """Return one row per figure; what could not be computed is null."""
    frame = pl.DataFrame([asdict(one) for one in figures], schema=FIGURES, strict=False)
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
