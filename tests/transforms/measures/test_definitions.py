"""Whom each measure asks and what it counts, one row each; which side of a chart is better."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from tests.registry import INDEX, days
from tests.transforms.measures.test_measures import BY_NAME, patient
from transforms.measures.charting import latest
from transforms.measures.control_charts import run_chart
from transforms.measures.definitions import PATHWAY, REVIEWING

ALL = BY_NAME | {one.name: one for one in REVIEWING}
ANSWERS: list[tuple[str, dict[str, Any], bool, Any]] = [
    ("fdg_pet_at_first_131i", {"fdg_row": "I1"}, True, True),
    ("fdg_pet_at_first_131i", {}, True, False),
    ("fdg_pet_at_first_131i", {"metastatic": None}, False, False),
    ("fdg_pet_at_first_131i", {"dtc": None}, False, False),
    ("fdg_pet_at_first_131i", {"index_date": None}, False, False),
    ("stg_before_first_131i", {}, True, False),
    ("stg_before_first_131i", {"stg_row": "L1", "metastatic": False}, True, True),
    ("stg_before_first_131i", {"dtc": None}, False, False),
    ("first_activity_in_range", {"activity_mci": 99.9}, True, False),
    ("first_activity_in_range", {"activity_mci": 200.1}, True, False),
    ("first_activity_in_range", {"dtc": False}, False, True),
    ("first_activity_in_range", {"sites_at_least": "lymph_node, larynx_trachea"}, False, True),
    ("months_operation_to_131i", {"dtc": False}, False, 3.0),
    ("months_operation_to_131i", {"thyroidectomy_before_index": None}, False, 3.0),
    ("months_operation_to_131i", {"months_operation_to_i131": None}, True, None),
    ("imaging_after_rrdtc", {"rrdtc_met_date": INDEX, "imaging_after_rrdtc": False}, True, False),
    ("i131_after_rrdtc", {"rrdtc_met_date": INDEX, "i131_after_rrdtc": True}, True, True),
    ("i131_after_rrdtc", {"i131_after_rrdtc": None}, False, None),
]
"""Measure, patient, whether it asks of them, and the answer."""


@pytest.mark.parametrize(("name", "cells", "asked", "counts"), ANSWERS, ids=str)
def test_of_a_patient(name: str, cells: dict[str, Any], asked: bool, counts: Any) -> None:
    types = {"index_date": pl.Date, "months_operation_to_i131": pl.Float64}
    one = patient(**cells).cast({n: t for n, t in types.items() if cells.get(n, 0) is None})
    assert told(name, one) == (asked, counts)


def told(name: str, row: pl.DataFrame) -> tuple[Any, ...]:
    one = ALL[name]
    return row.select(one.among.fill_null(False).alias("among"), one.counts.alias("counts")).row(0)


COURSES: list[tuple[str, dict[str, Any], bool, Any]] = [
    ("uptake_recorded", {}, True, True),
    ("uptake_recorded", {"lesion_uptake": "none"}, True, True),
    ("uptake_recorded", {"lesion_uptake": "not_assessed"}, True, False),
    ("uptake_recorded", {"lesion_uptake": None}, True, False),
    ("uptake_recorded", {"metastatic": False}, False, True),
    ("uptake_recorded", {"metastatic": None}, False, True),
    ("course_beyond_600_mci", {"beyond_limit": True, "dtc": None}, True, True),
    ("course_beyond_600_mci", {"beyond_limit": None}, True, None),
    ("course_after_rrdtc", {}, True, False),
    ("course_after_rrdtc", {"rrdtc_met_date": days(-1)}, True, True),
    ("course_after_rrdtc", {"rrdtc_met_date": INDEX}, True, False),
    ("course_after_rrdtc", {"dtc": False}, False, False),
    ("course_after_rrdtc", {"dtc": None}, False, False),
]
"""Measure, course, whether it asks of it, and the answer."""


@pytest.mark.parametrize(("name", "cells", "asked", "counts"), COURSES, ids=str)
def test_of_a_course(name: str, cells: dict[str, Any], asked: bool, counts: Any) -> None:
    usual: dict[str, Any] = {"treatment_date": INDEX, "lesion_uptake": "all", "dtc": True}
    usual |= {"beyond_limit": False, "metastatic": True, "rrdtc_met_date": None}
    types = {"lesion_uptake": pl.String, "rrdtc_met_date": pl.Date, "beyond_limit": pl.Boolean}
    types |= {"dtc": pl.Boolean, "metastatic": pl.Boolean}
    assert told(name, pl.DataFrame([usual | cells], schema_overrides=types)) == (asked, counts)


KINDS = ("criterion", "progression", "flag", "result", "undecided", "deferral")


@pytest.mark.parametrize("kind", KINDS)
def test_a_review_is_of_the_kind_for_which_its_patient_was_listed(kind: str) -> None:
    for decision in ("confirmed", "dismissed"):
        row = pl.DataFrame({"listed_for": [kind], "decision": [decision]})
        asked = [other for other in KINDS if told(f"confirmed_{other}", row)[0]]
        assert asked == [kind]
        assert told(f"confirmed_{kind}", row)[1] is (decision == "confirmed")


@pytest.mark.parametrize("kind", KINDS)
def test_the_wait_from_a_flag_is_of_criteria_progressions_and_high_risks(kind: str) -> None:
    row = pl.DataFrame({"listed_for": [kind], "days": [3]})
    is_flag = kind in ("criterion", "progression", "flag")
    assert told("days_flag_to_first_review", row) == (is_flag, 3)
    assert told("days_to_first_review", row) == (True, 3)


def test_which_way_is_better() -> None:
    assert {one.name: one.direction for one in (*PATHWAY, *REVIEWING)} == {
        "fdg_pet_at_first_131i": "neither",
        "stg_before_first_131i": "higher",
        "uptake_recorded": "higher",
        "first_activity_in_range": "neither",
        "months_operation_to_131i": "lower",
        "course_beyond_600_mci": "lower",
        "course_after_rrdtc": "lower",
        "imaging_after_rrdtc": "higher",
        "i131_after_rrdtc": "lower",
        **{f"confirmed_{kind}": "higher" for kind in KINDS},
        "days_to_first_review": "lower",
        "days_flag_to_first_review": "lower",
    }


def charted(**cells: Any) -> pl.DataFrame:
    usual = {"measure": "m", "start": date(2026, 1, 1), "charted": True, "value": 0.5}
    usual |= {"lower": 0.4, "upper": 0.6, "unit": "share", "direction": "higher", "target": 0.5}
    usual |= {"signal": None, "rule": None, "run_start": None}
    usual |= {"centre_line": 0.5, "periods_hidden": 0}
    return pl.DataFrame([usual | cells], schema_overrides={"target": pl.Float64})


TARGETS = [
    ("higher", 0.5, True),
    ("higher", 0.51, False),
    ("higher", 0.49, True),
    ("lower", 0.5, True),
    ("lower", 0.49, False),
    ("lower", 0.51, True),
    ("neither", 0.51, False),
    ("lower", None, None),
]


@pytest.mark.parametrize(("direction", "target", "met"), TARGETS, ids=str)
def test_a_target_is_met_on_its_better_side_and_by_itself(
    direction: str, target: float | None, met: bool | None
) -> None:
    row = latest(charted(direction=direction, target=target)).row(0, named=True)
    assert row["on_target"] is met


def test_only_the_newest_period_of_the_chart_says_how_a_measure_stands() -> None:
    rows = pl.concat(
        [
            charted(start=date(2026, 2, 1), value=0.7),
            charted(),
            charted(start=date(2026, 3, 1), value=0.9, charted=False),
        ]
    )
    assert latest(rows).select("start", "value").rows() == [(date(2026, 2, 1), 0.7)]


def test_a_run_chart_has_rules_from_ten_points_off_the_median() -> None:
    def rules(values: list[float]) -> set[str]:
        starts = [date(2020 + n, 1, 1) for n in range(len(values))]
        shown = pl.DataFrame({"start": starts, "value": values})
        return set(run_chart(shown)["signal"].drop_nulls())

    assert rules([0.4] * 4 + [0.6] * 5) == set()
    assert rules([0.4] * 5 + [0.6] * 5) == {"unusually few crossings"}
    assert rules([0.4] * 4 + [0.5] + [0.6] * 4) == set()
