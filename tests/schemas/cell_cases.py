"""Cells of every table on both sides of every rule that a cell alone can break."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.rows import BORN, DIED


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
BEYOND = {
    "tumour in mm": "tumour_size: not possible in mm, 0 to 300",
    "tumour in cm": "tumour_size: not possible in cm, 0 to 30",
    "GBq": "activity: not possible in GBq, 0 to 40",
    "MBq": "activity: not possible in MBq, 0 to 40000",
    "mCi": "activity: not possible in mCi, 0 to 1081",
    "nodule in mm": "largest_lung_nodule: not possible in mm, 0 to 300",
    "nodule in cm": "largest_lung_nodule: not possible in cm, 0 to 30",
    "SUVmax": "suv_max: not possible, 0 to 500",
    "Tg": "value: not possible in Tg ng/mL or ug/L or µg/L, 0 to 1e+07",
    "Tg in pmol/L": "value: not possible in Tg pmol/L, 0 to 1.5e+07",
    "TgAb": "value: not possible in TgAb IU/mL or kIU/L, 0 to 4e+06",
    "TSH": "value: not possible in TSH mIU/L or uIU/mL or µIU/mL, 0 to 10000",
}
OF_ANALYTE = "value: its unit is not one of this analyte"
NO_UNIT = "value: has no known unit"


def about_range(table: str, where: str, low: str | None, high: str, **cells: str) -> Iterator[Case]:
    """Yield cases on and just beyond the limits of what is possible."""
    rule = BEYOND[where]
    column = rule.partition(":")[0]
    if low is not None:
        yield ok(table, rule, **{column: low}, **cells)
        yield no(table, rule, **{column: f"{float(low) - 0.1}"}, **cells)
    yield ok(table, rule, **{column: high}, **cells)
    yield no(table, rule, **{column: f"{float(high) + 0.1}"}, **cells)


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
    *about_range("diagnoses", "tumour in mm", "0", "300", tumour_size_unit="mm"),
    *about_range("diagnoses", "tumour in cm", "0", "30", tumour_size_unit="cm"),
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
    *about_range("i131_treatments", "GBq", None, "40", activity_unit="GBq"),
    *about_range("i131_treatments", "MBq", None, "40000", activity_unit="MBq"),
    *about_range("i131_treatments", "mCi", None, "1081", activity_unit="mCi"),
    no("i131_treatments", BEYOND["GBq"], "activity: not above 0", activity="-0.1"),
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
    *about_range("labs", "Tg", "0", "10000000", unit="ug/L"),
    *about_range("labs", "Tg in pmol/L", "0", "15000000", unit="pmol/L"),
    *about_range("labs", "TgAb", "0", "4000000", analyte="TgAb", unit="kIU/L"),
    *about_range("labs", "TSH", "0", "10000", analyte="TSH", unit="µIU/mL"),
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
    *about_range("imaging", "SUVmax", "0", "500"),
    *about_range("imaging", "nodule in mm", "0", "300", largest_lung_nodule_unit="mm"),
    *about_range("imaging", "nodule in cm", "0", "30", largest_lung_nodule_unit="cm"),
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
    no(
        "reviews", "decision: not one of confirmed, dismissed, deferred, reopened", decision="later"
    ),
    ok(
        "reviews",
        "decision: not one of confirmed, dismissed, deferred, reopened",
        decision="confirmed",
    ),
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
