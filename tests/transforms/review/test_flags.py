"""Who is to be looked at, why, how urgently, and what changed since the night before."""

from typing import Any

import polars as pl
import pytest

from tests.transforms.review.rows import LAST_NIGHT, TONIGHT, reviewed, risk
from transforms.review.flags import PRIORITIES
from transforms.review.reviews import WATCHED

Cells = dict[str, Any]
NOTHING = [f"{name}=none" for name in WATCHED]
MET, RRDTC = "RR-DTC criterion newly met", "newly at high risk of RR-DTC"
DEATH, PROGRESSION = "newly at high risk of death", "newly at high risk of progression"
STILL, STILL_DEATH = "at high risk of RR-DTC", "at high risk of death"
STILL_PROGRESSION = "at high risk of progression"
UNDECIDED = "undecided; one examination or entry would settle it"
QUARANTINED = "rows of this patient are quarantined"
ONE, TWO = ["Tg"], ["Tg", "sex"]
HIGH, OPEN = "high", "indeterminate"


def seen(**values: str) -> list[str]:
    """Return a state in which all is none but these."""
    return [f"{name}={values.get(name, 'none')}" for name in WATCHED]


PRIORITY_CASES: list[tuple[Cells, list[str] | None, int | None, list[str]]] = [
    ({}, None, None, []),
    ({"rrdtc_met": True}, None, 1, [MET]),
    ({"rrdtc_met": False}, None, None, []),
    ({"rrdtc_met": None}, None, None, []),
    ({"rrdtc_met": True}, seen(rrdtc_met="false"), 1, [MET]),
    ({"rrdtc_met": True}, seen(), 1, [MET]),
    ({"rrdtc_met": True}, seen(rrdtc_met="true"), None, []),
    ({"rrdtc_flag": HIGH}, None, 2, [RRDTC]),
    ({"rrdtc_flag": HIGH}, seen(rrdtc_flag="low"), 2, [RRDTC]),
    ({"rrdtc_flag": HIGH}, seen(rrdtc_flag="indeterminate"), 2, [RRDTC]),
    ({"rrdtc_flag": HIGH}, seen(rrdtc_flag="high"), 4, [STILL]),
    ({"rrdtc_flag": "low"}, seen(rrdtc_flag="high"), None, []),
    ({"rrdtc_flag": "not_applicable"}, None, None, []),
    ({"os_risk_group": HIGH}, None, 3, [DEATH]),
    ({"os_risk_group": HIGH}, seen(os_risk_group="low"), 3, [DEATH]),
    ({"os_risk_group": HIGH}, seen(os_risk_group="high"), 4, [STILL_DEATH]),
    ({"os_risk_group": "not_applicable"}, None, None, []),
    ({"pfs_risk_group": HIGH}, None, 3, [PROGRESSION]),
    ({"pfs_risk_group": HIGH}, seen(pfs_risk_group="indeterminate"), 3, [PROGRESSION]),
    ({"pfs_risk_group": HIGH}, seen(pfs_risk_group="high"), 4, [STILL_PROGRESSION]),
    ({"pfs_risk_group": "low"}, None, None, []),
    ({"rrdtc_flag": OPEN, "needs": ONE}, None, 5, [UNDECIDED]),
    ({"rrdtc_flag": OPEN, "needs": TWO}, None, None, []),
    ({"rrdtc_flag": OPEN, "needs": []}, None, None, []),
    ({"os_risk_group": OPEN, "os_needs": ONE}, None, 5, [UNDECIDED]),
    ({"pfs_risk_group": OPEN, "pfs_needs": ONE}, None, 5, [UNDECIDED]),
    ({"rrdtc_flag": "low", "needs": ONE}, None, None, []),
    (
        {"rrdtc_flag": OPEN, "needs": ONE, "os_risk_group": OPEN, "os_needs": ONE},
        None,
        5,
        [UNDECIDED],
    ),
    (
        {"rrdtc_flag": OPEN, "needs": ONE, "os_risk_group": OPEN, "os_needs": ["sex"]},
        None,
        None,
        [],
    ),
    ({"quarantined_rows": 1}, None, 6, [QUARANTINED]),
    ({"quarantined_rows": 0}, None, None, []),
    ({"cells_set_aside": 1}, None, None, []),
    ({"rrdtc_met": True, "rrdtc_flag": HIGH}, None, 1, [MET, RRDTC]),
    ({"rrdtc_flag": HIGH, "os_risk_group": HIGH}, None, 2, [RRDTC, DEATH]),
    ({"os_risk_group": HIGH, "pfs_risk_group": HIGH}, None, 3, [DEATH, PROGRESSION]),
    (
        {"rrdtc_flag": HIGH, "pfs_risk_group": HIGH},
        seen(rrdtc_flag="high"),
        3,
        [PROGRESSION, STILL],
    ),
    (
        {"rrdtc_flag": HIGH, "os_risk_group": OPEN, "os_needs": ONE},
        seen(rrdtc_flag="high"),
        4,
        [STILL, UNDECIDED],
    ),
    ({"rrdtc_flag": OPEN, "needs": ONE, "quarantined_rows": 2}, None, 5, [UNDECIDED, QUARANTINED]),
]
"""Tonight, what the last reviewer saw, priority, reasons."""


