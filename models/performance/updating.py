"""Updating a model on local data, no more than the data ask for: closed testing.

From least to most is changed: nothing; the intercept or baseline; that and the slope; every
coefficient. Each is tested against every coefficient free, and the first that is not rejected (5 %)
is taken. That keeps the chance to update a model that needs none at 5 %, whatever is tested.

- A plain outcome: likelihood ratios of logistic models; degrees of freedom r + 1, r, r - 1, with r
  the number of predictors (with the linear predictor, where they do not make it up).
- With follow-up: of Cox models cut at the horizon, r and r - 1; the test of nothing adds that of
  the baseline, (log of observed over expected cumulative hazard / its error)^2, independent of it.

Source: Vergouwe et al. 2017, Statistics in Medicine 36:4529.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.stats import chi2

from models.performance import cox, logistic
from models.performance.binary_calibration import log_odds
from models.performance.calibration import intercept, log_hazard
from models.performance.figures import Z
from models.performance.followup import Array, Followup

Change = Literal["none", "intercept", "slope", "refit"]
LEVEL = 0.05


@dataclass(frozen=True)
class Updated:
    """What was changed, the tests that led there, the terms, and everybody's new prediction.

    `tests`: one row per test against every coefficient free: keeps, chi2, degrees, p_value.
    `terms`: one row per term of the new linear predictor: term, estimate, lower, upper; with
    follow-up `survival` is the baseline survival at the horizon, where all terms are 0.
    """

    change: Change
    tests: pl.DataFrame
    terms: pl.DataFrame
    survival: float | None
    prediction: Array


def update_plain(outcome: Array, p: Array, x: pl.DataFrame) -> Updated:
    """Update probabilities of a plain outcome on predictors x. Raises NotFitted."""
    n, linear = len(p), log_odds(p)
    one, none = np.ones((n, 1)), np.zeros(n)
    names, free = _free(linear, x)
    designs: dict[Change, tuple[list[str], Array, Array]] = {
        "none": ([], np.empty((n, 0)), linear),
        "intercept": (["intercept"], one, linear),
        "slope": (["intercept", "linear_predictor"], np.column_stack([one, linear]), none),
        "refit": (["intercept", *names], np.column_stack([one, free]), none),
    }
    fits = {
        change: logistic.fit(outcome, design, offset)
        for change, (_, design, offset) in designs.items()
    }
    most = fits["refit"].log_likelihood
    rank = free.shape[1]
    statistics = {
        "none": (2 * (most - fits["none"].log_likelihood), rank + 1),
        "intercept": (2 * (most - fits["intercept"].log_likelihood), rank),
        "slope": (2 * (most - fits["slope"].log_likelihood), rank - 1),
    }
    change, tests = first_kept(statistics)
    named, design, offset = designs[change]
    found = fits[change]
    new = offset + design @ found.coefficients
    terms = _terms(named, found.coefficients, found.covariance, bool(offset.any()))
    return Updated(change, tests, terms, None, np.asarray(1 / (1 + np.exp(-new))))


def update_followup(outcomes: Followup, risk: Array, x: pl.DataFrame, horizon: float) -> Updated:
    """Update risks by a horizon on predictors x; no competing events. Raises NotFitted."""
    n, linear = len(risk), log_hazard(risk)
    inside = outcomes.cut(horizon)
    names, free = _free(linear, x)
    nothing = np.empty((n, 0))
    designs: dict[Change, tuple[list[str], Array, Array]] = {
        "intercept": ([], nothing, linear),
        "slope": (["linear_predictor"], linear[:, None], np.zeros(n)),
        "refit": (names, free, np.zeros(n)),
    }
    fits = {
        change: cox.fit(inside, design, offset) for change, (_, design, offset) in designs.items()
    }
    most, rank = fits["refit"].log_likelihood, free.shape[1]
    ratio = 2 * (most - fits["intercept"].log_likelihood)
    large = intercept(outcomes, risk, horizon)
    statistics = {
        "none": (ratio + (large.estimate / large.standard_error) ** 2, rank + 1),
        "intercept": (ratio, rank),
        "slope": (2 * (most - fits["slope"].log_likelihood), rank - 1),
    }
    change, tests = first_kept(statistics)
    if change == "none":
        return Updated(change, tests, _terms([], np.empty(0), np.empty((0, 0)), True), None, risk)
    named, design, offset = designs[change]
    found = fits[change]
    # The baseline is that of the mean of the predictors; it is told where all terms are 0.
    hazard = found.hazard[found.times <= horizon].sum()
    hazard = float(hazard * np.exp(-found.centre @ found.coefficients))
    with np.errstate(over="ignore"):  # a risk of 1 is one
        new = 1 - np.exp(-hazard * np.exp(offset + design @ found.coefficients))
    terms = _terms(named, found.coefficients, found.covariance, bool(offset.any()))
    return Updated(change, tests, terms, float(np.exp(-hazard)), np.asarray(new))


def _free(linear: Array, x: pl.DataFrame) -> tuple[list[str], Array]:
    """Return the predictors, with the linear predictor where they do not make it up."""
    values = x.cast(pl.Float64).to_numpy()
    design = np.column_stack([np.ones(len(linear)), values])
    rest = linear - design @ np.linalg.lstsq(design, linear, rcond=None)[0]
    if np.sum(rest**2) <= 1e-4 * np.sum((linear - linear.mean()) ** 2):
        return list(x.columns), values
    return ["linear_predictor", *x.columns], np.column_stack([linear, values])


def first_kept(statistics: dict[str, tuple[float, int]]) -> tuple[Change, pl.DataFrame]:
    """Return the least change that is not rejected, and the tests up to it: one row per test."""
    rows = []
    kept: Change = "refit"
    order: tuple[Change, ...] = ("none", "intercept", "slope")
    for change in order:
        value, degrees = statistics[change]
        p = float(chi2.sf(max(value, 0.0), degrees)) if degrees else 1.0
        rows.append({"keeps": change, "chi2": value, "degrees": degrees, "p_value": p})
        if p >= LEVEL:
            kept = change
            break
    return kept, pl.DataFrame(rows)


def _terms(names: list[str], estimates: Array, covariance: Array, is_offset: bool) -> pl.DataFrame:
    errors = np.sqrt(np.diag(covariance)) if len(names) else np.empty(0)
    rows = [
        {"term": name, "estimate": float(e), "lower": float(e - Z * s), "upper": float(e + Z * s)}
        for name, e, s in zip(names, estimates, errors, strict=True)
    ]
    if is_offset:
        rows.append({"term": "linear_predictor", "estimate": 1.0, "lower": None, "upper": None})
    schema = {"term": pl.String, "estimate": pl.Float64, "lower": pl.Float64, "upper": pl.Float64}
    return pl.DataFrame(rows, schema=schema)
