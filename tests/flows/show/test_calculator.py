"""One patient at a time: the page in a real browser and the command say what a night says."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from flows.cli.thyrisk import app
from flows.errors import UsageError
from flows.show.calculator import one_patient, page
from models.engine import score
from models.parts import Model
from models.spec import library
from tests.flows.report.conftest import Open
from tests.models.test_engine import scored
from tests.models.test_interchange import random_patients

MODELS = library()
BOUNDS = ("points", "points_lower", "points_upper")


def asked(model: Model, patients: pl.DataFrame) -> list[dict[str, Any]]:
    """Return what a person would enter: by predictor; what is not finite is not entered."""
    entered = patients.select(
        pl.col(p.feature).alias(p.name)
        if p.levels
        else pl.when(pl.col(p.feature).is_finite()).then(p.feature).alias(p.name)
        for p in model.predictors
    )
    return entered.to_dicts()


@pytest.mark.parametrize("name", list(MODELS))
def test_the_page_computes_what_the_engine_does(name: str, opens: Open, tmp_path: Path) -> None:
    model, path = MODELS[name], tmp_path / "page.html"
    patients = random_patients(model)
    path.write_text(page(model), "utf-8")
    told = opens(path).evaluate("(all) => all.map(calculate)", asked(model, patients))
    for theirs, ours in zip(told, score(patients, model).to_dicts(), strict=True):
        assert (theirs["status"], theirs["risk"]) == (ours["status"], ours["risk"])
        computed = [theirs[bound] for bound in BOUNDS] + theirs["each"]
        wanted = [ours[bound] for bound in BOUNDS]
        wanted += [ours[f"{p.name}_points"] for p in model.predictors]
        for one in theirs["predictions"]:
            computed += [one["value"], one["lower"], one["upper"]]
            wanted += [ours[one["name"] + end] for end in ("", "_lower", "_upper")]
        assert [value is None for value in computed] == [value is None for value in wanted]
        known = [value for value in computed if value is not None]
        assert known == pytest.approx([value for value in wanted if value is not None], rel=1e-12)


def test_the_page_says_what_is_unknown_outside_and_no_number(opens: Open, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(MODELS["jin2025_os"]), "utf-8")
    shown = opens(path)
    assert "Too little is known" in shown.inner_text("[role=status]")
    shown.fill("#of-activity_mci", "many")
    assert shown.inner_text("#told-activity_mci") == "not a number: counted as unknown"
    shown.fill("#of-activity_mci", "300,5")
    assert "outside the 30 to 250" in shown.inner_text("#told-activity_mci")
    for name, value in {"sex": "male", "age_55": "yes", "extent": "lung_and_other"}.items():
        shown.select_option(f"#of-{name}", value)
    assert "Risk: indeterminate" in shown.inner_text("[role=status]")
    assert "points" in shown.inner_text("#points")


def test_one_patient_is_scored_as_in_a_night_and_the_unknown_stays_unknown() -> None:
    given = {"sex": "male", "age_55": "yes", "activity_mci": "150,5"}
    (night,) = scored("jin2025_os", {"sex": "male", "age_55": "yes", "activity_mci": 150.5})
    told = one_patient(MODELS["jin2025_os"], given)
    same = [name for name in night if name not in ("patient_id", "extrapolated", "reasons")]
    assert {name: told[name] for name in same} == {name: night[name] for name in same}
    assert told["status"] == "bounded"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sx": "male"}, "asks for sex, age_55"),
        ({"sex": "m"}, "want one of female, male"),
        ({"activity_mci": "150 mCi"}, "want a number, mCi"),
    ],
)
def test_what_the_model_does_not_know_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        one_patient(MODELS["jin2025_os"], given)


def test_the_command_prints_points_risk_and_what_would_settle_it() -> None:
    ran = CliRunner().invoke(
        app, ["score", "--model", "liu2022_score", "recurrence=yes", "fdg_uptake=negative"]
    )
    assert ran.exit_code == 0, ran.output
    assert "points: 7 to 12" in ran.output
    assert "risk: indeterminate" in ran.output
    assert "to settle it: metastasis sites" in ran.output
