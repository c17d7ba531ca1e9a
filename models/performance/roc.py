"""Area under the ROC curve: how often one who has the outcome scored above one who has not.

    AUC = sum_{i case, j control} W_i W_j (1[m_i > m_j] + 1/2 1[m_i = m_j]) / (sum W_i sum W_j)

- A plain outcome: W = 1, interval by DeLong 1988 (Biometrics 44:837).
- At a horizon h (cumulative cases, dynamic controls): cases had the event with T <= h, the horizon
  included (R's timeROC excludes it); controls are watched beyond h, or had a competing event by h
  (the second definition of Blanche 2013; R's riskRegression has it too). W as in `censoring`,
  with G(T-); scikit-survival 0.28 has G(T).
"""

import numpy as np
from numpy.typing import NDArray

from models.performance.censoring import Weights, error_of
from models.performance.counting import ranks
from models.performance.followup import Array


def auc_at(weights: Weights, marker: Array) -> tuple[float, float]:
    """Return the AUC at the horizon of the weights and its standard error."""
    cases, controls = weights.case * weights.weight, weights.free * weights.weight
    case_share, control_share = cases.mean(), controls.mean()
    if case_share <= 0 or control_share <= 0:
        return np.nan, np.nan
    # The weighted share of controls below each patient, and of cases above.
    below = _share_below(marker, controls) / control_share
    above = 1 - _share_below(marker, cases) / case_share
    auc = float(np.mean(cases * below) / case_share)
    valued = cases * (below - auc) / case_share + controls * (above - auc) / control_share
    return auc, error_of(valued + weights.estimation(valued), lost=1)


def _share_below(marker: Array, weight: Array) -> Array:
    """Return the mean of the weights at lower markers, at equal ones half, for each patient."""
    rank = ranks(marker)
    at_rank = np.bincount(rank, weights=weight)
    return np.asarray((np.cumsum(at_rank) - at_rank / 2)[rank] / len(weight))


def auc(outcome: NDArray[np.bool_], marker: Array) -> tuple[float, float]:
    """Return the AUC of a plain outcome and DeLong's standard error."""
    n_cases, n_controls = int(outcome.sum()), int((~outcome).sum())
    if not n_cases or not n_controls:
        return np.nan, np.nan
    n = len(outcome)
    below = _share_below(marker, ~outcome * 1.0)[outcome] * n / n_controls
    above = 1 - _share_below(marker, outcome * 1.0)[~outcome] * n / n_cases
    if n_cases < 2 or n_controls < 2:
        return float(below.mean()), np.nan
    variance = below.var(ddof=1) / n_cases + above.var(ddof=1) / n_controls
    return float(below.mean()), float(np.sqrt(variance))
