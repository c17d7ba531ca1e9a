"""Updating a model file on local data by closed testing: what a file can say, and no more.

A survival file has hazards that are constant between its horizons. So has the update: patients
are watched from `entry` to `time` on the model's own clock, the expected events of patient i in
piece j are (H(t_j) - H(t_j-1)) e^lp_i for the share of the piece in which it was watched, and

    log( hazard / the model's ) = a_j                                  baseline
                                = a_j + (b - 1) lp                     baseline and slope
                                = a_j + sum (b_k - the model's) x_k    every coefficient

are Poisson models (see `poisson`). Each is tested by likelihood ratio against every coefficient
free, from the least change on: nothing, baseline, slope; the first that is not rejected at 5 % is
taken. Pieces with fewer than LEAST events move together with their neighbour.

A chance (logistic model) is updated likewise: intercept, slope, every coefficient. Where outcomes
are weighted for censoring the tests are Wald's, with the sandwich covariance.
Source: Vergouwe et al. 2017, Statistics in Medicine 36:4529; see also `updating`.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.linalg import null_space

from models.performance import logistic, poisson
from models.performance.counting import Index
from models.performance.figures import Z
from models.performance.followup import Array
from models.performance.updating import Change, first_kept

LEAST = 10
"""A piece with fewer events has no hazard of its own."""


@dataclass(frozen=True)
class Estimate:
    """An estimate and its 95 % interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Watched:
    """From when to when each patient was watched, on the model's clock, and what ended it."""

    entry: Array
    time: Array
    event: Array


@dataclass(frozen=True)
class Terms:
    """A model on data: its columns and its coefficients of them, and what is not refitted.

    `fixed` is the part of the linear predictor of columns that stay as they are.
    """

    x: Array
    coefficients: Array
    fixed: Array

    @property
    def linear(self) -> Array:
        """What the model adds up of the columns."""
        return np.asarray(self.x @ self.coefficients)


@dataclass(frozen=True)
class UpdatedModel:
    """What was changed and the tests; coefficients of the columns, and constants, anew.

    `constants` are the survival at each horizon, or the intercept alone; both where all columns are
    0. `moved_together` lists the pieces (from, to) that had one multiplier.
    """

    change: Change
    tests: pl.DataFrame
    slope: Estimate | None
    coefficients: list[Estimate] | None
    constants: list[Estimate]
    moved_together: tuple[tuple[float, float], ...] = ()


def update_survival(watched: Watched, terms: Terms, years: Array, survival: Array) -> UpdatedModel:
    """Update a survival model, given by its survival at `years`. Raises NotFitted."""
    ends = np.concatenate([[0.0], years])
    steps = np.diff(np.concatenate([[0.0], -np.log(survival)]))
    inside = np.minimum(watched.time[:, None], ends[1:]) - np.maximum(
        watched.entry[:, None], ends[:-1]
    )
    share = np.maximum(inside, 0.0) / np.diff(ends)
    at = np.searchsorted(ends, watched.time, side="left") - 1
    events = (at[:, None] == np.arange(len(years))) & (watched.event[:, None] == 1)
    groups = _together(events.sum(axis=0))
    rows, pieces = np.nonzero(share > 0)
    expected = share[rows, pieces] * steps[pieces]
    seen = events[rows, pieces] * 1.0
    level = (groups[pieces][:, None] == np.unique(groups)) * 1.0
    designs = _designs(level, terms, rows)
    fits = {
        change: poisson.fit(seen, expected, x, offset) for change, (x, offset) in designs.items()
    }
    change, tests = first_kept(_ratios(fits, level.shape[1], terms.x.shape[1]))
    columns = level.shape[1] if change != "none" else 0
    found = fits[change]
    summed = np.array([np.bincount(groups, weights=steps * (years <= y)) for y in years])
    moved, covariance = found.coefficients[:columns], found.covariance[:columns, :columns]
    hazards = summed @ np.exp(moved) if columns else -np.log(survival)
    slopes = summed * np.exp(moved) if columns else np.zeros((len(years), 0))
    errors = np.sqrt(np.einsum("ij,jk,ik->i", slopes, covariance, slopes))
    wide = np.exp(Z * errors / hazards)
    constants = [
        Estimate(*(float(np.exp(-h * factor)) for factor in (1.0, w, 1 / w)))
        for h, w in zip(hazards, wide, strict=True)
    ]
    together = tuple(
        (float(ends[:-1][groups == g].min()), float(ends[1:][groups == g].max()))
        for g in np.unique(groups)
        if (groups == g).sum() > 1
    )
    return UpdatedModel(change, tests, *_effects(change, found, columns), constants, together)


