"""Jin 2025, overall survival: a cohort that agrees with the paper, and its baseline survival.

The cohort starts with independent predictors that have the training set's margins (Table 1) and is
then weighted, by maximum entropy, so that each predictor alone has its univariate hazard ratio
(Table 2) although the hazard is that of the multivariate model, and so that the groups beyond and
below the cut-off have their published 10-year survival. The correlation between predictors is thus
not assumed: it is what the difference between univariate and multivariate ratios asks for.

Two simplifications: a univariate ratio is taken as Cox regression finds it while few have had an
event, and between 5 and 10 years, and down to 3, the cumulative hazard is a power of time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import exp, log
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm, qmc

from models.points import effects, points_per_unit
from models.reconstruction.maxent import InfeasibleError, tilt
from models.spec import library

Array = Any
SIZE = 1 << 13
"""Patients of the simulated cohort, at quasi-random points: no chance is involved."""

TRAINING, ALL = 288, 412
# Table 1, training set: counts of 288, quartiles, and the range of the first activity.
COUNTS = {"male": 93, "age_55": 111, "other_organs": 61, "stg_500": 132}
UPTAKE = (84, 70, 134)
ACTIVITY_MCI = ((0, 0.25, 0.5, 0.75, 1), (30, 150, 180, 200, 250))
NODULE_CM = ((0, 0.25, 0.5, 0.75, 0.95, 1), (0.2, 0.5, 0.8, 1.2, 2.5, 5.0))
"""Its tails are not published: 95 % below 2.5 cm and all below 5 cm are assumed."""
FOLLOW_UP_MONTHS = (42.8, 65.2, 108.2)
CENTRES = {"activity": 180.0, "nodule": 0.8}

# Multivariate (Fig. 2, Results) and univariate (Table 2) hazard ratios.
OS = {"male": 3.0, "age_55": 4.7, "other_organs": 8.4, "stg_500": 4.4, "nodule": 2.1}
OS |= {"activity": 0.9825, "secondary": 0.0955, "uptake": 0.3172}
OS_ALONE = {"male": 2.106, "age_55": 5.602, "other_organs": 3.329, "stg_500": 3.343}
OS_ALONE |= {"nodule": 1.939, "activity": 0.990, "secondary": 0.461, "uptake": 0.406}

OS_5Y, OS_10Y = 0.925, 0.800
OS_LOW, OS_HIGH, OS_CUTOFF = 0.862, 0.374, 191
OS_SHARE_HIGH = (OS_LOW - OS_10Y) / (OS_LOW - OS_HIGH)
"""The share of high risk that makes the groups' survival that of all (derived: 12.7 %)."""
OS_STANDARD_ERRORS = (0.0145, 0.031)
"""Of the survival of all at 5 and 10 years: binomial, with the 330 and 170 patients that the
quartiles of the follow-up leave informative."""

_UPTAKE_LEVELS = ("secondary", "uptake")
"""Levels of one predictor, whose univariate ratios were estimated together."""


@dataclass(frozen=True)
class Cohort:
    """A weighted cohort: its weights, hazards relative to the reference patient, and groups."""

    weights: Array
    hazard: Array
    high: Array
    divergence: float

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
        name: (points[:, n] < count / TRAINING).astype(float)
        for n, (name, count) in enumerate(COUNTS.items())
    }
    first, second = UPTAKE[0] / TRAINING, (UPTAKE[0] + UPTAKE[1]) / TRAINING
    people["secondary"] = ((points[:, 4] >= first) & (points[:, 4] < second)).astype(float)
    people["uptake"] = (points[:, 4] >= second).astype(float)
    people["activity"] = np.interp(points[:, 5], *ACTIVITY_MCI)
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


Constraints = Callable[[Array, Array], tuple[list[Array], list[float]]]
"""From hazards and groups to further features and the means that they must have."""


def _weighted(*, univariate: bool, more: Constraints | None = None) -> Cohort:
    """Return the cohort of maximum entropy under the margins and what else is asked for."""
    hazard = np.exp(_linear_predictor())
    high = (_points() > OS_CUTOFF).astype(float)
    even = np.full(SIZE, 1 / SIZE)
    margins = _margins()
    constraints = _alone(hazard) if univariate else []
    targets = [float(even @ margin) for margin in margins] + [0.0] * len(constraints)
    extra, wanted = more(hazard, high) if more else ([], [])
    features = np.column_stack([*margins, *constraints, *extra])
    weights = tilt(even, features, np.array([*targets, *wanted]))
    divergence = float(weights @ np.log(weights * SIZE))
    return Cohort(weights, hazard, high, divergence)


