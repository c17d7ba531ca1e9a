"""What reviewers decided: how often the list was right, and how long its patients wait."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from transforms.measures.definitions import REVIEWING
from transforms.measures.measures import measure
from transforms.measures.reviewing import decisions, waits_of
from transforms.review.reviews import GIVEN, in_order

TONIGHT = date(2026, 6, 30)
DAY = timedelta(days=1)


def told(*reviews: tuple[int, int, str, dict[str, Any]]) -> pl.DataFrame:
    """Return reviews of patients: number, days ago, decision, and what was seen."""
    rows = [
        {"patient_no": who, "reviewed_at": TONIGHT - ago * DAY, "decision": decision}
        | {"listed_for": "criterion", "waiting_since": None, "source": "file"}
        | more
        for who, ago, decision, more in reviews
    ]
    schema = GIVEN | {"listed_for": pl.String, "waiting_since": pl.Date}
    return in_order(pl.DataFrame(rows, schema=schema))


def test_a_decision_counts_once_a_day_and_not_when_it_was_taken_back() -> None:
    given = told(
        (1, 9, "confirmed", {}),
        (2, 9, "dismissed", {}),
        (2, 9, "confirmed", {}),
        (3, 9, "dismissed", {}),
        (3, 5, "reopened", {}),
        (3, 2, "confirmed", {}),
        (4, 9, "deferred", {"deferred_until": TONIGHT}),
    )
    found = decisions(given).select("patient_no", "reviewed_at", "decision").rows()
    nine, two = TONIGHT - 9 * DAY, TONIGHT - 2 * DAY
    assert found == [(1, nine, "confirmed"), (2, nine, "confirmed"), (3, two, "confirmed")]


def test_the_share_confirmed_is_of_each_kind_with_its_interval() -> None:
    reviews = [
        (who, 9, "confirmed" if who < 30 else "dismissed", {"listed_for": kind})
        for kind, whom in (("criterion", range(40)), ("flag", range(100, 120)))
        for who in whom
    ]
    rows = decisions(told(*reviews)).with_columns(centre=pl.lit("C"))
    ppv = [one for one in REVIEWING if one.of == "reviews"]
    found = measure(ppv, {"reviews": rows}, TONIGHT, smallest=5)
    year = found.filter(pl.col("centre").is_null(), period="year")
    shown = {row["measure"]: row for row in year.to_dicts()}
    assert shown.keys() == {"confirmed_criterion", "confirmed_flag"}
    of_criterion = shown["confirmed_criterion"]
    assert (of_criterion["numerator"], of_criterion["denominator"]) == (30, 40)
    assert (of_criterion["lower"], of_criterion["upper"]) == pytest.approx((0.598, 0.858), abs=1e-3)
    assert shown["confirmed_flag"]["value"] == 0


def test_a_wait_ends_with_the_first_review_and_else_lasts_until_tonight() -> None:
    since = TONIGHT - 20 * DAY
    given = told(
        (1, 10, "deferred", {"waiting_since": since, "deferred_until": TONIGHT}),
        (1, 4, "confirmed", {"waiting_since": since}),
        (2, 9, "reopened", {"waiting_since": TONIGHT - 12 * DAY}),
        (3, 3, "dismissed", {"waiting_since": TONIGHT - 5 * DAY}),
    )
    risk = pl.DataFrame(
        {
            "patient_no": pl.Series([1, 2, 3, 4], dtype=pl.UInt32),
            "waiting_since": [None, TONIGHT - 12 * DAY, TONIGHT - DAY, None],
            "review_priority": [1, 5, 2, None],
        }
    )
    found = waits_of(given, risk, TONIGHT).sort("patient_no", "waiting_since")
    assert found.select("patient_no", "listed_for", "days", "reviewed").rows() == [
        (1, "criterion", 10, True),
        (2, "undecided", 12, False),
        (3, "criterion", 2, True),
        (3, "flag", 1, False),
    ]
