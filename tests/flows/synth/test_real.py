"""A synthetic registry looks like one: shares, odds, hazards, and rows that hang together."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flows.synth import synthesise
from flows.synth.columns import END
from flows.synth.real import Drawn, draw_registry, truth_of
from flows.synth.real.illness import draw_illness
from flows.synth.real.people import draw_people
from flows.synth.real.rows import as_known
from models.engine import score
from models.performance.curves import life_table, step
from models.performance.followup import followup
from models.performance.logistic import fit
from models.spec import library
from schemas.registry import EVENT_TABLES

EXAMPLES = Path(__file__).parents[3] / "examples" / "export"


@pytest.fixture(scope="module")
def many() -> pl.DataFrame:
    """Return the truth about a draw large enough for odds and survival."""
    people = draw_people(150_000, np.random.default_rng(5))
    return truth_of(people, draw_illness(people, np.random.default_rng(6)))


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return draw_registry(2500, seed=11)


@pytest.fixture(scope="module")
def export(drawn: Drawn) -> dict[str, pl.DataFrame]:
    return as_known(drawn.tables, END)


def day(name: str) -> pl.Expr:
    return pl.col(name).str.to_date()


def test_one_in_sixteen_has_distant_metastases_and_one_in_six_nodal_ones(
    many: pl.DataFrame,
) -> None:
    assert 0.05 <= many["distant"].mean() <= 0.07
    assert 0.15 <= many["nodal"].mean() <= 0.20
    assert not (many["distant"] & many["nodal"]).any()


def test_rrdtc_is_only_where_lesions_are_left(many: pl.DataFrame) -> None:
    fated = many.filter(pl.col("rrdtc_criterion").is_not_null())
    assert fated["lesions_left"].all()
    assert 0.03 < fated.height / many.height < 0.09


def test_the_predictors_of_rrdtc_have_the_published_odds(many: pl.DataFrame) -> None:
    model = library()["liu2022_nomogram"]
    lesions = many.filter("lesions_left")
    columns, published = [np.ones(lesions.height)], []
    for predictor in model.predictors:
        level = predictor.levels[1]
        columns.append((lesions[predictor.feature] == level.value).to_numpy().astype(float))
        published.append(np.log(level.effect.value))
    outcome = lesions["rrdtc_criterion"].is_not_null().to_numpy().astype(float)
    found = fit(outcome, np.column_stack(columns), np.zeros(lesions.height)).coefficients
    assert model.intercept is not None
    assert found == pytest.approx([model.intercept.value, *published], abs=0.25)


def test_patients_with_lung_metastases_die_as_the_model_predicts(many: pl.DataFrame) -> None:
    lung = many.filter(pl.col("os_linear_predictor").is_not_null()).with_columns(
        dtc=True, has_index=True, age_at_index=50, lung_timing=pl.lit("in_time")
    )
    predicted = score(lung, library()["jin2025_os"])
    watched = lung.with_columns(time=pl.col("watched_days") / 365.25, event="died")
    for group in (["low"], ["high"], ["low", "high"]):
        chosen = predicted["risk"].cast(pl.String).is_in(group)
        table = life_table(followup(watched.filter(chosen)))
        for years in (3, 5, 10):
            mean = predicted.filter(chosen)[f"survival_{years}y"].mean()
            assert step(table.time, table.survival, float(years)) == pytest.approx(mean, abs=0.03)


def test_few_others_die(many: pl.DataFrame) -> None:
    others = many.filter(pl.col("os_linear_predictor").is_null())
    assert 0 < others["died"].mean() < 0.04


def test_nothing_happens_before_the_diagnosis_after_death_or_after_the_extraction(
    export: dict[str, pl.DataFrame],
) -> None:
    lives = export["diagnoses"].select("patient_id", diagnosed=day("diagnosis_date"))
    lives = lives.join(export["patients"], on="patient_id")
    for name, table in EVENT_TABLES.items():
        if name not in export:
            continue
        rows = export[name].join(lives, on="patient_id", how="left")
        when, until = day(table.date or ""), pl.min_horizontal(day("death_date"), pl.lit(END))
        assert rows.filter(when > until).is_empty(), name
        assert rows.filter((when < pl.col("diagnosed")).fill_null(True)).is_empty(), name
        assert rows.filter(when > day("last_contact_date")).is_empty(), name


def test_a_progression_is_a_ct_with_pd_and_thyroglobulin_rises(
    export: dict[str, pl.DataFrame],
) -> None:
    progressed = export["events"].filter(pl.col("type") == "progression")
    seen = export["imaging"].filter(pl.col("recist") == "PD")
    same = progressed.join(
        seen, left_on=["patient_id", "event_date"], right_on=["patient_id", "study_date"]
    )
    late = progressed.join(seen, on="patient_id", how="anti")
    assert same.height + late.height == progressed.height
    assert late.height < 0.05 * progressed.height, "the row of a CT may be late"
    tg = _suppressed(export).join(progressed, on="patient_id")
    before = tg.filter(pl.col("day") < day("event_date") - pl.duration(days=300))
    after = tg.filter(pl.col("day") > day("event_date") + pl.duration(days=300))
    assert _middle(after) > 2 * _middle(before)


def test_thyroglobulin_is_low_in_complete_response(
    export: dict[str, pl.DataFrame], drawn: Drawn
) -> None:
    lesions = drawn.truth.filter("lesions_left").select("patient_id")
    complete = export["imaging"].filter(pl.col("recist") == "CR").join(lesions, on="patient_id")
    first = complete.group_by("patient_id").agg(since=day("study_date").min())
    tg = _suppressed(export).join(first, on="patient_id").filter(pl.col("day") > pl.col("since"))
    assert tg["value"].median() < 0.3


def _suppressed(export: dict[str, pl.DataFrame]) -> pl.DataFrame:
    tg = export["labs"].filter(pl.col("analyte") == "Tg", pl.col("stimulated") == "no")
    return tg.with_columns(pl.col("value").cast(pl.Float64), day=day("sample_date"))


def _middle(tg: pl.DataFrame) -> float:
    by_patient = tg.group_by("patient_id").agg(pl.col("value").median())
    return float(np.exp(by_patient["value"].log().mean()))  # type: ignore[arg-type]


def test_samples_are_stimulated_before_courses_and_once_where_no_lesions_are_left(
    export: dict[str, pl.DataFrame], drawn: Drawn
) -> None:
    labs = export["labs"].with_columns(day=day("sample_date"))
    high = labs.filter(pl.col("analyte") == "TSH", pl.col("value").cast(pl.Float64) >= 30)
    days = drawn.tables["i131_treatments"].select(
        "patient_id", pl.col("treatment_date").alias("day"), course="treatment_date"
    )
    near = high.sort("day").join_asof(
        days.sort("day"), on="day", by="patient_id", strategy="forward", check_sortedness=False
    )
    without = near.filter((pl.col("course") - pl.col("day") > timedelta(days=3)).fill_null(True))
    lesions = drawn.truth.filter("lesions_left")["patient_id"]
    assert 0 < without.height < near.height
    lost = without.filter(pl.col("patient_id").is_in(lesions.implode()))
    assert lost.height < 0.01 * near.height, "the patient died or left before the course"
    assert without["patient_id"].value_counts()["count"].max() == 1


def test_centres_differ(drawn: Drawn) -> None:
    patients = drawn.tables["patients"].join(drawn.truth, on="patient_id").filter("lesions_left")
    pet = drawn.tables["imaging"].filter(pl.col("modality") == "FDG_PETCT")
    has = patients.join(pet.select("patient_id").unique().with_columns(pet=1), "patient_id", "left")
    share = has.group_by("centre").agg(pl.col("pet").fill_null(0).mean())
    by_centre = dict(share.iter_rows())
    assert by_centre["C01"] - by_centre["C05"] > 0.15


def test_some_patients_are_lost_to_follow_up(export: dict[str, pl.DataFrame]) -> None:
    alive = export["patients"].filter(pl.col("death_date").is_null())
    gone = alive.filter(day("last_contact_date") < pl.lit(END) - pl.duration(days=730))
    assert 0.1 < gone.height / alive.height < 0.5


def test_a_later_export_has_every_row_of_an_earlier_one(drawn: Drawn) -> None:
    early, late = (as_known(drawn.tables, when) for when in (date(2026, 5, 5), END))
    for name in EVENT_TABLES.keys() & early.keys():
        assert (
            early[name]
            .join(late[name], on=early[name].columns, how="anti", nulls_equal=True)
            .is_empty()
        )
        assert early[name].height < late[name].height
    both = early["patients"].join(late["patients"], on="patient_id", how="left")
    assert both.select((day("last_contact_date_right") >= day("last_contact_date")).all()).item()
    assert early["patients"].select((day("last_contact_date") <= date(2026, 5, 5)).all()).item()


def test_the_same_seed_gives_the_same_registry() -> None:
    one, two, other = (synthesise(120, seed, 0.02, stress=False) for seed in (3, 3, 4))
    for name, frame in one.tables.items():
        assert frame.equals(two.tables[name])
        assert not frame.equals(other.tables[name])
    assert one.truth.equals(two.truth)


def test_the_sample_export_is_what_synth_makes() -> None:
    """If not: thyrisk synth --patients 2000 --dirt 0.005 --mixed --out examples/export."""
    made = synthesise(2000, 1, 0.005, stress=False).tables
    for name, frame in made.items():
        (path,) = EXAMPLES.glob(f"{name}.*")
        parquet = path.suffix == ".parquet"
        kept = pl.read_parquet(path) if parquet else pl.read_csv(path, infer_schema=False)
        assert kept.equals(frame), name
