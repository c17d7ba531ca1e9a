"""Published models on the registry's own outcomes: what may be looked at, and from when."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pytest import approx

from flows.errors import UsageError
from flows.job import Job
from flows.landmarks import (
    RECOMPUTED,
    Way,
    cutoff_of,
    model_of,
    predictions,
)
from flows.landmarks import (
    Registry as Known,
)
from flows.landmarks import ways as all_ways
from flows.participants import (
    COMPLETE,
    DIED_BEFORE,
    EVERYBODY,
    HAD_EVENT,
    INELIGIBLE,
    NO_INDEX,
    NO_LANDMARK,
    NOT_FOLLOWED,
    flow_shown,
)
from flows.prospective import PUBLISHED
from flows.replayed import last_night
from flows.secrets import NO_KEYS, Keys
from flows.settings import Settings
from flows.subgroups import Asked
from flows.validation import validate_ways
from models.performance.evaluation import Options
from tests.registry import AS_OF, Registry, days
from transforms.reading.mapping import Mapping
from transforms.variables.windows import Windows

SECOND = days(200)
KEYS = Keys(pseudonym=b"a key of the test, long enough", encryption=bytes(range(32)))


def jin(patient: str, registry: Registry, second: str | None = "none", **cells: Any) -> Registry:
    """Add a patient of Jin's cohort, every predictor known, with a second assessed course."""
    registry.usual(patient, **cells).metastasis(patient, "lung").ct(patient).stg(patient, 100)
    return registry if second is None else registry.treated(patient, SECOND, second)


def ways(model: str, out: Path, keys: Keys) -> dict[str, pl.DataFrame]:
    job = Job(None, out, AS_OF, out / "warehouse.duckdb", Mapping(), Settings(report=False), keys)
    with last_night(job) as known:
        return dict(predictions(model_of(model), known, out, keys))


def known(registry: Registry) -> Known:
    tables, aside = registry.read()
    names = tables["patients"].select("patient_no", "patient_id")
    return Known(registry.record(), aside.lazy(), Windows(), names)


def first_of(model: str, registry: Registry, tmp_path: Path) -> pl.DataFrame:
    return next(predictions(model_of(model), known(registry), tmp_path, NO_KEYS))[1]


def test_the_clock_starts_at_the_second_assessed_course(tmp_path: Path):
    made = first_of("jin2025_os", jin("A", Registry()), tmp_path)
    assert made["horizon"].to_list() == [3.0, 5.0]
    assert made["time"][0] == approx((AS_OF - SECOND).days / 365.25, abs=2e-3)
    assert made["source"].unique().to_list() == [RECOMPUTED]


def test_who_died_before_a_second_course_is_in_the_paper_s_way_alone(tmp_path: Path):
    registry = jin("A", Registry())
    jin("B", registry, second=None, death_date=days(100), last_contact_date=days(100))
    landmark, paper = dict(
        predictions(model_of("jin2025_os"), known(registry), tmp_path, NO_KEYS)
    ).values()
    assert landmark.filter(horizon=3.0).height == 1
    assert paper.filter(horizon=3.0)["event"].sort().to_list() == [0, 1]


def test_nothing_after_the_landmark_changes_the_prediction(tmp_path: Path):
    before = first_of("jin2025_os", jin("A", Registry(), second="all"), tmp_path)
    later = jin("A", Registry(), second="all").treated("A", SECOND + timedelta(1), "none")
    later.metastasis("A", "bone", SECOND + timedelta(1)).event("A", "progression", days(400))
    after = first_of("jin2025_os", later, tmp_path)
    assert after["risk"].to_list() == before["risk"].to_list()
    paper = dict(predictions(model_of("jin2025_os"), known(later), tmp_path, NO_KEYS))["paper"]
    assert paper.filter(horizon=5.0)["risk"][0] != before.filter(horizon=5.0)["risk"][0]


def test_rr_dtc_counts_when_it_is_met_after_the_prediction_and_death_competes(tmp_path: Path):
    registry = Registry()
    for patient, when in (("MET", 300), ("BEFORE", 3), ("DIED", None), ("WELL", None)):
        died = {"death_date": days(500), "last_contact_date": days(500)}
        registry.usual(patient, **(died if patient == "DIED" else {}))
        registry.metastasis(patient, "lung").pet(patient, suv_max=1.0)
        if when:
            registry.event(patient, "progression", days(when))
    made = first_of("liu2022_nomogram", registry, tmp_path).filter(horizon=3.0)
    assert made["event"].sort().to_list() == [0, 1, 2]
    assert made.filter(event=1)["time"][0] == approx((300 - 7) / 365.25, abs=1e-6)


def test_rr_dtc_is_cut_at_ten_points_whichever_of_its_models_is_asked():
    cutoff = cutoff_of(model_of("liu2022_nomogram"))
    assert cutoff is not None and (cutoff.points.value, cutoff.high) == (10, ">=")