def _points() -> Array:
    """Return the nomogram points of each patient, on the shipped axes."""
    model = library()["jin2025_os"]
    lowest = sum(effects(model, predictor).low for predictor in model.predictors)
    return (_linear_predictor() - lowest) * points_per_unit(model)


def _least_divergent(cohort_at: Callable[[float], Cohort], low: float, high: float) -> Cohort:
    """Return the cohort nearest to independence, over logs of the cumulative baseline hazard."""

    def divergence(logged: float) -> float:
        try:
            return cohort_at(logged).divergence
        except InfeasibleError:
            return float("inf")

    found = minimize_scalar(divergence, bounds=(low, high), method="bounded")
    return cohort_at(float(found.x))


@cache
def overall(*, independent: bool = False, groups: bool = True) -> Cohort:
    """Return the cohort for overall survival.

    independent: the margins alone. Without groups: and the univariate ratios. Else: and the
    share of high risk and the 10-year survival of both groups.
    """
    if independent:
        return _weighted(univariate=False)
    if not groups:
        return _weighted(univariate=True)

    def at(logged: float) -> Cohort:
        def more(hazard: Array, high: Array) -> tuple[list[Array], list[float]]:
            survival = np.exp(-exp(logged) * hazard)
            apart = [(survival - OS_LOW) * (1 - high), (survival - OS_HIGH) * high]
            return [high, *apart], [OS_SHARE_HIGH, 0.0, 0.0]

        return _weighted(univariate=True, more=more)

    return _least_divergent(at, log(-log(0.985)), log(-log(0.965)))


def overall_baseline(cohort: Cohort, errors: float = 0.0) -> dict[int, float]:
    """Return S0 at 3, 5 and 10 years, with the survival of all moved by so many standard errors."""
    five = cohort.baseline_for(OS_5Y + errors * OS_STANDARD_ERRORS[0])
    ten = cohort.baseline_for(OS_10Y + errors * OS_STANDARD_ERRORS[1])
    shape = log(log(ten) / log(five)) / log(2)
    three = exp(log(five) * (3 / 5) ** shape)
    return {3: three, 5: five, 10: ten}


def overall_interval() -> dict[int, tuple[float, float]]:
    """Return the range of S0 over the three cohorts and 1.96 standard errors either way."""
    cohorts = [overall(independent=True), overall(groups=False), overall()]
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


def axes(activity: tuple[float, float], nodule_high: float) -> Axes:
    """Return the scale, the share above the cut-off and the groups' 10-year survival."""
    slope, per_cm = log(OS["activity"]), log(OS["nodule"])
    longest = max(-slope * (activity[1] - activity[0]), per_cm * nodule_high)
    lowest = slope * (activity[1] - CENTRES["activity"]) - per_cm * CENTRES["nodule"]
    lowest += min(log(OS[level]) for level in _UPTAKE_LEVELS)
    scale = 100 / longest
    beyond = ((_linear_predictor() - lowest) * scale > OS_CUTOFF).astype(float)
    cohort = overall(groups=False)
    ten = overall_baseline(cohort)[10]
    low, high = cohort.survival(ten, 1 - beyond), cohort.survival(ten, beyond)
    return Axes(activity, nodule_high, scale, float(cohort.weights @ beyond), low, high)


def follow_up_years() -> Array:
    """Return 40 equally likely follow-ups, log-normal through the published quartiles."""
    low, median, high = FOLLOW_UP_MONTHS
    spread = log(high / low) / (2 * norm.ppf(0.75))
    return np.exp(log(median / 12) + spread * norm.ppf((np.arange(40) + 0.5) / 40))


def expected_deaths(cohort: Cohort, baseline: dict[int, float]) -> float:
    """Return the deaths expected among the 412 over their follow-up."""
    shape = log(log(baseline[10]) / log(baseline[5])) / log(2)
    survival = [
        cohort.survival(exp(log(baseline[10]) * (t / 10) ** shape)) for t in follow_up_years()
    ]
    return float(ALL * (1 - np.mean(survival)))


def c_index(weights: Array, hazard: Array) -> float:
    """Return the C-index of a model in a cohort, were the model exactly right.

    Of two patients the one with the higher hazard h has an event first with probability
    h / (h + h').
    """
    first = slice(0, 2048)
    weights, hazard = weights[first], hazard[first]
    pairs = weights[:, None] * weights[None, :]
    higher = hazard[:, None] > hazard[None, :]
    first_event = hazard[:, None] / (hazard[:, None] + hazard[None, :])
    return float((pairs * first_event)[higher].sum() / pairs[higher].sum())
