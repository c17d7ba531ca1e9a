"""What a registry says that it collects, and what is refused of it."""

from typing import Any

import pytest
from pydantic import ValidationError

from transforms.reading.coverage import COLLECTED, NOT_COLLECTED, Coverage, Statement

PARTIAL = {"status": "partial"}
TO_DIAGNOSIS = {"status": "partial", "until": "diagnosis"}
TO_INDEX = {"status": "partial", "until": "index"}
Said = dict[str, Any]

LUNG, PROGRESSION = "metastases.site.lung", "events.type.progression"
NO = "not_collected"

HOLDS: list[tuple[Said, str, str, str | None]] = [
    ({}, "labs", "collected", None),
    ({}, "labs.value", "collected", None),
    ({}, PROGRESSION, "collected", None),
    ({"labs": NO}, "labs", NO, None),
    ({"labs": NO}, "imaging", "collected", None),
    ({"labs": NO}, "labs.value", NO, None),
    ({"labs": NO, "labs.value": "collected"}, "labs.value", NO, None),
    ({"imaging.recist": NO}, "imaging.recist", NO, None),
    ({"imaging.recist": NO}, "imaging.suv_max", "collected", None),
    ({"imaging.recist": NO}, "imaging", "collected", None),
    ({"imaging.recist": "partial"}, "imaging.recist", "partial", None),
    ({PROGRESSION: NO}, PROGRESSION, NO, None),
    ({PROGRESSION: NO}, "events.type.recurrence", "collected", None),
    ({PROGRESSION: NO}, "events.type", "collected", None),
    ({"metastases": TO_DIAGNOSIS}, "metastases", "partial", "diagnosis"),
    ({"metastases": TO_INDEX}, LUNG, "partial", "index"),
    ({"metastases": TO_INDEX, LUNG: PARTIAL}, LUNG, "partial", None),
    ({"metastases": PARTIAL, LUNG: TO_INDEX}, LUNG, "partial", None),
    ({"metastases": TO_INDEX, LUNG: NO}, LUNG, NO, None),
    ({"metastases": NO, LUNG: TO_INDEX}, LUNG, NO, None),
]
"""What is said, what is asked about, and what holds of it, until when."""


@pytest.mark.parametrize(("said", "about", "status", "until"), HOLDS, ids=str)
def test_of_all_that_is_said_the_least_holds(
    said: Said, about: str, status: str, until: str | None
) -> None:
    held = Coverage.model_validate(said).of(*about.split("."))
    assert (held.status, held.until) == (status, until)


REFUSED: list[tuple[Said, str]] = [
    ({"lab": "collected"}, "lab: no such table; known: patients, diagnoses"),
    ({"labs.result": "collected"}, "labs.result: no such column of labs"),
    ({"events.type.relapse": "collected"}, "no such code; known: recurrence, progression"),
    ({"labs.value.7": "collected"}, "labs.value.7: no such code; known: "),
    ({"labs": "sometimes"}, "Input should be 'collected', 'partial' or 'not_collected'"),
    ({"labs": {"status": "partial", "until": "death"}}, "Input should be 'diagnosis' or 'index'"),
    ({"labs": {"status": "collected", "until": "index"}}, "until = 'index' belongs to status part"),
    ({"labs": {"status": "not_collected", "until": "index"}}, "belongs to status partial"),
    ({"labs": {"status": "partial", "from": "index"}}, "Extra inputs are not permitted"),
    ({"labs": {"until": "index"}}, "Field required"),
    ({"labs.lab_id": "not_collected"}, "labs.lab_id: no row can be used without it; say labs inst"),
    ({"labs.patient_id": "partial"}, "labs.patient_id: no row can be used without it"),
    ({"labs.analyte": "partial"}, "labs.analyte: no row can be used without it"),
    ({"metastases.site": "not_collected"}, "metastases.site: no row can be used without it"),
]


@pytest.mark.parametrize(("said", "message"), REFUSED, ids=str)
def test_a_statement_that_means_nothing_is_refused(said: Said, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Coverage.model_validate(said)
    assert message in str(refused.value)


def test_a_word_is_a_status() -> None:
    assert Statement.model_validate("partial") == Statement(status="partial")
    assert Coverage.model_validate({"labs.lab_id": "collected"}).of("labs", "lab_id") == COLLECTED


def test_what_is_not_collected_need_not_be_in_the_export() -> None:
    said = Coverage.model_validate(
        {
            "labs": "not_collected",
            "metastases": "partial",
            "imaging.recist": "not_collected",
            "imaging.suv_max": "partial",
            "imaging.modality.CT": "not_collected",
            "events.found": "not_collected",
        }
    )
    assert said.absent_tables == {"labs"}
    assert said.absent_columns("imaging") == {"recist"}
    assert said.absent_columns("events") == {"found"}
    assert said.absent_columns("labs") == frozenset()


def test_an_empty_table_or_column_is_not_collected_unless_it_is_said_to_be() -> None:
    said = Coverage.model_validate({"labs": "collected", "imaging.recist": "collected"})
    found = said.with_found({"labs": ("*",), "events": ("*",), "imaging": ("recist", "suv_max")})
    assert found.of("labs") == COLLECTED
    assert found.of("events") == NOT_COLLECTED
    assert found.of("imaging", "recist") == COLLECTED
    assert found.of("imaging", "suv_max") == NOT_COLLECTED
    assert found.of("imaging") == COLLECTED
    assert said.of("events") == COLLECTED
