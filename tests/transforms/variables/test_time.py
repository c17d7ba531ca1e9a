"""Ages, spans between days, and what a record says of what it collects."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from tests.registry import AS_OF
from transforms.reading.coverage import COLLECTED, NOT_COLLECTED, Coverage, Statement
from transforms.variables.as_of import (
    completed_years,
    days_between,
    first_rows,
    months_between,
    whole,
)
from transforms.variables.evidence import HIDDEN, Record
from transforms.variables.lesions import none_is_known

AGES = [
    ((1972, 3, 17), (2020, 3, 17), 48),
    ((1972, 3, 18), (2020, 3, 17), 47),
    ((1972, 3, 16), (2020, 3, 17), 48),
    ((1972, 4, 1), (2020, 3, 31), 47),
    ((1972, 2, 28), (2020, 3, 1), 48),
    ((1972, 2, 29), (2019, 2, 28), 46),
    ((1972, 2, 29), (2019, 3, 1), 47),
    ((1972, 2, 29), (2020, 2, 29), 48),
    ((2020, 3, 17), (2020, 3, 17), 0),
]


@pytest.mark.parametrize(("born", "on", "years"), AGES, ids=str)
def test_a_year_is_completed_on_the_birthday(
    born: tuple[int, int, int], on: tuple[int, int, int], years: int
) -> None:
    row = pl.DataFrame({"born": [date(*born)], "on": [date(*on)]})
    assert row.select(completed_years("born", "on")).item() == years


def test_spans_have_a_sign_and_are_null_without_a_day() -> None:
    rows = pl.DataFrame({"a": [date(2020, 1, 1)] * 3, "b": [date(2020, 3, 1), date(2019, 12, 31),
                                                            None]})  # fmt: skip
    assert rows.select(days_between("a", "b")).to_series().to_list() == [60, -1, None]
    assert rows.select(months_between("a", "b")).to_series().to_list() == [
        pytest.approx(60 / 30.4375),
        pytest.approx(-1 / 30.4375),
        None,
    ]


def test_a_day_is_whole_where_its_two_ends_are_one() -> None:
    one, other = date(2020, 1, 1), date(2020, 1, 2)
    rows = pl.DataFrame({"a": [one, one, one, None], "b": [one, other, None, None]})
    assert rows.select(whole("a", "b")).to_series().to_list() == [one, None, None, None]


def test_the_first_row_of_each_patient_is_by_the_order_asked_for() -> None:
    rows = pl.LazyFrame({"patient_no": [2, 1, 2, 1], "day": [5, 4, 3, 4], "key": [1, 2, 3, 1]})
    found = first_rows(rows, "day", "key").select("patient_no", "key").collect()
    assert found.rows() == [(1, 1), (2, 3)]


def record(said: dict[str, Any]) -> Record:
    return Record(AS_OF, {}, pl.LazyFrame(schema=HIDDEN), Coverage.model_validate(said))


SOURCES: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"metastases": "not_collected"}, False),
    ({"metastases.site.brain": "not_collected"}, False),
    ({"events.type.recurrence": "not_collected"}, False),
    ({"events.type.progression": "not_collected"}, True),
    ({"imaging.modality.CT": "not_collected"}, False),
    ({"imaging.modality.MRI": "not_collected"}, True),
    ({"imaging": {"status": "partial", "until": "index"}}, False),
    ({"diagnoses": "partial"}, False),
    ({"surgeries": "not_collected"}, True),
]


@pytest.mark.parametrize(("said", "known"), SOURCES, ids=str)
def test_that_there_is_no_lesion_is_known_where_all_that_tells_of_one_is_collected(
    said: dict[str, Any], known: bool
) -> None:
    assert none_is_known(record(said)) is known


ASKED: list[tuple[dict[str, Any], str, tuple[str, ...], Statement]] = [
    ({}, "labs", ("Tg",), COLLECTED),
    ({"labs.analyte.TSH": "not_collected"}, "labs", ("Tg",), COLLECTED),
    ({"labs.analyte.TSH": "not_collected"}, "labs", ("TSH",), NOT_COLLECTED),
    ({"labs.analyte.TSH": "not_collected"}, "labs", (), NOT_COLLECTED),
    ({"labs": "partial", "labs.analyte.Tg": "not_collected"}, "labs", ("Tg", "TSH"), NOT_COLLECTED),
    ({"labs": "partial"}, "labs", ("Tg",), Statement(status="partial")),
    ({"surgeries": "partial"}, "surgeries", (), Statement(status="partial")),
]


@pytest.mark.parametrize(("said", "table", "codes", "holds"), ASKED, ids=str)
def test_of_several_kinds_of_rows_the_least_that_is_collected_holds(
    said: dict[str, Any], table: str, codes: tuple[str, ...], holds: Statement
) -> None:
    assert record(said).coverage_of(table, codes) == holds
    assert record(said).is_collected(table, *codes) is (holds == COLLECTED)


def test_what_is_hidden_is_of_its_own_table() -> None:
    day = date(2020, 1, 1)
    rows = pl.LazyFrame([(1, "labs", day, day), (2, "events", day, day)], HIDDEN, orient="row")
    assert Record(AS_OF, {}, rows).hidden_in("labs").collect().rows() == [(1, day, day)]
