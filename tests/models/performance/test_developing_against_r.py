"""Development against R's survival and glm, on public data with heavy ties and late entry."""

import json

import numpy as np
import polars as pl
import pytest
from pytest import approx

from models.performance.followup import Array, Followup
from models.performance.optimism import resample, samples
from models.performance.proportional import baseline, proportional
from models.performance.selecting import (
    Chance,
    Outcome,
    Steps,
    Survival,
    Term,
    columns_of,
    ridge,
    selected,
)
from tests.models.performance.r import FIXTURES

R = json.loads((FIXTURES / "developing.json").read_text())
LUNG = pl.read_csv(FIXTURES / "lung.csv")
COLUMNS = ("age", "male", "ecog1", "ecog2", "karno", "loss")
X = LUNG.select(COLUMNS).cast(pl.Float64).to_numpy()
TERMS = [
    Term("age", (0,)),
    Term("male", (1,)),
    Term("ecog", (2, 3)),
    Term("karno", (4,)),
    Term("loss", (5,)),
]
STEPS = {"survival": Steps(0.05, 0.05), "chance": Steps(0.05, 0.1)}
CLOSE = {"rel": 1e-6, "abs": 1e-8}


def values(name: str) -> Array:
    return LUNG[name].cast(pl.Float64).to_numpy()


OUTCOMES = Followup(values("time"), LUNG["event"].to_numpy())
OF: dict[str, Outcome] = {
    "survival": Survival(OUTCOMES, values("entry")),
    "chance": Chance(values("dead")),
}


@pytest.mark.parametrize("which", ["plain", "late"])
def test_cox_with_late_entry_proportional_hazards_and_baseline(which: str) -> None:
    entry = values("entry") if which == "late" else np.full(len(LUNG), -1.0)
    x, said = X[:, :4], R[which]
    outcome = Survival(OUTCOMES, entry)
    fitted = outcome.cox(x)
    assert fitted.coefficients == approx(said["coefficients"], **CLOSE)
    assert np.sqrt(np.diag(fitted.covariance)) == approx(said["errors"], **CLOSE)
    assert fitted.log_likelihood == approx(said["log_likelihood"], **CLOSE)
    terms = [(t.name, t.columns) for t in TERMS[:3]]
    tests = proportional(OUTCOMES, x, fitted, terms, entry)
    assert tests["chi2"].to_list() == approx(said["zph_chi2"], **CLOSE)
    assert tests["p_value"].to_list() == approx(said["zph_p"], **CLOSE)
    assert tests["degrees"].to_list() == said["zph_df"]
    shifted = x - [60, 0, 0, 0]
    again = outcome.cox(shifted)
    told = baseline(OUTCOMES, shifted, again, [6, 12, 24], entry)
    for name in ("survival", "lower", "upper"):
        assert told[name].to_list() == approx(said[name], **CLOSE)


@pytest.mark.parametrize("family", ["survival", "chance"])
def test_univariable_and_stepwise_selection(family: str) -> None:
    alone, kept, _ = selected(OF[family], X, TERMS, STEPS[family])
    assert [one.p_value for one in alone] == approx(R[family]["alone"], **CLOSE)
    assert [term.name for term in kept] == R[family]["kept"]
    fitted = OF[family].fit(X[:, columns_of(kept)])
    told = list(fitted.coefficients)
    errors = list(np.sqrt(np.diag(fitted.covariance)))
    if family == "chance":
        told, errors = [fitted.intercept, *told], [fitted.intercept_error, *errors]
    assert told == approx(R[family]["coefficients"], **CLOSE)
    assert errors == approx(R[family]["errors"], **CLOSE)


@pytest.mark.parametrize("family", ["survival", "chance"])
def test_what_was_too_good_in_samples_that_repeat_the_selection(
    family: str,
) -> None:
    rows = [np.array(one) for one in R["samples"]]
    made = resample(OF[family], X, TERMS, STEPS[family], 10.0, rows)
    said = np.array(R[family]["too_good"]).mean(axis=0)
    assert [one.optimism for one in made.figures] == approx(said, **CLOSE)
    assert made.figures[1].apparent == approx(1.0, abs=1e-9)


def test_ridge_shrinks_and_keeps_every_candidate() -> None:
    for outcome in OF.values():
        shrunk, plain = ridge(outcome, X[:, :3]), outcome.fit(X[:, :3])
        assert 0 < np.abs(shrunk.fitted.coefficients).sum() < np.abs(plain.coefficients).sum()


def test_what_looks_good_by_chance_is_corrected_away() -> None:
    chance = np.random.default_rng(7)
    x = chance.normal(size=(200, 5))
    terms = [Term(f"x{n}", (n,)) for n in range(5)]
    outcome = Chance((chance.uniform(size=200) < 0.5) * 1.0)
    _, kept, _ = selected(outcome, x, terms, Steps(0.3, 0.3))
    assert kept
    c = resample(outcome, x, terms, Steps(0.3, 0.3), 1.0, samples(200, 20)).figures[0]
    assert c.apparent > 0.52 and c.corrected < c.apparent - 0.02