@pytest.mark.parametrize(
    ("late", "source", "keys"),
    [(10, PUBLISHED, NO_KEYS), (40, RECOMPUTED, NO_KEYS), (10, PUBLISHED, KEYS)],
)
def test_the_night_published_then_is_what_is_validated(
    late: int, source: str, keys: Keys, night: Any, out: Path, tmp_path: Path
):
    registry = jin("A", Registry(), last_contact_date=SECOND + timedelta(late))
    then = SECOND + timedelta(late)
    night(registry.write(tmp_path / "then"), as_of=then, keys=keys)
    later = jin("A", Registry(), last_contact_date=date(2026, 6, 1))
    night(later.write(tmp_path / "now"), as_of=AS_OF, keys=keys)
    made = ways("jin2025_os", out, keys)["second course"]
    assert made["source"].unique().to_list() == [source]
    start = then if source == PUBLISHED else SECOND
    assert made["time"][0] == approx((date(2026, 6, 1) - start).days / 365.25, abs=2e-3)


def test_each_figure_says_from_when_and_of_which_predictions(tmp_path: Path):
    registry = Registry()
    for number in range(40):
        died = {"death_date": days(300 + 20 * number), "last_contact_date": days(1200)}
        uptake = ("all", "none")[number % 2]
        jin(f"P{number:02}", registry, second=uptake, **(died if number % 3 else {}))
    found = all_ways(model_of("jin2025_os"), known(registry), tmp_path, NO_KEYS)
    asked = Asked(options=Options(minimum_events=5, repeats=0))
    made = validate_ways(found, asked, "the baseline is inferred")
    remarked = made.figures.filter(pl.col("note") == "the baseline is inferred")["measure"]
    assert {"oe", "expected", "brier"} <= set(remarked) and "uno_c" not in set(remarked)
    assert set(made.figures["landmark"]) == {"second course", "paper"}
    assert set(made.figures["predictions"]) == {RECOMPUTED}
    assert made.about["ways"]["second course"] == {RECOMPUTED: 80}
    few = validate_ways([Way("second course", first_of("jin2025_os", registry, tmp_path))], Asked())
    words = few.figures.filter(measure="events")["note"][0]
    assert words.startswith("too few events: ") and " years at " in words


@pytest.mark.parametrize(("published", "shown"), [(12, True), (1, False)])
def test_predictions_of_a_few_published_nights_are_not_told_apart(
    published: int, shown: bool, tmp_path: Path
):
    registry = Registry()
    for number in range(40):
        died = {"death_date": days(900), "last_contact_date": days(900)}
        jin(f"P{number:02}", registry, **(died if number % 2 else {}))
    made = first_of("jin2025_os", registry, tmp_path).sort("horizon", "time")
    place = pl.int_range(pl.len()).over("horizon", "event")
    told = pl.when(place < published / 2).then(pl.lit(PUBLISHED)).otherwise(pl.lit(RECOMPUTED))
    way = Way("second course", made.with_columns(source=told))
    options = Options(minimum_events=2, repeats=0)
    figures = validate_ways([way], Asked(options=options)).figures
    apart = figures.filter(pl.col("predictions") != "both")
    assert apart["n"].is_not_null().any() is shown
    assert apart["suppressed"].any() is not shown
    assert figures.filter(predictions="both")["n"].max() == 40


def flow_of(model: str, registry: Registry, tmp_path: Path, landmark: str) -> dict[str, int]:
    way = next(all_ways(model_of(model), known(registry), tmp_path, NO_KEYS, landmark))
    assert sum(way.flow.values()) == 2 * way.flow[EVERYBODY]
    return {step: count for step, count in way.flow.items() if count and step != EVERYBODY}


def test_who_is_left_out_is_counted_by_the_first_reason_that_holds(tmp_path: Path):
    registry = jin("WELL", Registry())
    jin("DIED", registry, second=None, death_date=days(100), last_contact_date=days(100))
    jin("ONE", registry, second=None)
    jin("LEFT", registry, last_contact_date=SECOND)
    registry.usual("OTHER").treated("OTHER", SECOND, "none")
    assert flow_of("jin2025_os", registry, tmp_path, "second-course") == {
        DIED_BEFORE: 1, NO_LANDMARK: 1, INELIGIBLE: 1, NOT_FOLLOWED: 1, COMPLETE: 1,
    }  # fmt: skip
    assert flow_of("jin2025_os", registry, tmp_path, "1") == {
        HAD_EVENT: 1, NOT_FOLLOWED: 1, INELIGIBLE: 1, COMPLETE: 2,
    }  # fmt: skip


def test_small_counts_of_the_flow_are_left_out_with_what_gives_them_away():
    flow = {EVERYBODY: 60, NO_INDEX: 2, INELIGIBLE: 18, COMPLETE: 40}
    told = {row["step"]: row["patients"] for row in flow_shown(flow, 5)}
    assert told == {EVERYBODY: 60, NO_INDEX: None, INELIGIBLE: None, COMPLETE: 40}


@pytest.mark.parametrize("landmark", ["third-course", "-1", "11", "nan"])
def test_a_landmark_that_is_none_is_refused(landmark: str, tmp_path: Path):
    with pytest.raises(UsageError, match="--landmark"):
        next(all_ways(model_of("jin2025_os"), known(Registry()), tmp_path, NO_KEYS, landmark))
