"""Jin 2025, progression-free survival: two hazard ratios and the baseline survival.

The two ratios that are not in the text are those that ask for the least correlation between
predictors, given the margins of Table 1 and that each predictor alone has its univariate ratio
(Table 2); the cohort that has this correlation and nothing more is the one to work with.

Neither the survival of all nor the share of high risk is published. There are the number of
progressions over the published follow-up (Table 1) and the 10-year survival of the groups
(Abstract): estimates, each with a standard error, and they contradict each other. The baseline is
a Weibull curve; its 10-year survival and its shape have the likelihood of these three figures,
every shape from early progression (0.4) to a constant hazard (1) being as likely beforehand.
Shipped is the mean, its interval holds 95 %.
"""

from dataclasses import dataclass
from functools import cache
from math import exp, log, sqrt
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import qmc

from models.cohorts import JIN_ALL, JIN_COUNTS, JIN_TRAINING
from models.points import effects, points_per_unit
from models.reconstruction import activity, follow_up
from models.reconstruction.maxent import InfeasibleError, tilt
from models.spec import library

Array = Any
SIZE = 1 << 11
LOW, HIGH, CUTOFF = 0.811, 0.519, 67
EVENTS = 119
EVENTS_STANDARD_ERROR = sqrt(EVENTS * (1 - EVENTS / JIN_ALL))
PUBLISHED = {"activity": 0.992, "pdtc": 4.8, "uptake": 0.553}
ALONE = {"activity": 0.991, "ftc": 0.663, "pdtc": 4.125, "secondary": 0.487, "uptake": 0.417}
_TOGETHER = {"activity": ("activity",), "ftc": ("ftc", "pdtc"), "pdtc": ("ftc", "pdtc")}
_TOGETHER |= {"secondary": ("secondary", "uptake"), "uptake": ("secondary", "uptake")}
SHAPES = np.round(np.arange(0.4, 1.001, 0.05), 2)
TENS = np.round(np.arange(0.40, 0.801, 0.005), 3)


@cache
def _people() -> dict[str, Array]:
    """Return independent patients: 0 or 1 for each level, and the activity less its median."""
    points = np.clip(qmc.Sobol(3, seed=20260630).random(SIZE), 1e-9, 1 - 1e-9)
    ftc, both = JIN_COUNTS["FTC"], JIN_COUNTS["FTC"] + JIN_COUNTS["PDTC"]
    first = JIN_COUNTS["primary_nonuptake"] / JIN_TRAINING
    second = first + JIN_COUNTS["secondary_nonuptake"] / JIN_TRAINING
    histology, uptake = points[:, 1] * JIN_TRAINING, points[:, 0]
    columns = {
        "ftc": histology < ftc,
        "pdtc": (histology >= ftc) & (histology < both),
        "secondary": (uptake >= first) & (uptake < second),
        "uptake": uptake >= second,
        "activity": activity.at_quantiles(points[:, 2]) - 180,
    }
    return {name: column.astype(float) for name, column in columns.items()}


def _linear_predictor(ratios: dict[str, float]) -> Array:
    people = _people()
    return np.sum([log(ratio) * people[name] for name, ratio in ratios.items()], axis=0)


@cache
def _weights(ftc: float, secondary: float) -> Array:
    """Return the weights of the cohort in which each predictor alone has its univariate ratio."""
    people = _people()
    hazard = np.exp(_linear_predictor(PUBLISHED | {"ftc": ftc, "secondary": secondary}))
    even = np.full(SIZE, 1 / SIZE)
    margins = [*people.values(), people["activity"] ** 2]
    alone = []
    for name, together in _TOGETHER.items():
        relative = np.exp(_linear_predictor({n: ALONE[n] for n in together}))
        expected = (relative @ people[name]) / relative.sum()
        alone.append(hazard * (people[name] - expected) / hazard.mean())
    targets = [float(even @ margin) for margin in margins] + [0.0] * len(alone)
    return tilt(even, np.column_stack([*margins, *alone]), np.array(targets))


