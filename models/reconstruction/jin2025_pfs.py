"""Jin 2025, progression-free survival: what the published figures leave open of its baseline.

The paper prints the 10-year survival of the groups (Abstract) and the progressions (Table 1), not
the survival of all nor the share of high risk, and two hazard ratios are not in the text. So
nothing is fitted: of every cohort with the margins of Table 1 and the groups' survival, the
expected number of progressions over the published follow-up is bounded by linear programming, and
the baseline survival is that at which 119 lie in the middle. The 5-year figure is well determined;
the 10-year figure hangs on the Weibull shape, from early progression (0.4) to a constant hazard.

The two ratios are those that ask for the least correlation between predictors, given that each
predictor alone has its univariate ratio (Table 2).
"""

from functools import cache
from math import exp, log, sqrt
from typing import Any

import numpy as np
from scipy.optimize import brentq, linprog, minimize
from scipy.stats import qmc

from models.points import effects, points_per_unit
from models.reconstruction.jin2025 import ACTIVITY_MCI, ALL, TRAINING, UPTAKE, follow_up_years
from models.reconstruction.jin2025 import c_index as of_cohort
from models.reconstruction.maxent import InfeasibleError, tilt
from models.spec import Model, library

Array = Any
SIZE = 1 << 10
FTC, PDTC = 37, 6
LOW, HIGH = 0.811, 0.519
EVENTS = 119
EVENTS_STANDARD_ERROR = sqrt(EVENTS * (1 - EVENTS / ALL))
PUBLISHED = {"activity": 0.992, "pdtc": 4.8, "uptake": 0.553}
ALONE = {"activity": 0.991, "ftc": 0.663, "pdtc": 4.125, "secondary": 0.487, "uptake": 0.417}
_TOGETHER = {"activity": ("activity",), "ftc": ("ftc", "pdtc"), "pdtc": ("ftc", "pdtc")}
_TOGETHER |= {"secondary": ("secondary", "uptake"), "uptake": ("secondary", "uptake")}
SHAPES = (0.4, 0.7, 1.0)
"""The middle one is shipped."""


@cache
def _people() -> dict[str, Array]:
    points = np.clip(qmc.Sobol(3, seed=20260630).random(SIZE), 1e-9, 1 - 1e-9)
    first, second = UPTAKE[0] / TRAINING, (UPTAKE[0] + UPTAKE[1]) / TRAINING
    category = np.select(
        [points[:, 0] < first, points[:, 0] < second],
        ["primary_nonuptake", "secondary_nonuptake"],
        "uptake",
    )
    histology = np.select(
        [points[:, 1] < FTC / TRAINING, points[:, 1] < (FTC + PDTC) / TRAINING],
        ["FTC", "PDTC"],
        "PTC",
    )
    activity = np.interp(points[:, 2], *ACTIVITY_MCI)
    return {"uptake_category": category, "histology_group": histology, "activity_mci": activity}


def _model() -> Model:
    return library()["jin2025_pfs"]


@cache
def _hazard_and_groups() -> tuple[Array, Array]:
    people, linear_predictor, lowest = _people(), np.zeros(SIZE), 0.0
    for predictor in _model().predictors:
        effect, values = effects(_model(), predictor), people[predictor.feature]
        lowest += effect.low
        if predictor.centre:
            linear_predictor += effect.slope * (values - predictor.centre.value)
        else:
            linear_predictor += np.array([effect.levels[value] for value in values])
    cutoff = _model().cutoff
    assert cutoff  # noqa: S101
    points = (linear_predictor - lowest) * points_per_unit(_model())
    return np.exp(linear_predictor), (points > cutoff.points.value).astype(float)


