"""Size of the largest lung nodule at the first 131I therapy (Jin 2025, OS).

Unit: cm, largest diameter. Window: the CT nearest the index date, from 90 days before to 30
days after; of two equally near, the earlier; of two on one day, the larger. Null: no CT with a
measured nodule in the window, or one that may be nearer cannot be read.
Source: Jin 2025, Table 1, "pulmonary nodule size (cm)".
"""

import polars as pl

from transforms.reading.quarantine import CELL_ASIDE
from transforms.units import length_cm
from transforms.variables.as_of import days_between, whole
from transforms.variables.evidence import Record, first_if_certain
from transforms.variables.windows import Windows

TABLE = "imaging"


def measured_nodules(record: Record) -> pl.LazyFrame:
    """Return the CTs with a measured nodule, or one that cannot be read: one row per study."""
    is_there = pl.col("largest_lung_nodule").is_not_null()
    unread = pl.col(CELL_ASIDE + "largest_lung_nodule").fill_null(False)
    return (
        record.tables[TABLE]
        .filter(pl.col("modality") == "CT", is_there | unread)
        .with_columns(nodule_cm=length_cm("largest_lung_nodule", "largest_lung_nodule_unit"))
    )


def lung_nodule(record: Record, index: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return one row per patient with such a CT: nodule_cm, nodule_date, nodule_row."""
    first = pl.col("index_earliest").dt.offset_by(f"-{windows.nodule_days_before}d")
    last = pl.col("index_latest").dt.offset_by(f"{windows.nodule_days_after}d")
    near = (
        measured_nodules(record)
        .join(index, on="patient_no", how="inner")
        .filter(
            (pl.col("latest") >= first) & (pl.col("earliest") <= last).fill_null(True),
        )
        .with_columns(index_date=whole("index_earliest", "index_latest"))
        .with_columns(
            days=days_between("index_date", "earliest").abs(),
            larger_first=-pl.col("nodule_cm"),
            surely=pl.col("nodule_cm").is_not_null() & pl.col("index_date").is_not_null(),
        )
    )
    order = ("days", "earliest", "larger_first", "study_id")
    return first_if_certain(record, TABLE, near, *order, certain="surely").select(
        "patient_no", "nodule_cm", nodule_date="earliest", nodule_row="study_id"
    )
