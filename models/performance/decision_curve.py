"""Decision curves: whether acting on the prediction does more good than acting on all or none.

Who would act from a risk of t on takes one needless action for (1 - t)/t needed ones, so

    net benefit(t) = share above x [ F(h | above) - (1 - F(h | above)) t/(1 - t) ]

`above` is p >= t, F the incidence among them: Kaplan-Meier's or Aalen-Johansen's by the horizon,
or the share with a plain outcome. To act on all is the same with everybody above; to act on none
is 0. The unit is needed actions per patient, without a needless one.
Source: Vickers and Elkin 2006, Medical Decision Making 26:565; Vickers 2008, BMC Medical
Informatics and Decision Making 8:53.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.performance.censoring import Weights, error_of
from models.performance.figures import interval
from models.performance.followup import Array, Followup

Incidence = Callable[[NDArray[np.bool_]], tuple[float, Array]]
"""From a choice of patients to the incidence among them and its influence function."""


def decision_curve_at(
    outcomes: Followup, risk: Array, horizon: float, thresholds: Sequence[float]
) -> pl.DataFrame:
    """Return one row per threshold: net_benefit with lower and upper, treat_all, above."""

    def incidence(chosen: NDArray[np.bool_]) -> tuple[float, Array]:
        weights = Weights(outcomes[chosen].cut(horizon), horizon)
        return weights.influence(weights.case.astype(float))

    return _curve(incidence, risk, thresholds)


def decision_curve(
    outcome: NDArray[np.bool_], p: Array, thresholds: Sequence[float]
) -> pl.DataFrame:
    """Return one row per threshold: net_benefit with lower and upper, treat_all, above."""

    def incidence(chosen: NDArray[np.bool_]) -> tuple[float, Array]:
        share = float(outcome[chosen].mean())
        return share, outcome[chosen] - share

    return _curve(incidence, p, thresholds)


def _curve(incidence: Incidence, risk: Array, thresholds: Sequence[float]) -> pl.DataFrame:
    overall = incidence(np.ones(len(risk), dtype=bool))[0]
    rows = []
    for threshold in thresholds:
        odds = threshold / (1 - threshold)
        above = risk >= threshold
        benefit, error = _net_benefit(incidence, above, odds)
        lower, upper = interval(benefit, error)
        rows.append(
            {
                "threshold": float(threshold),
                "net_benefit": benefit,
                "lower": lower,
                "upper": upper,
                "treat_all": overall - (1 - overall) * odds,
                "above": int(above.sum()),
            }
        )
    return pl.DataFrame(rows)


def _net_benefit(
    incidence: Incidence, above: NDArray[np.bool_], odds: float
) -> tuple[float, float]:
    if not above.any():
        return 0.0, 0.0
    share, change = incidence(above)
    influence = np.zeros(len(above))
    influence[above] = share * (1 + odds) - odds + change * (1 + odds)
    benefit = float(influence.mean())
    return benefit, error_of(influence - benefit)
