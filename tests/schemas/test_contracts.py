"""The contract of every table, case by case: what is set aside, in which words, and what stays."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl
import pytest

from schemas.contracts import EARLIEST, LATEST, RECEIVED, expectations
from schemas.registry import EVENT_TABLES, TABLES
from tests.registry import AS_OF
from tests.rows import BORN, DIAGNOSED, DIED, USUAL, judged, received
from transforms.reading.patients import spine, with_first_diagnosis
from transforms.reading.quarantine import CELL_ASIDE, validate, with_context


@dataclass(frozen=True)
class Case:
    """A row that differs from the usual one in some cells, or belongs to another patient."""

    table: str
    rule: str
    cells: tuple[tuple[str, str | None], ...]
    reasons: tuple[str, ...] = ()
    """Every reason that is given; the rule alone where it is broken."""

    def __str__(self) -> str:
        cells = ", ".join(f"{name} {text or 'empty'}" for name, text in self.cells)
        verdict = "breaks" if self.reasons else "keeps"
        return f"{self.table}: {cells} {verdict} <{self.rule[:60]}>"


def no(table: str, rule: str, *more: str, **cells: str | None) -> Case:
    """Return a case that breaks a rule, and perhaps more."""
    return Case(table, rule, tuple(cells.items()), (rule, *more))


def ok(table: str, rule: str, **cells: str | None) -> Case:
    """Return a case just inside a rule."""
    return Case(table, rule, tuple(cells.items()))


NOT_A_DATE = "not a date (YYYY-MM-DD, or YYYY-MM, YYYY)"
HISTOLOGIES = "histology: not one of PTC, FTC, OCA, PDTC, mixed, ATC, MTC, other"
PROCEDURES = (
    "procedure: not one of total, near_total, subtotal, lobectomy, completion, neck_dissection, "
    "other"
)
UNITS = "unit: not one of ng/mL, ug/L, µg/L, pmol/L, IU/mL, kIU/L, mIU/L, uIU/mL, µIU/mL"
MODALITIES = "modality: not one of FDG_PETCT, CT, US, MRI, WBS, SPECT"
SITES = (
    "site: not one of lymph_node, lung, bone, larynx_trachea, liver, pleura, kidney, adrenal, "
    "bone_marrow, brain, other, unspecified"
)
OF_ANALYTE = "value: its unit is not one of this analyte"
NO_UNIT = "value: has no known unit"

CASES = [
    # patients
    no("patients", "sex: not one of female, male, unknown", sex="F"),
    ok("patients", "sex: not one of female, male, unknown", sex="unknown"),
    no("patients", f"birth_date: {NOT_A_DATE}", birth_date="20.05.1950"),
    ok("patients", f"birth_date: {NOT_A_DATE}", birth_date="1950-05"),
    no("patients", f"death_date: {NOT_A_DATE}", death_date="2019-02-29"),
    ok("patients", f"death_date: {NOT_A_DATE}", death_date=None),
    ok("patients", f"death_date: {NOT_A_DATE}", death_date="2019"),
    no("patients", "death_cause: not one of thyroid_cancer, other, unknown", death_cause="fall"),
    ok("patients", "death_cause: not one of thyroid_cancer, other, unknown", death_cause=None),
    no("patients", f"last_contact_date: {NOT_A_DATE}", last_contact_date="recently"),
    ok("patients", f"last_contact_date: {NOT_A_DATE}", last_contact_date="2019-07"),
    no("patients", "birth_date: before 1900-01-01", birth_date="1899-12-31"),
    ok("patients", "birth_date: before 1900-01-01", birth_date="1900-01-01"),
    no("patients", "birth_date: before 1900-01-01", birth_date="1899"),
    ok("patients", "birth_date: before 1900-01-01", birth_date="1900"),
    no(
        "patients",
        "death_date: before 1900-01-01",
        "death_date: before birth_date",
        "last_contact_date: after death_date",
        death_date="1899-12-31",
    ),
    ok(
        "patients",
        "death_date: before 1900-01-01",
        birth_date=None,
        death_date="1900-01-01",
        last_contact_date=None,
    ),
    no(
        "patients",
        "last_contact_date: before 1900-01-01",
        birth_date=None,
        last_contact_date="1899-12-31",
    ),
    ok(
        "patients",
        "last_contact_date: before 1900-01-01",
        birth_date=None,
        last_contact_date="1900-01-01",
    ),
    no(
        "patients",
        "death_date: before birth_date",
        death_date="1950-05-19",
        last_contact_date=None,
    ),
    ok("patients", "death_date: before birth_date", death_date=BORN, last_contact_date=None),
    no("patients", "death_date: before birth_date", death_date="1950-04", last_contact_date=None),
    ok("patients", "death_date: before birth_date", death_date="1950-05", last_contact_date=None),
    ok("patients", "death_date: before birth_date", birth_date="2019-08"),
    no(
        "patients",
        "death_date: before birth_date",
        birth_date="2019-09",
        last_contact_date=None,
    ),
    no("patients", "last_contact_date: before birth_date", last_contact_date="1950-05-19"),
    ok("patients", "last_contact_date: before birth_date", last_contact_date=BORN),
    no("patients", "last_contact_date: before birth_date", last_contact_date="1949"),
    ok("patients", "last_contact_date: before birth_date", last_contact_date="1950"),
    no("patients", "last_contact_date: after death_date", last_contact_date="2019-08-10"),
    ok("patients", "last_contact_date: after death_date", last_contact_date=DIED),
    no("patients", "last_contact_date: after death_date", last_contact_date="2019-09"),
    ok("patients", "last_contact_date: after death_date", last_contact_date="2019-08"),
    ok("patients", "last_contact_date: after death_date", death_date="2019-08"),
    no("patients", "last_contact_date: after death_date", death_date="2019-07"),
    # diagnoses
    no("diagnoses", f"diagnosis_date: {NOT_A_DATE}", diagnosis_date="2014-13"),
    ok("diagnoses", f"diagnosis_date: {NOT_A_DATE}", diagnosis_date="2014-12"),
    no("diagnoses", HISTOLOGIES, histology="papillary"),
    ok("diagnoses", HISTOLOGIES, histology="mixed"),
    no("diagnoses", "tumour_size: not a number", tumour_size="large"),
    ok("diagnoses", "tumour_size: not a number", tumour_size="2.2e1"),
    no(
        "diagnoses",
        "tumour_size_unit: not one of mm, cm",
        "tumour_size: has no known tumour_size_unit",
        tumour_size_unit="inch",
    ),
    ok("diagnoses", "tumour_size_unit: not one of mm, cm", tumour_size_unit="cm"),
    no("diagnoses", "tumour_size: outside 0 to 300", tumour_size="-0.1"),
    ok("diagnoses", "tumour_size: outside 0 to 300", tumour_size="0"),
    no("diagnoses", "tumour_size: outside 0 to 300", tumour_size="300.1"),
    ok("diagnoses", "tumour_size: outside 0 to 300", tumour_size="300"),
    no("diagnoses", "tumour_size: has no known tumour_size_unit", tumour_size_unit=None),
    ok(
        "diagnoses",
        "tumour_size: has no known tumour_size_unit",
        tumour_size=None,
        tumour_size_unit=None,
    ),
    # surgeries
    no("surgeries", f"surgery_date: {NOT_A_DATE}", surgery_date="20160615"),
    ok("surgeries", f"surgery_date: {NOT_A_DATE}", surgery_date="2016"),
    no("surgeries", PROCEDURES, procedure="hemithyroidectomy"),
    ok("surgeries", PROCEDURES, procedure="lobectomy"),
    # i131_treatments
    no("i131_treatments", f"treatment_date: {NOT_A_DATE}", treatment_date="15/06/2016"),
    ok("i131_treatments", f"treatment_date: {NOT_A_DATE}", treatment_date="2016-06"),
    no("i131_treatments", "activity: not a number", activity="5,5"),
    ok("i131_treatments", "activity: not a number", activity="5.5"),
    no(
        "i131_treatments",
        "activity_unit: not one of GBq, MBq, mCi",
        "activity: has no known activity_unit",
        activity_unit="Ci",
    ),
    ok("i131_treatments", "activity_unit: not one of GBq, MBq, mCi", activity_unit="mCi"),
    no(
        "i131_treatments",
        "lesion_uptake: not one of all, some, none, not_assessed",
        lesion_uptake="weak",
    ),
    ok(
        "i131_treatments",
        "lesion_uptake: not one of all, some, none, not_assessed",
        lesion_uptake="not_assessed",
    ),
    no("i131_treatments", "activity: outside 0 to 50000", activity="50001", activity_unit="MBq"),
    ok("i131_treatments", "activity: outside 0 to 50000", activity="50000", activity_unit="MBq"),
    no("i131_treatments", "activity: outside 0 to 50000", "activity: not above 0", activity="-0.1"),
    no("i131_treatments", "activity: has no known activity_unit", activity_unit=None),
    ok(
        "i131_treatments",
        "activity: has no known activity_unit",
        activity=None,
        activity_unit=None,
    ),
    no("i131_treatments", "activity: not above 0", activity="0"),
    ok("i131_treatments", "activity: not above 0", activity="0.1"),
    # labs
    no("labs", f"sample_date: {NOT_A_DATE}", sample_date="2016-06-15x"),
    ok("labs", f"sample_date: {NOT_A_DATE}", sample_date="2016-06-15T08:30"),
    no("labs", "analyte: not one of Tg, TgAb, TSH", analyte="tg"),
    ok("labs", "analyte: not one of Tg, TgAb, TSH", analyte="TSH", unit="mIU/L"),
    no("labs", "comparator: not one of =, <, <=, >, >=", comparator="=>"),
    ok("labs", "comparator: not one of =, <, <=, >, >=", comparator=">="),
    no("labs", "value: not a number", value="<7"),
    ok("labs", "value: not a number", value=None),
    no("labs", UNITS, NO_UNIT, unit="ng/dL"),
    ok("labs", UNITS, unit="µg/L"),
    no("labs", "stimulated: not one of yes, no, unknown", stimulated="true"),
    ok("labs", "stimulated: not one of yes, no, unknown", stimulated="unknown"),
    no("labs", "value: outside 0 to 1e+07", value="-1"),
    ok("labs", "value: outside 0 to 1e+07", value="0"),
    no("labs", "value: outside 0 to 1e+07", value="10000001"),
    ok("labs", "value: outside 0 to 1e+07", value="10000000"),
    no("labs", NO_UNIT, unit=None),
    ok("labs", NO_UNIT, value=None, unit=None),
    no("labs", OF_ANALYTE, unit="mIU/L"),
    ok("labs", OF_ANALYTE, value=None, unit="mIU/L"),
    ok("labs", OF_ANALYTE, unit="pmol/L"),
    # imaging
    no("imaging", f"study_date: {NOT_A_DATE}", study_date="2016-02-30"),
    ok("imaging", f"study_date: {NOT_A_DATE}", study_date="2016-02-29"),
    no("imaging", MODALITIES, modality="PET"),
    ok("imaging", MODALITIES, modality="SPECT"),
    no("imaging", "suv_max: not a number", suv_max="inf"),
    ok("imaging", "suv_max: not a number", suv_max=None),
    no("imaging", "fdg_positive: not one of yes, no", fdg_positive="perhaps"),
    ok("imaging", "fdg_positive: not one of yes, no", fdg_positive="0"),
    no("imaging", "largest_lung_nodule: not a number", largest_lung_nodule="8 mm"),
    ok("imaging", "largest_lung_nodule: not a number", largest_lung_nodule="8.0"),
    no(
        "imaging",
        "largest_lung_nodule_unit: not one of mm, cm",
        "largest_lung_nodule: has no known largest_lung_nodule_unit",
        largest_lung_nodule_unit="MM",
    ),
    ok(
        "imaging",
        "largest_lung_nodule_unit: not one of mm, cm",
        largest_lung_nodule_unit="cm",
    ),
    no("imaging", "recist: not one of CR, PR, SD, PD, NE", recist="stable"),
    ok("imaging", "recist: not one of CR, PR, SD, PD, NE", recist=None),
    no("imaging", "suv_max: outside 0 to 500", suv_max="-1"),
    ok("imaging", "suv_max: outside 0 to 500", suv_max="0"),
    no("imaging", "suv_max: outside 0 to 500", suv_max="500.5"),
    ok("imaging", "suv_max: outside 0 to 500", suv_max="500"),
    no("imaging", "largest_lung_nodule: outside 0 to 500", largest_lung_nodule="-1"),
    ok("imaging", "largest_lung_nodule: outside 0 to 500", largest_lung_nodule="0"),
    no("imaging", "largest_lung_nodule: outside 0 to 500", largest_lung_nodule="501"),
    ok("imaging", "largest_lung_nodule: outside 0 to 500", largest_lung_nodule="500"),
    no(
        "imaging",
        "largest_lung_nodule: has no known largest_lung_nodule_unit",
        largest_lung_nodule_unit=None,
    ),
    ok(
        "imaging",
        "largest_lung_nodule: has no known largest_lung_nodule_unit",
        largest_lung_nodule=None,
        largest_lung_nodule_unit=None,
    ),
    # metastases
    no("metastases", f"detected_date: {NOT_A_DATE}", detected_date="unknown"),
    ok("metastases", f"detected_date: {NOT_A_DATE}", detected_date="2016"),
    no("metastases", SITES, site="lungs"),
    ok("metastases", SITES, site="unspecified"),
    no("metastases", "found: not one of yes, no", found="unclear"),
    ok("metastases", "found: not one of yes, no", found="no"),
    # events
    no("events", f"event_date: {NOT_A_DATE}", event_date="0000-06-15"),
    ok("events", f"event_date: {NOT_A_DATE}", event_date="2016-06"),
    no("events", "type: not one of recurrence, progression", type="relapse"),
    ok("events", "type: not one of recurrence, progression", type="progression"),
    no("events", "found: not one of yes, no", found="2"),
    ok("events", "found: not one of yes, no", found="No"),
    # reviews
    no("reviews", f"reviewed_at: {NOT_A_DATE}", reviewed_at="yesterday"),
    ok("reviews", f"reviewed_at: {NOT_A_DATE}", reviewed_at="2016-06-15 17:00:00"),
    no("reviews", "decision: not one of confirmed, dismissed, deferred", decision="later"),
    ok("reviews", "decision: not one of confirmed, dismissed, deferred", decision="confirmed"),
    no(
        "reviews",
        f"deferred_until: {NOT_A_DATE}",
        "deferred_until: empty for a deferred patient",
        deferred_until="soon",
    ),
    ok("reviews", f"deferred_until: {NOT_A_DATE}", deferred_until="2026-01-02"),
    no("reviews", "deferred_until: before 1900-01-01", deferred_until="1899-12-31"),
    ok("reviews", "deferred_until: before 1900-01-01", deferred_until="1900-01-01"),
    no("reviews", "deferred_until: empty for a deferred patient", deferred_until=None),
    no("reviews", "deferred_until: empty for a deferred patient", deferred_until="2026-01"),
    ok(
        "reviews",
        "deferred_until: empty for a deferred patient",
        decision="dismissed",
        deferred_until=None,
    ),
]
"""Case by case. Dates against the patient's own days follow, the same for every table."""

