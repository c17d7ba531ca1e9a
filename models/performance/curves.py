"""Survival, censoring and cumulative incidence by product limit, exact under ties.

At each distinct time u, with Y(u) still watched, d(u) events of any kind and c(u) censored,

    S(t) = prod_{u<=t} 1 - d(u)/Y(u)             Kaplan and Meier 1958
    F(t) = sum_{u<=t} S(u-) d1(u)/Y(u)           Aalen and Johansen 1978: of the first kind
    G(t) = prod_{u<=t} 1 - c(u)/(Y(u) - d(u))    still watched, had nothing happened

Who is censored at u is taken to be watched for whatever happens at u: events come first. G made
by exchanging the two kinds in a Kaplan-Meier curve has Y(u) where Y(u) - d(u) is right, which
differs as soon as an event and a censoring share a day. With this G, S(u-) G(u-) = Y(u)/n.
"""

from dataclasses import dataclass

import numpy as np

from models.performance.followup import COMPETING, EVENT, Array, Followup


@dataclass(frozen=True)
class LifeTable:
    """One element per distinct time, in order."""

    time: Array
    at_risk: Array
    events: Array
    competing: Array
    censored: Array

    @property
    def survival(self) -> Array:
        """S after each time, free of events of any kind."""
        return np.cumprod(1 - (self.events + self.competing) / self.at_risk)

    @property
    def incidence(self) -> Array:
        """F after each time, of the event of interest."""
        return np.cumsum(before(self.survival) * self.events / self.at_risk)

    @property
    def censoring_hazard(self) -> Array:
        """The share censored at each time, of those watched and without an event then."""
        eligible = self.at_risk - self.events - self.competing
        return np.divide(self.censored, eligible, out=np.zeros_like(eligible), where=eligible > 0)

    @property
    def watched(self) -> Array:
        """G after each time."""
        return np.cumprod(1 - self.censoring_hazard)


def life_table(outcomes: Followup) -> LifeTable:
    """Count who is watched, has an event and is censored at each distinct time."""
    times, place = np.unique(outcomes.time, return_inverse=True)

    def count(chosen: Array) -> Array:
        return np.bincount(place, weights=chosen, minlength=len(times)).astype(np.float64)

    events = count(outcomes.event == EVENT)
    competing = count(outcomes.event == COMPETING)
    here = count(np.ones(len(outcomes)))
    at_risk = here[::-1].cumsum()[::-1]
    return LifeTable(times, at_risk, events, competing, here - events - competing)


def before(values: Array, start: float = 1.0) -> Array:
    """Return a step function just before each of its times, from its values after them."""
    return np.concatenate([[start], values[:-1]])


def step(times: Array, values: Array, at: Array | float, start: float = 1.0) -> Array:
    """Return a step function, given by its values after `times`, at other times."""
    return np.concatenate([[start], values])[np.searchsorted(times, at, side="right")]
