"""Jin 2025, overall survival: a cohort that agrees with the paper, and its baseline survival.

The cohort starts with independent predictors that have the training set's margins (Table 1) and is
then weighted, by maximum entropy, so that each predictor alone has its univariate hazard ratio
(Table 2) although the hazard is that of the multivariate model: the correlation between predictors
is not assumed, it is what the difference between the ratios asks for. The baseline is the one with
which the mean predicted survival is that published of all. The survival of the groups is not
fitted: it is an estimate from few patients (about 52 behind the 37.4 %), and follows within its
standard error.

Two simplifications: a univariate ratio is taken as Cox regression finds it while few have had an
event, and between 5 and 10 years, and down to 3, the cumulative hazard is a power of time.
"""

from dataclasses import dataclass
from functools import cache
from math import exp, log
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import qmc

from models.cohorts import JIN_ALL, JIN_COUNTS, JIN_TRAINING
from models.reconstruction import activity, follow_up
from models.reconstruction.maxent import tilt

Array = Any
SIZE = 1 << 12
"""Patients of the simulated cohort, at quasi-random points: no chance is involved."""

NODULE_CM = ((0, 0.25, 0.5, 0.75, 0.95, 1), (0.2, 0.5, 0.8, 1.2, 2.5, 5.0))
"""Quartiles from Table 1; 95 % below 2.5 cm and all below 5 cm are assumed."""
CENTRES = {"activity": 180.0, "nodule": 0.8}
_YES_NO = ("male", "age_55", "other_organs", "stg_500")

# Multivariate (Fig. 2, Results) and univariate (Table 2) hazard ratios.
OS = {"male": 3.0, "age_55": 4.7, "other_organs": 8.4, "stg_500": 4.4, "nodule": 2.1}
OS |= {"activity": 0.9825, "secondary": 0.0955, "uptake": 0.3172}
OS_ALONE = {"male": 2.106, "age_55": 5.602, "other_organs": 3.329, "stg_500": 3.343}
OS_ALONE |= {"nodule": 1.939, "activity": 0.990, "secondary": 0.461, "uptake": 0.406}

OS_5Y, OS_10Y = 0.925, 0.800
OS_LOW, OS_HIGH, OS_CUTOFF = 0.862, 0.374, 191
OS_SHARE_HIGH = (OS_LOW - OS_10Y) / (OS_LOW - OS_HIGH)
"""The share of high risk that makes the groups' survival that of all (derived: 12.7 %)."""
OS_SHAPE = log(log(OS_10Y) / log(OS_5Y)) / log(2)
"""Of the Weibull curve through the published survival of all."""
POSSIBLE_AXES = ((30, 250), (20, 260), (40, 260))
"""The published range of the activity, and the axes to which R's rms may have rounded it, mCi."""

_UPTAKE_LEVELS = ("secondary", "uptake")
"""Levels of one predictor, whose univariate ratios were estimated together."""


def standard_errors() -> dict[str, float]:
    """Return those of the published survival: of all at 5 and 10 years, of the groups at 10."""
    high = OS_SHARE_HIGH * JIN_ALL
    figures = {
        "five": (OS_5Y, 5, JIN_ALL),
        "ten": (OS_10Y, 10, JIN_ALL),
        "low": (OS_LOW, 10, JIN_ALL - high),
        "high": (OS_HIGH, 10, high),
    }
    return {
        what: follow_up.standard_error(survival, at, OS_SHAPE, patients)
        for what, (survival, at, patients) in figures.items()
    }


@dataclass(frozen=True)
class Cohort:
    """A weighted cohort: its weights, hazards relative to the reference patient, and groups."""

    weights: Array
    hazard: Array
    high: Array

    def survival(self, baseline: float, group: Array | None = None) -> float:
        """Return the mean predicted survival, of all or of a group."""
        survival = baseline**self.hazard
        chosen = np.ones_like(self.hazard) if group is None else group
        return float((self.weights * chosen) @ survival / (self.weights @ chosen))

    def baseline_for(self, survival: float) -> float:
        """Return the baseline survival with which the mean predicted survival is as given."""
        logged = brentq(lambda a: self.survival(exp(-exp(a))) - survival, -16, 2)
        return exp(-exp(logged))

    @property
    def share_high(self) -> float:
        """The share of patients in the high-risk group."""
        return float(self.weights @ self.high)


