"""Size of the largest lung nodule at the first 131I therapy (Jin 2025, OS).

Unit: cm, largest diameter. Window: the CT nearest the index date, from 90 days before to 30
days after; of two equally near, the earlier. Null: no CT with a measured nodule in the window.
Source: Jin 2025, Table 1, "pulmonary nodule size (cm)".
"""

import polars as pl

from transforms.units import length_cm
from transforms.variables.as_of import days_between, first_rows
from transforms.variables.windows import Windows


def lung_nodule(imaging: pl.LazyFrame, index: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return one row per patient with such a CT: nodule_cm, nodule_date, nodule_row."""
    size = length_cm("largest_lung_nodule", "largest_lung_nodule_unit")
    near = (
        imaging.filter(pl.col("modality") == "CT", pl.col("largest_lung_nodule").is_not_null())
        .join(index, on="patient_no", how="inner")
        .with_columns(days=days_between("index_date", "study_date"), nodule_cm=size)
        .filter(pl.col("days").is_between(-windows.nodule_days_before, windows.nodule_days_after))
    )
    largest_first = -pl.col("nodule_cm")
    return first_rows(near, pl.col("days").abs(), "study_date", largest_first, "study_id").select(
        "patient_no", "nodule_cm", nodule_date="study_date", nodule_row="study_id"
    )
