"""`thyrisk validate --predictions`: what it reads, says, leaves out and writes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pytest import approx

from flows.errors import NightRefused, UsageError
from flows.predictions import read_predictions
from flows.subgroups import COLUMNS, LOWER, POOLED, UPPER, Asked
from flows.updating import update
from flows.validation import as_json, validate
from models.performance.evaluation import Options
from tests.models.performance.r import AT_HORIZON, FIXTURES, data

QUICK = Options(minimum_events=50, repeats=0)


def figure(figures: pl.DataFrame, measure: str, **where: object) -> dict[str, object]:
    everybody = {"by": None, "patients": "complete"} | where
    for name, value in everybody.items():
        figures = figures.filter(pl.col(name).eq_missing(pl.lit(value)))
    return figures.filter(measure=measure).row(0, named=True)


def test_a_file_becomes_figures_as_parquet_and_json(tmp_path: Path):
    done = subprocess.run(
        [
            Path(sys.executable).with_name("thyrisk"), "validate",
            "--predictions", FIXTURES / "gbsg.csv", "--horizon", "5", "--repeats", "0",
            "--to", tmp_path / "made",
        ],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = pl.read_parquet(tmp_path / "made" / "validation.parquet")
    assert figures.columns == list(COLUMNS)
    assert figure(figures, "harrell_c")["estimate"] == approx(0.652371, abs=5e-7)
    told = json.loads((tmp_path / "made" / "validation.json").read_text())
    assert len(told["figures"]) == len(figures)
    assert {"calibration_curve", "decision_curve", "groups"} <= set(told)
    assert (tmp_path / "made" / "validation.parquet").stat().st_mode & 0o077 == 0


def test_with_too_few_events_there_are_words_and_no_figure():
    made = validate(data("few"), Asked(horizons=(12.0,)))
    assert made.figures["estimate"].null_count() == len(made.figures)
    assert figure(made.figures, "events")["note"] == "too few events: 7, at least 100 advised"
    assert "events" in str(figure(made.figures, "slope")["note"])
    assert not made.curves


def test_a_column_of_horizons_gives_the_figures_of_each():
    gbsg = data("gbsg")
    later = gbsg.with_columns(horizon=pl.lit(5.0))
    earlier = gbsg.with_columns(horizon=pl.lit(3.0), risk=pl.col("risk") * 0.7)
    made = validate(pl.concat([earlier, later]), Asked(options=QUICK)).figures
    assert figure(made, "brier", horizon=5.0)["estimate"] == approx(AT_HORIZON["gbsg"]["brier"])
    assert figure(made, "brier", horizon=3.0)["estimate"] != approx(AT_HORIZON["gbsg"]["brier"])


def test_subgroups_have_figures_of_their_own_and_a_summary_over_them():
    gbsg = data("gbsg")
    made = validate(gbsg, Asked(by=("group",), horizons=(5.0,), options=QUICK)).figures
    alone = validate(gbsg.filter(group="1"), Asked(horizons=(5.0,), options=QUICK)).figures
    of_level = figure(made, "uno_c", by="group", level="1")
    assert of_level["estimate"] == figure(alone, "uno_c")["estimate"]
    assert (of_level["n"], of_level["events"]) == (246, 86)
    pooled = figure(made, "uno_c", by="group", level=POOLED)
    assert 0.61 < float(str(pooled["estimate"])) < 0.68


def test_a_small_subgroup_is_left_out_and_so_is_what_it_could_be_subtracted_from():
    gbsg = data("gbsg").with_row_index()
    small = pl.when(pl.col("index") < 3).then(pl.lit("small"))
    gbsg = gbsg.with_columns(
        centre=small.when(pl.col("index") < 200).then(pl.lit("next")).otherwise(pl.lit("big"))
    )
    made = validate(gbsg, Asked(by=("centre",), horizons=(5.0,), options=QUICK))
    hidden = made.figures.filter("suppressed")
    assert sorted(hidden["level"].to_list()) == ["next", "small"]
    assert hidden.select("estimate", "n", "events").null_count().row(0) == (2, 2, 2)
    assert figure(made.figures, "uno_c", by="centre", level="big")["n"] == 486


def test_no_curve_shows_a_handful_of_patients():
    made = validate(data("gbsg"), Asked(horizons=(5.0,), options=QUICK))
    decisions = made.curves["decision_curve"]
    above = decisions.drop_nulls("above")["above"]
    assert not above.is_between(1, 4).any()
    assert not (686 - above).is_between(1, 4).any()
    assert decisions["above"].null_count() > 0
    assert made.curves["calibration_curve"].height == 99


def test_patients_with_bounds_give_the_range_of_the_figures():
    gbsg = data("gbsg").drop("linear_predictor").with_row_index()
    bounded = gbsg.with_columns(
        risk_lower=pl.col("risk") * 0.5,
        risk_upper=pl.col("risk") * 0.5 + 0.5,
        risk=pl.when(pl.col("index") >= 100).then("risk"),
    )
    made = validate(bounded, Asked(horizons=(5.0,), options=QUICK)).figures
    complete, low, high = (
        figure(made, "oe", patients=which) for which in ("complete", LOWER, UPPER)
    )
    assert (complete["n"], low["n"], high["n"]) == (586, 686, 686)
    full = figure(validate(gbsg, Asked(horizons=(5.0,), options=QUICK)).figures, "oe")
    assert float(str(high["estimate"])) < float(str(full["estimate"])) < float(str(low["estimate"]))


def test_the_same_table_gives_the_same_bytes():
    asked = Asked(by=("group",), horizons=(5.0,), options=Options(minimum_events=50, repeats=20))
    assert as_json(validate(data("gbsg"), asked)) == as_json(validate(data("gbsg"), asked))


def test_columns_of_another_name_are_renamed(tmp_path: Path):
    path = tmp_path / "theirs.csv"
    data("gbsg").rename({"time": "years", "event": "died"}).write_csv(path)
    read = read_predictions(path, {"years": "time", "died": "event"})
    assert read.columns == data("gbsg").columns
    with pytest.raises(UsageError, match="no column weeks"):
        read_predictions(path, {"weeks": "time"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"time": -1.0}, "column time: negative"),
        ({"event": 7}, "column event"),
        ({"risk": 1.2}, "column risk"),
        ({"time": None}, "column time: empty"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_without_its_cells(
    change: dict[str, object], said: str
):
    wrong = data("gbsg").with_row_index()
    wrong = wrong.with_columns(
        pl.when(pl.col("index") == 7).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in change.items()
    )
    with pytest.raises(NightRefused, match=said) as refused:
        validate(wrong, Asked(horizons=(5.0,), options=QUICK))
    assert "1.2" not in str(refused.value)


def test_risks_without_a_horizon_are_refused():
    with pytest.raises(NightRefused, match="by when"):
        validate(data("gbsg"), Asked(options=QUICK))


def test_a_night_imports_nothing_that_only_a_validation_needs():
    code = (
        "import sys, flows.night, flows.cli.thyrisk;"
        "print([m for m in sys.modules if m.startswith(('scipy', 'models.performance.eval'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_events_over_summed_risks_is_not_what_is_said_of_the_censored():
    gbsg = data("gbsg")
    events = ((gbsg["event"] == 1) & (gbsg["time"] <= 5)).sum()
    naive = events / float(np.sum(gbsg["risk"].to_numpy()))
    oe = figure(validate(gbsg, Asked(horizons=(5.0,), options=QUICK)).figures, "oe")
    assert naive == approx(0.83, abs=5e-3)
    assert oe["estimate"] == approx(1.02, abs=5e-3)


def shifted(tmp_path: Path) -> Path:
    chance = np.random.default_rng(1)
    a, b = chance.normal(size=(2, 1500))
    p = 1 / (1 + np.exp(-(a - b)))
    y = chance.uniform(size=1500) < 1 / (1 + np.exp(-(a - b - 0.8)))
    path = tmp_path / "scored.parquet"
    pl.DataFrame({"y": y.astype(int), "p": p, "a": a, "b": b}).write_parquet(path)
    return path


def test_an_update_is_written_beside_what_it_was_before(tmp_path: Path):
    done = subprocess.run(
        [
            Path(sys.executable).with_name("thyrisk"), "update",
            "--predictions", shifted(tmp_path), "--predictors", "a,b", "--to", tmp_path,
        ],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "update.json").read_text())
    assert (made["status"], made["change"]) == ("local", "intercept")
    assert made["terms"][0]["estimate"] == approx(-0.8, abs=0.2)
    oe = {when: {f["measure"]: f["estimate"] for f in made[when]}["oe"] for when in made if
          when in ("before", "after_on_the_same_data")}  # fmt: skip
    assert oe["before"] < 0.85
    assert oe["after_on_the_same_data"] == approx(1, abs=1e-6)


def test_with_too_few_events_nothing_is_updated(tmp_path: Path):
    frame = read_predictions(shifted(tmp_path), {}).head(60)
    with pytest.raises(NightRefused, match="nothing was updated"):
        update(frame, ["a", "b"], None, 100)


def test_competing_events_are_not_updated_as_if_there_were_none():
    with pytest.raises(NightRefused, match="competing"):
        update(data("mgus"), ["linear_predictor"], 120.0, 10)


def test_a_linear_predictor_alone_has_a_c_and_a_slope_and_no_calibration():
    gbsg = data("gbsg").drop("risk", "group")
    made = validate(gbsg, Asked(horizons=(3.0, 5.0), options=QUICK)).figures
    assert figure(made, "slope", horizon=5.0)["estimate"] == approx(AT_HORIZON["gbsg"]["slope"])
    assert figure(made, "auc", horizon=3.0)["estimate"] is not None
    assert made.filter(pl.col("measure").is_in(["oe", "brier", "ici"])).is_empty()


def test_an_event_may_be_a_boolean_and_files_may_be_parquet(tmp_path: Path):
    gbsg = data("gbsg").with_columns(pl.col("event") == 1, pl.col("risk").cast(pl.Float32))
    gbsg.write_parquet(tmp_path / "scored.parquet")
    read = read_predictions(tmp_path / "scored.parquet", {})
    made = validate(read, Asked(horizons=(5.0,), options=QUICK)).figures
    assert figure(made, "harrell_c")["estimate"] == approx(0.652371, abs=5e-7)
