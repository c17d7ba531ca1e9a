"""Accuracy of risks: the Brier score and what is gained over telling everybody the average.

    BS(h) = mean of W (1[event by h] - p)^2        IPA = 1 - BS / BS_0

BS_0 is the score of Aalen-Johansen's (Kaplan-Meier's) incidence for everybody; W as in
`censoring`; for a plain outcome W = 1. The index of prediction accuracy (IPA, scaled Brier score)
is 0 for a model that tells everybody the average, and below it for one that harms.
Source: Gerds and Schumacher 2006, Biometrical Journal 48:1029; Kattan and Gerds 2018, Diagnostic
and Prognostic Research 2:7.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.performance.censoring import Weights, error_of
from models.performance.followup import Array


@dataclass(frozen=True)
class Accuracy:
    """Brier score, that of the average, and IPA, with standard errors."""

    brier: float
    brier_error: float
    brier_average: float
    ipa: float
    ipa_error: float


def accuracy_at(weights: Weights, risk: Array) -> Accuracy:
    """Return the accuracy of risks by the horizon of the weights."""
    case = weights.case.astype(float)
    incidence = float(np.mean(case * weights.weight))
    own = weights.influence((case - risk) ** 2)
    # The average is estimated too, but it minimises its score: to first order that adds nothing.
    return _accuracy(own, weights.influence((case - incidence) ** 2))


def accuracy(outcome: NDArray[np.bool_], risk: Array) -> Accuracy:
    """Return the accuracy of risks of a plain outcome."""
    losses = (outcome - risk) ** 2
    average = (outcome - outcome.mean()) ** 2
    own, other = float(losses.mean()), float(average.mean())
    return _accuracy((own, losses - own), (other, average - other))


def _accuracy(own: tuple[float, Array], average: tuple[float, Array]) -> Accuracy:
    (brier, influence), (base, base_influence) = own, average
    if base <= 0:
        return Accuracy(brier, error_of(influence, lost=1), base, np.nan, np.nan)
    change = brier * base_influence / base**2 - influence / base
    return Accuracy(
        brier, error_of(influence, lost=1), base, 1 - brier / base, error_of(change, lost=1)
    )
