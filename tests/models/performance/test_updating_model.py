"""Updating a model file: planted shifts come back, and nothing else changes."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from pytest import approx

from models.performance.updating_model import (
    Terms,
    UpdatedModel,
    Watched,
    update_chance,
    update_survival,
)

BETA = np.array([0.8, -0.6, 0.5])
YEARS = np.array([3.0, 5.0, 10.0])
RATE = np.array([0.03, 0.05, 0.08])
"""The model's hazard in each piece, where all predictors are 0."""
HAZARD = np.cumsum(RATE * [3, 2, 5])
Updater = Callable[..., UpdatedModel]


def followed(
    chance: np.random.Generator, n: int, shift: float = 0, slope: float = 1, turned: bool = False
) -> UpdatedModel:
    """Times on the model's own hazards but for what is planted, seen only from a late entry on."""
    x = chance.normal(size=(n, 3))
    true = slope * (x @ (BETA * [1, -1, 1] if turned else BETA)) + shift
    ends = np.concatenate([[0.0], HAZARD])
    drawn = chance.exponential(1, n) / np.exp(true)
    time = np.interp(drawn, ends, [0, 3, 5, 10], right=99.0)
    entry, last = chance.uniform(0, 4, n), chance.uniform(2, 14, n)
    seen = (time > entry) & (last > entry)
    event = (time <= np.minimum(last, 10))[seen]
    stop = np.minimum(np.minimum(time, last), 10)[seen]
    terms = Terms(x[seen], BETA, np.zeros(seen.sum()))
    return update_survival(Watched(entry[seen], stop, event * 1.0), terms, YEARS, np.exp(-HAZARD))


def chances(
    chance: np.random.Generator, n: int, shift: float = 0, slope: float = 1, turned: bool = False
) -> UpdatedModel:
    """Outcomes of which some are not known, those with a high predictor more often: weighted."""
    x = chance.normal(size=(n, 3))
    true = slope * (x @ (BETA * [1, -1, 1] if turned else BETA)) + shift - 0.5
    y = chance.uniform(size=n) < 1 / (1 + np.exp(-true))
    share = 1 / (1 + np.exp(-1 + 0.7 * x[:, 0]))
    weight = (chance.uniform(size=n) < share) / share
    return update_chance(y * 1.0, weight, Terms(x, BETA, np.zeros(n)), -0.5)


BOTH = pytest.mark.parametrize("updated", [followed, chances])


@BOTH
def test_a_planted_shift_of_everybody_s_risk_is_recovered(updated: Updater) -> None:
    made = updated(np.random.default_rng(1), 4000, shift=0.5)
    assert made.change == "intercept"
    if len(made.constants) == 1:
        assert made.constants[0].lower < 0.0 < made.constants[0].upper
    else:
        true = np.exp(-HAZARD * np.exp(0.5))
        for told, survival in zip(made.constants, true, strict=True):
            assert told.lower < survival < told.upper and told.value == approx(survival, abs=0.05)


@BOTH
def test_predictions_that_are_too_extreme_are_drawn_in(updated: Updater) -> None:
    made = updated(np.random.default_rng(2), 4000, slope=0.6)
    assert made.change == "slope" and made.slope is not None
    assert made.slope.lower < 0.6 < made.slope.upper


@BOTH
def test_a_predictor_that_is_the_other_way_around_is_fitted_anew(updated: Updater) -> None:
    made = updated(np.random.default_rng(3), 4000, turned=True)
    assert made.change == "refit" and made.coefficients is not None
    assert [one.value for one in made.coefficients] == approx([0.8, 0.6, 0.5], abs=0.15)


@BOTH
def test_nothing_is_updated_where_nothing_shifted_but_for_one_in_twenty(updated: Updater) -> None:
    chance = np.random.default_rng(4)
    changes = Counter(updated(chance, 600).change for _ in range(200))
    # 200 tries at 5 %: more than 19 happen once in 300 runs.
    assert 200 - changes["none"] <= 19


def test_a_piece_with_few_events_moves_with_its_neighbour() -> None:
    time = np.concatenate([np.full(40, 2.0), np.full(3, 4.0), np.full(40, 8.0), np.full(60, 10.0)])
    event = np.concatenate([np.ones(83), np.zeros(60)])
    x = np.random.default_rng(5).normal(size=(143, 1))
    terms = Terms(x, np.array([0.1]), np.zeros(143))
    made = update_survival(
        Watched(np.zeros(143), time, event), terms, YEARS, np.array([0.99, 0.9, 0.8])
    )
    assert made.moved_together == ((0.0, 5.0),)


def test_what_is_not_refitted_keeps_its_effect() -> None:
    chance = np.random.default_rng(6)
    x = chance.normal(size=(3000, 2))
    fixed = 1.5 * (chance.uniform(size=3000) < 0.2)
    y = chance.uniform(size=3000) < 1 / (1 + np.exp(-(x @ [0.5, -0.9] + fixed)))
    made = update_chance(y * 1.0, None, Terms(x, np.array([0.5, 0.9]), fixed), 0.0)
    assert made.change == "refit" and made.coefficients is not None
    assert made.constants[0].value == approx(0.0, abs=0.12)
    assert made.coefficients[1].value == approx(-0.9, abs=0.15)
