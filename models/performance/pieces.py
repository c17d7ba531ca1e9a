"""Survival of a file that has it at a few horizons: the hazard is constant between them."""

import numpy as np

from models.performance.followup import Array


def cumulative(years: Array, survival: Array, at: Array) -> Array:
    """Return the cumulative hazard at times; beyond the last horizon its last hazard goes on."""
    ends = np.concatenate([[0.0], years])
    hazard = np.concatenate([[0.0], -np.log(survival)])
    last = (hazard[-1] - hazard[-2]) / (ends[-1] - ends[-2])
    beyond = np.maximum(at - ends[-1], 0.0) * last
    return np.asarray(np.interp(at, ends, hazard) + beyond)


def risk_after(years: Array, survival: Array, linear: Array, start: Array, within: float) -> Array:
    """Return the risk within so many years of a start, of those free of the event then."""
    hazard = cumulative(years, survival, start + within) - cumulative(years, survival, start)
    return np.asarray(-np.expm1(-hazard * np.exp(linear)))
