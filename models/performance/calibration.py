"""Calibration at a horizon: whether as many have the event as were told to.

- **O/E**: Aalen-Johansen's incidence F(h) (1 - Kaplan-Meier without competing events) over the
  mean predicted risk. Not events over summed risks: that takes the censored for healthy. The
  interval is on the log scale and knows that the mean risk is of the same patients:
  IF = IF_F / O - (p - E) / E. Beside it, the interval that takes E as known (Debray 2017, BMJ
  356:i6460), which is wider the better the model discriminates.
- **Slope**: of a Cox model on the linear predictor, follow-up cut at the horizon; 1 is right, below
  it the predictions are too extreme. With competing events, of pseudo-observations on
  log(-log(1 - p)) (van Geloven 2022, BMJ 377:e069249).
- **Intercept**: a in log(-log(1 - risk)) = a + log(-log(1 - p)), by pseudo-observations; 0 is
  right.
- **Curve**: the risk that patients with each prediction had: a Cox model on a restricted cubic
  spline (three knots) of log(-log(1 - p)), cut at the horizon (Austin 2020, Statistics in Medicine
  39:2714; Giardiello 2023, Annals of Internal Medicine 176:105). With competing events,
  pseudo-observations smoothed by `loess` (straight, span 0.33).
- **ICI, E50, E90**: mean, median and 90th percentile of |curve - p| over the patients.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from models.performance import cox
from models.performance.censoring import Weights, error_of
from models.performance.cox import NotFitted
from models.performance.figures import Figure, figure
from models.performance.followup import Array, Followup
from models.performance.loess import loess
from models.performance.pseudo import pseudo_observations, regress
from models.performance.splines import basis, knots_of

OBSERVED = "Kaplan-Meier's incidence"
OBSERVED_COMPETING = "Aalen-Johansen's incidence"


def log_hazard(risk: Array) -> Array:
    """Return log(-log(1 - risk)); risks of 0 and 1 stand a hair inside."""
    inside = np.clip(risk, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(-np.log1p(-inside)))


def observed_to_expected(weights: Weights, risk: Array) -> Iterator[Figure]:
    """Yield observed incidence, mean predicted risk, and their ratio in two ways."""
    how = OBSERVED_COMPETING if weights.outcomes.has_competing else OBSERVED
    observed, influence = weights.influence(weights.case.astype(float))
    expected, h = float(risk.mean()), weights.horizon
    yield figure("observed", observed, error_of(influence), how, scale="loglog", horizon=h)
    spread = error_of(risk - expected)
    yield figure("expected", expected, spread, "mean predicted risk", scale="logit", horizon=h)
    ratio = observed / expected
    change = influence / expected - observed * (risk - expected) / expected**2
    yield figure("oe", ratio, error_of(change), f"{how} / mean risk", scale="log", horizon=h)
    yield figure(
        "oe_expected_known",
        ratio,
        error_of(influence) / expected,
        f"{how} / mean risk, the mean risk taken as known",
        scale="log",
        horizon=h,
    )


def slope(outcomes: Followup, linear: Array, risk: Array | None, horizon: float) -> Figure:
    """Return the calibration slope; with competing events it needs the risk. Raises NotFitted."""
    if outcomes.has_competing and risk is not None:
        x = log_hazard(risk)
        pseudo = pseudo_observations(outcomes, horizon)
        design = np.column_stack([np.ones(len(x)), x])
        fitted = regress(pseudo, design, x)
        estimate, variance = 1 + fitted.coefficients[1], fitted.covariance[1, 1]
        how = "pseudo-observations on log(-log(1 - risk)), robust interval"
    else:
        model = cox.fit(outcomes.cut(horizon), linear[:, None])
        estimate, variance = model.coefficients[0], model.covariance[0, 0]
        how = "Cox model on the linear predictor, cut at the horizon, Efron's ties"
    return figure("slope", float(estimate), float(np.sqrt(variance)), how, horizon=horizon)


def intercept(outcomes: Followup, risk: Array, horizon: float) -> Figure:
    """Return the calibration intercept. Raises NotFitted."""
    pseudo = pseudo_observations(outcomes, horizon)
    fitted = regress(pseudo, np.ones((len(risk), 1)), log_hazard(risk))
    error = float(np.sqrt(fitted.covariance[0, 0]))
    how = "pseudo-observations, offset log(-log(1 - risk)), robust interval"
    return figure("intercept", float(fitted.coefficients[0]), error, how, horizon=horizon)


def curve(outcomes: Followup, risk: Array, horizon: float) -> Array:
    """Return the risk that patients with each prediction had. Raises NotFitted."""
    if outcomes.has_competing:
        return loess(risk, pseudo_observations(outcomes, horizon), span=0.33, degree=1)
    x = log_hazard(risk)
    terms = basis(x, knots_of(x, 3))
    return 1 - cox.fit(outcomes.cut(horizon), terms).survival(terms, horizon)


def curve_name(outcomes: Followup) -> str:
    """Return the definition of the curve in a few words."""
    if outcomes.has_competing:
        return "pseudo-observations smoothed by loess (straight, span 0.33)"
    return "Cox model on a restricted cubic spline (3 knots) of log(-log(1 - risk)), cut"


def distances(fitted: Array, risk: Array) -> tuple[float, float, float]:
    """Return ICI, E50 and E90."""
    distance = np.abs(fitted - risk)
    middle, high = np.quantile(distance, [0.5, 0.9])
    return float(distance.mean()), float(middle), float(high)


def distance_figures(
    risk: Array,
    refit: Callable[[NDArray[np.int64]], Array],
    how: str,
    repeats: int,
    horizon: float | None = None,
) -> Iterator[Figure]:
    """Yield ICI, E50 and E90; `refit` makes the curve anew from some of the patients.

    The interval is the bootstrap's percentiles. Distances have no sign: near perfect calibration
    the estimate is too high and so is the interval.
    """
    everybody = np.arange(len(risk))
    estimates = distances(refit(everybody), risk)
    again = list(_resampled(risk, refit, repeats))
    for place, name in enumerate(("ici", "e50", "e90")):
        drawn = np.array([one[place] for one in again])
        enough = len(drawn) >= 0.9 * repeats and repeats > 1
        lower, upper = np.quantile(drawn, [0.025, 0.975]) if enough else (np.nan, np.nan)
        error = float(drawn.std(ddof=1)) if enough else np.nan
        yield Figure(name, estimates[place], float(lower), float(upper), error, how, horizon)


def _resampled(
    risk: Array, refit: Callable[[NDArray[np.int64]], Array], repeats: int
) -> Iterator[tuple[float, float, float]]:
    chance = np.random.default_rng(20260630)
    for _ in range(repeats):
        drawn = chance.integers(0, len(risk), len(risk))
        try:
            yield distances(refit(drawn), risk[drawn])
        except NotFitted:
            continue
