"""The contract of every table, case by case: what is set aside, in which words, and what stays."""

from functools import cache
from typing import Any

import polars as pl
import pytest

from schemas.contracts import EARLIEST, LATEST, RECEIVED, expectations
from schemas.registry import EVENT_TABLES, TABLES
from tests.registry import AS_OF
from tests.rows import BORN, DIAGNOSED, DIED, USUAL, judged, received
from tests.schemas.cell_cases import CASES, OF_ANALYTE, Case
from tests.schemas.day_cases import NOT_ABOUT, about_days
from transforms.reading.patients import spine, with_first_diagnosis
from transforms.reading.quarantine import CELL_ASIDE, validate, with_context

EVERY = [*CASES, *(case for table in EVENT_TABLES for case in about_days(table))]
Outcome = tuple[dict[str, Any], dict[str, Any] | None, list[dict[str, Any]]]
"""The row as read, the row as it stays (None: quarantined), and what was set aside of it."""


@cache
def outcomes(table: str) -> dict[Case, Outcome]:
    """Read all cases of a table side by side, each with a patient of its own."""
    cases = [case for case in EVERY if case.table == table]
    people, diagnoses, rows = [], [], []
    for number, case in enumerate(cases):
        cells = dict(case.cells)
        days = {"born": BORN, "died": DIED, "diagnosed": DIAGNOSED}
        born, died, diagnosed = (cells.pop(name, usual) for name, usual in days.items())
        patient = f"P{number:03}"
        people.append({"patient_id": patient, "birth_date": born, "death_date": died})
        if diagnosed:
            diagnoses.append(
                {"diagnosis_id": patient, "patient_id": patient, "diagnosis_date": diagnosed}
            )
        key = {TABLES[table].key: f"K{number:03}"} if TABLES[table].key else {}
        whose = cells.pop("patient", patient)
        rows.append({**key, "patient_id": whose, **USUAL[table], **cells})
    patients = None
    if table != "patients":
        patients = spine(*validate(received(people, "patients"), "patients", AS_OF))
        diagnosed_rows = with_context(received(diagnoses, "diagnoses"), "diagnoses", patients)
        patients = with_first_diagnosis(patients, diagnosed_rows)
    read = with_context(received(rows, table), table, patients)
    valid, apart = validate(read, table, AS_OF)
    kept = {row["line"]: row for row in valid.to_dicts()}
    return {
        case: (read.row(line, named=True), kept.get(line), apart.filter(line=line).to_dicts())
        for line, case in enumerate(cases)
    }


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_each_rule_has_two_sides(case: Case) -> None:
    _, _, apart = outcomes(case.table)[case]
    assert sorted(reason for one in apart for reason in one["reasons"]) == sorted(case.reasons)


@pytest.mark.parametrize("case", [case for case in EVERY if case.reasons], ids=str)
def test_the_cell_that_a_reason_names_is_set_aside_and_its_neighbours_stay(case: Case) -> None:
    read, kept, apart = outcomes(case.table)[case]
    table = TABLES[case.table]
    named = {reason.partition(":")[0] for reason in case.reasons}
    if named & {"patient_id", table.key, table.says_what} or (
        table.key is None and named <= set(table.needed)
    ):
        assert [one["cell"] for one in apart] == [None]
        assert kept is None
        return
    assert {one["cell"] for one in apart} == named
    assert kept is not None
    for column in table.columns:
        for name in {column, EARLIEST + column, LATEST + column} & kept.keys():
            assert kept[name] == (None if column in named else read[name])
    marks = {name for name in kept if name.startswith(CELL_ASIDE)}
    assert marks == {CELL_ASIDE + name for name in table.empty_answers}
    assert {name for name in marks if kept[name]} == {CELL_ASIDE + n for n in named} & marks


@pytest.mark.parametrize("case", [case for case in EVERY if not case.reasons], ids=str)
def test_a_row_that_keeps_to_every_rule_stays_whole(case: Case) -> None:
    read, kept, apart = outcomes(case.table)[case]
    assert apart == []
    assert kept is not None
    assert {name: kept[name] for name in TABLES[case.table].columns} == {
        name: read[name] for name in TABLES[case.table].columns
    }
    assert not any(kept[name] for name in kept if name.startswith(CELL_ASIDE))


@pytest.mark.parametrize("table", TABLES)
def test_every_expectation_has_a_case_that_breaks_it_and_one_that_keeps_it(table: str) -> None:
    expected = {reason for reason, _ in expectations(TABLES[table])}
    of_table = [case for case in EVERY if case.table == table]
    broken = {reason for case in of_table for reason in case.reasons}
    kept = {case.rule for case in of_table if not case.reasons}
    not_about = {f"{TABLES[table].date}: {r}" for r, names in NOT_ABOUT.items() if table in names}
    assert broken == expected
    assert kept - not_about == expected


FITTING = {
    "Tg": {"ng/mL", "ug/L", "µg/L", "pmol/L"},
    "TgAb": {"IU/mL", "kIU/L"},
    "TSH": {"mIU/L", "uIU/mL", "µIU/mL"},
}


@pytest.mark.parametrize("unit", sorted(set().union(*FITTING.values())))
@pytest.mark.parametrize("analyte", FITTING)
def test_a_unit_is_one_of_its_analyte(analyte: str, unit: str) -> None:
    valid, apart = judged("labs", {"analyte": analyte, "unit": unit})
    fits = unit in FITTING[analyte]
    assert valid["value"].item() == (7.0 if fits else None)
    assert valid["unit"].item() == unit
    assert apart["reasons"].to_list() == ([] if fits else [[OF_ANALYTE]])


REQUIRED = {
    "patients": {"patient_id"},
    "diagnoses": {"diagnosis_id", "patient_id", "diagnosis_date"},
    "surgeries": {"surgery_id", "patient_id", "surgery_date", "procedure"},
    "i131_treatments": {"treatment_id", "patient_id", "treatment_date"},
    "labs": {"lab_id", "patient_id", "sample_date", "analyte"},
    "imaging": {"study_id", "patient_id", "study_date", "modality"},
    "metastases": {"metastasis_id", "patient_id", "detected_date", "site"},
    "events": {"event_id", "patient_id", "event_date", "type"},
    "reviews": {"patient_id", "reviewed_at", "decision"},
}


@pytest.mark.parametrize(("table", "column"), [(t, c) for t in TABLES for c in TABLES[t].columns])
def test_an_empty_cell_is_a_fault_where_one_is_required(table: str, column: str) -> None:
    about = {"decision": "confirmed"} if column == "deferred_until" else {}
    _, apart = judged(table, {column: "", **about})
    said = [reason for reasons in apart["reasons"] for reason in reasons]
    assert (f"{column}: empty" in said) is (column in REQUIRED[table])


def test_every_cell_that_is_not_text_keeps_what_was_received_beside_it() -> None:
    for table in TABLES:
        read, _, _ = next(iter(outcomes(table).values()))
        plain = {
            name
            for name, column in TABLES[table].schema.columns.items()
            if column.dtype.type == pl.String
        }
        names = {name.removeprefix(RECEIVED) for name in read if name.startswith(RECEIVED)}
        assert names == set(TABLES[table].columns) - plain
