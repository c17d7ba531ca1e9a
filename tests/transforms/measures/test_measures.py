"""Quality measures: who is asked, what counts, what stays hidden, what a chart signals."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.spec import library
from schemas.published import QiMeasures, columns_of
from schemas.scores import SCORES
from tests.registry import AS_OF, INDEX, Registry, days
from tests.transforms.conftest import Derive
from transforms.measures.control_charts import funnel, p_chart, xmr_chart
from transforms.measures.courses import courses_of
from transforms.measures.definitions import PATHWAY, Measure, completeness
from transforms.measures.disclosure import shown, suppressed
from transforms.measures.measures import measure
from transforms.variables.windows import Windows

BY_NAME = {one.name: one for one in PATHWAY}


def patient(**cells: object) -> pl.DataFrame:
    usual: dict[str, object] = {
        "centre": "C",
        "index_date": INDEX,
        "dtc": True,
        "metastatic": True,
        "fdg_row": None,
        "stg_row": None,
        "activity_mci": 150.0,
        "months_operation_to_i131": 3.0,
        "thyroidectomy_before_index": True,
        "rrdtc_met_date": None,
        "sites_at_least": "lung",
        "imaging_after_rrdtc": None,
        "i131_after_rrdtc": None,
    }
    types = {"rrdtc_met_date": pl.Date, "fdg_row": pl.String, "sites_at_least": pl.String}
    types |= {"imaging_after_rrdtc": pl.Boolean, "i131_after_rrdtc": pl.Boolean}
    return pl.DataFrame([usual | cells], schema_overrides=types | {"stg_row": pl.String})


NO_COURSES = pl.DataFrame(
    schema={
        "treatment_date": pl.Date,
        "lesion_uptake": pl.String,
        "beyond_limit": pl.Boolean,
        "centre": pl.String,
        "dtc": pl.Boolean,
        "metastatic": pl.Boolean,
        "rrdtc_met_date": pl.Date,
    }
)


def answer(one: Measure, patients: pl.DataFrame, courses: pl.DataFrame = NO_COURSES) -> object:
    """Return numerator, denominator, unknown (of a median: the median) of all centres, by year."""
    rows = measure([one], {"patients": patients, "courses": courses}, AS_OF, smallest=1)
    rows = rows.filter(pl.col("centre").is_null(), pl.col("period") == "year")
    if rows.is_empty():
        return "nobody asked"
    row = rows.row(0, named=True)
    if one.unit is not None:
        return row["value"]
    return row["numerator"], row["denominator"], row["unknown"]


@pytest.mark.parametrize(
    ("name", "cells", "expected"),
    [
        ("fdg_pet_at_first_131i", {"fdg_row": "I1"}, (1, 1, 0)),
        ("fdg_pet_at_first_131i", {}, (0, 1, 0)),
        ("fdg_pet_at_first_131i", {"metastatic": False}, "nobody asked"),
        ("fdg_pet_at_first_131i", {"dtc": False}, "nobody asked"),
        ("stg_before_first_131i", {"stg_row": "L1"}, (1, 1, 0)),
        ("first_activity_in_range", {"activity_mci": 100.0}, (1, 1, 0)),
        ("first_activity_in_range", {"activity_mci": 200.0}, (1, 1, 0)),
        ("first_activity_in_range", {"activity_mci": 201.0}, (0, 1, 0)),
        ("first_activity_in_range", {"activity_mci": None}, (0, 0, 1)),
        ("months_operation_to_131i", {}, 3.0),
        ("months_operation_to_131i", {"thyroidectomy_before_index": False}, "nobody asked"),
        ("first_activity_in_range", {"sites_at_least": "lymph_node, bone"}, (1, 1, 0)),
        ("first_activity_in_range", {"sites_at_least": "lymph_node"}, "nobody asked"),
        ("first_activity_in_range", {"sites_at_least": "larynx_trachea"}, "nobody asked"),
        ("first_activity_in_range", {"sites_at_least": ""}, "nobody asked"),
        ("first_activity_in_range", {"sites_at_least": None}, "nobody asked"),
        ("imaging_after_rrdtc", {}, "nobody asked"),
        ("imaging_after_rrdtc", {"rrdtc_met_date": days(9)}, (0, 0, 1)),
        (
            "imaging_after_rrdtc",
            {"rrdtc_met_date": days(9), "imaging_after_rrdtc": True},
            (1, 1, 0),
        ),
        ("i131_after_rrdtc", {"rrdtc_met_date": days(9), "i131_after_rrdtc": False}, (0, 1, 0)),
    ],
)
def test_each_measure_asks_whom_it_says_and_counts_what_it_says(
    name: str, cells: dict[str, object], expected: object
) -> None:
    assert answer(BY_NAME[name], patient(**cells)) == expected


def test_courses_are_asked_for_uptake_activity_and_rrdtc(
    registry: Registry, derive: Derive
) -> None:
    registry.patient("A").treated("A", activity=300, activity_unit="mCi", uptake="not_assessed")
    registry.treated("A", days(200), activity=300, activity_unit="mCi")
    registry.treated("A", days(400), activity=1, activity_unit="mCi")
    registry.patient("B").treated("B", days(1), activity=None, activity_unit=None)
    registry.treated("B", days(2), activity=601, activity_unit="mCi")
    patients = pl.DataFrame(
        {
            "patient_no": pl.Series([0, 1], dtype=pl.UInt32),
            "centre": ["C", "C"],
            "dtc": [True, True],
            "metastatic": [True, True],
            "rrdtc_met_date": [days(200), None],
        }
    )
    courses = courses_of(registry.record(), patients, Windows())
    beyond = courses.sort("treatment_date")["beyond_limit"].to_list()
    assert beyond == [False, None, True, False, True]
    assert answer(BY_NAME["course_beyond_600_mci"], patient(), courses.head(0)) == "nobody asked"
    after = courses.filter(pl.col("treatment_date") > pl.col("rrdtc_met_date"))
    assert after["treatment_date"].to_list() == [days(400)]
    recorded = courses.with_columns(treatment_date=pl.lit(INDEX))
    assert answer(BY_NAME["uptake_recorded"], patient(), recorded) == (4, 5, 0)


def test_every_predictor_and_every_model_has_a_measure_of_completeness() -> None:
    names = {one.name for one in completeness(library().values())}
    features = {p.feature for model in library().values() for p in model.predictors}
    assert {f"known_{feature}" for feature in features} <= names
    assert {"scored_rrdtc", "scored_os", "scored_pfs"} <= names
    assert "status" in SCORES


@pytest.mark.parametrize(
    ("statuses", "asked"),
    [
        ({"os_status": "scored", "pfs_status": "ineligible"}, {"sex"}),
        ({"os_status": "ineligible", "pfs_status": "scored"}, {"histology_group"}),
        ({"os_status": "bounded", "pfs_status": "insufficient"}, {"sex", "histology_group"}),
        ({"os_status": "ineligible", "pfs_status": "ineligible"}, set()),
    ],
    ids=lambda value: str(sorted(value)),
)
def test_completeness_asks_of_those_for_whom_a_model_needs_it(
    statuses: dict[str, str], asked: set[str]
) -> None:
    by_name = {one.name: one for one in completeness(library().values())}
    one = patient(sex=None, histology_group="PTC", rrdtc_status="scored", **statuses)
    found = {
        feature
        for feature in ("sex", "histology_group")
        if answer(by_name[f"known_{feature}"], one) != "nobody asked"
    }
    assert found == asked


def rows_of(counts: list[tuple[str | None, int, int]], *, sensitive: bool = True) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "measure": "m",
                "centre": centre,
                "period": "year",
                "start": date(2026, 1, 1),
                "numerator": numerator,
                "denominator": denominator,
                "unknown": 0,
                "value": numerator / denominator,
                "sensitive": sensitive,
            }
            for centre, numerator, denominator in counts
        ],
        schema_overrides={"centre": pl.String},
    )


def hidden(counts: list[tuple[str | None, int, int]], **how: bool) -> set[str | None]:
    return set(suppressed(rows_of(counts, **how), 5).filter("suppressed")["centre"])


def test_small_counts_their_complements_and_lone_neighbours_are_hidden() -> None:
    assert hidden([("a", 10, 40), ("b", 20, 40), (None, 30, 80)]) == set()
    assert hidden([("a", 3, 40), ("b", 4, 40), ("c", 20, 40)]) == {"a", "b"}
    assert hidden([("a", 38, 40), ("b", 2, 3), ("c", 20, 40)]) == {"a", "b"}
    lone = hidden([("a", 3, 40), ("b", 20, 50), ("c", 20, 60), (None, 43, 150)])
    assert lone == {"a", "b"}, "c and all together would give a away"
    assert hidden([("a", 0, 40), ("b", 40, 40)]) == set()


def test_completeness_hides_only_groups_that_are_small_themselves() -> None:
    counts: list[tuple[str | None, int, int]] = [("a", 39, 40), ("b", 1, 3), ("c", 2, 2)]
    assert hidden(counts, sensitive=False) == {"b", "c"}
    assert hidden(counts[:2], sensitive=False) == {"b"}


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 12), min_size=2))
def test_what_is_shown_never_gives_a_small_count_away(counts: dict[str, int]) -> None:
    seen = shown(counts, 5)
    left_out = [name for name, count in seen.items() if count is None]
    assert all(count is None or count == 0 or count >= 5 for count in seen.values())
    others_to_hide_behind = [count for count in counts.values() if count >= 5]
    assert len(left_out) != 1 or not others_to_hide_behind


def points(values: list[float], size: int = 100) -> pl.DataFrame:
    start = date(2020, 1, 1)
    return pl.DataFrame(
        {
            "start": [start + timedelta(days=31 * n) for n in range(len(values))],
            "numerator": [round(value * size) for value in values],
            "denominator": [size] * len(values),
            "value": values,
        }
    )


@pytest.mark.parametrize(
    ("values", "signals"),
    [
        ([0.5, 0.52, 0.48, 0.5, 0.51, 0.49, 0.5, 0.5], set()),
        ([0.45, 0.65] * 6 + [0.9], {"beyond a limit"}),
        ([0.45] * 8 + [0.55] * 8, {"eight on one side"}),
        ([0.45, 0.46, 0.47, 0.48, 0.49, 0.5, 0.44], {"six rising or falling"}),
    ],
)
def test_run_rules_signal_what_chance_would_not(values: list[float], signals: set[str]) -> None:
    charted = p_chart(points(values))
    assert set(charted["signal"].drop_nulls()) == signals
    assert (charted["lower"] >= 0).all() and (charted["upper"] <= 1).all()


def test_limits_of_a_p_chart_are_three_standard_deviations() -> None:
    charted = p_chart(points([0.4, 0.6]))
    assert charted["centre"][0] == 0.5
    assert charted["upper"][0] == pytest.approx(0.5 + 3 * 0.05)


def test_limits_of_an_xmr_chart_are_266_moving_ranges() -> None:
    charted = xmr_chart(points([10, 12, 11, 13]))
    assert charted["upper"][0] == pytest.approx(11.5 + 3 / 1.128 * (2 + 1 + 2) / 3)


def test_a_funnel_names_the_limit_that_a_centre_passed() -> None:
    centres = pl.DataFrame(
        {"centre": ["a", "b", "c"], "numerator": [560, 70, 30], "denominator": [1000, 100, 100]}
    ).with_columns(value=pl.col("numerator") / pl.col("denominator"))
    limits = [None, "beyond the 95 % limit", "beyond the 99.8 % limit"]
    assert funnel(centres)["signal"].to_list() == limits


def test_measured_rows_are_as_declared() -> None:
    rows = measure(
        PATHWAY, {"patients": patient(fdg_row="I1"), "courses": NO_COURSES}, AS_OF, smallest=1
    )
    assert dict(rows.schema) == columns_of(QiMeasures)
    assert set(rows["period"]) == {
        "month",
        "quarter",
        "year",
    }  # the index date is over five years ago


def interval(row: dict[str, object], to: int, smallest: int) -> tuple[int, int]:
    """Return what a reader knows of a numerator: between which numbers it was."""
    shown_count = row["numerator"]
    if not isinstance(shown_count, int):
        return 1, smallest - 1  # as a reader may guess of what is left out
    if shown_count == 0:
        return 0, 0 if to <= smallest else to // 2
    return max(smallest, shown_count - to // 2), shown_count + (to - 1) // 2


def subtracted(published: list[dict[str, object]], total: str, smallest: int, to: int) -> set[int]:
    """Return what the one numerator left out among parts can have been: total less the others."""
    (whole,) = (row for row in published if row["part"] == total)
    parts = [row for row in published if row["part"] != total]
    if whole["numerator"] is None or sum(row["numerator"] is None for row in parts) != 1:
        return set()
    low, high = interval(whole, to, smallest)
    shown_parts = [interval(row, to, smallest) for row in parts if row["numerator"] is not None]
    low, high = low - sum(most for _, most in shown_parts), high - sum(n for n, _ in shown_parts)
    return set(range(max(low, 1), min(high, smallest - 1) + 1))


ONE_A_MONTH = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from("ABC"), st.booleans()), min_size=12, max_size=90
)


@settings(max_examples=60, deadline=None)
@given(ONE_A_MONTH)
def test_what_was_left_out_cannot_be_had_by_subtracting_periods_or_centres(
    asked: list[tuple[int, str, bool]],
) -> None:
    patients = pl.concat(
        patient(index_date=date(2025, month, 3), centre=centre, fdg_row="I" if yes else None)
        for month, centre, yes in asked
    )
    rows = measure([BY_NAME["fdg_pet_at_first_131i"]], {"patients": patients}, AS_OF, 5, 5)
    counts = rows.select("numerator", "denominator", "unknown")
    assert counts.filter(pl.any_horizontal(pl.all() % 5 != 0)).is_empty()
    assert rows.filter(pl.col("centre").is_not_null())["period"].eq("recent").all()
    everybody = rows.filter(pl.col("centre").is_null())
    months = everybody.filter(period="month").with_columns(part=pl.col("start").cast(pl.String))
    quarters = everybody.filter(period="quarter")
    year = rows.filter(period="year").with_columns(part=pl.col("centre").fill_null("all"))
    groups = [year.to_dicts()]
    whole = everybody.filter(period="year").with_columns(part=pl.lit("all"))
    for finer in (months, quarters.with_columns(part=pl.col("start").cast(pl.String))):
        groups.append([*whole.to_dicts(), *finer.select(whole.columns).to_dicts()])
    for quarter in quarters.with_columns(part=pl.lit("all")).to_dicts():
        within = months.filter(pl.col("start").dt.truncate("1q") == quarter["start"])
        groups.append([quarter, *within.to_dicts()])
    for published in groups:
        assert len(subtracted(published, "all", 5, 5)) != 1
