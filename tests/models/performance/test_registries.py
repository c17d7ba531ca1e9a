"""The short form of `registries`: right predictions are found right, through the real code."""

from itertools import product

import polars as pl
import pytest

from models.spec import library
from tests.models.performance.registries import coverage
from tests.registry import Registry
from transforms.variables.features import features
from transforms.variables.windows import Windows


@pytest.fixture(scope="module")
def among() -> pl.DataFrame:
    """Return the variables of patients of every kind."""
    made = Registry()
    kinds = product(("female", "male"), (40, 62), (100, 700), ("all", "none"))
    for number, (sex, age, tg, uptake) in enumerate(kinds):
        name = f"P{number:02}"
        made.usual(name, age, sex=sex).metastasis(name, "lung").ct(name).stg(name, tg)
        made.treated(name, uptake=uptake).pet(name, suv_max=3.0 if number % 3 else 1.0)
    tables, aside = made.read()
    names = tables["patients"].select("patient_no", "patient_id")
    return names.join(features(made.record(), aside.lazy(), Windows()), on="patient_no")


@pytest.mark.parametrize(
    ("model", "landmark"), [("jin2025_os", "1"), ("liu2022_nomogram", "paper")]
)
def test_intervals_hold_the_truth_of_a_simulated_registry(
    among: pl.DataFrame, model: str, landmark: str
):
    shares = {
        measure: held
        for measure, held, _ in coverage(among, library()[model], landmark, 10, many=2000, n=300)
    }
    for measure in ("oe", "intercept", "slope"):
        assert shares[measure] >= 0.7, measure
