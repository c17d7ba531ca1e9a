"""Outcomes from the index date: follow-up, overall and progression-free survival.

OS: to death from any cause. PFS: to the first progression after the index date (recorded, or
RECIST PD), or death. Without an event the time ends at the last contact; without one it is null,
and so is a time or an event that rests on a day or a row that cannot be read. Unit: months of
30.4375 days.
Source: Jin 2025, Methods, "Statistical analysis".
"""

import polars as pl

from transforms.variables.as_of import months_between
from transforms.variables.evidence import NO_ROWS, Record
from transforms.variables.progression import progressed, progressions
from transforms.variables.windows import Windows


def outcomes(record: Record, index: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return one row per patient with an index date, or who may have one.

    follow_up_months, os_months, os_event, pfs_months, pfs_event.
    """
    patients = index.filter(pl.col("index_latest").is_not_null()).select(
        "patient_no", "index_date", "index_earliest", "index_latest"
    )
    first = _first_progression(record, patients, windows)
    died, certain_day = pl.col("died"), pl.col("index_date").is_not_null()
    end = pl.when(died).then("death_date").when(~died).then("last_contact_date")
    unprogressed = ~pl.col("maybe")
    return (
        patients.join(
            record.tables["patients"].select(
                "patient_no", "died", "death_date", "last_contact_date"
            ),
            on="patient_no",
            how="inner",
        )
        .join(first, on="patient_no", how="inner")
        .with_columns(
            os_end=end,
            pfs_end=pl.when(pl.col("surely")).then("progression_date").when(unprogressed).then(end),
            pfs_event=pl.when(pl.col("surely") | died)
            .then(True)
            .when(unprogressed & ~died)
            .then(False),
        )
        .select(
            "patient_no",
            "pfs_event",
            follow_up_months=pl.when(certain_day).then(months_between("index_date", "os_end")),
            os_months=pl.when(certain_day).then(months_between("index_date", "os_end")),
            os_event="died",
            pfs_months=pl.when(certain_day).then(months_between("index_date", "pfs_end")),
        )
    )


def _first_progression(record: Record, patients: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return the first progression after the index date: one row per patient.

    surely, maybe (whether there was one), progression_date where nothing may come before it.
    """
    rows = (
        progressions(record, windows)
        .join(patients, on="patient_no", how="inner")
        .filter(pl.col("latest") > pl.col("index_earliest"))
        .with_columns(surely=pl.col("surely") & (pl.col("earliest") > pl.col("index_latest")))
    )
    days = rows.group_by("patient_no").agg(
        day_from=pl.col("earliest").min(), day_by=pl.col("latest").filter("surely").min()
    )
    span = {"after": pl.col("index_earliest"), "until": pl.lit(record.as_of)}
    found = progressed(record, windows, patients, rows.select("patient_no", "surely"), **span)
    unread = progressed(record, windows, patients, NO_ROWS, **span)
    is_first = (pl.col("day_from") == pl.col("day_by")) & ~pl.col("unread")
    return (
        found.join(unread.select("patient_no", unread="maybe"), on="patient_no")
        .join(days, on="patient_no", how="left")
        .select(
            "patient_no",
            "surely",
            "maybe",
            progression_date=pl.when(is_first).then("day_by"),
        )
    )
