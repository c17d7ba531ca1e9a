"""Other systems compute the same: SQL in a real DuckDB, R in a real Rscript."""

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from models.engine import score
from models.interchange import to_json, to_r, to_sql
from models.spec import Model, library
from schemas.features import FEATURES
from tests.models.test_engine import ELIGIBLE

MODELS = library()


MISSING = (None, "?", "M")
"""What the engine, too, takes for missing: nothing, and levels that no model knows."""


def random_patients(model: Model, number: int = 400) -> pl.DataFrame:
    """Return eligible patients with random predictors, a fifth of them missing or invalid."""
    rng = random.Random(7)  # noqa: S311

    def value(predictor: Any) -> Any:
        if predictor.levels:
            known = rng.choice(predictor.levels).value
            return rng.choice(MISSING) if rng.random() < 0.2 else known
        gaps = (None, float("nan"), float("inf"))
        known = rng.uniform(predictor.axis.low.value, predictor.axis.high.value)
        return rng.choice(gaps) if rng.random() < 0.2 else known

    rows = [
        {"patient_id": str(n)} | ELIGIBLE | {p.feature: value(p) for p in model.predictors}
        for n in range(number)
    ]
    text = {p.feature: pl.String for p in model.predictors if p.levels}
    return pl.DataFrame(rows, schema={**FEATURES, **text})


def outputs(scored: pl.DataFrame) -> list[str]:
    wanted = ("points", "probability", "survival")
    return [
        name
        for name, dtype in scored.schema.items()
        if name.startswith(wanted) and dtype == pl.Float64 and "inferred" not in name
    ]


def assert_same(ours: pl.DataFrame, theirs: pl.DataFrame, names: list[str]) -> None:
    for name in names:
        assert theirs[name].is_null().to_list() == ours[name].is_null().to_list(), name
        apart = (theirs[name].cast(pl.Float64) - ours[name]).abs().max()
        assert apart is None or apart <= 1e-12 * max(1.0, ours[name].abs().max() or 1.0), name


@pytest.mark.parametrize("name", list(MODELS))
def test_sql_macros_give_the_same_scores(name: str) -> None:
    model = MODELS[name]
    patients = random_patients(model)
    ours = score(patients, model)
    names = outputs(ours)
    arguments = ", ".join(f'"{p.feature}"' for p in model.predictors)
    with duckdb.connect() as db:
        for statement in db.extract_statements(to_sql(model)):
            db.execute(statement).fetchall()
        db.register("patients", patients.to_arrow())
        columns = ", ".join(f"{name}_{output}({arguments}) AS {output}" for output in names)
        theirs = db.sql(f"SELECT {columns} FROM patients ORDER BY patient_id::INT").pl()
        if model.cutoff:
            risks = db.sql(
                f"SELECT {name}_risk({arguments}) AS risk FROM patients ORDER BY patient_id::INT"
            ).pl()
            assert risks["risk"].to_list() == ours["risk"].cast(pl.String).to_list()
    assert_same(ours, theirs, names)


def test_a_level_that_the_model_does_not_know_is_missing_and_not_the_reference() -> None:
    with duckdb.connect() as db:
        for statement in db.extract_statements(to_sql(MODELS["liu2022_score"])):
            db.execute(statement).fetchall()
        call = "liu2022_score_{}('no', 'no', 'single', 'POSITIVE')"
        (row,) = db.sql(f"SELECT {call.format('points')}, {call.format('risk')}").fetchall()
    assert row == (None, "indeterminate")


def test_a_decimal_column_is_scored_as_a_double() -> None:
    arguments = "'PTC', {}, 'uptake'"
    with duckdb.connect() as db:
        for statement in db.extract_statements(to_sql(MODELS["jin2025_pfs"])):
            db.execute(statement).fetchall()
        for output in ("points", "survival_10y_lower", "risk"):
            exact, double = (
                f"jin2025_pfs_{output}({arguments.format(f'150.25::{kind}')})"
                for kind in ("DECIMAL(18, 3)", "DOUBLE")
            )
            ((of_exact, of_double),) = db.sql(f"SELECT {exact}, {double}").fetchall()
            assert of_exact == of_double is not None


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
@pytest.mark.parametrize("name", list(MODELS))
def test_the_r_function_gives_the_same_scores(name: str, tmp_path: Path) -> None:
    model = MODELS[name]
    patients = random_patients(model)
    ours = score(patients, model)
    columns = {p.name: p.feature for p in model.predictors}
    patients.select(**columns).write_csv(tmp_path / "in.csv", float_precision=17)
    arguments = ", ".join(f"d${name}" for name in columns)
    script = to_r(model) + (
        f"d <- read.csv('{tmp_path}/in.csv', na.strings = '', stringsAsFactors = FALSE)\n"
        f"r <- {name}({arguments})\n"
        f"r[] <- lapply(r, function(x) if (is.numeric(x)) sprintf('%.17g', x) else x)\n"
        f"write.csv(r, '{tmp_path}/out.csv', row.names = FALSE, na = '')\n"
    )
    (tmp_path / "score.R").write_text(script)
    subprocess.run(["Rscript", "--vanilla", str(tmp_path / "score.R")], check=True)
    theirs = pl.read_csv(tmp_path / "out.csv", null_values=["NA"], infer_schema_length=None)
    assert_same(ours, theirs, outputs(ours))


@pytest.mark.parametrize("name", list(MODELS))
def test_the_json_is_the_whole_model(name: str) -> None:
    model = MODELS[name]
    assert Model.model_validate(json.loads(to_json(model))) == model
