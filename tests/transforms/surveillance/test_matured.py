"""What kept predictions come to: whom they are of, over which time, and what is seen of them."""

import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from pytest import approx

from models.spec import library
from tests.models.performance.r import FIXTURES
from transforms.surveillance.drift import of_predictors
from transforms.surveillance.kept import keep, within
from transforms.surveillance.matured import (
    cusums,
    discrimination,
    followed,
    observed_to_expected,
)
from transforms.surveillance.series import Rules, of_predictions, signals, with_earlier
from transforms.surveillance.watching import Watching

OS = library()["jin2025_os"]
INDEX, NIGHT = date(2020, 1, 1), date(2026, 6, 30)
RULES = Rules(NIGHT, Watching(minimum_events=50), 5, 5)
Row = dict[str, Any]


def scored(patients: list[str], model: str = "jin2025_os", **more: Any) -> pl.DataFrame:
    usual: Row = {"survival_3y": 0.9, "survival_5y": 0.8, "survival_10y": 0.5, "points": 100.0}
    usual |= {"status": "scored", "model": model, "probability": None} | more
    return pl.DataFrame([usual | {"patient_id": name} for name in patients])


def features(rows: list[Row]) -> pl.DataFrame:
    usual: Row = {"index_date": INDEX, "os_months": 78.0, "os_event": False}
    return pl.DataFrame([usual | row for row in rows])


A = features([{"patient_id": "A"}])


def test_a_prediction_is_kept_when_it_is_the_first_and_again_after_a_year():
    kept = None
    for night in (date(2023, 1, 5), date(2023, 6, 1), date(2024, 1, 4), date(2024, 1, 5)):
        kept = keep(kept, scored(["A"], points=float(night.month)), A, night)
    assert kept is not None
    assert kept["predicted_on"].to_list() == [date(2023, 1, 5), date(2024, 1, 5)]
    assert within(kept, date(2028, 1, 5), 5)["predicted_on"].to_list() == [date(2024, 1, 5)]


def test_nothing_is_kept_of_who_is_not_scored_or_has_no_index_date():
    bounded = scored(["A"], status="bounded")
    assert keep(None, bounded, A, NIGHT).is_empty()
    undated = A.with_columns(index_date=pl.lit(None, pl.Date))
    assert keep(None, scored(["A"]), undated, NIGHT).is_empty()


def test_no_time_is_counted_twice_and_an_event_counts_once():
    rows = [{"patient_id": "A", "os_months": 60.0, "os_event": True}]
    kept = None
    for night in (date(2022, 1, 1), date(2023, 6, 1)):
        kept = keep(kept, scored(["A"]), features(rows), night)
    assert kept is not None
    seen = observed_to_expected(followed(kept, OS, features(rows)))
    until = 60 / 12
    two = (date(2022, 1, 1) - INDEX).days / 365.25
    between = -np.log(0.9) / 3 * (3 - two) + (-np.log(0.8) + np.log(0.9)) / 2 * (until - 3)
    assert (seen.events, seen.expected) == (1, approx(between, rel=1e-9))


def test_who_died_before_the_night_is_not_asked_about():
    rows = [{"patient_id": "A", "os_months": 12.0, "os_event": True}]
    kept = keep(None, scored(["A"]), features(rows), date(2022, 1, 1))
    assert followed(kept, OS, features(rows)).is_empty()


