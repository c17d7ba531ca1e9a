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

    activity_mci (mCi) and lesion_uptake: null where unknown, or where two entries disagree or
    may. least_mci: the least that the activity may be. row: treatment_id, where no other row may
    be of the same course. lost_mci: the most that a row without a day of its own may take from
    the activity, if it was of this course. unplaced: how many such rows the patient has.
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
            activity_mci=_agreed(mci),
            lesion_uptake=_agreed(uptake),
            least_mci=mci.fill_null(0).min(),
        )
    )
    vague = rows.filter(~is_whole).with_columns(
        entries=pl.lit(1, dtype=pl.UInt32), least_mci=mci.fill_null(0)
    )
    each = pl.concat([by_day, vague.select(by_day.collect_schema().names())])
    return _undisputed(record, each)


def _undisputed(record: Record, each: pl.LazyFrame) -> pl.LazyFrame:
    """Leave in doubt what another row that may be of the same day may contradict."""
    hidden = record.hidden_in(TABLE)
    others = pl.concat([each, hidden], how="diagonal").select(
        "patient_no",
        other_id="treatment_id",
        other_from="earliest",
        other_by="latest",
        other_mci="activity_mci",
        other_uptake="lesion_uptake",
        other_least=pl.col("least_mci").fill_null(0),
    )
    disputed = (
        each.join(others, on="patient_no", how="inner")
        .filter(
            pl.col("treatment_id").ne_missing(pl.col("other_id")),
            pl.col("other_from") <= pl.col("latest"),
            pl.col("other_by") >= pl.col("earliest"),
        )
        .group_by("treatment_id")
        .agg(
            disputed=pl.lit(True).first(),
            same_mci=(pl.col("other_mci") == pl.col("activity_mci")).fill_null(False).all(),
            same_uptake=(pl.col("other_uptake") == pl.col("lesion_uptake")).fill_null(False).all(),
            other_least=pl.col("other_least").min(),
        )
    )
    has_no_day = pl.col("other_id").is_null() | (pl.col("other_from") != pl.col("other_by"))
    unplaced = others.filter(has_no_day).group_by("patient_no").agg(unplaced=pl.len())
    fine = pl.col("disputed").is_null()
    least = pl.min_horizontal("least_mci", "other_least")
    return (
        each.join(disputed, on="treatment_id", how="left")
        .join(unplaced, on="patient_no", how="left")
        .with_columns(
            pl.col("unplaced").fill_null(0),
            row=pl.when(fine).then("treatment_id"),
            activity_mci=pl.when(fine | pl.col("same_mci")).then("activity_mci"),
            lesion_uptake=pl.when(fine | pl.col("same_uptake")).then("lesion_uptake"),
            lost_mci=pl.col("least_mci") - least,
        )
        .drop("disputed", "same_mci", "same_uptake", "other_least")
    )


def entered_twice(courses: pl.LazyFrame) -> pl.LazyFrame:
    """Return how many courses were entered more than once: one row, twice and in_doubt.

    in_doubt: those whose entries disagree on the activity, or of which one lacks it.
    """
    again = pl.col("entries") > 1
    return courses.select(
        twice=again.sum(), in_doubt=(again & pl.col("activity_mci").is_null()).sum()
    )


def disagreeing(courses: pl.LazyFrame) -> pl.LazyFrame:
    """Return the courses that were entered more than once and whose activity is in doubt."""
    return courses.filter((pl.col("entries") > 1) & pl.col("activity_mci").is_null())


def possible_courses(record: Record, courses: pl.LazyFrame) -> pl.LazyFrame:
    """Return the courses, numbered, and rows that may be one: one row each.

    is_course is false for what was set aside or is not collected; it has nothing but its days.
    number counts the courses of a patient in order of their days, where all have one.
    """
    numbered = courses.sort("patient_no", "earliest", "treatment_id").with_columns(
        is_course=pl.lit(True),
        number=pl.when(pl.col("unplaced") == 0).then(
            pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("patient_no")
        ),
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
    has_index: true, or null where it rests on a row that cannot be used. on_file: whether there
    is a row at all; what is not collected leaves whether there was a course unknown without one.
    """
    hidden = (
        record.hidden_in(TABLE).group_by("patient_no").agg(hidden_earliest=pl.col("earliest").min())
    )
    on_file = pl.concat([courses.select("patient_no"), hidden.select("patient_no")]).unique()
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
        index_row="row",
        index_activity_mci="activity_mci",
        index_uptake="lesion_uptake",
    )
    return (
        days.drop("hidden_earliest")
        .with_columns(index_date=whole("index_earliest", "index_latest"))
        .join(only, on="patient_no", how="left")
        .join(on_file.with_columns(on_file=pl.lit(True)), on="patient_no", how="left")
        .with_columns(pl.col("on_file").fill_null(False))
    )
