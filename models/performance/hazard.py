"""The hazard that a survival model's three survivals imply, for clocks that start later.

H(t) = -log S(t) at 0, 3, 5 and 10 years by the model, straight between them and after the last.
Within a to b years of the index date H(b) - H(a) events are expected of a patient who is watched
all the while, and the risk of one who is free of the event at a is 1 - exp(-(H(b) - H(a))).
"""

import numpy as np

from models.performance.followup import Array

SURVIVALS = ("survival_3y", "survival_5y", "survival_10y")
_KNOTS = np.array([0.0, 3.0, 5.0, 10.0])


def hazards(survivals: Array) -> Array:
    """Return H at 0, 3, 5 and 10 years: one row per row of SURVIVALS."""
    with np.errstate(divide="ignore"):
        told = -np.log(survivals)
    return np.column_stack([np.zeros(len(told)), told])


def cumulative(hazard: Array, years: Array) -> Array:
    """Return H at so many years after the index date, one per row."""
    at = np.clip(np.searchsorted(_KNOTS, years, side="right") - 1, 0, 2)
    row = np.arange(len(years))
    rate = (hazard[row, at + 1] - hazard[row, at]) / (_KNOTS[at + 1] - _KNOTS[at])
    return np.asarray(hazard[row, at] + rate * (years - _KNOTS[at]))


def expected(hazard: Array, start: Array, end: Array) -> Array:
    """Return the events expected of each patient watched from start to end (years)."""
    return cumulative(hazard, end) - cumulative(hazard, start)
