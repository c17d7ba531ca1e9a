"""The five RR-DTC criteria as they are shown: state, day, evidence and source of each."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from schemas.codes import CRITERION_STATE
from schemas.published import Criteria, columns_of
from tests.registry import NOTHING_ASIDE, Registry, days
from transforms.review.criteria import criteria, criterion_words
from transforms.variables.features import features
from transforms.variables.windows import Windows

Cells = dict[str, Any]
DAY = date(2020, 6, 15)
MET, NOT_MET, UNKNOWN = "met", "not_met", "unknown"
UNMET, MAY = "nothing on record meets it", "what is missing or was set aside may decide it"
COMPLETE = "a complete response was the last assessment before the limit was passed"


def derived(**cells: Any) -> pl.DataFrame:
    """Return what is derived of one patient: no criterion is met unless a test says so."""
    usual: Cells = {"patient_id": "A", "dtc": True, "ruled_out": False, "criterion_5_mci": None}
    schema: dict[str, Any] = {"patient_id": pl.String, "dtc": pl.Boolean, "ruled_out": pl.Boolean}
    for n in range(1, 6):
        usual |= {f"criterion_{n}_state": NOT_MET, f"criterion_{n}_date": None}
        usual |= {f"criterion_{n}_row": None, f"criterion_{n}_number": None}
        schema |= {f"criterion_{n}_state": pl.Enum(CRITERION_STATE), f"criterion_{n}_date": pl.Date}
        schema |= {f"criterion_{n}_row": pl.String, f"criterion_{n}_number": pl.UInt32}
    schema |= {"criterion_4_table": pl.String, "criterion_4_after": pl.Date}
    usual |= {"criterion_4_table": None, "criterion_4_after": None}
    schema |= {"criterion_5_mci": pl.Float64}
    return pl.DataFrame([usual | cells], schema=schema)


def shown(number: int, cells: Cells) -> Cells:
    of_number = {
        f"criterion_{number}_{name}": value
        for name, value in cells.items()
        if name not in ("ruled_out", "dtc")
    }
    others = {name: cells[name] for name in ("ruled_out", "dtc") if name in cells}
    frame = criteria(derived(**of_number, **others), Windows())
    return frame.row(by_predicate=pl.col("criterion") == number, named=True)


AT: Cells = {"state": MET, "date": DAY, "row": "I2", "number": 2}
EVENT: Cells = {**AT, "row": "E1", "table": "events", "after": date(2020, 3, 15)}

EVIDENCE: list[tuple[int, Cells, str]] = [
    (1, AT, "course 2 took up nothing, and none took up"),
    (1, {"state": MET}, "met; its day is unknown"),
    (1, {"state": NOT_MET}, UNMET),
    (1, {"state": UNKNOWN}, MAY),
    (2, AT, "course 2 took up nothing, an earlier one did"),
    (2, {"state": MET}, "met; its day is unknown"),
    (2, {"state": NOT_MET}, UNMET),
    (2, {"state": UNKNOWN}, MAY),
    (3, AT, "course 2: some lesions took up, others did not"),
    (3, {"state": MET}, "met; its day is unknown"),
    (3, {"state": NOT_MET}, UNMET),
    (3, {"state": UNKNOWN}, MAY),
    (4, EVENT, "recorded progression 92 days after course 2 of 2020-03-15"),
    (4, {**EVENT, "table": "imaging"}, "RECIST PD 92 days after course 2 of 2020-03-15"),
    (4, {**EVENT, "after": None}, "met; its day is unknown"),
    (4, {**EVENT, "date": None}, "met; its day is unknown"),
    (4, {"state": NOT_MET}, UNMET),
    (4, {"state": UNKNOWN}, MAY),
    (5, {**AT, "mci": 600.04}, "600.0 mCi with course 2"),
    (5, {**AT, "mci": 650.0}, "650.0 mCi with course 2"),
    (5, {"state": MET}, "met; its day is unknown"),
    (5, {"state": NOT_MET}, UNMET),
    (5, {"state": NOT_MET, "mci": 650.0, "ruled_out": True}, COMPLETE),
    (5, {"state": NOT_MET, "mci": 650.0, "ruled_out": False}, UNMET),
    (5, {"state": NOT_MET, "mci": 650.0, "ruled_out": None}, UNMET),
    (5, {"state": NOT_MET, "ruled_out": True}, UNMET),
    (5, {"state": UNKNOWN, "mci": 650.0}, MAY),
]


@pytest.mark.parametrize(("number", "cells", "evidence"), EVIDENCE, ids=str)
def test_each_criterion_says_what_it_rests_on(number: int, cells: Cells, evidence: str) -> None:
    row = shown(number, cells)
    assert (row["state"], row["evidence"]) == (cells["state"], evidence)
    assert row["date"] == cells.get("date")


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("state", CRITERION_STATE)
def test_only_a_criterion_that_is_met_names_the_row_that_it_rests_on(
    number: int, state: str
) -> None:
    of_four = {"table": "events"} if number == 4 else {}
    row = shown(number, {"state": state, "row": "R", **of_four})
    table = "events" if number == 4 else "i131_treatments"
    assert (row["source_table"], row["source_row"]) == (
        (table, "R") if state == MET else (None, None)
    )


def test_every_patient_with_dtc_and_a_course_has_five_rows_in_order() -> None:
    two = pl.concat([derived(patient_id="B"), derived(patient_id="A")])
    rows = criteria(two, Windows())
    assert rows.select("patient_id", "criterion").rows() == [
        (patient, number) for patient in "AB" for number in range(1, 6)
    ]
    assert rows.schema == columns_of(Criteria)


@pytest.mark.parametrize(
    "cells", [{"dtc": False}, {"dtc": None}, {"criterion_1_state": None}], ids=str
)
def test_without_dtc_or_any_course_there_are_no_criteria(cells: Cells) -> None:
    assert criteria(derived(**cells), Windows()).is_empty()


WORDS = [
    (1, "the lesions never concentrated 131I"),
    (2, "the lesions lost the ability to concentrate 131I"),
    (3, "some lesions concentrate 131I, others do not"),
    (4, "progression within a year after a 131I therapy"),
    (5, "more than 600 mCi of 131I in total"),
]


@pytest.mark.parametrize(("number", "words"), WORDS)
def test_a_criterion_is_said_in_words(number: int, words: str) -> None:
    assert criterion_words(number, Windows()) == words
    assert shown(number, {"state": NOT_MET})["words"] == words


def test_the_limit_in_force_is_the_one_that_is_said() -> None:
    assert criterion_words(5, Windows(cumulative_mci=500)) == "more than 500 mCi of 131I in total"


def test_from_rows_to_criteria(registry: Registry) -> None:
    registry.usual("A").metastasis("A", "lung").treated("A", days(200), "none")
    registry.event("A", "progression", days(250))
    record = registry.record()
    derived_rows = features(record, NOTHING_ASIDE, Windows())
    named = derived_rows.with_columns(patient_id=pl.lit("A"))
    said = criteria(named, Windows()).select("state", "date", "evidence", "source_row").rows()
    assert said == [
        (NOT_MET, None, UNMET, None),
        (MET, days(200), "course 2 took up nothing, an earlier one did", "I2"),
        (NOT_MET, None, UNMET, None),
        (MET, days(250), f"recorded progression 50 days after course 2 of {days(200)}", "E1"),
        (NOT_MET, None, UNMET, None),
    ]
