"""What is flagged, what of it is history, and what changed since the night before."""

from datetime import date
from typing import Any

import pytest

from tests.transforms.review.rows import LAST_NIGHT, TONIGHT, reviewed, risk
from transforms.review.reviews import WATCHED, state

Cells = dict[str, Any]
HIGH, OPEN = "high", "indeterminate"


def seen(**values: str) -> list[str]:
    """Return a state in which all is none but these."""
    return [f"{name}={values.get(name, 'none')}" for name in WATCHED]


NEWLY: list[tuple[Cells, Cells | None, bool]] = [
    ({"rrdtc_met": True}, None, False),
    ({"rrdtc_flag": HIGH}, None, False),
    ({"rrdtc_met": True}, {"rrdtc_met": False}, True),
    ({"rrdtc_met": True}, {"rrdtc_met": None}, True),
    ({"rrdtc_met": True}, {"rrdtc_met": True}, False),
    ({"rrdtc_met": False}, {"rrdtc_met": True}, False),
    ({"rrdtc_flag": HIGH}, {"rrdtc_flag": "low"}, True),
    ({"rrdtc_flag": HIGH}, {"rrdtc_flag": HIGH}, False),
    ({"os_risk_group": HIGH}, {"os_risk_group": OPEN}, True),
    ({"os_risk_group": HIGH}, {"os_risk_group": HIGH}, False),
    ({"pfs_risk_group": HIGH}, {"pfs_risk_group": "not_applicable"}, True),
    ({"pfs_risk_group": HIGH}, {"pfs_risk_group": HIGH}, False),
    ({"rrdtc_flag": OPEN}, {"rrdtc_flag": "low"}, False),
    ({"rrdtc_flag": OPEN}, None, False),
    ({"uptake_category": "uptake"}, None, False),
    ({"rrdtc_flag": HIGH, "pfs_risk_group": HIGH}, {"rrdtc_flag": HIGH}, True),
    ({"rrdtc_flag": HIGH, "rrdtc_met": True}, {"rrdtc_met": True}, False),
    ({"pfs_risk_group": HIGH, "pfs_event": True}, {}, False),
    ({"os_risk_group": HIGH, "died": True}, {}, False),
    ({"os_risk_group": HIGH, "index_date": date(2016, 6, 30)}, {}, False),
    ({"os_risk_group": HIGH, "index_date": date(2016, 7, 1)}, {}, True),
]
"""Tonight, the last night (None: there was none), whether that is newly flagged."""


@pytest.mark.parametrize(("cells", "before", "newly"), NEWLY, ids=str)
def test_newly_flagged_is_against_the_last_night(
    cells: Cells, before: Cells | None, newly: bool
) -> None:
    last = None if before is None else risk(before)
    assert risk(cells, last=last)["newly_flagged"].to_list() == [newly]


CHANGES: dict[str, tuple[Any, Any, str]] = {
    "rrdtc_flag": ("low", "high", "rrdtc_flag: low -> high"),
    "rrdtc_met": (None, True, "rrdtc_met: unknown -> true"),
    "rrdtc_criterion": (None, 4, "rrdtc_criterion: unknown -> 4"),
    "os_risk_group": ("indeterminate", "low", "os_risk_group: indeterminate -> low"),
    "pfs_risk_group": ("high", "low", "pfs_risk_group: high -> low"),
    "uptake_category": ("uptake", None, "uptake_category: uptake -> unknown"),
    "needs": (["sex"], ["Tg", "sex"], "needs: sex -> Tg, sex"),
}
"""A change of each watched column, and how it is said."""


def test_these_columns_are_watched_and_each_has_a_change() -> None:
    assert tuple(CHANGES) == WATCHED


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_a_watched_column_is_said(name: str) -> None:
    before, after, words = CHANGES[name]
    last = risk({name: before})
    assert risk({name: after}, last=last)["changed_since_last"].to_list() == [[words]]
    assert risk({name: before}, last=last)["changed_since_last"].to_list() == [[]]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_a_watched_column_brings_a_reviewed_patient_back(name: str) -> None:
    before, after, words = CHANGES[name]
    flagged: Cells = {"met": {1: None}}
    first = risk({name: before, **flagged})
    saw = reviewed(first.select(state()).to_series().to_list()[0])
    same = risk({name: before, **flagged}, last=first, reviews=saw).row(0, named=True)
    back = risk({name: after, **flagged}, last=first, reviews=saw).row(0, named=True)
    assert (same["review_status"], same["changed_since_review"]) == ("reviewed", [])
    assert (back["review_status"], back["changed_since_review"]) == ("waiting", [words])


def test_no_criterion_is_said_only_where_that_is_known() -> None:
    last = risk({"rrdtc_met": False}, {"rrdtc_met": None}, {"rrdtc_met": True})
    now = [{"rrdtc_met": True, "rrdtc_criterion": 4}] * 3
    assert [changed[-1] for changed in risk(*now, last=last)["changed_since_last"].to_list()] == [
        "rrdtc_criterion: none -> 4",
        "rrdtc_criterion: unknown -> 4",
        "rrdtc_criterion: unknown -> 4",
    ]