@cache
def missing_ratios() -> dict[str, float]:
    """Return the multivariate hazard ratios of FTC and secondary non-uptake."""
    people = _people()
    columns = {
        "activity": (people["activity_mci"] - 180) / 100,
        "ftc": people["histology_group"] == "FTC",
        "pdtc": people["histology_group"] == "PDTC",
        "secondary": people["uptake_category"] == "secondary_nonuptake",
        "uptake": people["uptake_category"] == "uptake",
    }
    columns = {name: column.astype(float) for name, column in columns.items()}
    per = {name: 100 if name == "activity" else 1 for name in columns}
    even = np.full(SIZE, 1 / SIZE)
    margins = [*columns.values(), columns["activity"] ** 2]

    def divergence(logged: Array) -> float:
        ratios = PUBLISHED | {"ftc": exp(logged[0]), "secondary": exp(logged[1])}
        hazard = np.exp(sum(log(r) * per[n] * columns[n] for n, r in ratios.items()))
        alone = []
        for name, together in _TOGETHER.items():
            relative = np.exp(sum(log(ALONE[n]) * per[n] * columns[n] for n in together))
            expected = (relative @ columns[name]) / relative.sum()
            alone.append(hazard * (columns[name] - expected) / hazard.mean())
        targets = [float(even @ margin) for margin in margins] + [0.0] * len(alone)
        try:
            weights = tilt(even, np.column_stack([*margins, *alone]), np.array(targets))
        except InfeasibleError:
            return 50.0
        return float(weights @ np.log(weights * SIZE))

    start = [log(ALONE["ftc"]), log(ALONE["secondary"])]
    how = {"xatol": 1e-3, "fatol": 1e-9}
    found = minimize(divergence, start, method="Nelder-Mead", options=how).x
    return {"ftc": exp(found[0]), "secondary": exp(found[1])}


@cache
def events_range(ten: float, shape: float) -> tuple[float, float] | None:
    """Return the fewest and most progressions of any cohort that fits, for an S0(10) and shape.

    None when no cohort with the margins has the groups' 10-year survival.
    """
    people, (hazard, high) = _people(), _hazard_and_groups()
    cumulative = -log(ten) * hazard
    survival = np.exp(-cumulative)
    progressed = np.mean(
        [1 - np.exp(-cumulative * (t / 10) ** shape) for t in follow_up_years()], axis=0
    )
    activity = people["activity_mci"] / 100
    margins = [
        np.ones(SIZE),
        people["uptake_category"] == "uptake",
        people["uptake_category"] == "secondary_nonuptake",
        people["histology_group"] == "FTC",
        people["histology_group"] == "PDTC",
        activity,
        activity**2,
    ]
    groups = [(survival - LOW) * (1 - high), (survival - HIGH) * high]
    rows = np.vstack([*margins, *groups]).astype(float)
    targets = np.append(rows[: len(margins)].mean(axis=1), [0, 0])
    fewest, most = (linprog(sign * progressed, A_eq=rows, b_eq=targets) for sign in (1, -1))
    if not (fewest.success and most.success):
        return None
    return ALL * float(fewest.fun), -ALL * float(most.fun)


def c_index() -> float:
    """Return the C-index of the model, were it right, with independent predictors."""
    hazard, _ = _hazard_and_groups()
    return of_cohort(np.full(SIZE, 1 / SIZE), hazard)


@cache
def baseline(shape: float, events: float = EVENTS) -> dict[int, float]:
    """Return S0 at 3, 5 and 10 years at which so many progressions lie in the middle."""

    def excess(ten: float) -> float:
        bounds = events_range(round(ten, 4), shape)
        return float("nan") if bounds is None else sum(bounds) / 2 - events

    grid = [ten for ten in np.arange(0.40, 0.75, 0.01) if np.isfinite(excess(ten))]
    over = max((ten for ten in grid if excess(ten) >= 0), default=grid[0])
    under = min((ten for ten in grid if excess(ten) < 0), default=grid[-1])
    ten = brentq(excess, over, under, xtol=5e-4) if over < under else over
    return {t: exp(log(ten) * (t / 10) ** shape) for t in (3, 5, 10)}


def baseline_interval() -> dict[int, tuple[float, float]]:
    """Return the range of S0 over the shapes and 1.96 standard errors of the progressions."""
    moved = [EVENTS + errors * EVENTS_STANDARD_ERROR for errors in (-1.96, 0, 1.96)]
    found = [baseline(shape, events) for shape in SHAPES for events in moved]
    return {t: (min(f[t] for f in found), max(f[t] for f in found)) for t in (3, 5, 10)}
