"""Restricted cubic splines: cubic between the knots, linear beyond the outer ones.

With knots t_1 < ... < t_k and a tail (t_k - t_1)^2 that keeps the scale of x,

    x_{j+1} = [ (x-t_j)+^3 - (x-t_{k-1})+^3 (t_k-t_j)/(t_k-t_{k-1})
                + (x-t_k)+^3 (t_{k-1}-t_j)/(t_k-t_{k-1}) ] / (t_k-t_1)^2      j = 1 ... k-2

Knots at quantiles of x: .10, .50, .90 for three; .05, .35, .65, .95 for four; .05, .275, .50, .725,
.95 for five (quantiles interpolate as numpy's and R's default do); with fewer than 100 values the
outer knots are the fifth smallest and fifth largest. As in R's Hmisc and rms.
Source: Harrell, Regression modeling strategies, 2015, section 2.4.5.
"""

import numpy as np

from models.performance.followup import Array

QUANTILES = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}


def knots_of(x: Array, count: int) -> Array:
    """Return the knots of x; fewer than asked where quantiles coincide."""
    knots = np.quantile(x, QUANTILES[count])
    if 10 <= len(x) < 100:
        knots[[0, -1]] = np.sort(x)[[4, -5]]
    return np.unique(knots)


def basis(x: Array, knots: Array) -> Array:
    """Return x and its spline terms, one column each; x alone with fewer than three knots.

    >>> basis(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]))[:, 1].tolist()
    [0.0, 0.25, 1.5]
    """
    if len(knots) < 3:
        return x[:, None]

    def cubed(knot: float) -> Array:
        return np.asarray(np.maximum(x - knot, 0.0) ** 3)

    last, tail = knots[-1], knots[-1] - knots[-2]
    scale = (last - knots[0]) ** 2
    terms = [
        (cubed(t) - cubed(knots[-2]) * (last - t) / tail + cubed(last) * (knots[-2] - t) / tail)
        / scale
        for t in knots[:-2]
    ]
    return np.column_stack([x, *terms])
