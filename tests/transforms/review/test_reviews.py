"""What a reviewer saw, told by name, and who waits for a review since when."""

from datetime import date, time, timedelta
from typing import Any

import polars as pl
import pytest

from schemas import codes
from tests.transforms.review.rows import LAST_NIGHT, TONIGHT, reviewed, risk
from transforms.review.flags import NO_REVIEWS
from transforms.review.reviews import WATCHED, by_name, latest_reviews, state

DAY = timedelta(days=1)
FLAGGED: dict[str, Any] = {
    "rrdtc_flag": "high",
    "rrdtc_met": False,
    "os_risk_group": "not_applicable",
    "pfs_risk_group": "low",
    "uptake_category": "uptake",
    "needs": ["sex", "stimulated Tg >= 500"],
}
STATE = [
    "rrdtc_flag=high",
    "rrdtc_met=false",
    "rrdtc_criterion=none",
    "os_risk_group=not_applicable",
    "pfs_risk_group=low",
    "uptake_category=uptake",
    "needs=sex, stimulated Tg >= 500",
]
"""What a reviewer sees of FLAGGED."""

NOTHING_KNOWN = [
    "rrdtc_flag=low",
    "rrdtc_met=unknown",
    "rrdtc_criterion=unknown",
    "os_risk_group=low",
    "pfs_risk_group=low",
    "uptake_category=unknown",
    "needs=none",
]

OLD = [item.partition("=")[2] for item in STATE]
"""The same as the first versions wrote it."""


def test_a_state_has_the_watched_columns_by_name() -> None:
    assert risk(FLAGGED).select(state()).to_series().to_list() == [STATE]


def test_a_night_that_lacks_a_watched_column_says_nothing_of_it() -> None:
    older = risk(FLAGGED).drop("os_risk_group", "needs")
    (said,) = older.select(state(older.columns)).to_series()
    assert said.to_list() == [STATE[0], STATE[1], STATE[2], STATE[4], STATE[5]]


@pytest.mark.parametrize(
    ("written", "means"),
    [
        (STATE, STATE),
        (OLD, STATE),
        (["low", "none", "none", "low", "low", "none", "none"], NOTHING_KNOWN),
        ([said.replace("unknown", "none") for said in NOTHING_KNOWN], NOTHING_KNOWN),
        (NOTHING_KNOWN, NOTHING_KNOWN),
        (STATE[:3], STATE[:3]),
        (list(reversed(STATE)), list(reversed(STATE))),
        (OLD[:6], None),
        ([*OLD, "low"], None),
        (OLD[:1], None),
        ([], None),
        (None, None),
    ],
    ids=str,
)
def test_states_of_every_version_are_read_by_name(
    written: list[str] | None, means: list[str] | None
) -> None:
    frame = pl.DataFrame({"state": [written]}, schema={"state": pl.List(pl.String)})
    assert frame.select(by_name("state")).to_series().to_list() == [means]


SAME_AS_SEEN = [
    STATE,
    OLD,
    list(reversed(STATE)),
    [*STATE, "braf=mutated"],
    ["braf=mutated", *STATE],
    [item for item in STATE if not item.startswith("os_risk_group")],
    [item for item in STATE if not item.startswith("rrdtc_flag")],
    [item for item in STATE if not item.startswith("needs")],
    STATE[:1],
    ["braf=mutated"],
]


@pytest.mark.parametrize("saw", SAME_AS_SEEN, ids=str)
def test_only_columns_that_both_know_are_compared(saw: list[str]) -> None:
    row = risk(FLAGGED, reviews=reviewed(saw)).row(0, named=True)
    assert (row["review_status"], row["changed_since_review"]) == ("reviewed", [])


@pytest.mark.parametrize("name", ["uptake_category", "pfs_risk_group", "needs"])
def test_a_state_of_another_version_still_brings_back_by_what_it_knows(name: str) -> None:
    other = [f"{n}=other" if n == name else f"{n}={v}" for n, _, v in split(STATE)]
    for saw in (other, list(reversed(other)), ["braf=mutated", *other[1:]], values(other)):
        row = risk(FLAGGED, reviews=reviewed(saw)).row(0, named=True)
        now = dict(zip(WATCHED, values(STATE), strict=True))[name]
        assert row["changed_since_review"] == [f"{name}: other -> {now}"]
        assert row["review_status"] == "waiting"


