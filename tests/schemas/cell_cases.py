"""Cells of every table on both sides of every rule that a cell alone can break."""

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
