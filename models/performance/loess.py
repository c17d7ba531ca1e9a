"""Local regression in one predictor, as R's `loess` has it by default (surface interpolated).

Near a point, a straight line or parabola is fitted to the nearest `span` of the data by least
squares with tricube weights (1 - (d/d_max)^3)^3. R does so only at the vertices of a tree that
halves the data until a cell holds `cell` x `span` of them, and joins values and slopes by cubics;
so does this, or the two would differ in the third digit. statsmodels' lowess is another smoother:
always straight, at every point, with robust rounds.
Source: Cleveland and Grosse 1991, Statistics and Computing 1:47.
"""

import numpy as np

from models.performance.cox import NotFitted
from models.performance.followup import Array

_CELL, _MARGIN = 0.2, 0.005


def loess(x: Array, y: Array, span: float = 0.75, degree: int = 2) -> Array:
    """Return the smoothed y at each x. Raises NotFitted when x has too few distinct values."""
    order = np.argsort(x, kind="stable")
    sorted_x, sorted_y = x[order], y[order]
    if np.unique(x).size <= degree + 1:
        raise NotFitted("too few distinct values to smooth")
    vertices = _vertices(sorted_x, span)
    nearest = min(len(x), int(len(x) * span + 1e-5))
    fitted = np.array([_local(sorted_x, sorted_y, v, nearest, span, degree) for v in vertices])
    return _joined(vertices, fitted[:, 0], fitted[:, 1], x)


def _vertices(x: Array, span: float) -> Array:
    """Return where the tree cuts, and the ends of the range a little widened."""
    margin = _MARGIN * max(x[-1] - x[0], 1e-10 * max(abs(x[0]), abs(x[-1])) + 1e-30)
    low, high = x[0] - margin, x[-1] + margin
    few = int(len(x) * span * _CELL)
    cuts, cells = [low, high], [(0, len(x) - 1)]
    while cells:
        first, last = cells.pop()
        if last - first + 1 <= few:
            continue
        middle = _untied(x, first, last)
        if x[middle] in (low, high) or middle >= last:
            continue
        cuts.append(x[middle])
        cells += [(first, middle), (middle + 1, last)]
    return np.unique(cuts)


def _untied(x: Array, first: int, last: int) -> int:
    """Return the place nearest the middle after which x changes."""
    middle = (first + last + 2) // 2 - 1
    changes = np.flatnonzero(np.diff(x[first : last + 1])) + first
    if not len(changes):
        return last
    # Right before left at the same distance.
    distance = 2 * np.abs(changes - middle) - (changes > middle)
    return int(changes[np.argmin(distance)])


def _local(
    x: Array, y: Array, at: float, nearest: int, span: float, degree: int
) -> tuple[float, float]:
    """Return value and slope at a point of the polynomial fitted around it."""
    distance = np.abs(x - at)
    radius = np.partition(distance, nearest - 1)[nearest - 1]
    radius = radius * np.sqrt(max(1.0, span))
    near = distance < radius
    if np.unique(x[near]).size <= degree:
        raise NotFitted("too few distinct values near a point to smooth")
    root = np.sqrt((1 - (distance[near] / radius) ** 3) ** 3)
    # In units of the radius, so that the columns are of one size.
    powers = ((x[near] - at) / radius)[:, None] ** np.arange(degree + 1)
    solved = np.linalg.lstsq(root[:, None] * powers, root * y[near], rcond=None)[0]
    return float(solved[0]), float(solved[1] / radius)


def _joined(vertices: Array, value: Array, slope: Array, x: Array) -> Array:
    """Return the cubics through values and slopes at the vertices (Hermite)."""
    cell = np.clip(np.searchsorted(vertices, x, side="left") - 1, 0, len(vertices) - 2)
    width = vertices[cell + 1] - vertices[cell]
    t = (x - vertices[cell]) / width
    s = 1 - t
    ends = value[cell] * s**2 * (1 + 2 * t) + value[cell + 1] * t**2 * (1 + 2 * s)
    return np.asarray(ends + width * (slope[cell] * t * s**2 - slope[cell + 1] * t**2 * s))