def split(items: list[str]) -> list[tuple[str, str, str]]:
    return [item.partition("=") for item in items]


def values(items: list[str]) -> list[str]:
    return [value for _, _, value in split(items)]


def test_a_name_that_begins_like_another_is_not_taken_for_it() -> None:
    saw = ["rrdtc_flag_of_old=low", "rrdtc_flag=high", "rrdtc=low"]
    row = risk(FLAGGED, reviews=reviewed(saw)).row(0, named=True)
    assert row["changed_since_review"] == []


def test_the_state_is_carried_from_night_to_night_and_by_name_from_then_on() -> None:
    first = risk(FLAGGED, reviews=reviewed(OLD))
    assert first["reviewed_state"].to_list() == [STATE]
    later = reviewed(None)
    second = risk(FLAGGED, last=first, reviews=later)
    assert second["reviewed_state"].to_list() == [STATE]
    written_before = first.with_columns(reviewed_state=pl.Series([OLD]))
    third = risk(FLAGGED | {"uptake_category": None}, last=written_before, reviews=later)
    assert third["changed_since_review"].to_list() == [["uptake_category: uptake -> unknown"]]
    assert third["reviewed_state"].to_list() == [STATE]


def test_a_new_review_is_held_against_what_its_reviewer_saw() -> None:
    first = risk(FLAGGED, reviews=reviewed(["rrdtc_flag=low"], on=LAST_NIGHT - DAY))
    assert first["changed_since_review"].to_list() == [["rrdtc_flag: low -> high"]]
    second = risk(FLAGGED, last=first, reviews=reviewed(STATE))
    assert second["reviewed_state"].to_list() == [STATE]
    assert second["changed_since_review"].to_list() == [[]]


TOMORROW, YESTERDAY = TONIGHT + DAY, TONIGHT - DAY
STATUS: list[tuple[dict[str, Any], pl.DataFrame, str]] = [
    ({}, NO_REVIEWS, "nothing"),
    ({}, reviewed(STATE), "nothing"),
    (FLAGGED, NO_REVIEWS, "waiting"),
    (FLAGGED, reviewed(STATE), "reviewed"),
    (FLAGGED, reviewed(STATE, decision="dismissed"), "reviewed"),
    (FLAGGED, reviewed(None), "waiting"),
    (FLAGGED, reviewed(["rrdtc_met=true"]), "waiting"),
    (FLAGGED, reviewed(STATE, decision="deferred", deferred_until=TOMORROW), "deferred"),
    (FLAGGED, reviewed(STATE, decision="deferred", deferred_until=TONIGHT), "waiting"),
    (FLAGGED, reviewed(STATE, decision="deferred", deferred_until=YESTERDAY), "waiting"),
    (FLAGGED, reviewed(None, decision="deferred", deferred_until=TOMORROW), "waiting"),
    (
        FLAGGED,
        reviewed(["rrdtc_met=true"], decision="deferred", deferred_until=TOMORROW),
        "waiting",
    ),
]


@pytest.mark.parametrize(("cells", "reviews", "status"), STATUS, ids=str)
def test_who_waits_who_was_reviewed_and_who_was_deferred(
    cells: dict[str, Any], reviews: pl.DataFrame, status: str
) -> None:
    row = risk(cells, reviews=reviews).row(0, named=True)
    assert row["review_status"] == status
    assert row["waiting_since"] == (TONIGHT if status == "waiting" else None)


