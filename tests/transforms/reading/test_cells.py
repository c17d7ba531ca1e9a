from datetime import date

import polars as pl
import pytest

from transforms.reading.cells import read_day, read_flag, read_number, read_partial


def read(how: pl.Expr, text: str | None) -> object:
    return pl.DataFrame({"cell": [text]}, schema={"cell": pl.String}).select(how).item()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2020-02-29", date(2020, 2, 29)),
        ("2020-02-29T13:45:00Z", date(2020, 2, 29)),
        ("2020-02-29 00:00:00.000000", date(2020, 2, 29)),
        ("0001-01-01", date(1, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
        ("2021-02-29", None),
        ("2021-02-31", None),
        ("0000-05-05", None),
        ("10000-01-01", None),
        ("29.02.2020", None),
        ("2020-02-29x", None),
        ("2020-2", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_iso_8601_and_exist(text: str | None, day: date | None) -> None:
    assert read(read_day(pl.col("cell")), text) == day


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2014-03", date(2014, 3, 1), date(2014, 3, 31)),
        ("2016-02", date(2016, 2, 1), date(2016, 2, 29)),
        ("2014", date(2014, 1, 1), date(2014, 12, 31)),
        ("2014-13", None, None),
        ("2014-3", None, None),
        ("0000", None, None),
        ("9999", date(9999, 1, 1), date(9999, 12, 31)),
        ("201", None, None),
        ("2014-03-05", None, None),
        ("March 2014", None, None),
    ],
)
def test_a_month_and_a_year_are_all_their_days(
    text: str, first: date | None, last: date | None
) -> None:
    assert tuple(read(day, text) for day in read_partial(pl.col("cell"))) == (first, last)


@pytest.mark.parametrize(
    ("text", "number"),
    [("5.5", 5.5), ("1e3", 1000.0), ("-1", -1.0), ("NaN", None), ("inf", None), ("1e400", None)]
    + [("5,5", None), ("high", None), ("0x10", None)],
)
def test_numbers_are_finite(text: str, number: float | None) -> None:
    assert read(read_number(pl.col("cell")), text) == number


def test_a_decimal_comma_is_read_only_where_it_is_declared() -> None:
    assert read(read_number(pl.col("cell"), decimal_comma=True), "5,5") == 5.5


@pytest.mark.parametrize(
    ("text", "flag"),
    [(text, True) for text in ("yes", "true", "TRUE", "1", "y", "Positive")]
    + [(text, False) for text in ("no", "False", "0", "n", "N", "negative")]
    + [(text, None) for text in ("maybe", "", "yes ", "2", None)],
)
def test_yes_and_no(text: str | None, flag: bool | None) -> None:
    assert read(read_flag(pl.col("cell")), text) is flag
