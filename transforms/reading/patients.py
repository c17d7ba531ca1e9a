"""The patients of a night: who they are, and what the rows of other tables must agree with."""

import polars as pl

from schemas.contracts import EARLIEST, LATEST
from transforms.reading.quarantine import hashed


def spine(valid: pl.DataFrame, set_aside: pl.DataFrame) -> pl.DataFrame:
    """Return one row per patient of the export, also of those whose own row is quarantined.

    patient_no (the place in the sorted list), patient_id, its hash, and the columns of
    CONTEXT_DAYS; those of diagnoses come with `with_first_diagnosis`.
    """
    there = set_aside.filter(pl.col("cell").is_null(), pl.col("patient_id").is_not_null())
    ids = pl.concat([valid["patient_id"], there["patient_id"]]).unique().sort()
    days = valid.select(
        "patient_id",
        birth_earliest=pl.col(EARLIEST + "birth_date"),
        death_latest=pl.col(LATEST + "death_date"),
    )
    return (
        ids.to_frame()
        .with_row_index("patient_no")
        .join(days, on="patient_id", how="left", maintain_order="left")
        .with_columns(
            hashed=hashed("patient_id"), first_diagnosis_earliest=pl.lit(None, dtype=pl.Date)
        )
    )


def with_first_diagnosis(patients: pl.DataFrame, diagnoses: pl.DataFrame) -> pl.DataFrame:
    """Add the first day that the first diagnosis may have; null where one has no day at all."""
    day = pl.col(EARLIEST + "diagnosis_date")
    first = diagnoses.group_by("patient_no").agg(
        first_diagnosis_earliest=pl.when(day.null_count() == 0).then(day.min())
    )
    return patients.drop("first_diagnosis_earliest").join(
        first, on="patient_no", how="left", maintain_order="left"
    )


def set_aside_of(rejected: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """Return what was set aside of known patients, as the variables need it.

    One row per quarantined row (cell is null) and per cell: patient_no, table, cell, earliest,
    latest. A patient without a usable row of their own is no such row: all of it is unknown.
    """
    return (
        rejected.filter(~pl.col("not_yet"))
        .join(patients.select("patient_id", "patient_no"), on="patient_id")
        .select("patient_no", "table", "cell", "earliest", "latest")
    )
