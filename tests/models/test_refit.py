"""What a refit says of a patient, by hand."""

from math import exp, log

import pytest

from models.refit import refitted
from models.spec import library

NOMOGRAM = library()["liu2022_nomogram"]
PATIENT = {"age_48": "yes", "recurrence": "yes", "site_count": "single", "fdg_uptake": "negative"}


def of(odds: float) -> float:
    return 1 / (1 + exp(-odds))


def test_it_takes_the_refits_effects_and_else_the_published_ones() -> None:
    refit = NOMOGRAM.refit
    assert refit and NOMOGRAM.intercept
    effects = {p.name: {lv.value: lv.effect.value for lv in p.levels} for p in NOMOGRAM.predictors}
    published = sum(log(effects[name][level]) for name, level in PATIENT.items())
    anew = sum(
        log(refit.effects[name][level].value if level in refit.effects.get(name, {}) else
            effects[name][level])
        for name, level in PATIENT.items()
    )  # fmt: skip
    found = refitted(NOMOGRAM, PATIENT)
    assert found == pytest.approx(
        (of(NOMOGRAM.intercept.value + published), of(refit.intercept.value + anew))
    )
    assert found and found[0] != found[1]


@pytest.mark.parametrize("name", list(PATIENT))
def test_with_a_gap_there_is_none(name: str) -> None:
    assert refitted(NOMOGRAM, PATIENT | {name: None}) is None
    assert refitted(NOMOGRAM, {k: v for k, v in PATIENT.items() if k != name}) is None


def test_a_model_without_a_refit_has_none() -> None:
    assert refitted(library()["liu2022_score"], PATIENT) is None