def cohort(shift: float, seed: int = 1, n: int = 3000) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return kept predictions, and what came when hazards were so many times those predicted."""
    chance = np.random.default_rng(seed)
    rate = 0.03 * np.exp(chance.normal(0, 0.8, n))
    names = [f"P{number}" for number in range(n)]
    start = [INDEX + timedelta(days=int(day)) for day in chance.integers(0, 365 * 5, n)]
    until = np.array([(NIGHT - day).days for day in start]) / 365.25
    time = chance.exponential(1, n) / (rate * shift)
    scores = pl.DataFrame(
        {
            "patient_id": names, "model": "jin2025_os", "status": "scored", "points": rate,
            "survival_3y": np.exp(-3 * rate), "survival_5y": np.exp(-5 * rate),
            "survival_10y": np.exp(-10 * rate), "probability": None, "index_date": start,
        }
    )  # fmt: skip
    came = scores.select(
        "patient_id", "index_date",
        os_months=np.minimum(time, until) * 12, os_event=time <= until,
    )  # fmt: skip
    kept = scores.rename({"index_date": "predicted_on"}).with_columns(index_date="predicted_on")
    return kept.cast({"probability": pl.Float64}), came


def test_right_predictions_have_o_e_of_one_the_c_that_is_told_and_no_signal():
    watched = followed(*_with_model(cohort(1.0)))
    seen, c = observed_to_expected(watched), discrimination(watched, OS)
    assert seen.lower < 1 < seen.upper
    assert c.reference == approx(c.value, abs=0.03)
    kept, came = cohort(1.0)
    rows = of_predictions(kept, [OS], came, RULES)
    assert signals(with_earlier(rows, None, RULES), RULES) == []


def _with_model(made: tuple[pl.DataFrame, pl.DataFrame]) -> tuple[Any, ...]:
    return made[0], OS, made[1]


@pytest.mark.parametrize(("shift", "words"), [(1.5, "more"), (0.6, "fewer")])
def test_a_planted_shift_is_a_signal_in_words(shift: float, words: str):
    kept, came = cohort(shift)
    series = with_earlier(of_predictions(kept, [OS], came, RULES), None, RULES)
    told = signals(series, RULES)
    assert len([said for said in told if f"{words} events than predicted" in said]) == 2
    oe = series.filter(measure="oe").row(0, named=True)
    assert oe["value"] == approx(shift, rel=0.12)


def test_predictions_that_rank_nobody_have_a_c_below_its_limit():
    kept, came = cohort(1.0)
    mixed = came.with_columns(patient_id=came["patient_id"].shuffle(seed=3))
    dated = mixed.drop("index_date").join(came.select("patient_id", "index_date"), on="patient_id")
    series = with_earlier(of_predictions(kept, [OS], dated, RULES), None, RULES)
    c = series.filter(measure="c").row(0, named=True)
    assert c["value"] < c["limit_lower"] < c["reference"]
    assert "were they right" in c["signal"]


def test_quarters_add_up_to_the_whole():
    watched = followed(*_with_model(cohort(1.0)))
    quarters = cusums(watched, RULES.quarters, NIGHT, 1.5)
    whole = observed_to_expected(watched.filter(pl.col("predicted_on") >= RULES.quarters[0]))
    later = cusums(
        watched.filter(pl.col("predicted_on") >= RULES.quarters[0]), RULES.quarters, NIGHT, 1.5
    )
    assert later["expected"].sum() == approx(whole.expected, rel=1e-9)
    assert quarters.height == 21


def test_byar_s_interval_is_near_the_exact_one():
    told = json.loads((FIXTURES / "surveillance.json").read_text())["counts"]
    from transforms.surveillance.matured import _byar

    for events, lower, upper in zip(told["events"], told["lower"], told["upper"], strict=True):
        assert _byar(events) == (approx(lower, abs=0.12), approx(upper, abs=0.12))


def test_with_few_events_there_are_words_and_small_counts_are_left_out():
    kept, came = cohort(0.02, n=800)
    series = with_earlier(of_predictions(kept, [OS], came, RULES), None, RULES)
    oe = series.filter(measure="oe").row(0, named=True)
    events = int(came["os_event"].sum())
    assert 0 < events < 5
    assert (oe["value"], oe["events"], oe["suppressed"]) == (None, None, True)
    assert oe["note"] == "too few events: fewer than 5, at least 50 advised"


def test_earlier_quarters_stay_as_they_were_published_but_cusums_are_made_anew():
    kept, came = cohort(1.0, n=1000)
    before = Rules(date(2026, 3, 31), RULES.watching, 5, 5)
    last = with_earlier(of_predictions(kept, [OS], came, before), None, before)
    series = with_earlier(of_predictions(kept, [OS], came, RULES), last, RULES)
    oe = series.filter(measure="oe").sort("start")
    assert oe["start"].to_list() == [before.quarter, RULES.quarter]
    assert oe.head(1).equals(last.filter(measure="oe"))
    assert series.filter(measure="cusum_more")["until"].unique().to_list() == [NIGHT]
    assert series.select("model", "measure", "start").is_unique().all()


def test_of_a_handful_of_patients_there_is_neither_an_expectation_nor_a_cusum():
    kept, came = cohort(1.0, n=4)
    series = with_earlier(of_predictions(kept, [OS], came, RULES), None, RULES)
    assert set(series["measure"]) == {"oe", "c"}
    assert series.select("patients", "events", "expected", "value").null_count().row(0) == (2,) * 4


def test_drift_is_a_signal_where_who_was_treated_lately_is_of_another_kind():
    def share(lately: float) -> dict[str, Any]:
        late = [INDEX + timedelta(days=2000)] * 200
        sex = ["male" if n < 200 * lately else "female" for n in range(200)]
        early = ["male" if n < 120 else "female" for n in range(400)]
        rows = pl.DataFrame({"index_date": [INDEX] * 400 + late, "sex": early + sex})
        others = pl.DataFrame({"index_date": late, "sex": ["male"] * 200})
        rows = pl.concat([rows, others]).with_row_index("patient_id")
        # Of the same days, and the model is not for them: they do not count.
        scores = rows.select(
            "patient_id",
            model=pl.lit("jin2025_os"),
            status=pl.when(pl.col("patient_id") < 600)
            .then(pl.lit("bounded"))
            .otherwise(pl.lit("ineligible")),
        )
        found = {row["measure"]: row for row in of_predictors(rows, scores, RULES)}
        return found["share_sex_male"]

    assert share(0.38).get("signal") is None
    assert share(0.6)["signal"] == "it was 30% before"
    assert share(0.6)["value"] == approx(0.6)
    few = share(0.01)
    assert (few["suppressed"], few.get("value")) == (True, None)


def test_a_signal_of_a_period_that_is_left_out_is_said_without_its_figure():
    row = {
        "measure": "confirmed_flag",
        "words": "confirmed flag",
        "start": RULES.quarter,
        "until": NIGHT,
        "signal": "worse: unusually few crossings",
        "suppressed": True,
    }
    series = with_earlier([row], None, RULES)
    assert signals(series, RULES) == ["confirmed flag: worse: unusually few crossings"]
