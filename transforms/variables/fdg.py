"""18F-FDG uptake of the lesions near the first 131I therapy (Liu 2022).

positive: a PET/CT within 7 days of the index date with SUVmax >= 2.5, and read as positive
where the reading is recorded. negative: such PET/CTs exist and none can be positive. Null: no
PET/CT in the window, or one that could be positive but lacks SUVmax.
Source: Liu 2022, Methods: "visually perceptible ... and SUVmax was >= 2.5"; PET/CT less than a
week from the start of treatment.
"""

import polars as pl

from transforms.variables.as_of import days_between, first_rows
from transforms.variables.windows import Windows


def fdg_uptake(imaging: pl.LazyFrame, index: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return one row per patient with a PET/CT in the window.

    fdg_uptake (positive, negative, null), fdg_suv_max, fdg_date and fdg_row: the study that
    decides, which is a positive one if there is one, then one that could be, then the nearest.
    """
    high = pl.col("suv_max") >= windows.fdg_suv_max
    positive = high & pl.col("fdg_positive").fill_null(True)
    negative = (~high).fill_null(False) | (pl.col("fdg_positive") == False).fill_null(False)  # noqa: E712
    days = days_between("index_date", "study_date")
    near = (
        imaging.filter(pl.col("modality") == "FDG_PETCT")
        .join(index, on="patient_no", how="inner")
        .with_columns(days=days.abs())
        .filter(pl.col("days") <= windows.fdg_days)
        .with_columns(
            fdg_uptake=pl.when(positive)
            .then(pl.lit("positive"))
            .when(negative)
            .then(pl.lit("negative"))
        )
    )
    decisive = (
        pl.when(pl.col("fdg_uptake") == "positive")
        .then(pl.lit(0, dtype=pl.UInt8))
        .when(pl.col("fdg_uptake").is_null())
        .then(pl.lit(1, dtype=pl.UInt8))
        .otherwise(pl.lit(2, dtype=pl.UInt8))
    )
    return first_rows(near, decisive, "days", "study_date", "study_id").select(
        "patient_no",
        "fdg_uptake",
        fdg_suv_max="suv_max",
        fdg_date="study_date",
        fdg_row="study_id",
    )
