"""Outcomes from the index date: follow-up, overall and progression-free survival.

OS: to death from any cause. PFS: to the first progression event after the index date, or death.
Without an event the time ends at the last contact; without one it is null. Unit: months of
30.4375 days.
Source: Jin 2025, Methods, "Statistical analysis".
"""

import polars as pl

from transforms.variables.as_of import months_between


def outcomes(patients: pl.LazyFrame, events: pl.LazyFrame, index: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per patient with an index date.

    follow_up_months, os_months, os_event, pfs_months, pfs_event.
    """
    progressed = (
        events.filter(pl.col("type") == "progression")
        .join(index, on="patient_no", how="inner")
        .filter(pl.col("event_date") > pl.col("index_date"))
        .group_by("patient_no")
        .agg(progression_date=pl.col("event_date").min())
    )
    died = pl.col("death_date").is_not_null()
    return (
        index.filter(pl.col("index_date").is_not_null())
        .join(patients, on="patient_no", how="inner")
        .join(progressed, on="patient_no", how="left")
        .with_columns(
            os_end=pl.coalesce("death_date", "last_contact_date"),
            pfs_end=pl.coalesce("progression_date", "death_date", "last_contact_date"),
            pfs_event=died | pl.col("progression_date").is_not_null(),
        )
        .select(
            "patient_no",
            "pfs_event",
            follow_up_months=months_between("index_date", "os_end"),
            os_months=months_between("index_date", "os_end"),
            os_event=died,
            pfs_months=months_between("index_date", "pfs_end"),
        )
    )
