"""Liu 2022: whole-number tables of the 16 patterns that meet every published figure.

A Markov chain walks over pairs of tables, one of the 223 patients with RR-DTC and one of the 181
without. A step moves two patients of a table so that every margin stays, and keeps the number at
or above the cut-off. Means then hold; the SDs and the AUC pull a table towards their rounding
windows, and only tables within all of them are kept. Which tables are likelier beforehand is not
published, so three priors are tried: every table alike, and patients who fall into patterns more
or less evenly (Dirichlet-multinomial with 1/2, and multinomial).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.special import gammaln

from models.reconstruction import liu2022

Array = Any
PRIORS = {"every table alike": 1.0, "Dirichlet 1/2": 0.5, "multinomial": np.inf}
CHAINS, STEPS, WARM_UP, EVERY = 400, 3000, 1000, 5
_PULL = 0.25
"""How hard the windows pull: harder, and chains hardly move; softer, and few tables are kept."""
_SD_WINDOW, _AUC_WINDOW = 0.005, 0.0005
"""What rounding leaves open of a printed SD and AUC."""
_SIZES = (liu2022.WITH, liu2022.WITHOUT)


@dataclass(frozen=True)
class Sample:
    """Tables that meet every figure: counts of the 16 patterns with RR-DTC and without."""

    with_rrdtc: Array
    without: Array


def _distance(tables: Array) -> Array:
    """Return how many windows' widths each pair of tables is outside of them; 0 when within."""
    points = liu2022.POINTS
    total = np.zeros(len(tables))
    for group, size in enumerate(_SIZES):
        counts = tables[:, group]
        mean = counts @ points / size
        spread = np.sqrt((counts @ points**2 - size * mean**2) / (size - 1))
        total += _beyond(spread - liu2022.POINTS_SD[group], _SD_WINDOW)
    pairs = tables[:, 0].astype(float) @ liu2022.more_points()
    auc = (pairs * tables[:, 1]).sum(axis=1) / (_SIZES[0] * _SIZES[1])
    return total + _beyond(auc - liu2022.AUC, _AUC_WINDOW)


def _beyond(difference: Array, window: float) -> Array:
    return np.maximum(np.abs(difference) / window - 1, 0)


@cache
def _prior(evenness: float) -> Array:
    """Return, for each count of a pattern, the logarithm of its factor in the prior."""
    counts = np.arange(max(_SIZES) + 1)
    if np.isinf(evenness):
        return -gammaln(counts + 1)
    return gammaln(counts + evenness) - gammaln(counts + 1)


def _start() -> Array:
    """Return, for each chain, whole numbers near the table of maximum entropy, margins exact."""
    best = liu2022.maximum_entropy()
    pair = [
        _whole(shares * size, group)
        for group, (shares, size) in enumerate(
            zip((best.with_rrdtc, best.without), _SIZES, strict=True)
        )
    ]
    return np.repeat(np.array(pair)[None], CHAINS, axis=0)


def _whole(counts: Array, group: int) -> Array:
    """Return whole counts with the same margins, by mixed-integer programming."""
    size = len(counts)
    rows = np.column_stack([liu2022.PATTERNS, liu2022.POINTS >= liu2022.CUTOFF, np.ones(size)]).T
    targets = [of[group] for of in (*liu2022.MARGINS.values(), liu2022.HIGH)] + [_SIZES[group]]
    # Minimise the sum of |whole - counts|, which takes a variable above each difference.
    identity = np.eye(size)
    exact = LinearConstraint(np.hstack([rows, np.zeros_like(rows)]), targets, targets)
    above = LinearConstraint(np.hstack([identity, -identity]), ub=counts)
    below = LinearConstraint(np.hstack([-identity, -identity]), ub=-counts)
    found = milp(
        np.repeat([0.0, 1.0], size),
        integrality=np.repeat([1, 0], size),
        bounds=Bounds(0, np.inf),
        constraints=[exact, above, below],
    )
    return np.round(found.x[:size]).astype(int)


@cache
def sample(prior: str) -> Sample:
    """Return tables sampled under a prior (a name in PRIORS), all within the windows."""
    rng = np.random.default_rng(20260630)
    tables, factors = _start(), _prior(PRIORS[prior])
    away, likely = _distance(tables), factors[tables].sum(axis=(1, 2))
    kept = []
    for step in range(STEPS):
        proposed, possible = _proposed(tables, rng)
        new_away = _distance(proposed)
        new_likely = factors[np.maximum(proposed, 0)].sum(axis=(1, 2))
        gain = new_likely - likely - _PULL * (new_away - away)
        taken = possible & (np.log(rng.random(CHAINS)) < gain)
        tables = np.where(taken[:, None, None], proposed, tables)
        away, likely = np.where(taken, new_away, away), np.where(taken, new_likely, likely)
        if step >= WARM_UP and step % EVERY == 0:
            kept.append(tables[np.equal(away, 0)])
    found = np.concatenate(kept)
    return Sample(found[:, 0], found[:, 1])


def _proposed(tables: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return each chain's next tables, and whether they are possible.

    Two patients, one with a predictor and one without, swap it: no margin changes.
    """
    chains = np.arange(CHAINS)
    group, bit = rng.integers(0, 2, CHAINS), 1 << rng.integers(0, 4, CHAINS)
    one, other = rng.integers(0, 16, (2, CHAINS))
    one, other = one & ~bit, other | bit
    proposed = tables.copy()
    for cell, change in ((one, -1), (one | bit, 1), (other, -1), (other & ~bit, 1)):
        proposed[chains, group, cell] += change
    high = liu2022.POINTS >= liu2022.CUTOFF
    same = (proposed[:, :, high].sum(axis=2) == tables[:, :, high].sum(axis=2)).all(axis=1)
    return proposed, same & (proposed >= 0).all(axis=(1, 2))


def intercepts(tables: Sample) -> Array:
    """Return the intercept of each table: with it, the mean probability is 223 / 404."""
    counts = tables.with_rrdtc + tables.without
    found = np.full(len(counts), -1.7)
    for _ in range(30):
        p = liu2022.logistic(found[:, None] + liu2022.LINEAR_PREDICTOR)
        excess = (counts * p).sum(axis=1) - liu2022.WITH
        found -= excess / (counts * p * (1 - p)).sum(axis=1)
    return found


def refits(tables: Sample) -> Array:
    """Return, per table, intercept and effects of the four binary predictors, fitted to it.

    Newton's method; a table on which it does not converge is left out.
    """
    design = np.column_stack([np.ones(16), liu2022.PATTERNS])
    counts, cases = tables.with_rrdtc + tables.without, tables.with_rrdtc
    found = np.tile([-1.9, 0.6, 1.3, 1.8, 3.4], (len(counts), 1))
    for _ in range(40):
        p = liu2022.logistic(found @ design.T)
        score = (cases - counts * p) @ design
        weight = counts * p * (1 - p)
        information = np.einsum("ni,ij,ik->njk", weight, design, design)
        step = np.linalg.solve(information + 1e-9 * np.eye(5), score[..., None])[..., 0]
        found = np.clip(found + np.clip(step, -1, 1), -8, 8)
    return found[np.abs(step).max(axis=1) < 1e-6]