BEFORE_1900, UNKNOWN = "before 1900-01-01", "patient_id: not in patients"
BEFORE_BIRTH = "before the patient's birth_date"
AFTER_DEATH = "after the patient's death_date"
BEFORE_DIAGNOSIS = "before the patient's first diagnosis_date"

DAYS: list[tuple[str, str, bool, dict[str, str | None]]] = [
    ("1899-12-31", BEFORE_1900, False, {"born": None, "diagnosed": None}),
    ("1899-12", BEFORE_1900, False, {"born": None, "diagnosed": None}),
    ("1900-01-01", BEFORE_1900, True, {"born": None, "diagnosed": None}),
    ("1900", BEFORE_1900, True, {"born": None, "diagnosed": None}),
    ("2016-06-14", BEFORE_BIRTH, False, {"born": "2016-06-15"}),
    ("2016-06-15", BEFORE_BIRTH, True, {"born": "2016-06-15"}),
    ("2016-05", BEFORE_BIRTH, False, {"born": "2016-06-15"}),
    ("2016-06", BEFORE_BIRTH, True, {"born": "2016-06-15"}),
    ("2015", BEFORE_BIRTH, False, {"born": "2016-06"}),
    ("2016", BEFORE_BIRTH, True, {"born": "2016-06"}),
    ("2016-05-31", BEFORE_BIRTH, False, {"born": "2016-06"}),
    ("2016-06-01", BEFORE_BIRTH, True, {"born": "2016-06"}),
    ("2015-12-31", BEFORE_BIRTH, False, {"born": "2016"}),
    ("2016-01-01", BEFORE_BIRTH, True, {"born": "2016"}),
    ("2016-06-16", AFTER_DEATH, False, {"died": "2016-06-15"}),
    ("2016-06-15", AFTER_DEATH, True, {"died": "2016-06-15"}),
    ("2016-07", AFTER_DEATH, False, {"died": "2016-06-15"}),
    ("2016-06", AFTER_DEATH, True, {"died": "2016-06-15"}),
    ("2017", AFTER_DEATH, False, {"died": "2016-06"}),
    ("2016", AFTER_DEATH, True, {"died": "2016-06"}),
    ("2016-07-01", AFTER_DEATH, False, {"died": "2016-06"}),
    ("2016-06-30", AFTER_DEATH, True, {"died": "2016-06"}),
    ("2017-01-01", AFTER_DEATH, False, {"died": "2016"}),
    ("2016-12-31", AFTER_DEATH, True, {"died": "2016"}),
    ("2024-01-01", AFTER_DEATH, True, {"died": None}),
    ("2016-06-14", BEFORE_DIAGNOSIS, False, {"diagnosed": "2016-06-15"}),
    ("2016-06-15", BEFORE_DIAGNOSIS, True, {"diagnosed": "2016-06-15"}),
    ("2016-05", BEFORE_DIAGNOSIS, False, {"diagnosed": "2016-06-15"}),
    ("2016-06", BEFORE_DIAGNOSIS, True, {"diagnosed": "2016-06-15"}),
    ("2015", BEFORE_DIAGNOSIS, False, {"diagnosed": "2016-06"}),
    ("2016", BEFORE_DIAGNOSIS, True, {"diagnosed": "2016-06"}),
    ("2016-05-31", BEFORE_DIAGNOSIS, False, {"diagnosed": "2016-06"}),
    ("2016-06-01", BEFORE_DIAGNOSIS, True, {"diagnosed": "2016-06"}),
    ("2001-01-01", BEFORE_DIAGNOSIS, True, {"diagnosed": None}),
]
"""Day of a row, rule, whether it keeps to it, and the days of its patient: both sides of each."""

NOT_ABOUT = {
    BEFORE_DIAGNOSIS: {"diagnoses", "labs", "imaging", "metastases", "events", "reviews"},
    AFTER_DEATH: {"reviews"},
}
"""The tables whose rows may be before the diagnosis, or after death."""


def about_days(table: str) -> list[Case]:
    """Return the cases of DAYS for one table."""
    when = EVENT_TABLES[table].date or ""
    made = []
    for day, rule, keeps, patient in DAYS:
        reason = f"{when}: {rule}"
        if rule == BEFORE_DIAGNOSIS and table == "diagnoses":
            continue
        others = {"died": None} if rule != AFTER_DEATH else {}
        cells = {when: day, **others, **patient}
        applies = table not in NOT_ABOUT.get(rule, ())
        made.append((ok if keeps or not applies else no)(table, reason, **cells))
    made.append(no(table, UNKNOWN, patient="nobody"))
    made.append(ok(table, UNKNOWN))
    return made


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
    if named & {"patient_id", table.key, table.says_what} or table.key is None:
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
