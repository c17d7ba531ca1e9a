"""Follow-up as Jin 2025 publishes it, and what it does to figures: events, errors, C-index."""

from math import exp, log
from typing import Any

import numpy as np
from scipy.stats import norm

Array = Any
MONTHS = (42.8, 65.2, 108.2)
"""Quartiles of the follow-up, Table 1."""
_STEPS = 40


def _spread() -> float:
    low, _, high = MONTHS
    return log(high / low) / float(2 * norm.ppf(0.75))


def years() -> Array:
    """Return 40 equally likely follow-ups, log-normal through the published quartiles."""
    at = norm.ppf((np.arange(_STEPS) + 0.5) / _STEPS)
    return np.exp(log(MONTHS[1] / 12) + _spread() * at)


def still_followed(year: Array | float) -> Array:
    """Return the share of patients who are followed for longer than so many years."""
    return norm.sf((np.log(year) - log(MONTHS[1] / 12)) / _spread())


def standard_error(survival: float, at: float, shape: float, patients: float) -> float:
    """Return the standard error of a Kaplan-Meier figure (Greenwood), at a time in years.

    The survival is a Weibull curve of the given shape, the censoring that of the follow-up.
    """
    time = np.linspace(0, at, 401)[1:]
    cumulative = -log(survival) * (time / at) ** shape
    hazard = np.diff(np.concatenate([[0.0], cumulative]))
    at_risk = patients * np.exp(-cumulative) * still_followed(time)
    return survival * float(np.sqrt((hazard / at_risk).sum()))


def expected_events(weights: Array, hazard: Array, ten: float, shape: float) -> float:
    """Return the share of patients with an event within their follow-up.

    weights and hazard: of each patient, relative to the one with 10-year survival `ten`.
    """
    cumulative = -log(ten) * hazard
    share = [1 - weights @ np.exp(-cumulative * (t / 10) ** shape) for t in years()]
    return float(np.mean(share))


def c_index(weights: Array, hazard: Array, ten: float, shape: float) -> float:
    """Return Harrell's C-index of a model in a cohort, were the model exactly right.

    Of two patients who are both followed until the first event of either, it is the share in
    which the one with the higher hazard has it, and half of those with equal hazards. Early events
    of high hazards make most pairs, so it is higher than without censoring.
    """
    order = np.argsort(hazard, kind="stable")
    weights, hazard = weights[order], hazard[order]
    starts = np.unique(hazard, return_index=True)[1]
    concordant = comparable = 0.0
    time = np.linspace(0.05, 20, 400)
    for t in time:
        rate = -log(ten) * shape * (t / 10) ** (shape - 1) / 10
        alive = weights * np.exp(log(ten) * hazard * (t / 10) ** shape)
        event = np.add.reduceat(alive * hazard * rate, starts)
        alive = np.add.reduceat(alive, starts)
        both = float(still_followed(t)) ** 2
        below = np.concatenate([[0.0], np.cumsum(alive)[:-1]])
        concordant += both * float(event @ (below + alive / 2))
        comparable += both * float(event.sum() * alive.sum())
    return concordant / comparable


def weibull(ten: float, shape: float) -> dict[int, float]:
    """Return the survival at 3, 5 and 10 years of a Weibull curve."""
    return {t: exp(log(ten) * (t / 10) ** shape) for t in (3, 5, 10)}