def _together(events: Index) -> Index:
    """Return which pieces have one multiplier: neighbours, until each group has events enough."""
    groups = np.arange(len(events), dtype=np.int64)
    while len(kept := np.unique(groups)) > 1:
        counts = np.array([events[groups == g].sum() for g in kept])
        if counts.min() >= LEAST:
            break
        few = int(np.argmin(counts))
        groups[groups == kept[few]] = kept[few - 1] if few else kept[1]
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _designs(level: Array, terms: Terms, rows: Index) -> dict[Change, tuple[Array, Array]]:
    """Return the columns and the offset of each degree of change; the levels come first."""
    linear, fixed = terms.linear[rows], terms.fixed[rows]
    return {
        "none": (level[:, :0], fixed + linear),
        "intercept": (level, fixed + linear),
        "slope": (np.column_stack([level, linear]), fixed),
        "refit": (np.column_stack([level, terms.x[rows]]), fixed),
    }


def _ratios(
    fits: dict[Change, poisson.Poisson] | dict[Change, logistic.Logistic],
    levels: int,
    columns: int,
) -> dict[str, tuple[float, int]]:
    """Return each likelihood ratio against every coefficient free, with its degrees."""
    degrees = {"none": levels + columns, "intercept": columns, "slope": columns - 1}
    most = fits["refit"].log_likelihood
    kept: list[Change] = ["none", "intercept", "slope"]
    return {name: (2 * (most - fits[name].log_likelihood), degrees[name]) for name in kept}


def _effects(
    change: Change, found: poisson.Poisson | logistic.Logistic, levels: int
) -> tuple[Estimate | None, list[Estimate] | None]:
    """Return the slope, or the coefficients, that were fitted beside the levels."""
    errors = np.sqrt(np.diag(found.covariance))[levels:]
    each = [
        Estimate(float(b), float(b - Z * e), float(b + Z * e))
        for b, e in zip(found.coefficients[levels:], errors, strict=True)
    ]
    return (
        each[0] if change == "slope" else None,
        each if change == "refit" else None,
    )


def update_chance(
    outcome: Array, weight: Array | None, terms: Terms, intercept: float
) -> UpdatedModel:
    """Update a logistic model; `weight` stands for who was censored. Raises NotFitted."""
    everybody = np.arange(len(outcome), dtype=np.int64)
    designs = _designs(np.ones((len(outcome), 1)), terms, everybody)
    designs["none"] = (designs["none"][0], designs["none"][1] + intercept)
    fits = {
        change: logistic.fit(outcome, x, offset, weight=weight)
        for change, (x, offset) in designs.items()
    }
    if weight is None:
        statistics = _ratios(fits, 1, terms.x.shape[1])
    else:
        statistics = _wald(fits["refit"], terms.coefficients, intercept)
    change, tests = first_kept(statistics)
    found = fits[change]
    if change == "none":
        return UpdatedModel(change, tests, None, None, [Estimate(intercept, intercept, intercept)])
    value, error = found.coefficients[0], np.sqrt(found.covariance[0, 0])
    constant = Estimate(float(value), float(value - Z * error), float(value + Z * error))
    return UpdatedModel(change, tests, *_effects(change, found, 1), [constant])


def _wald(
    fit: logistic.Logistic, coefficients: Array, intercept: float
) -> dict[str, tuple[float, int]]:
    """Return Wald's tests of each smaller change within every coefficient free."""

    def test(kept: Array) -> tuple[float, int]:
        difference = kept @ (fit.coefficients - np.concatenate([[intercept], coefficients]))
        spread = kept @ fit.covariance @ kept.T
        return float(difference @ np.linalg.solve(spread, difference)), len(kept)

    columns = len(coefficients)
    across = null_space(coefficients[None, :]).T
    slope = np.column_stack([np.zeros(len(across)), across])
    everything = np.eye(columns + 1)
    return {
        "none": test(everything),
        "intercept": test(everything[1:]),
        "slope": test(slope) if columns > 1 else (0.0, 0),
    }
