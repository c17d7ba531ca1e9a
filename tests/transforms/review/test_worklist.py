"""The worklist: in which order, what a cap leaves, and what it shows of a patient."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import LIST, URGENCY
from schemas.published import PatientRisk, Worklist, columns_of
from tests.transforms.review.rows import Cells, derived, risk
from transforms.review.worklist import worklist

EARLY, LATE = date(2026, 1, 1), date(2026, 2, 1)
TODO = ("todo_kind", "todo_what", "valid_from", "valid_until", "decides")
USUAL: Cells = {"list": "backlog", "review_priority": 3, "urgency_key": 0.0}
USUAL |= {"waiting_since": LATE, "reason_date": EARLY, "last_contact_date": EARLY}
USUAL |= {"patient_id": "M", "review_reasons": ["a", "b"], "needs": [], "changed_since_last": ["c"]}
USUAL |= {"needs_examination": [], "needs_entry": ["d", "e"]}
SCHEMA = {
    "patient_no": pl.UInt32,
    **columns_of(PatientRisk),
    "urgency_key": pl.Float64,
    **{name: columns_of(Worklist)[name] for name in TODO},
}


def waiting(*rows: Cells) -> pl.DataFrame:
    """Return patient_risk of patients who wait, unless a row says otherwise."""
    numbered = [{"patient_no": n, **USUAL, **row} for n, row in enumerate(rows)]
    return pl.DataFrame(numbered, schema=SCHEMA)


def order(*rows: Cells, cap: int = 0) -> list[str]:
    return listed(*rows, cap=cap)["patient_id"].to_list()


def listed(*rows: Cells, cap: int = 0) -> pl.DataFrame:
    return worklist(waiting(*rows), derived(*({} for _ in rows)), cap)


KEYS: dict[str, tuple[Any, Any]] = {
    "list": ("new", "backlog"),
    "review_priority": (2, 3),
    "urgency_key": (1.0, 2.0),
    "waiting_since": (EARLY, LATE),
    "reason_date": (LATE, EARLY),
    "last_contact_date": (LATE, EARLY),
    "patient_id": ("A", "B"),
}
"""The keys of the order, and of each what comes first and after."""


@pytest.mark.parametrize("name", KEYS)
def test_each_key_decides_against_all_that_follow(name: str) -> None:
    names = list(KEYS)
    later = names[names.index(name) + 1 :]
    first = {"patient_id": "Y", name: KEYS[name][0]} | {key: KEYS[key][1] for key in later}
    then = {"patient_id": "Z", name: KEYS[name][1]} | {key: KEYS[key][0] for key in later}
    wanted = [first["patient_id"], then["patient_id"]]
    assert order(first, then) == order(then, first) == wanted


@pytest.mark.parametrize("name", ["new", "changed", "due"])
def test_new_changed_and_due_are_one_stretch_before_the_backlog(name: str) -> None:
    rows = [{"patient_id": n, "list": n, "review_priority": p} for p, n in enumerate(LIST, 1)]
    others = [n for n in LIST if n not in (name, "backlog")]
    last = [row | {"review_priority": 9} if row["list"] == name else row for row in rows]
    assert order(*last) == [*others, name, "backlog"]


def test_a_window_that_closes_does_not_wait_behind_what_is_new() -> None:
    closing = {"patient_id": "Z", "list": "backlog", "review_priority": 1}
    new = {"patient_id": "A", "list": "new", "review_priority": 2}
    assert order(new, closing) == ["Z", "A"]


def test_who_is_on_no_list_is_not_listed() -> None:
    assert order({"patient_id": "A", "list": None}, {"patient_id": "B"}) == ["B"]
    assert listed({"list": None}).schema == columns_of(Worklist)


@pytest.mark.parametrize(("cap", "left"), [(0, 3), (1, 1), (2, 2), (3, 3), (4, 3)])
def test_a_cap_keeps_the_most_urgent(cap: int, left: int) -> None:
    rows = [{"patient_id": p, "review_priority": n} for p, n in (("A", 3), ("B", 1), ("C", 2))]
    assert order(*rows, cap=cap) == ["B", "C", "A"][:left]


def test_positions_count_from_one_and_lists_are_words() -> None:
    both = listed({"patient_id": "B"}, {"patient_id": "A"})
    assert both.columns == list(columns_of(Worklist))
    assert both["position"].to_list() == [1, 2]
    row = both.row(0, named=True)
    assert (row["review_reasons"], row["needs"], row["changed_since_last"]) == ("a; b", "", "c")
    assert (row["needs_entry"], row["changed_since_review"]) == ("d; e", None)
    assert (row["todo_kind"], row["todo_what"]) == ("complete", None)


def test_a_listed_patient_has_an_age_sites_and_a_centre() -> None:
    cells: Cells = {"birth_date": date(1970, 7, 1), "sex": "male", "histology": "FTC"}
    cells |= {"centre": "North", "sites_today_at_least": "lung, bone"}
    row = worklist(risk(cells | {"met": {1: None}}), derived(cells)).row(0, named=True)
    assert (row["age"], row["sex"], row["histology"]) == (55, "male", "FTC")
    assert (row["sites"], row["centre"]) == ("lung; bone", "North")


ROWS = st.fixed_dictionaries(
    {
        "review_priority": st.integers(1, len(URGENCY)),
        "list": st.sampled_from(LIST),
        "waiting_since": st.sampled_from([EARLY, LATE]),
        "urgency_key": st.none() | st.integers(0, 52).map(float),
    }
)


@given(st.lists(ROWS, min_size=1, max_size=8), st.randoms(), st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_the_order_does_not_depend_on_how_patients_arrive(
    rows: list[Cells], chance: Any, cap: int
) -> None:
    named = [{**row, "patient_id": f"P{n}"} for n, row in enumerate(rows)]
    shuffled = chance.sample(named, len(named))
    assert order(*named, cap=cap) == order(*shuffled, cap=cap) == order(*named)[: cap or None]