LONG_AGO = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("status", "reviewed_before", "reviews", "since"),
    [
        ("waiting", None, NO_REVIEWS, LONG_AGO),
        ("reviewed", None, NO_REVIEWS, TONIGHT),
        ("waiting", LAST_NIGHT, reviewed(["rrdtc_met=true"]), LONG_AGO),
        ("waiting", LAST_NIGHT - DAY, reviewed(["rrdtc_met=true"]), TONIGHT),
        ("waiting", None, reviewed(["rrdtc_met=true"]), TONIGHT),
        ("waiting", LAST_NIGHT, reviewed(STATE), None),
    ],
    ids=str,
)
def test_a_patient_waits_since_the_first_night_after_the_last_review(
    status: str, reviewed_before: date | None, reviews: pl.DataFrame, since: date | None
) -> None:
    saw = None if reviews.is_empty() else reviews["newly_seen_state"].to_list()[0]
    last = risk(FLAGGED).with_columns(
        review_status=pl.lit(status).cast(pl.Enum(codes.REVIEW_STATUS)),
        waiting_since=pl.lit(LONG_AGO),
        reviewed_at=pl.lit(reviewed_before, dtype=pl.Date),
        reviewed_state=pl.lit(saw, dtype=pl.List(pl.String)),
    )
    assert risk(FLAGGED, last=last, reviews=reviews)["waiting_since"].to_list() == [since]


SCHEMA = {
    "patient_no": pl.UInt32,
    "reviewed_at": pl.Date,
    "reviewed_time": pl.Time,
    "decision": pl.Enum(codes.REVIEW_DECISION),
    "deferred_until": pl.Date,
}
REVIEWS: list[tuple[list[tuple[int, str, int | None]], tuple[int, str, int | None]]] = [
    ([(1, "confirmed", None)], (1, "confirmed", None)),
    ([(2, "dismissed", None), (1, "deferred", 9)], (2, "dismissed", None)),
    ([(1, "dismissed", None), (1, "confirmed", None)], (1, "confirmed", None)),
    ([(1, "confirmed", None), (1, "dismissed", None)], (1, "confirmed", None)),
    ([(1, "deferred", 9), (1, "confirmed", None)], (1, "deferred", 9)),
    ([(1, "deferred", 9), (1, "dismissed", None)], (1, "deferred", 9)),
    ([(1, "deferred", 9), (1, "deferred", 5)], (1, "deferred", 5)),
    ([(1, "deferred", 5), (1, "deferred", 9)], (1, "deferred", 5)),
    ([(1, "confirmed", 9)], (1, "confirmed", None)),
    ([(1, "reopened", None), (1, "deferred", 9)], (1, "reopened", None)),
    ([(2, "confirmed", None), (1, "reopened", None)], (2, "confirmed", None)),
]
"""Reviews of one patient (day, decision, deferred until), and the one that counts."""


@pytest.mark.parametrize(("given", "counts"), REVIEWS, ids=str)
def test_the_last_review_counts_and_of_a_day_the_one_that_brings_back_soonest(
    given: list[tuple[int, str, int | None]], counts: tuple[int, str, int | None]
) -> None:
    def day(number: int | None) -> date | None:
        return None if number is None else TONIGHT + number * DAY

    rows = [(7, day(on), None, decision, day(until)) for on, decision, until in given]
    latest = latest_reviews(pl.DataFrame(rows, schema=SCHEMA, orient="row"))
    on, decision, until = counts
    assert latest.rows() == [(7, day(on), decision, day(until))]


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ([(9, "reopened"), (11, "confirmed")], "confirmed"),
        ([(11, "confirmed"), (9, "reopened")], "confirmed"),
        ([(9, "confirmed"), (11, "dismissed")], "dismissed"),
        ([(9, "reopened"), (None, "confirmed")], "reopened"),
        ([(None, "reopened"), (11, "confirmed")], "reopened"),
    ],
    ids=str,
)
def test_of_one_day_the_later_counts_where_every_review_says_when(
    given: list[tuple[int | None, str]], counts: str
) -> None:
    rows = [(7, TONIGHT, at and time(at), decision, None) for at, decision in given]
    latest = latest_reviews(pl.DataFrame(rows, schema=SCHEMA, orient="row"))
    assert latest["review_decision"].to_list() == [counts]
