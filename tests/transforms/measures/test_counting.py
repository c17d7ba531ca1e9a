"""How answers are counted: by centre and period, medians with their number, what is rounded."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from tests.registry import AS_OF
from tests.transforms.measures.test_measures import BY_NAME, patient
from transforms.measures.definitions import REVIEWING
from transforms.measures.disclosure import rounded, suppressed
from transforms.measures.measures import measure

STG = BY_NAME["stg_before_first_131i"]
MONTHS = BY_NAME["months_operation_to_131i"]
WAIT = next(one for one in REVIEWING if one.name == "days_to_first_review")


def counted(one: Any, of: str, rows: pl.DataFrame, **where: Any) -> list[dict[str, Any]]:
    return measure([one], {of: rows}, AS_OF, smallest=1).filter(**where).to_dicts()


def test_the_recent_years_begin_with_the_first_of_january_five_years_ago() -> None:
    days = (date(2020, 12, 31), date(2021, 1, 1), date(2026, 6, 30))
    rows = pl.concat(patient(index_date=day, centre=c) for day, c in zip(days, "ABB", strict=True))
    found = counted(STG, "patients", rows, period="recent")
    assert [(row["centre"], row["start"], row["denominator"]) for row in found] == [
        (None, date(2021, 1, 1), 2),
        ("B", date(2021, 1, 1), 2),
    ]


def test_every_row_is_in_its_month_quarter_and_year_of_all_centres() -> None:
    rows = pl.concat(patient(index_date=date(2025, month, 28)) for month in (3, 4, 6))
    found = measure([STG], {"patients": rows}, AS_OF, smallest=1).filter(
        pl.col("centre").is_null(), pl.col("period") != "recent"
    )
    counts = {(p, s): d for p, s, d in found.select("period", "start", "denominator").rows()}
    assert counts == {
        ("month", date(2025, 3, 1)): 1,
        ("month", date(2025, 4, 1)): 1,
        ("month", date(2025, 6, 1)): 1,
        ("quarter", date(2025, 1, 1)): 1,
        ("quarter", date(2025, 4, 1)): 2,
        ("year", date(2025, 1, 1)): 3,
    }


def test_who_has_no_centre_is_of_an_unknown_one_and_who_has_no_day_of_no_period() -> None:
    nowhere = patient(index_date=date(2025, 1, 1)).with_columns(centre=pl.lit(None, pl.String))
    never = patient().with_columns(index_date=pl.lit(None, pl.Date))
    found = counted(STG, "patients", pl.concat([nowhere, never]), period="recent")
    assert [(row["centre"], row["denominator"]) for row in found] == [(None, 1), ("unknown", 1)]


def test_a_median_says_of_how_many_and_how_many_are_unknown() -> None:
    months = [1.0, 2.0, 9.0, None]
    rows = pl.concat(
        patient(index_date=date(2025, 1, 1)).with_columns(
            months_operation_to_i131=pl.lit(month, pl.Float64)
        )
        for month in months
    )
    (row,) = counted(MONTHS, "patients", rows, period="year")
    shown = ("value", "numerator", "denominator", "unknown", "unit")
    assert [row[name] for name in shown] == [2.0, None, 3, 1, "months"]


def test_of_waits_those_that_ended_are_counted_and_those_that_did_not_are_unknown() -> None:
    rows = pl.DataFrame(
        {
            "waiting_since": [date(2026, 1, 1)] * 4,
            "listed_for": ["criterion"] * 4,
            "days": [3, 5, 8, 100],
            "reviewed": [True, True, True, False],
            "centre": ["C"] * 4,
        }
    )
    (row,) = counted(WAIT, "waits", rows, period="year")
    assert [row[name] for name in ("value", "denominator", "unknown")] == [5.0, 3, 1]


def test_a_share_is_of_those_whose_answer_is_known() -> None:
    one = BY_NAME["first_activity_in_range"]
    rows = pl.concat(
        patient(index_date=date(2025, 1, 1), activity_mci=mci).cast({"activity_mci": pl.Float64})
        for mci in (150.0, 150.0, 50.0, 99.0, None)
    )
    (row,) = counted(one, "patients", rows, period="year")
    shown = ("numerator", "denominator", "unknown", "value")
    assert [row[name] for name in shown] == [2, 4, 1, 0.5]


def rows_of(*counts: tuple[int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"measure": "m", "centre": None, "period": "year", "start": date(2020 + n, 1, 1)}
            | {"numerator": yes, "denominator": of, "unknown": 3, "value": yes / of if of else None}
            | {"sensitive": True}
            for n, (yes, of) in enumerate(counts)
        ],
        schema_overrides={"centre": pl.String, "value": pl.Float64},
    )


def test_counts_are_rounded_half_up_and_shares_are_of_what_is_rounded() -> None:
    found = rounded(rows_of((7, 22), (8, 23), (22, 22), (0, 2), (12, 12)), 5)
    assert found.select("numerator", "denominator", "unknown", "value").rows() == [
        (5, 20, 5, 0.25),
        (10, 25, 5, 0.4),
        (20, 20, 5, 1.0),
        (0, 0, 5, None),
        (10, 10, 5, 1.0),
    ]
    assert rounded(rows_of((7, 22)), 1).equals(rows_of((7, 22)))


def test_a_median_has_no_count_to_round_and_stays() -> None:
    median = rows_of((7, 22)).with_columns(numerator=pl.lit(None, pl.Int64), value=pl.lit(3.5))
    assert rounded(median, 5).select("denominator", "value").rows() == [(20, 3.5)]


SMALL = [
    ((5, 10), False),
    ((4, 10), True),
    ((6, 10), True),
    ((0, 5), False),
    ((5, 5), False),
    ((0, 4), True),
    ((0, 0), False),
    ((10, 14), True),
    ((1, 40), True),
    ((39, 40), True),
    ((35, 40), False),
]


@pytest.mark.parametrize(("count", "hidden"), SMALL, ids=str)
def test_one_to_four_of_five_are_small_as_yes_as_no_and_together(
    count: tuple[int, int], hidden: bool
) -> None:
    found = suppressed(rows_of(count), 5).row(0, named=True)
    assert found["suppressed"] is hidden
    left_out = [found[name] is None for name in ("numerator", "denominator", "unknown")]
    assert left_out == [hidden] * 3
