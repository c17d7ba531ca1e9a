"""Courses of 131I therapy for the measures: one row per course, with its patient's columns."""

import polars as pl

from transforms.units import activity_mci
from transforms.variables.windows import Windows

PATIENT_COLUMNS = ("centre", "dtc", "metastatic", "rrdtc_met_date")


def courses_of(
    i131_treatments: pl.DataFrame, patients: pl.DataFrame, windows: Windows
) -> pl.DataFrame:
    """Return one row per course known as of tonight, with `beyond_limit`.

    That is whether the course brought the sum of administered activities above the limit of
    RR-DTC criterion 5; null where the activity of this or an earlier course is unknown, and no
    sum of the known ones is above it. `patients` has one row per patient.
    """
    mci = pl.col("mci")
    so_far = mci.fill_null(0).cum_sum().over("patient_no")
    all_known = (mci.is_null().cum_sum() == 0).over("patient_no")
    limit = windows.cumulative_mci
    return (
        i131_treatments.lazy()
        .with_columns(mci=activity_mci())
        .sort("patient_no", "treatment_date", "treatment_id")
        .with_columns(
            beyond_limit=pl.when(so_far.round(6) > limit).then(True).when(all_known).then(False)
        )
        .join(
            patients.lazy().select("patient_no", *PATIENT_COLUMNS),
            on="patient_no",
        )
        .select("treatment_date", "lesion_uptake", "beyond_limit", *PATIENT_COLUMNS)
        .collect()
    )
