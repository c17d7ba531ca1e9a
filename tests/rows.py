"""Rows as they are received, one usual row per table, and what a night makes of them."""

from collections.abc import Mapping as Cells
from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.registry import TABLES
from tests.registry import AS_OF
from transforms.reading.cells import typed
from transforms.reading.mapping import Mapping
from transforms.reading.patients import spine, with_first_diagnosis
from transforms.reading.quarantine import validate, with_context

BORN, DIED, DIAGNOSED, DAY = "1950-05-20", "2019-08-09", "2014-03-15", "2016-06-15"
"""The days of every patient, and that of every row, unless a case says otherwise."""

USUAL: dict[str, dict[str, str]] = {
    "patients": {"sex": "female", "birth_date": BORN, "death_date": DIED, "death_cause": "other"}
    | {"last_contact_date": "2019-08-01", "centre": "North"},
    "diagnoses": {"diagnosis_date": DIAGNOSED, "histology": "PTC", "t": "T2", "n": "N1", "m": "M0"}
    | {"stage": "II", "tumour_size": "22", "tumour_size_unit": "mm", "multifocal": "no"}
    | {"extrathyroidal_extension": "no", "autoimmune_thyroid_disease": "no"}
    | {"recurrence_risk": "low"},
    "surgeries": {"surgery_date": DAY, "procedure": "total"},
    "i131_treatments": {"treatment_date": DAY, "activity": "5.5", "activity_unit": "GBq"}
    | {"intent": "ablation", "lesion_uptake": "all"},
    "labs": {"sample_date": DAY, "analyte": "Tg", "comparator": "=", "value": "7", "unit": "ng/mL"}
    | {"stimulated": "yes"},
    "imaging": {"study_date": DAY, "modality": "FDG_PETCT", "suv_max": "4", "fdg_positive": "yes"}
    | {"largest_lung_nodule": "8", "largest_lung_nodule_unit": "mm", "recist": "SD"},
    "metastases": {"detected_date": DAY, "site": "lung", "basis": "CT", "found": "yes"},
    "events": {"event_date": DAY, "type": "recurrence", "basis": "CT", "found": "yes"},
    "reviews": {"reviewed_at": DAY, "reviewer": "physician", "decision": "deferred"}
    | {"deferred_until": "2026-01-01", "note": "seen"},
}
"""A row of each table with which all is well."""


def received(
    rows: Sequence[Cells[str, str | None]], table: str, mapping: Mapping = Mapping()
) -> pl.DataFrame:
    """Return received rows as a night reads them, numbered from line 0."""
    columns = dict.fromkeys(TABLES[table].columns, pl.String)
    text = pl.DataFrame(rows, schema=columns).with_row_index("line")
    hashed = pl.col("line").cast(pl.UInt64).alias("row_hash")
    return typed(text.with_columns(hashed, file_no=pl.lit(1)), table, mapping)


def judged(
    table: str, *changes: Cells[str, str | None], as_of: date = AS_OF
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the valid rows and what is set aside of usual rows with some cells changed.

    All are of patient P, with keys K0, K1 and so on, unless the changes say otherwise.
    """
    rows = [
        {TABLES[table].key or "note": f"K{n}"} | {"patient_id": "P"} | USUAL[table] | change
        for n, change in enumerate(changes)
    ]
    if table == "patients":
        rows = [{**row, "patient_id": f"K{n}"} | dict(changes[n]) for n, row in enumerate(rows)]
        return validate(received(rows, table), table, as_of)
    people = received([USUAL["patients"] | {"patient_id": "P"}], "patients")
    patients = spine(*validate(people, "patients", as_of))
    diagnosis = USUAL["diagnoses"] | {"diagnosis_id": "D", "patient_id": "P"}
    diagnoses = with_context(received([diagnosis], "diagnoses"), "diagnoses", patients)
    patients = with_first_diagnosis(patients, diagnoses)
    return validate(with_context(received(rows, table), table, patients), table, as_of)
