"""Sensitivity, specificity and predictive values at a cut-off, and the data's own cut-off.

High is a marker at or above the cut-off (`>=`) or above it (`>`), as the model has it.

- A plain outcome: shares with Wilson's interval (1927, Journal of the American Statistical
  Association 22:209).
- At a horizon: the same shares with patients weighted as in `censoring`; intervals on the logit
  scale. Controls as in `roc`.
- Youden's J = sensitivity + specificity - 1; the data's own cut-off maximises it. It is reported
  beside the published one and never replaces it: chosen on these data, it looks better than it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.performance.censoring import Weights, error_of
from models.performance.counting import ranks
from models.performance.figures import Figure, Z, figure
from models.performance.followup import Array

Side = Literal[">=", ">"]
Mask = NDArray[np.bool_]


def is_high(marker: Array, cutoff: float, side: Side) -> Mask:
    """Tell who is high."""
    return np.asarray(marker >= cutoff if side == ">=" else marker > cutoff)


def wilson(count: int, total: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share; NaN of nothing."""
    if not total:
        return np.nan, np.nan
    share, z2 = count / total, Z**2
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = Z * np.sqrt(share * (1 - share) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def at_cutoff(outcome: Mask, marker: Array, cutoff: float, side: Side) -> Iterator[Figure]:
    """Yield sensitivity, specificity, ppv, npv, accuracy and Youden's J of a plain outcome."""
    high = is_high(marker, cutoff, side)
    shares = {}
    for name, of, within in _shares(outcome, ~outcome, high) + [
        ("accuracy", high == outcome, np.ones(len(high), dtype=bool))
    ]:
        count, total = int((of & within).sum()), int(within.sum())
        lower, upper = wilson(count, total)
        share = shares[name] = count / total if total else np.nan
        error = float(np.sqrt(share * (1 - share) / total)) if total else np.nan
        yield Figure(name, share, lower, upper, error, f"{side} cut-off, Wilson", None, cutoff)
    cases, controls = int(outcome.sum()), int((~outcome).sum())
    if cases and controls:
        se, sp = shares["sensitivity"], shares["specificity"]
        error = float(np.sqrt(se * (1 - se) / cases + sp * (1 - sp) / controls))
        how = "sensitivity + specificity - 1"
        yield figure("youden", se + sp - 1, error, how, cutoff=cutoff, limits=(-1, 1))


def at_cutoff_by(weights: Weights, marker: Array, cutoff: float, side: Side) -> Iterator[Figure]:
    """Yield sensitivity, specificity, ppv and npv of the event by the horizon of the weights."""
    high = is_high(marker, cutoff, side)
    for name, of, within in _shares(weights.case, weights.free, high):
        top, bottom = (of & within) * weights.weight, within * weights.weight
        if bottom.mean() <= 0:
            continue
        share = float(top.mean() / bottom.mean())
        valued = (top - share * bottom) / bottom.mean()
        error = error_of(valued + weights.estimation(valued))
        how = f"{side} cut-off, weighted for censoring"
        yield figure(name, share, error, how, scale="logit", horizon=weights.horizon, cutoff=cutoff)


def _shares(case: Mask, free: Mask, high: Mask) -> list[tuple[str, Mask, Mask]]:
    known = case | free
    return [
        ("sensitivity", high, case),
        ("specificity", ~high, free),
        ("ppv", case, high & known),
        ("npv", free, ~high & known),
    ]


@dataclass(frozen=True)
class OwnCutoff:
    """The cut-off that the data would choose (high: at or above it), and Youden's J there."""

    cutoff: float
    youden: float
    sensitivity: float
    specificity: float


def youden(case_weight: Array, control_weight: Array, marker: Array) -> OwnCutoff:
    """Return the cut-off with the largest J; the lowest of several. High is at or above it.

    The weights say how much each patient counts among those with and without the outcome.
    """
    values = np.unique(marker)
    rank = ranks(marker)
    cases = np.bincount(rank, weights=case_weight)
    controls = np.bincount(rank, weights=control_weight)
    sensitivity = cases[::-1].cumsum()[::-1] / cases.sum()
    specificity = (controls.cumsum() - controls) / controls.sum()
    j = sensitivity + specificity - 1
    best = int(np.argmax(j > j.max() - 1e-12))
    return OwnCutoff(
        float(values[best]), float(j[best]), float(sensitivity[best]), float(specificity[best])
    )
