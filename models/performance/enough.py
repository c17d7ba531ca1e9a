"""Whether there are events enough, and how precise the figures would be.

Below a minimum (100 events, and 100 without for a plain outcome: Collins, Ogundimu and Altman 2016,
Statistics in Medicine 35:214) no figure is given, but the width that its 95 % interval would have,
and how many events would bring it to a width of use (Riley 2021, Statistics in Medicine 40:4230;
Riley 2022, Statistics in Medicine 41:1280):

- O/E: se(log O/E) = sqrt((1 - f) / (n f)); wanted 0.2 wide around 1 (se 0.051);
- slope: se from the information of the linear predictor, were the model right; wanted 0.4 wide.
  With follow-up, 1 / sqrt(events x variance of the linear predictor);
- C: Newcombe's (2006, Statistics in Medicine 25:559), from n, f and C; wanted 0.1 wide.

These say what to expect of so many events with predictions spread like these, not what was seen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf, sqrt

import numpy as np
import polars as pl

from models.performance.figures import Z
from models.performance.followup import Array

ADVISED = 100
WANTED = {"oe": 0.2, "slope": 0.4, "c": 0.1}
"""The width of the 95 % interval that is of use."""


@dataclass(frozen=True)
class Minimum:
    """How many events there are and how many are advised."""

    events: int
    advised: int = ADVISED
    what: str = "events"
    per_year: float | None = None
    """How many come in a year."""

    @property
    def met(self) -> bool:
        """Tell whether figures may be given."""
        return self.events >= self.advised

    @property
    def words(self) -> str:
        """What is said in place of a figure."""
        return f"too few {self.what}: {self.events}, at least {self.advised} advised"

    def when(self, needed: int) -> str:
        """Say when so many will be there, at the pace given; nothing without one."""
        if not self.per_year or needed <= self.events:
            return ""
        years = ceil((needed - self.events) / self.per_year)
        return f", in about {years} years at {self.per_year:.2g} a year"


def precision(risk: Array, linear: Array, events: float, *, plain: bool) -> pl.DataFrame:
    """Return one row per measure: width expected of its 95 % interval, wanted, events needed.

    `events` are those seen; the expected share with the event is the mean risk. `plain`: an
    outcome known for everybody.
    """
    share = float(np.clip(risk.mean(), 1e-6, 1 - 1e-6))
    c = expected_c(risk)
    errors: dict[str, Callable[[float], float]] = {
        "oe": lambda count: sqrt((1 - share) / count),
        "slope": lambda count: _slope_error(risk, linear, count, share, plain),
        "c": lambda count: newcombe(c, count, count * (1 - share) / share),
    }
    rows = []
    for measure, error in errors.items():
        width = _width(measure, error(events)) if events else inf
        rows.append(
            {
                "measure": measure,
                "width_expected": width if np.isfinite(width) else None,
                "width_wanted": WANTED[measure],
                "events_needed": _needed(measure, error),
            }
        )
    return pl.DataFrame(
        rows, schema_overrides={"width_expected": pl.Float64, "events_needed": pl.Int64}
    )


def _width(measure: str, error: float) -> float:
    return 2 * float(np.sinh(Z * error)) if measure == "oe" else 2 * Z * error


def _needed(measure: str, error: Callable[[float], float]) -> int | None:
    """Return the smallest number of events with the wanted width: errors go with its root."""
    one = error(1e6) * 1e3
    if not np.isfinite(one):
        return None
    wanted = WANTED[measure]
    most = float(np.arcsinh(wanted / 2)) / Z if measure == "oe" else wanted / (2 * Z)
    return ceil((one / most) ** 2)


def _slope_error(risk: Array, linear: Array, events: float, share: float, plain: bool) -> float:
    if not plain:
        spread = float(np.var(linear))
        return 1 / sqrt(events * spread) if spread > 0 else inf
    weight = risk * (1 - risk)
    centre = np.sum(weight * linear) / np.sum(weight)
    information = float(np.mean(weight * (linear - centre) ** 2))
    return 1 / sqrt(events / share * information) if information > 0 else inf


def expected_c(risk: Array) -> float:
    """Return the C that these risks would have, were they right.

    sum over pairs of p_i (1 - p_j) [p_i > p_j], over the same without the bracket.
    """
    p = np.sort(risk)
    no = np.concatenate([[0.0], np.cumsum(1 - p)])
    low, high = np.searchsorted(p, p, "left"), np.searchsorted(p, p, "right")
    right = float(np.sum(p * (no[low] + no[high]) / 2))
    return right / float(p.sum() * (1 - p).sum())


def newcombe(c: float, events: float, others: float) -> float:
    """Return the standard error of C from C and the numbers with and without the event."""
    mean = (events + others) / 2 - 1
    brackets = 1 + mean * (1 - c) / (2 - c) + mean * c / (1 + c)
    return sqrt(max(c * (1 - c) * brackets / (events * others), 0.0))
