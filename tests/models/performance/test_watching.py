"""CUSUMs, expected events and the C of right predictions, against R and what is known of them."""

import json

import numpy as np
import pytest
from pytest import approx

from models.performance.c_if_right import c_if_right
from models.performance.cusum import cusum, run_length
from models.performance.hazard import expected, hazards
from tests.models.performance.r import CLOSE, FIXTURES

R = json.loads((FIXTURES / "surveillance.json").read_text())


def test_the_paths_of_both_cusums_are_r_s():
    told = R["paths"]
    seen, due = np.array(told["observed"]), np.array(told["expected"])
    assert cusum(seen, due, 1.5) == approx(np.array(told["more"]), abs=CLOSE)
    assert cusum(seen, due, 1 / 1.5) == approx(np.array(told["fewer"]), abs=CLOSE)


@pytest.mark.parametrize("told", R["lengths"])
def test_run_lengths_are_those_of_runs_simulated_in_r(told: dict[str, float]):
    found = run_length(told["ratio"], told["threshold"])
    assert found == approx(told["mean"], abs=3.5 * told["error"])


def runs(ratio: float, shift: float, each: float, seed: int) -> tuple[float, float]:
    """Return the mean expected events until a signal, and its error, looked at every `each`."""
    chance = np.random.default_rng(seed)
    ends = []
    for _ in range(150):
        made, offset = None, 0.0
        while made is None:
            seen = chance.poisson(each * shift, 4000)
            path = cusum(seen, np.full(4000, each), ratio)
            over = np.flatnonzero(path >= 4.5)
            made = offset + (over[0] + 1) * each if len(over) else None
            offset += 4000 * each
        ends.append(made)
    return float(np.mean(ends)), float(np.std(ends) / np.sqrt(len(ends)))


@pytest.mark.parametrize("ratio", [1.5, 1 / 1.5])
def test_without_a_shift_alarms_are_as_rare_as_is_said_and_rarer_with_rarer_looks(ratio: float):
    often, error = runs(ratio, 1.0, 0.05, 1)
    assert often == approx(run_length(ratio, 4.5), abs=4 * error + 0.02 * often)
    rarely, error = runs(ratio, 1.0, 10.0, 2)
    assert rarely > run_length(ratio, 4.5) - 3 * error


def test_a_planted_shift_is_found_soon():
    assert runs(1.5, 1.5, 2.0, 3)[0] < 70
    assert runs(1 / 1.5, 1 / 1.5, 2.0, 4)[0] < 70


def test_expected_events_are_the_integral_of_the_hazard():
    told = {name: np.array(value) for name, value in R["due"].items()}
    found = expected(hazards(told["survivals"]), told["start"], told["end"])
    assert found == approx(told["due"], rel=CLOSE)


def test_the_c_of_right_predictions_is_that_of_patients_simulated_in_r():
    told = R["right"]
    assert c_if_right(np.array(told["hazard"])) == approx(told["c"], abs=3 * told["error"])
    assert c_if_right(np.full(50, 0.2)) == approx(0.5)
