"""Concordance: how often, of two patients, the one with the earlier event has the higher risk.

Patients i and j are comparable when i had the event and j was still free of it afterwards: T_j >
T_i, or T_j = T_i and j censored. Two events on one day are no pair; equal risks count one half.

    C = sum_pairs w_i (1[m_i > m_j] + 1/2 1[m_i = m_j]) / sum_pairs w_i

- Harrell's C: w = 1. What it estimates hangs on how patients were censored. (Harrell 1996)
- Uno's C: w_i = 1/G(T_i-)^2, pairs with T_i <= tau; tau is the horizon. (Uno 2011, Statistics in
  Medicine 30:1105.) R's survival has it as timewt = "n/G2". G(T_i-), where some use G(T_i).
- With competing events (Wolbers 2014, Biostatistics 15:526): a patient with one before T_i never
  gets the event, and is comparable too, with w = 1/(G(T_i-) G(T_j-)). tau is the horizon. R's pec
  has 1/(G(T_i-) G(T_i)) for the pairs without one: right only if who is censored on the day of an
  event is no pair with it.

The error: each patient's influence (IF = 2 (c_i - C n_i)/N over ordered pairs, as R's survival has
it), and for Uno's weights what estimating G adds (see `censoring`; R leaves that out).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.performance.censoring import Weights
from models.performance.counting import Index, ranks, sums_below
from models.performance.followup import CENSORED, COMPETING, EVENT, Array, Followup

Side = Literal["left", "right"]


@dataclass(frozen=True)
class Concordance:
    """C, its standard error (also with the weights taken as known), its weighted pairs."""

    c: float
    error: float
    error_known_weights: float
    pairs: float


def harrell(outcomes: Followup, marker: Array) -> Concordance:
    """Return Harrell's C over all the follow-up given; `marker` is higher for worse.

    A competing event counts as censoring: use `uno` where there are any.
    """
    event = np.where(outcomes.event == EVENT, EVENT, CENSORED)
    return _concordance(Followup(outcomes.time, event), marker, np.ones(len(marker)), None)


def uno(outcomes: Followup, marker: Array, tau: float) -> Concordance:
    """Return Uno's C up to and including `tau`; Wolbers' where there are competing events."""
    weights = Weights(outcomes, tau)
    share = weights.watched_before
    inverse = np.divide(1.0, share, out=np.zeros(len(share)), where=share > 0)
    return _concordance(outcomes.cut(tau), marker, inverse, weights)


def _concordance(
    outcomes: Followup, marker: Array, inverse: Array, weights: Weights | None
) -> Concordance:
    rank = ranks(marker)
    # Who is censored on the day of an event comes after it, whoever else was there does not.
    moment = 2 * ranks(outcomes.time) + (outcomes.event == CENSORED)
    event = outcomes.event == EVENT
    competing = np.where(outcomes.event == COMPETING, inverse, 0.0)
    own = np.where(event, inverse, 0.0)
    after = _Pairs(rank, -moment, strict=True).compare(event, own * own, np.ones(len(rank)))
    never = _Pairs(rank, moment, strict=False).compare(event, own, competing)
    total = float(after.own_pairs.sum() + never.own_pairs.sum())
    if total <= 0:
        return Concordance(np.nan, np.nan, np.nan, 0.0)
    c = float(after.own_score.sum() + never.own_score.sum()) / total
    influence = after.residual(c) + never.residual(c)
    known = float(np.sqrt(np.sum(influence**2))) / total
    if weights is not None:
        # A pair's weight holds G twice: at the event's day, or once at either's.
        influence = influence + weights.estimation(2 * after.own(c) + never.residual(c))
    return Concordance(c, float(np.sqrt(np.sum(influence**2))) / total, known, total)


@dataclass(frozen=True)
class _Compared:
    """Weighted sums over each patient's pairs: as the one with the event, and as the other."""

    own_score: Array
    own_pairs: Array
    other_score: Array
    other_pairs: Array

    def own(self, c: float) -> Array:
        return self.own_score - c * self.own_pairs

    def residual(self, c: float) -> Array:
        return self.own(c) + self.other_score - c * self.other_pairs


@dataclass(frozen=True)
class _Pairs:
    """Pairs (i, j) where j comes before i in `place`, strictly or not; i has the event."""

    rank: Index
    place: Index
    strict: bool

    def compare(self, event: Array, first: Array, second: Array) -> _Compared:
        """Sum over pairs weighted by first_i second_j."""
        n = len(self.rank)
        if not second.any():
            return _Compared(*(np.zeros(n) for _ in range(4)))
        own_score, own_pairs = np.zeros(n), np.zeros(n)
        asked, held = np.flatnonzero(event), np.flatnonzero(second)
        side: Side = "left" if self.strict else "right"
        below, total = self._sums(held, second, asked, self.place, side)
        own_score[asked], own_pairs[asked] = first[asked] * below, first[asked] * total
        below, total = self._sums(asked, first, held, -self.place, side)
        other_score, other_pairs = np.zeros(n), np.zeros(n)
        other_score[held] = second[held] * (total - below)
        other_pairs[held] = second[held] * total
        return _Compared(own_score, own_pairs, other_score, other_pairs)

    def _sums(
        self, held: Index, weight: Array, asked: Index, place: Index, side: Side
    ) -> tuple[Array, Array]:
        """Sum, for each asked, the weights held before it: at lower rank (ties half), and all."""
        held = held[np.argsort(place[held], kind="stable")]
        ends = np.searchsorted(place[held], place[asked], side=side)
        rank, bound = self.rank[held], self.rank[asked]
        lower = sums_below(rank, weight[held], ends, bound)
        up_to = sums_below(rank, weight[held], ends, bound + 1)
        total = np.concatenate([[0.0], np.cumsum(weight[held])])[ends]
        return (lower + up_to) / 2, total