@cache
def missing_ratios() -> dict[str, float]:
    """Return the multivariate hazard ratios of FTC and secondary non-uptake."""

    def divergence(logged: Array) -> float:
        try:
            weights = _weights(exp(logged[0]), exp(logged[1]))
        except InfeasibleError:
            return 50.0
        return float(weights @ np.log(weights * SIZE))

    start = [log(ALONE["ftc"]), log(ALONE["secondary"])]
    how = {"xatol": 1e-3, "fatol": 1e-9}
    found = minimize(divergence, start, method="Nelder-Mead", options=how).x
    return {"ftc": exp(found[0]), "secondary": exp(found[1])}


@dataclass(frozen=True)
class Cohort:
    """The cohort: weights, hazards relative to the reference patient, and who is at high risk."""

    weights: Array
    hazard: Array
    high: Array

    def survival(self, ten: float, group: Array) -> float:
        """Return the mean predicted 10-year survival of a group."""
        chosen = self.weights * group
        return float(chosen @ ten**self.hazard / chosen.sum())


@cache
def cohort() -> Cohort:
    """Return the cohort with the shipped hazard ratios, grouped on the shipped axes."""
    model = library()["jin2025_pfs"]
    of = {p.name: effects(model, p) for p in model.predictors}
    histology, uptake = of["histology_group"].levels, of["uptake_category"].levels
    ratios = PUBLISHED | {
        "ftc": exp(histology["FTC"]),
        "secondary": exp(uptake["secondary_nonuptake"]),
    }
    linear_predictor = _linear_predictor(ratios)
    lowest = sum(effect.low for effect in of.values())
    points = (linear_predictor - lowest) * points_per_unit(model)
    weights = _weights(ratios["ftc"], ratios["secondary"])
    return Cohort(weights, np.exp(linear_predictor), (points > CUTOFF).astype(float))


def reproduced(ten: float, shape: float) -> dict[str, float]:
    """Return the progressions of the 412, and the 10-year survival of the groups."""
    ours = cohort()
    share = follow_up.expected_events(ours.weights, ours.hazard, ten, shape)
    return {
        "events": JIN_ALL * share,
        "low": ours.survival(ten, 1 - ours.high),
        "high": ours.survival(ten, ours.high),
    }


def standard_errors(shape: float) -> dict[str, float]:
    """Return those of the three figures that the baseline is fitted to."""
    share = float(cohort().weights @ cohort().high)
    return {
        "events": EVENTS_STANDARD_ERROR,
        "low": follow_up.standard_error(LOW, 10, shape, JIN_ALL * (1 - share)),
        "high": follow_up.standard_error(HIGH, 10, shape, JIN_ALL * share),
    }


@dataclass(frozen=True)
class Baseline:
    """The baseline survival at 3, 5 and 10 years with its 95 % interval, and the mean shape."""

    survival: dict[int, float]
    interval: dict[int, tuple[float, float]]
    shape: float


@cache
def baseline(*, progressions_only: bool = False) -> Baseline:
    """Return the mean baseline under the likelihood of the published figures."""
    published = {"events": EVENTS, "low": LOW, "high": HIGH}
    if progressions_only:
        del published["low"], published["high"]
    curves, logged = [], []
    for shape in map(float, SHAPES):
        errors = standard_errors(shape)
        for ten in map(float, TENS):
            ours = reproduced(ten, shape)
            apart = [(ours[what] - figure) / errors[what] for what, figure in published.items()]
            curves.append((ten, shape))
            logged.append(-sum(z * z for z in apart) / 2)
    weights = np.exp(np.array(logged) - max(logged))
    weights /= weights.sum()
    tens, shapes = np.array(curves).T
    survival, interval = {}, {}
    for years in (3, 5, 10):
        values = tens ** ((years / 10) ** shapes)
        survival[years] = float(weights @ values)
        interval[years] = _middle(values, weights)
    return Baseline(survival, interval, float(weights @ shapes))


def _middle(values: Array, weights: Array) -> tuple[float, float]:
    """Return what holds the middle 95 % of weighted values."""
    order = np.argsort(values)
    low, high = np.searchsorted(np.cumsum(weights[order]), [0.025, 0.975])
    return float(values[order][low]), float(values[order][high])
