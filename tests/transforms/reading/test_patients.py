"""The patients of a night: who is one, and what the rows of other tables are held against."""

from datetime import date

import polars as pl

from tests.rows import USUAL, judged, received
from transforms.reading.patients import set_aside_of, spine, with_first_diagnosis
from transforms.reading.quarantine import conflicting_keys, with_context


def test_a_patient_whose_own_row_is_quarantined_is_still_one() -> None:
    valid, apart = judged("patients", {"patient_id": "B"}, {"patient_id": "A"}, {"patient_id": "A"})
    valid, conflicts = conflicting_keys(valid, "patients")
    patients = spine(valid, pl.concat([apart, conflicts]))
    assert patients.select("patient_no", "patient_id").rows() == [(0, "A"), (1, "B")]
    born, died = date(1950, 5, 20), date(2019, 8, 9)
    assert patients.select("birth_earliest", "death_latest").rows() == [(None, None), (born, died)]


def test_a_cell_set_aside_makes_no_patient() -> None:
    valid, apart = judged("patients", {"patient_id": "A", "sex": "?"})
    assert spine(valid, apart)["patient_id"].to_list() == ["A"]
    assert spine(valid.clear(), apart)["patient_id"].to_list() == []


def test_a_first_diagnosis_without_a_day_says_nothing_of_the_first_day() -> None:
    valid, _ = judged("diagnoses", {"diagnosis_date": "2014-03"}, {"diagnosis_date": "2015-01-01"})
    patients = spine(*judged("patients", {"patient_id": "P"}))
    first = with_first_diagnosis(patients, valid)["first_diagnosis_earliest"]
    assert first.to_list() == [date(2014, 3, 1)]
    valid, _ = judged("diagnoses", {"diagnosis_date": "?"}, {"diagnosis_date": "2015-01-01"})
    assert with_first_diagnosis(patients, valid)["first_diagnosis_earliest"].to_list() == [None]


def test_what_is_set_aside_of_a_patient_leaves_out_rows_of_later_and_of_nobody() -> None:
    later, nobody = {"sample_date": "2026-07-01"}, {"patient_id": "Q"}
    _, apart = judged("labs", {"value": "?"}, {"analyte": "?"}, later, nobody)
    patients = spine(*judged("patients", {"patient_id": "P"}))
    day = date(2016, 6, 15)
    assert sorted(set_aside_of(apart, patients).rows(), key=str) == [
        (0, "labs", "value", day, day),
        (0, "labs", None, day, day),
    ]


def test_context_is_that_of_the_own_patient_in_the_order_of_the_rows() -> None:
    people = judged("patients", {"birth_date": "1950"}, {"birth_date": "1960-01-01"})
    rows = [USUAL["labs"] | {"lab_id": p, "patient_id": p} for p in ("K1", "Q", "K0")]
    joined = with_context(received(rows, "labs"), "labs", spine(*people))
    assert joined.select(
        "patient_no", "context.patient_known", "context.birth_earliest"
    ).rows() == [
        (1, True, date(1960, 1, 1)),
        (None, False, None),
        (0, True, date(1950, 1, 1)),
    ]
