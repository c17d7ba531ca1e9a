"""The engine against R's rms: the figures of `bench/oracles/rms.R`, kept in fixtures/rms.json."""

import json
from math import exp
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from models.engine import score
from models.spec import Model

RMS: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures" / "rms.json").read_text())
PATIENTS: dict[str, Any] = RMS["patients"]
CENTRES = {"activity": 180.0, "nodule": 0.8}
"""Where the script asks rms for the baseline survival."""


def number(value: float) -> dict[str, Any]:
    return {"value": value, "status": "published", "source": "rms"}


def model_of(family: str) -> Model:
    """Return the model that rms fitted, as a model file would say it."""
    fitted = RMS[family]["model"]
    coefficients = dict(zip(fitted["names"], fitted["coefficients"], strict=True))
    predictors = []
    for name, axis in fitted["axes"].items():
        common = {"name": name, "label": name, "feature": name, "needs": name}
        if name in CENTRES:
            kind = {
                "unit": "units",
                "per_unit": number(exp(coefficients[name])),
                "axis": {"low": number(axis["values"][0]), "high": number(axis["values"][-1])},
                "centre": number(CENTRES[name] if family == "cox" else 0.0),
            }
        else:
            terms = {level: coefficients.get(f"{name}={level}", 0) for level in axis["values"]}
            levels = [
                {"value": level, "label": level, "effect": number(exp(term))}
                for level, term in terms.items()
            ]
            kind = {"levels": levels}
        predictors.append(common | kind)
    about = dict.fromkeys(("title", "citation", "doi", "intended_use", "not_for", "cohort"), "rms")
    own: dict[str, Any] = {"intercept": number(coefficients.get("Intercept", 0))}
    if family == "cox":
        baseline = zip((3, 5, 10), RMS["cox"]["baseline"], strict=True)
        own = {"baseline": [{"years": y, "survival": number(s)} for y, s in baseline]}
        own["cutoff"] = {"points": number(100), "high": ">"}
    named = {"name": family, "family": family, "outcome": "os", "eligibility": []}
    return Model.model_validate(about | named | own | {"predictors": predictors})


@pytest.mark.parametrize("family", ["cox", "logistic"])
def test_points_are_those_of_the_rms_nomogram(family: str) -> None:
    model = model_of(family)
    axes = RMS[family]["model"]["axes"]
    for name, axis in axes.items():
        usual = {other: axes[other]["values"][0] for other in axes}
        rows = [usual | {name: value} | {"patient_id": "x"} for value in axis["values"]]
        points = score(pl.DataFrame(rows, infer_schema_length=None), model)[f"{name}_points"]
        assert points.to_list() == pytest.approx(axis["points"], abs=1e-9)


def test_survival_is_that_of_rms() -> None:
    rows = score(pl.DataFrame(PATIENTS | {"patient_id": PATIENTS["sex"]}), model_of("cox"))
    for horizon in ("survival_3y", "survival_5y", "survival_10y"):
        assert rows[horizon].to_list() == pytest.approx(RMS["cox"][horizon], abs=1e-6)


def test_probability_is_that_of_rms() -> None:
    rows = score(pl.DataFrame(PATIENTS | {"patient_id": PATIENTS["sex"]}), model_of("logistic"))
    expected = RMS["logistic"]["probability"]
    assert rows["probability"].to_list() == pytest.approx(expected, abs=1e-6)


def test_the_oracle_has_a_negative_coefficient_and_a_three_level_factor() -> None:
    fitted = RMS["cox"]["model"]
    assert min(fitted["coefficients"]) < 0
    assert len(fitted["axes"]["uptake"]["values"]) == 3
