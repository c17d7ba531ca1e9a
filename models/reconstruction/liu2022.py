"""Liu 2022: the joint table of the four predictors, and the intercept that it implies.

The paper prints how many of the 223 patients with RR-DTC and of the 181 without have each
predictor, how many have 10 points or more, the mean and SD of the points, and the AUC. The table
sought says how many have each of the 16 patterns of predictors.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product
from math import exp
from typing import Any

import numpy as np
from scipy.optimize import brentq

from models.cohorts import LIU_COUNTS, LIU_WITH, LIU_WITHOUT
from models.points import effects
from models.reconstruction.maxent import tilt
from models.spec import library

Array = Any

# Results: the counts at the cut-off, SDs and AUC. Recurrence: 92 of 223, see `recurrence_evidence`.
WITH, WITHOUT, MARGINS = LIU_WITH, LIU_WITHOUT, LIU_COUNTS
HIGH = (169, 13)
POINTS_SD = (18.80, 10.09)
AUC = 0.898
CUTOFF = 10
RECURRENCE_PRINTED = 56

PATTERNS = np.array(list(product((0, 1), repeat=4)), dtype=float)
"""One row per pattern, one column per predictor in the order of MARGINS; 1 is the worse level."""


def _worse_levels(model_name: str) -> Array:
    model = library()[model_name]
    by_name = {p.name: effects(model, p).high for p in model.predictors}
    return np.array([by_name[name] for name in MARGINS])


POINTS = PATTERNS @ _worse_levels("liu2022_score")
LINEAR_PREDICTOR = PATTERNS @ _worse_levels("liu2022_nomogram")


@dataclass(frozen=True)
class Table:
    """Shares of the 16 patterns among patients with RR-DTC and without."""

    with_rrdtc: Array
    without: Array

    @property
    def auc(self) -> float:
        """The AUC of the points: how often a patient with RR-DTC has more than one without."""
        return float(self.with_rrdtc @ more_points() @ self.without)

    @property
    def intercept(self) -> float:
        """The intercept with which the mean predicted probability is 223 / 404."""
        counts = WITH * self.with_rrdtc + WITHOUT * self.without
        return float(brentq(lambda a: counts @ logistic(a + LINEAR_PREDICTOR) - WITH, -10, 5))


def logistic(x: Array) -> Array:
    """Return the probability of a linear predictor."""
    return 1 / (1 + np.exp(-x))


def more_points() -> Array:
    """Return 1 where a row's pattern has more points than a column's, 0.5 where as many."""
    more = POINTS[:, None] > POINTS[None, :]
    return more + 0.5 * (POINTS[:, None] == POINTS[None, :])


def _constraints(group: int, *, with_sd: bool) -> tuple[Array, Array]:
    """Return the features of the patterns and their published means in a group."""
    size = (WITH, WITHOUT)[group]
    features = [*PATTERNS.T, POINTS >= CUTOFF]
    targets = [counts[group] / size for counts in (*MARGINS.values(), HIGH)]
    if with_sd:
        variance = POINTS_SD[group] ** 2 * (size - 1) / size
        features.append(POINTS**2)
        targets.append(variance + mean_points(group) ** 2)
    return np.column_stack(features), np.array(targets)


def mean_points(group: int, recurrence: int | None = None) -> float:
    """Return the mean points of a group, which follow from its margins alone."""
    size = (WITH, WITHOUT)[group]
    counts = [of[group] for of in MARGINS.values()]
    if recurrence is not None:
        counts[1] = recurrence
    return float(np.array(counts) @ _worse_levels("liu2022_score")) / size


@cache
def maximum_entropy(*, with_sd: bool = True, with_auc: bool = True) -> Table:
    """Return the table of maximum entropy that meets the published figures."""
    even = np.full(len(PATTERNS), 1 / len(PATTERNS))
    ours, theirs = (_constraints(group, with_sd=with_sd) for group in (0, 1))

    def pulled(strength: float) -> Table:
        # The AUC ties the groups together: each is tilted by the other until they agree.
        table = Table(tilt(even, *ours), tilt(even, *theirs))
        for _ in range(60 if strength else 0):
            pull = np.exp(strength / WITH * (more_points() @ table.without))
            push = np.exp(strength / WITHOUT * (table.with_rrdtc @ more_points()))
            last = table
            table = Table(
                tilt(even * pull / (even @ pull), *ours),
                tilt(even * push / (even @ push), *theirs),
            )
            if np.abs(table.without - last.without).max() < 1e-9:
                break
        return table

    if not with_auc:
        return pulled(0)
    return pulled(brentq(lambda strength: pulled(strength).auc - AUC, -2000, 0, xtol=1e-2))


def recurrence_evidence() -> dict[str, tuple[float, float, float]]:
    """Return what 92 and what the printed 56 of 223 give, beside what the paper prints."""
    specificity = 1 - MARGINS["recurrence"][1] / WITHOUT

    def auc(count: int) -> float:
        return (count / WITH + specificity) / 2

    right, printed = MARGINS["recurrence"][0], RECURRENCE_PRINTED
    return {
        "mean points with RR-DTC": (33.96, mean_points(0), mean_points(0, printed)),
        "sensitivity of recurrence, %": (41.0, 100 * right / WITH, 100 * printed / WITH),
        "AUC of recurrence": (0.651, auc(right), auc(printed)),
    }


def probability(intercept: float, *worse: str, effects_of: dict[str, float] | None = None) -> float:
    """Return the probability of RR-DTC with the named predictors at their worse level."""
    shipped = dict(zip(MARGINS, _worse_levels("liu2022_nomogram"), strict=True))
    terms = effects_of or shipped
    return 1 / (1 + exp(-(intercept + sum(terms[name] for name in worse))))