@cache
def _people() -> dict[str, Array]:
    points = qmc.Sobol(7, seed=20260630).random(SIZE)
    points = np.clip(points, 1e-9, 1 - 1e-9)
    people = {
        name: (points[:, n] < JIN_COUNTS[name] / JIN_TRAINING).astype(float)
        for n, name in enumerate(_YES_NO)
    }
    first = JIN_COUNTS["primary_nonuptake"] / JIN_TRAINING
    second = first + JIN_COUNTS["secondary_nonuptake"] / JIN_TRAINING
    people["secondary"] = ((points[:, 4] >= first) & (points[:, 4] < second)).astype(float)
    people["uptake"] = (points[:, 4] >= second).astype(float)
    people["activity"] = activity.at_quantiles(points[:, 5])
    people["nodule"] = np.exp(np.interp(points[:, 6], NODULE_CM[0], np.log(NODULE_CM[1])))
    return people


@cache
def _linear_predictor() -> Array:
    people = _people()
    terms = [log(r) * (people[name] - CENTRES.get(name, 0)) for name, r in OS.items()]
    return np.sum(terms, axis=0)


def _margins() -> list[Array]:
    """Return what the weights must leave as it is: shares, and means and spreads."""
    people = _people()
    return [people[name] for name in OS] + [people[name] ** 2 for name in CENTRES]


def _alone(hazard: Array) -> list[Array]:
    """Return features whose mean is zero where each predictor alone has its univariate ratio.

    Cox regression on x alone finds the ratio r at which the mean x of those with an event is
    that of x weighted by r**x. An event has a probability in proportion to the hazard.
    """
    people, found = _people(), []
    for name in OS_ALONE:
        together = _UPTAKE_LEVELS if name in _UPTAKE_LEVELS else (name,)
        alone = np.sum([log(OS_ALONE[n]) * people[n] for n in together], axis=0)
        relative = np.exp(alone - alone.mean())
        expected = (relative @ people[name]) / relative.sum()
        found.append(hazard * (people[name] - expected) / hazard.mean())
    return found


def beyond_cutoff(activities: tuple[float, float] = POSSIBLE_AXES[0]) -> Array:
    """Return who is above 191 points, 1 or 0, on an axis of the activity."""
    return (_points(activities) > OS_CUTOFF).astype(float)


def _points(activities: tuple[float, float], nodule_high: float = 5) -> Array:
    slope, per_cm = log(OS["activity"]), log(OS["nodule"])
    lowest = slope * (activities[1] - CENTRES["activity"]) - per_cm * CENTRES["nodule"]
    lowest += min(log(OS[level]) for level in _UPTAKE_LEVELS)
    return (_linear_predictor() - lowest) * _scale(activities, nodule_high)


def _scale(activities: tuple[float, float], nodule_high: float) -> float:
    span = -log(OS["activity"]) * (activities[1] - activities[0])
    return 100 / max(span, log(OS["nodule"]) * nodule_high)


@cache
def overall(*, independent: bool = False) -> Cohort:
    """Return the cohort for overall survival: independent, or with the univariate ratios."""
    hazard = np.exp(_linear_predictor())
    weights = np.full(SIZE, 1 / SIZE)
    if not independent:
        margins, alone = _margins(), _alone(hazard)
        targets = [float(weights @ margin) for margin in margins] + [0.0] * len(alone)
        weights = tilt(weights, np.column_stack([*margins, *alone]), np.array(targets))
    return Cohort(weights, hazard, beyond_cutoff())


def overall_baseline(cohort: Cohort, errors: float = 0.0) -> dict[int, float]:
    """Return S0 at 3, 5 and 10 years, with the survival of all moved by so many standard errors."""
    error = standard_errors()
    five = cohort.baseline_for(OS_5Y + errors * error["five"])
    ten = cohort.baseline_for(OS_10Y + errors * error["ten"])
    shape = log(log(ten) / log(five)) / log(2)
    three = exp(log(five) * (3 / 5) ** shape)
    return {3: three, 5: five, 10: ten}


def overall_interval() -> dict[int, tuple[float, float]]:
    """Return the range of S0 over both cohorts and 1.96 standard errors either way."""
    cohorts = [overall(independent=True), overall()]
    found = [overall_baseline(c, errors) for c in cohorts for errors in (-1.96, 0, 1.96)]
    return {t: (min(f[t] for f in found), max(f[t] for f in found)) for t in (3, 5, 10)}


@dataclass(frozen=True)
class Axes:
    """What a pair of nomogram axes implies, in the cohort with the univariate ratios."""

    activity: tuple[float, float]
    nodule_high: float
    points_per_unit: float
    share_high: float
    low: float
    high: float


def axes(activities: tuple[float, float], nodule_high: float = 5) -> Axes:
    """Return the scale, the share above the cut-off and the groups' 10-year survival."""
    beyond = (_points(activities, nodule_high) > OS_CUTOFF).astype(float)
    cohort = overall()
    ten = overall_baseline(cohort)[10]
    low, high = cohort.survival(ten, 1 - beyond), cohort.survival(ten, beyond)
    scale, share = _scale(activities, nodule_high), float(cohort.weights @ beyond)
    return Axes(activities, nodule_high, scale, share, low, high)
