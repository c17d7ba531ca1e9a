"""Figures of centres or subgroups in one: the mean, how much they differ, where a new one may lie.

A random-effects model y_i ~ N(mu, se_i^2 + tau^2): tau^2 by restricted maximum likelihood, the
interval of mu by Hartung, Knapp, Sidik and Jonkman (t with k - 1 degrees of freedom), the
prediction interval mu +- t sqrt(se^2 + tau^2). C, AUC and shares on the logit scale, ratios on the
log scale, slopes and intercepts as they are. As R's metafor has it (method REML, test knha).
Source: Debray 2017, BMJ 356:i6460; Snell 2018, Statistical Methods in Medical Research 27:3505.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student

from models.performance.followup import Array

SCALES = {
    "harrell_c": "logit", "uno_c": "logit", "auc": "logit", "oe": "log", "slope": "plain",
    "intercept": "plain", "brier": "plain", "ipa": "plain", "sensitivity": "logit",
    "specificity": "logit", "ppv": "logit", "npv": "logit",
}  # fmt: skip
"""The measures that are pooled, and on which scale."""


@dataclass(frozen=True)
class Pooled:
    """Mean with 95 % interval and prediction interval, between-centre spread, I^2, centres."""

    estimate: float
    lower: float
    upper: float
    predicted_lower: float
    predicted_upper: float
    tau: float
    i2: float
    centres: int


def pool(estimates: Array, errors: Array, measure: str) -> Pooled | None:
    """Return the random-effects summary; None with fewer than two usable figures.

    Estimates and errors are on the scale of the measure, one element per centre.
    """
    scale = SCALES[measure]
    usable = np.isfinite(estimates) & np.isfinite(errors) & (errors > 0)
    if scale != "plain":
        usable &= estimates > 0
    if scale == "logit":
        usable &= estimates < 1
    y, variance = _on(scale, estimates[usable], errors[usable])
    k = len(y)
    if k < 2:
        return None
    tau2 = restricted_likelihood(y, variance)
    weight = 1 / (variance + tau2)
    mean = float(np.sum(weight * y) / weight.sum())
    error = float(np.sqrt(np.sum(weight * (y - mean) ** 2) / (k - 1) / weight.sum()))
    quantile = float(student.ppf(0.975, k - 1))
    wide = float(np.sqrt(error**2 + tau2))
    ends = mean + quantile * np.array([0, -error, error, -wide, wide])
    back = {"plain": lambda x: x, "log": np.exp, "logit": expit}[scale](ends)
    fixed = 1 / variance
    typical = (k - 1) * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
    estimate, lower, upper, low, high = (float(end) for end in back)
    i2 = float(tau2 / (tau2 + typical))
    return Pooled(estimate, lower, upper, low, high, float(np.sqrt(tau2)), i2, k)


def _on(scale: str, estimates: Array, errors: Array) -> tuple[Array, Array]:
    if scale == "plain":
        return estimates, errors**2
    if scale == "log":
        return np.log(estimates), (errors / estimates) ** 2
    return logit(estimates), (errors / (estimates * (1 - estimates))) ** 2


def restricted_likelihood(y: Array, variance: Array, rounds: int = 500) -> float:
    """Return tau^2 by restricted maximum likelihood (Fisher scoring, never below 0)."""
    tau2 = max(float(np.var(y, ddof=1) - variance.mean()), 0.0)
    for _ in range(rounds):
        w = 1 / (variance + tau2)
        mean = np.sum(w * y) / w.sum()
        trace = w.sum() - (w**2).sum() / w.sum()
        square = (w**2).sum() - 2 * (w**3).sum() / w.sum() + ((w**2).sum() / w.sum()) ** 2
        change = float((np.sum(w**2 * (y - mean) ** 2) - trace) / square)
        new = max(tau2 + change, 0.0)
        if abs(new - tau2) < 1e-14:
            return new
        tau2 = new
    return tau2
