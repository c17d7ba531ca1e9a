"""Weights that stand in for who was censored, and what their estimation adds to an error.

Whether a patient had the event by the horizon h is known for those with an event by then and for
those watched beyond it. Each stands for itself and for the similar patients who were censored
(Graf 1999, Gerds and Schumacher 2006):

    W = 1/G(T-)  with an event of any kind, T <= h        W = 1/G(h)  watched beyond h        0 else

G(T-) and not G(T): a patient is not lost on the day of its own event. The mean of W over those
with the event is exactly Aalen-Johansen's F(h) (without competing events 1 - Kaplan-Meier).

A figure theta that is smooth in weighted means has, with v the derivative of theta by each
patient's weighted share, the influence function

    v W - theta + int_0^h q(u) / pi(u) dM_C(u)      q(u) = mean of v W over T > u,
                                                    pi(u) = share watched for censoring at u,

whose last term is what estimating G adds (M_C: the martingale of censoring). The error of theta is
the root of the mean square over n. Source: Gerds and Schumacher 2006, Biometrical Journal 48:1029;
Blanche et al. 2013, Statistics in Medicine 32:5381.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.performance.curves import LifeTable, before, life_table, step
from models.performance.followup import CENSORED, EVENT, Array, Followup


@dataclass(frozen=True)
class Weights:
    """The weights of one horizon, for patients whose censoring does not hang on anything else."""

    outcomes: Followup
    horizon: float

    @cached_property
    def table(self) -> LifeTable:
        """The life table of all follow-up."""
        return life_table(self.outcomes)

    @cached_property
    def case(self) -> NDArray[np.bool_]:
        """Who had the event by the horizon, the horizon itself included."""
        had = self.outcomes.event == EVENT
        return np.asarray(had & (self.outcomes.time <= self.horizon))

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """Who is known not to have had it: watched beyond the horizon, or a competing event."""
        known = (self.outcomes.time > self.horizon) | (self.outcomes.event != CENSORED)
        return np.asarray(known & ~self.case)

    @cached_property
    def watched_before(self) -> Array:
        """G just before each patient's own time."""
        place = np.searchsorted(self.table.time, self.outcomes.time)
        return before(self.table.watched)[place]

    @cached_property
    def weight(self) -> Array:
        """W of each patient."""
        beyond = self.outcomes.time > self.horizon
        at_horizon = float(step(self.table.time, self.table.watched, self.horizon))
        share = np.where(beyond, at_horizon, self.watched_before)
        known = self.case | self.free
        return np.divide(known, share, out=np.zeros(len(known)), where=known & (share > 0))

    def estimation(self, valued: Array) -> Array:
        """Return what estimating G adds to each patient's influence; `valued` is v W."""
        table, n = self.table, len(self.outcomes)
        place = np.searchsorted(table.time, self.outcomes.time)
        at_time = np.bincount(place, weights=valued, minlength=len(table.time))
        after = at_time[::-1].cumsum()[::-1] - at_time
        eligible = table.at_risk - table.events - table.competing
        hazard = table.censoring_hazard
        inside = (table.time <= self.horizon) & (eligible > 0) & (hazard < 1)
        jump = np.divide(after, eligible * (1 - hazard), out=np.zeros(len(after)), where=inside)
        drift = np.cumsum(jump * hazard)
        own = self.outcomes.event == CENSORED
        # Who has an event at u was not watched for censoring then.
        paid = np.where(own, drift[place], before(drift, 0.0)[place])
        return np.where(own, jump[place], 0.0) - paid if n else np.zeros(0)

    def influence(self, value: Array) -> tuple[float, Array]:
        """Return the weighted mean of `value` and its influence function."""
        valued = value * self.weight
        mean = float(valued.mean())
        return mean, valued - mean + self.estimation(valued)


def error_of(influence: Array, lost: int = 0) -> float:
    """Return the standard error that an influence function implies.

    `lost` degrees of freedom: 0 is Greenwood's error of an incidence, 1 the usual one of a mean.
    """
    n = len(influence)
    return float(np.sqrt(np.sum(influence**2) / n / (n - lost))) if n > lost else np.nan
