"""The worklist: who is on it, in which order, and what a cap leaves."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.published import PatientRisk, Worklist, columns_of
from transforms.review.worklist import worklist

EARLY, LATE = date(2026, 1, 1), date(2026, 2, 1)
USUAL = {"review_status": "waiting", "review_priority": 3, "newly_flagged": False}
USUAL |= {"waiting_since": LATE, "rrdtc_points_upper": 5, "patient_id": "M"}
LISTS = {"review_reasons": ["a", "b"], "needs": [], "changed_since_last": ["c"]}
LISTS |= {"changed_since_review": None, "needs_examination": [], "needs_entry": ["d", "e"]}


def waiting(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return patient_risk of patients who wait, unless a row says otherwise."""
    schema = columns_of(PatientRisk)
    return pl.DataFrame([{**USUAL, **LISTS, **row} for row in rows], schema=schema)


def order(*rows: dict[str, Any], cap: int = 0) -> list[str]:
    return worklist(waiting(*rows), cap)["patient_id"].to_list()


WORST = {"newly_flagged": False, "waiting_since": LATE, "rrdtc_points_upper": None}
BEST = {"newly_flagged": True, "waiting_since": EARLY, "rrdtc_points_upper": 52}

PAIRS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    *(
        (
            f"priority {n} before {n + 1}",
            {"review_priority": n} | WORST,
            {"review_priority": n + 1} | BEST,
        )
        for n in range(1, 6)
    ),
    (
        "newly flagged before others",
        {"newly_flagged": True, "waiting_since": LATE, "rrdtc_points_upper": None},
        {"newly_flagged": False, "waiting_since": EARLY, "rrdtc_points_upper": 52},
    ),
    (
        "who waits longer first",
        {"waiting_since": EARLY, "rrdtc_points_upper": None},
        {"waiting_since": LATE, "rrdtc_points_upper": 52},
    ),
    ("more points first", {"rrdtc_points_upper": 8}, {"rrdtc_points_upper": 7}),
    ("no points before unknown points", {"rrdtc_points_upper": 0}, {"rrdtc_points_upper": None}),
]
"""What decides, who comes first, who comes after: each with every later key against it."""


@pytest.mark.parametrize(
    ("first", "then"), [case[1:] for case in PAIRS], ids=[case[0] for case in PAIRS]
)
def test_each_key_decides_against_all_that_follow(
    first: dict[str, Any], then: dict[str, Any]
) -> None:
    first, then = {"patient_id": "Z", **first}, {"patient_id": "A", **then}
    assert order(first, then) == order(then, first) == ["Z", "A"]


def test_of_two_that_are_alike_the_identifier_decides() -> None:
    assert order({"patient_id": "B"}, {"patient_id": "A"}) == ["A", "B"]


@pytest.mark.parametrize("status", ["nothing", "reviewed", "deferred"])
def test_only_who_waits_is_listed(status: str) -> None:
    assert order({"patient_id": "A", "review_status": status}, {"patient_id": "B"}) == ["B"]


@pytest.mark.parametrize(("cap", "left"), [(0, 3), (1, 1), (2, 2), (3, 3), (4, 3)])
def test_a_cap_keeps_the_most_urgent(cap: int, left: int) -> None:
    rows = [{"patient_id": p, "review_priority": n} for p, n in (("A", 3), ("B", 1), ("C", 2))]
    assert order(*rows, cap=cap) == ["B", "C", "A"][:left]


def test_positions_count_from_one_and_lists_are_words() -> None:
    listed = worklist(waiting({"patient_id": "B"}, {"patient_id": "A"}))
    assert listed.columns == list(columns_of(Worklist))
    assert listed["position"].to_list() == [1, 2]
    row = listed.row(0, named=True)
    assert (row["review_reasons"], row["needs"], row["changed_since_last"]) == ("a; b", "", "c")
    assert (row["needs_entry"], row["changed_since_review"]) == ("d; e", None)


def test_a_night_without_anybody_waiting_has_an_empty_list() -> None:
    assert worklist(waiting({"review_status": "nothing"})).schema == columns_of(Worklist)


ROWS = st.fixed_dictionaries(
    {
        "review_priority": st.integers(1, 6),
        "newly_flagged": st.booleans(),
        "waiting_since": st.sampled_from([EARLY, LATE]),
        "rrdtc_points_upper": st.none() | st.integers(0, 52),
    }
)


@given(st.lists(ROWS, min_size=1, max_size=8), st.randoms(), st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_the_order_does_not_depend_on_how_patients_arrive(
    rows: list[dict[str, Any]], chance: Any, cap: int
) -> None:
    named = [{**row, "patient_id": f"P{n}"} for n, row in enumerate(rows)]
    shuffled = chance.sample(named, len(named))
    assert order(*named, cap=cap) == order(*shuffled, cap=cap) == order(*named)[: cap or None]