@pytest.mark.parametrize(("cells", "saw", "priority", "reasons"), PRIORITY_CASES, ids=str)
def test_each_priority_has_its_reasons_and_its_limit(
    cells: Cells, saw: list[str] | None, priority: int | None, reasons: list[str]
) -> None:
    reviews = {} if saw is None else {"reviews": reviewed(saw)}
    row = risk(cells, **reviews).row(0, named=True)
    assert (row["review_priority"], row["review_reasons"]) == (priority, reasons)


def test_every_priority_has_a_case() -> None:
    assert {case[2] for case in PRIORITY_CASES} == {None, *PRIORITIES} == {None, *range(1, 7)}


NEWLY: list[tuple[Cells, Cells | None, bool]] = [
    ({"rrdtc_met": True}, None, True),
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
]


@pytest.mark.parametrize(("cells", "before", "newly"), NEWLY, ids=str)
def test_newly_flagged_is_against_the_last_night(
    cells: Cells, before: Cells | None, newly: bool
) -> None:
    last = None if before is None else risk(before)
    assert risk(cells, last=last)["newly_flagged"].to_list() == [newly]


CHANGES: dict[str, tuple[Any, Any, str]] = {
    "rrdtc_flag": ("low", "high", "rrdtc_flag: low -> high"),
    "rrdtc_met": (False, True, "rrdtc_met: false -> true"),
    "rrdtc_criterion": (None, 4, "rrdtc_criterion: none -> 4"),
    "os_risk_group": ("indeterminate", "low", "os_risk_group: indeterminate -> low"),
    "pfs_risk_group": ("high", "low", "pfs_risk_group: high -> low"),
    "uptake_category": ("uptake", None, "uptake_category: uptake -> none"),
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
    flagged = {"quarantined_rows": 1}
    first = risk({name: before, **flagged})
    saw = reviewed([f"{name}={value_of(first, name)}" for name in WATCHED])
    same = risk({name: before, **flagged}, last=first, reviews=saw).row(0, named=True)
    back = risk({name: after, **flagged}, last=first, reviews=saw).row(0, named=True)
    assert (same["review_status"], same["changed_since_review"]) == ("reviewed", [])
    assert (back["review_status"], back["changed_since_review"]) == ("waiting", [words])


def value_of(frame: pl.DataFrame, name: str) -> str:
    value = frame[name].to_list()[0]
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value).lower()


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


def test_priorities_are_against_the_review_and_new_flags_against_the_night() -> None:
    last = risk({"rrdtc_flag": HIGH})
    now = risk({"rrdtc_flag": HIGH}, last=last, reviews=reviewed(seen(rrdtc_flag="low")))
    assert now.select("review_priority", "newly_flagged").row(0) == (2, False)
    assert now["reviewed_at"].to_list() == [LAST_NIGHT]
