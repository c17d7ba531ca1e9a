"""Courses of 131I therapy for the measures: one row per course, with its patient's columns."""

import polars as pl

from transforms.variables.courses import courses
from transforms.variables.evidence import Record
from transforms.variables.rrdtc_activity import in_total, passed
from transforms.variables.windows import Windows

PATIENT_COLUMNS = ("centre", "dtc", "metastatic", "rrdtc_met_date")


def courses_of(record: Record, patients: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Return one row per course with a whole day, with `beyond_limit`.

    That is whether the course brought the sum of administered activities above the limit of
    RR-DTC criterion 5; null where the activity or the day of one of the patient's courses is
    unknown, and the sum of the known ones is not above it. `patients` has one row per patient.
    """
    over = passed(pl.col("so_far_mci"), windows)
    return (
        in_total(courses(record))
        .filter("whole")
        .with_columns(
            treatment_date="earliest",
            beyond_limit=pl.when(over).then(True).when("all_known").then(False),
        )
        .join(patients.lazy().select("patient_no", *PATIENT_COLUMNS), on="patient_no")
        .select("treatment_date", "lesion_uptake", "beyond_limit", *PATIENT_COLUMNS)
        .collect()
    )
