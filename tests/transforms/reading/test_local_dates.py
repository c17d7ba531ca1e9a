"""Local dates are read where nobody can read them otherwise, and else refused."""

from datetime import date, time

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.reading.local_dates import Order, as_iso, in_doubt, time_of


def read(text: str, order: Order | None = None) -> str:
    """Return what a date becomes; `?` where its order is in doubt."""
    cell = pl.DataFrame({"cell": [text]})
    if cell.select(in_doubt(pl.col("cell"), order)).item():
        return "?"
    return str(cell.select(as_iso(pl.col("cell"), order)).item())


@pytest.mark.parametrize(
    ("text", "order", "means"),
    [
        ("31.12.2026", None, "2026-12-31"),
        ("1.2.2026", None, "2026-02-01"),
        ("31.12.2026 09:15", None, "2026-12-31"),
        ("12/31/2026", None, "2026-12-31"),
        ("31/12/2026", None, "2026-12-31"),
        ("5/5/2026", None, "2026-05-05"),
        ("03/04/2026", None, "?"),
        ("03/04/2026", "dmy", "2026-04-03"),
        ("03/04/2026", "mdy", "2026-03-04"),
        ("03-04-2026 7:05", "dmy", "2026-04-03"),
        ("31.12.2026", "mdy", "2026-12-31"),
        ("2026-12-31", None, "2026-12-31"),
        ("2026-12-31T09:15:00Z", "mdy", "2026-12-31T09:15:00Z"),
        ("31.12.26", None, "31.12.26"),
        ("1.2/2026", None, "1.2/2026"),
        ("1.2.20261", None, "1.2.20261"),
        ("soon", None, "soon"),
    ],
)
def test_a_local_date_is_read_where_it_is_clear(text: str, order: Order | None, means: str) -> None:
    assert read(text, order) == means


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.sampled_from("./-"))
def test_a_date_that_is_read_is_the_one_that_was_written(day: date, separator: str) -> None:
    written = {
        "dmy": separator.join([str(day.day), str(day.month), str(day.year)]),
        "mdy": separator.join([str(day.month), str(day.day), str(day.year)]),
    }
    assert read(written["dmy"], "dmy") == day.isoformat()
    assert read(written["dmy"]) in (day.isoformat(), "?")
    if separator != ".":
        assert read(written["mdy"], "mdy") == day.isoformat()
        assert read(written["mdy"]) in (day.isoformat(), "?")


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2026-06-30T09:12:33Z", time(9, 12, 33)),
        ("30.6.2026 9:12", time(9, 12)),
        ("2026-06-30", None),
        ("2026-06-30 25:00", None),
    ],
)
def test_the_time_of_day_is_kept_beside_the_date(text: str, means: time | None) -> None:
    assert pl.DataFrame({"cell": [text]}).select(time_of(pl.col("cell"))).item() == means
