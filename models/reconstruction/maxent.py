"""Maximum entropy under linear constraints.

Among all weights over given cells whose mean features have given values, the weights closest to
the starting ones in Kullback-Leibler divergence. They have the form start * exp(features @
multipliers), and the multipliers minimise a convex function.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

Array = Any
_TOLERANCE = 1e-4


class InfeasibleError(ValueError):
    """No weights meet the constraints."""


def tilt(start: Array, features: Array, targets: Array) -> Array:
    """Return the weights closest to `start` with mean features equal to `targets`.

    start: one weight per cell, summing to 1. features: one row per cell, one column per
    constraint. Raises InfeasibleError when the constraints cannot be met together.
    """
    centred = features - targets
    spread = np.sqrt(start @ centred**2)
    scaled = centred / np.where(spread > 0, spread, 1)
    logged = np.log(start)

    def dual(multipliers: Array) -> tuple[float, Array]:
        exponents = logged + scaled @ multipliers
        total = logsumexp(exponents)
        return float(total), np.exp(exponents - total) @ scaled

    how = {"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-10}
    origin = np.zeros(features.shape[1])
    found = minimize(dual, origin, jac=True, method="L-BFGS-B", options=how)
    exponents = logged + scaled @ found.x
    weights = np.exp(exponents - logsumexp(exponents))
    if np.abs(weights @ scaled).max() > _TOLERANCE:
        raise InfeasibleError("the constraints cannot be met together")
    return weights
