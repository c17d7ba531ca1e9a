"""Updating changes what has shifted, and no more."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from pytest import approx

from models.performance.followup import Followup
from models.performance.updating import Updated, update_followup, update_plain

Updater = Callable[..., Updated]
BETA = np.array([0.8, -0.6, 0.5])


def plain(
    chance: np.random.Generator, n: int, shift: float = 0, slope: float = 1, turned: bool = False
) -> Updated:
    """Outcomes that differ from the model: odds shifted, predictors weaker, one turned around."""
    x = chance.normal(size=(n, 3))
    true = slope * (x @ (BETA * [1, -1, 1] if turned else BETA)) + shift - 0.5
    y = chance.uniform(size=n) < 1 / (1 + np.exp(-true))
    told = 1 / (1 + np.exp(-(x @ BETA - 0.5)))
    return update_plain(y * 1.0, told, pl.DataFrame(x, schema=["a", "b", "c"]))


def followed(
    chance: np.random.Generator, n: int, shift: float = 0, slope: float = 1, turned: bool = False
) -> Updated:
    """The same of hazards, with censoring."""
    x = chance.normal(size=(n, 3))
    true = slope * (x @ (BETA * [1, -1, 1] if turned else BETA)) + shift
    time = chance.exponential(1, n) / (0.1 * np.exp(true))
    end = chance.uniform(1, 10, n)
    outcomes = Followup(np.minimum(time, end), (time <= end).astype(np.int64))
    told = 1 - np.exp(-0.1 * 5 * np.exp(x @ BETA))
    return update_followup(outcomes, told, pl.DataFrame(x, schema=["a", "b", "c"]), 5.0)


BOTH = pytest.mark.parametrize("updated", [plain, followed])


@BOTH
def test_a_planted_shift_of_everybody_s_risk_is_recovered(updated: Updater):
    made = updated(np.random.default_rng(11), 4000, shift=0.5)
    assert made.change == "intercept"
    if made.survival is None:
        assert made.terms.row(0, named=True)["estimate"] == approx(0.5, abs=0.12)
    else:
        # The offset is log(-log(1 - risk)), in which the model's own baseline is.
        assert np.log(-np.log(made.survival)) == approx(0.5, abs=0.12)


@BOTH
def test_predictions_that_are_too_extreme_are_drawn_in(updated: Updater):
    made = updated(np.random.default_rng(2), 4000, slope=0.6)
    assert made.change == "slope"
    slope = made.terms.filter(term="linear_predictor").row(0, named=True)
    assert slope["lower"] < 0.6 < slope["upper"]


@BOTH
def test_a_predictor_that_is_the_other_way_around_is_fitted_anew(updated: Updater):
    made = updated(np.random.default_rng(3), 4000, turned=True)
    assert made.change == "refit"
    found = dict(made.terms.filter(pl.col("term") != "intercept").select("term", "estimate").rows())
    assert [found[name] for name in "abc"] == approx([0.8, 0.6, 0.5], abs=0.15)


@BOTH
def test_nothing_is_updated_where_nothing_shifted_but_for_one_in_twenty(updated: Updater):
    chance = np.random.default_rng(4)
    changes = Counter(updated(chance, 500).change for _ in range(200))
    # 200 tries at 5 %: more than 19 happen once in 300 runs.
    assert 200 - changes["none"] <= 19


def test_the_new_terms_give_the_new_predictions():
    chance = np.random.default_rng(5)
    x = chance.normal(size=(3000, 3))
    time = chance.exponential(1, 3000) / (0.1 * np.exp(x @ (BETA * [1, -1, 1])))
    outcomes = Followup(time, np.ones(3000, dtype=np.int64))
    told = 1 - np.exp(-0.5 * np.exp(x @ BETA))
    made = update_followup(outcomes, told, pl.DataFrame(x, schema=["a", "b", "c"]), 5.0)
    assert made.survival is not None
    again = 1 - made.survival ** np.exp(x @ made.terms["estimate"].to_numpy())
    assert made.prediction == approx(again)
    assert made.prediction.mean() == approx((time <= 5).mean(), abs=0.01)
