"""Jin 2025: the first activities, as spread as the paper prints them.

Printed are quartiles, range (Table 1), mean and SD (Results). Activities are given in round
numbers of mCi, so many patients may share a quartile, and only then can all of these hold together:
interpolated between range and quartiles alone, the activities would be 6.20 +/- 1.97 GBq, not
6.05 +/- 1.35. Of all shares of round activities that meet them, those of maximum entropy are taken.
"""

from functools import cache
from typing import Any

import numpy as np
from scipy.optimize import minimize

from models.cohorts import JIN_ACTIVITY

Array = Any
ROUND = np.arange(30, 251, 10).astype(float)
"""The activities that could be given, mCi."""
_QUARTERS = (0.25, 0.5, 0.75)


@cache
def shares() -> Array:
    """Return the share of patients with each of the `ROUND` activities."""

    def moments(p: Array) -> Array:
        mean = p @ ROUND
        spread = np.sqrt(p @ (ROUND - mean) ** 2)
        return np.array([p.sum() - 1, mean - JIN_ACTIVITY.mean, spread - JIN_ACTIVITY.sd])

    def quartiles(p: Array) -> Array:
        cumulative = np.cumsum(p)
        at = np.searchsorted(ROUND, JIN_ACTIVITY.quartiles)
        reached = [cumulative[n] - share for n, share in zip(at, _QUARTERS, strict=True)]
        not_before = [share - cumulative[n - 1] for n, share in zip(at, _QUARTERS, strict=True)]
        return np.array([*reached, *not_before])

    found = minimize(
        lambda p: p @ np.log(p),
        np.full(len(ROUND), 1 / len(ROUND)),
        jac=lambda p: np.log(p) + 1,
        bounds=[(1e-9, 1)] * len(ROUND),
        constraints=[{"type": "eq", "fun": moments}, {"type": "ineq", "fun": quartiles}],
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-13},
    )
    if not found.success:
        raise ArithmeticError(f"no activities have these figures: {found.message}")
    return found.x / found.x.sum()


def at_quantiles(uniform: Array) -> Array:
    """Return the activity, mCi, at each quantile between 0 and 1."""
    place = np.searchsorted(np.cumsum(shares()), uniform)
    return ROUND[np.minimum(place, len(ROUND) - 1)]
