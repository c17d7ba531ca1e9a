"""Time: what is known as of a date, the index date, ages, windows, and what may be missing.

Every table here is a lazy frame of validated rows; `patient_no` identifies the
patient: the place in the sorted list of all patients.
"""

from collections.abc import Mapping
from datetime import date

import polars as pl

from schemas.registry import EVENT_TABLES
from transforms.units import divided

Tables = Mapping[str, pl.LazyFrame]
DAYS_PER_MONTH = 30.4375


def known_as_of(tables: Tables, as_of: date) -> dict[str, pl.LazyFrame]:
    """Return the tables as they were known on `as_of`: later rows and later dates are not there.

    A contact after the as-of date proves that the patient was alive on it, and counts as one.
    """
    known = {
        name: tables[name].filter(pl.col(table.date or "") <= as_of)
        for name, table in EVENT_TABLES.items()
        if name in tables
    }
    died = pl.col("death_date") <= as_of
    known["patients"] = tables["patients"].with_columns(
        pl.when(died).then("death_date"),
        last_contact_date=pl.min_horizontal("last_contact_date", pl.lit(as_of)).pipe(
            lambda clipped: pl.when(pl.col("last_contact_date").is_not_null()).then(clipped)
        ),
    )
    return known


def first_rows(rows: pl.LazyFrame, *order: str | pl.Expr) -> pl.LazyFrame:
    """Return one row per patient: the first in the given order."""
    return rows.sort("patient_no", *order).unique("patient_no", keep="first", maintain_order=True)


def index_course(i131_treatments: pl.LazyFrame, set_aside: pl.LazyFrame) -> pl.LazyFrame:
    """Return the first 131I therapy: one row per patient with a course.

    index_date: its date; null when a quarantined course may have been the first.
    index_row: its treatment_id. index_uncertain: whether that is so.
    Source: both papers count from the first 131I therapy.
    """
    first = first_rows(i131_treatments, "treatment_date", "treatment_id").select(
        "patient_no", index_date="treatment_date", index_row="treatment_id"
    )
    doubt = may_hide(first, set_aside, "i131_treatments", until=pl.col("index_date"))
    return (
        first.join(doubt, on="patient_no", how="left")
        .with_columns(index_uncertain=pl.col("may_hide").fill_null(False))
        .select(
            "patient_no",
            "index_row",
            "index_uncertain",
            index_date=pl.when(~pl.col("index_uncertain")).then("index_date"),
        )
    )


def may_hide(
    patients: pl.LazyFrame, set_aside: pl.LazyFrame, table: str, *, until: pl.Expr
) -> pl.LazyFrame:
    """Return the patients of whom a quarantined row may hide something dated up to `until`.

    One row per such patient, with may_hide = true. `set_aside` has one row per quarantined
    row: patient_no, table, row_date (null when the date could not be read: it may be any).
    """
    rows = set_aside.filter(pl.col("table") == table)
    hidden = rows.join(patients, on="patient_no", how="inner").filter(
        (pl.col("row_date").is_null() | (pl.col("row_date") <= until)).fill_null(True)
    )
    return hidden.select("patient_no", may_hide=pl.lit(True)).unique()


def completed_years(birth: str, day: str) -> pl.Expr:
    """Return the completed years from one date to another."""
    born, on = pl.col(birth), pl.col(day)
    before_birthday = (on.dt.month() < born.dt.month()) | (
        (on.dt.month() == born.dt.month()) & (on.dt.day() < born.dt.day())
    )
    return (on.dt.year() - born.dt.year() - before_birthday.cast(pl.Int32)).cast(pl.Int16)


def days_between(start: str, end: str) -> pl.Expr:
    """Return the days from one date to another, negative when the second is earlier."""
    return (pl.col(end) - pl.col(start)).dt.total_days()


def months_between(start: str, end: str) -> pl.Expr:
    """Return the months (of 30.4375 days) from one date to another."""
    return divided(days_between(start, end), DAYS_PER_MONTH)