def test_several_changes_are_said_in_the_order_of_the_columns() -> None:
    last = risk({"os_risk_group": "low", "rrdtc_met": False})
    now = risk({"os_risk_group": "high", "rrdtc_met": True}, last=last)
    assert now["changed_since_last"].to_list() == [
        ["rrdtc_met: false -> true", "os_risk_group: low -> high"]
    ]


def test_what_is_not_watched_is_no_change() -> None:
    last = risk({"points_upper": 5, "quarantined_rows": 0})
    now = risk({"points_upper": 6, "quarantined_rows": 3}, last=last)
    assert now["changed_since_last"].to_list() == [[]]


def test_on_the_first_night_nobody_changed_and_later_who_was_not_there_is_new() -> None:
    first = risk({})
    assert first["changed_since_last"].to_list() == [[]]
    second = risk({}, {}, last=first)
    assert second["changed_since_last"].to_list() == [[], ["new patient"]]


def test_a_column_that_the_last_night_did_not_have_is_no_change_and_flags_nobody_newly() -> None:
    older = risk({"rrdtc_flag": "low", "os_risk_group": "low"}).drop("rrdtc_flag")
    now = risk({"rrdtc_flag": HIGH, "os_risk_group": "low"}, {"rrdtc_flag": HIGH}, last=older)
    assert now["changed_since_last"].to_list() == [[], ["new patient"]]
    assert now["newly_flagged"].to_list() == [False, True]


def test_needs_are_those_of_any_model_each_once() -> None:
    needed = {"needs": ["b", "a"], "os_needs": ["a", "c"], "pfs_needs": []}
    assert risk(needed, {})["needs"].to_list() == [["a", "b", "c"], []]


def test_patients_keep_their_order_and_their_own_scores() -> None:
    out = risk({"rrdtc_flag": HIGH, "points_upper": 40}, {}, {"pfs_risk_group": HIGH})
    assert out["patient_id"].to_list() == ["A", "B", "C"]
    assert out["rrdtc_flag"].to_list() == ["high", "low", "low"]
    assert out["pfs_risk_group"].to_list() == ["low", "low", "high"]
    assert out["rrdtc_points_upper"].to_list() == [40, None, None]
    assert set(out["as_of"]) == {TONIGHT}


def test_new_flags_are_against_the_night_whatever_the_review_saw() -> None:
    last = risk({"rrdtc_flag": HIGH})
    now = risk({"rrdtc_flag": HIGH}, last=last, reviews=reviewed(seen(rrdtc_flag="low")))
    assert now["newly_flagged"].to_list() == [False]
    assert now["reviewed_at"].to_list() == [LAST_NIGHT]


HISTORY: list[tuple[Cells, bool | None, bool | None]] = [
    ({"rrdtc_met": True}, True, False),
    ({"rrdtc_met": None}, None, False),
    ({"rrdtc_met": False}, False, False),
    ({"rrdtc_met": False, "pfs_event": True}, False, True),
    ({"rrdtc_met": False, "pfs_event": None}, False, None),
    ({"rrdtc_met": False, "died": None}, False, None),
    ({"rrdtc_met": False, "died": True, "pfs_event": None}, False, True),
]
"""Tonight, whether the risk of RR-DTC is history, and that of progression."""


@pytest.mark.parametrize(("cells", "of_rrdtc", "of_pfs"), HISTORY, ids=str)
def test_a_risk_that_came_true_is_history(
    cells: Cells, of_rrdtc: bool | None, of_pfs: bool | None
) -> None:
    row = risk(cells).row(0, named=True)
    assert (row["rrdtc_history"], row["pfs_history"]) == (of_rrdtc, of_pfs)


GIVEN: list[tuple[date | None, bool | None, float | None, float | None]] = [
    (date(2023, 7, 1), False, None, None),
    (date(2023, 6, 30), False, 0.9, None),
    (date(2021, 7, 1), False, 0.9, None),
    (date(2021, 6, 30), False, None, 0.96),
    (date(2016, 7, 1), False, None, 0.96),
    (date(2016, 6, 30), False, None, None),
    (date(2023, 6, 30), True, None, None),
    (date(2023, 6, 30), None, None, None),
    (None, False, None, None),
]
"""First 131I therapy, died, survival to ten years given three and five."""


@pytest.mark.parametrize(("index", "died", "three", "five"), GIVEN, ids=str)
def test_survival_is_given_what_was_lived_and_not_past_its_horizon(
    index: date | None, died: bool | None, three: float | None, five: float | None
) -> None:
    cells = {"index_date": index, "died": died, "s3": 0.8, "s5": 0.75, "s10": 0.72}
    row = risk(cells).row(0, named=True)
    assert (row["os_survival_given_3y"], row["os_survival_given_5y"]) == (three, five)
