"""What happened after an RR-DTC criterion was met: imaging within a year, and further 131I."""

import polars as pl

from transforms.variables.courses import courses
from transforms.variables.evidence import Record

WITHIN_DAYS = 365
MODALITIES = ("CT", "MRI", "FDG_PETCT")


def with_what_came_after(patients: pl.DataFrame, record: Record) -> pl.DataFrame:
    """Add imaging_after_rrdtc and i131_after_rrdtc: one row per patient, in order.

    Both are null where no criterion is met. Imaging is null where it is not there and the year is
    not over, the patient died within it, or imaging is not collected; 131I where a course without
    a whole day may have been after.
    """
    met = patients.lazy().filter(pl.col("rrdtc_met_date").is_not_null())
    met = met.select("patient_no", "rrdtc_met_date", "died", "death_date")
    found = met.join(_imaged(record, met), on="patient_no", how="left")
    found = found.join(_treated(record, met), on="patient_no", how="left")
    after = found.select(
        "patient_no",
        imaging_after_rrdtc=pl.when("imaged").then(True).when(_year_is_over(record)).then(False),
        i131_after_rrdtc=pl.when("treated")
        .then(True)
        .when(~pl.col("may_be").fill_null(False))
        .then(False),
    )
    return patients.join(after.collect(), on="patient_no", how="left", maintain_order="left")


def _imaged(record: Record, met: pl.LazyFrame) -> pl.LazyFrame:
    """Return who has a study in the year: one row per patient."""
    away = (pl.col("earliest") - pl.col("rrdtc_met_date")).dt.total_days()
    return (
        record.tables["imaging"]
        .filter(pl.col("modality").is_in(MODALITIES))
        .join(met.select("patient_no", "rrdtc_met_date"), on="patient_no")
        .filter(away.is_between(1, WITHIN_DAYS), pl.col("earliest") == pl.col("latest"))
        .select("patient_no", imaged=pl.lit(True))
        .unique()
    )


def _treated(record: Record, met: pl.LazyFrame) -> pl.LazyFrame:
    """Return who has a course after the day, or may have one: one row per patient."""
    day = pl.col("rrdtc_met_date")
    return (
        courses(record)
        .join(met.select("patient_no", "rrdtc_met_date"), on="patient_no")
        .group_by("patient_no")
        .agg(
            treated=(pl.col("earliest") > day).any(),
            may_be=(pl.col("latest") > day).any(),
        )
    )


def _year_is_over(record: Record) -> pl.Expr:
    end = pl.col("rrdtc_met_date").dt.offset_by(f"{WITHIN_DAYS}d")
    over = end <= pl.lit(record.as_of)
    lived = ~pl.col("died").fill_null(True) | (pl.col("death_date") > end).fill_null(False)
    collected = record.coverage.of("imaging", "modality").status == "collected"
    return over & lived & pl.lit(collected)
