"""131I therapy: the courses, and the index date, which is that of the first.

131I rows of one patient on one day are one course: with equal activity one course entered
twice; otherwise the activity is in doubt. A row whose date is a month or a year is a course of
its own, which may fall on the day of another.

The index date is the first day of 131I therapy. Where a row that was quarantined or has a partial
date may come first, the index date is an interval, and what depends on the day is unknown
unless it holds for all of it.
Source: both papers count from the first 131I therapy.
"""

import polars as pl

from transforms.units import activity_mci
from transforms.variables.as_of import whole
from transforms.variables.evidence import FIRST_DAY, Record

TABLE = "i131_treatments"


def courses(record: Record) -> pl.LazyFrame:
    """Return one row per course: patient_no, treatment_id, earliest, latest, entries.

    activity_mci (mCi) and lesion_uptake: null where unknown, or where two entries disagree.
    """
    rows = record.tables[TABLE].with_columns(activity_mci=activity_mci())
    is_whole = pl.col("earliest") == pl.col("latest")
    mci, uptake = pl.col("activity_mci"), pl.col("lesion_uptake")
    by_day = (
        rows.filter(is_whole)
        .group_by("patient_no", "earliest", "latest")
        .agg(
            pl.col("treatment_id").min(),
            entries=pl.len(),
            activity_mci=pl.when((mci.min() == mci.max()) & (mci.null_count() == 0)).then(
                mci.max()
            ),
            lesion_uptake=pl.when((uptake.min() == uptake.max()) & (uptake.null_count() == 0)).then(
                uptake.max()
            ),
        )
    )
    vague = rows.filter(~is_whole).with_columns(entries=pl.lit(1, dtype=pl.UInt32))
    return pl.concat([by_day, vague.select(by_day.collect_schema().names())])


def entered_twice(courses: pl.LazyFrame) -> pl.LazyFrame:
    """Return how many courses were entered more than once: one row, twice and in_doubt.

    in_doubt: those whose entries disagree on the activity, or of which one lacks it.
    """
    again = pl.col("entries") > 1
    return courses.select(
        twice=again.sum(), in_doubt=(again & pl.col("activity_mci").is_null()).sum()
    )


def possible_courses(record: Record, courses: pl.LazyFrame) -> pl.LazyFrame:
    """Return the courses, numbered, and rows that may be one: one row each.

    is_course is false for what was set aside or is not collected; it has nothing but its days.
    number counts the courses of a patient in order of their days.
    """
    numbered = courses.sort("patient_no", "earliest", "treatment_id").with_columns(
        is_course=pl.lit(True),
        number=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("patient_no"),
    )
    hidden = [record.hidden_in(TABLE)]
    if not record.is_collected(TABLE):
        any_day = {"earliest": pl.lit(FIRST_DAY), "latest": pl.lit(record.as_of)}
        hidden.append(record.tables["patients"].select("patient_no", **any_day))
    maybe = [rows.with_columns(is_course=pl.lit(False)) for rows in hidden]
    return pl.concat([numbered, *maybe], how="diagonal")


def _agreed(value: pl.Expr) -> pl.Expr:
    """Return what all entries of a course say; null where one is silent or differs."""
    return pl.when((value.min() == value.max()) & (value.null_count() == 0)).then(value.max())


def index_course(record: Record, courses: pl.LazyFrame) -> pl.LazyFrame:
    """Return the first 131I therapy: one row per patient with a row of it, usable or not.

    index_earliest, index_latest: the days that it may have been (latest is null where
    all that there is was set aside); index_date where they are one. index_row,
    index_activity_mci and index_uptake: of the first course, where it is known which that was.
    has_index: true, or null where it rests on a row that cannot be used.
    """
    hidden = (
        record.hidden_in(TABLE).group_by("patient_no").agg(hidden_earliest=pl.col("earliest").min())
    )
    if not record.is_collected(TABLE):
        hidden = record.tables["patients"].select("patient_no", hidden_earliest=pl.lit(FIRST_DAY))
    days = courses.group_by("patient_no").agg(
        pl.col("earliest").min(), index_latest=pl.col("latest").min()
    )
    days = days.join(hidden, on="patient_no", how="full", coalesce=True).select(
        "patient_no",
        "index_latest",
        "hidden_earliest",
        index_earliest=pl.min_horizontal("earliest", "hidden_earliest"),
        has_index=pl.when(pl.col("index_latest").is_not_null()).then(True),
    )
    may_be_first = courses.join(days, on="patient_no", how="inner").filter(
        pl.col("earliest") <= pl.col("index_latest"),
        (pl.col("hidden_earliest") > pl.col("index_latest")).fill_null(True),
    )
    only = may_be_first.filter(pl.len().over("patient_no") == 1).select(
        "patient_no",
        index_row="treatment_id",
        index_activity_mci="activity_mci",
        index_uptake="lesion_uptake",
    )
    return (
        days.drop("hidden_earliest")
        .with_columns(index_date=whole("index_earliest", "index_latest"))
        .join(only, on="patient_no", how="left")
    )
