"""131I uptake category of the lesions over the courses (Jin 2025, OS and PFS).

A course is assessed when its post-therapy scan says all, some or none; `all` and `some` both
count as uptake. An empty cell is unknown: it may be either.

- primary_nonuptake: the first course's lesions took up nothing, and none later did.
- secondary_nonuptake: the first course's took up, a later assessed course's did not.
- uptake: every assessed course's took up.
- null, with `uptake_reason`: the paper has no such class, or the first course was not assessed
  and a later one showed no uptake, or no course was assessed, or what is missing may decide.

With fewer than two assessed courses the category is provisional.
Source: Jin 2025, Results, "Clinical characteristics"; the paper's patients had 2 to 11 courses.
"""

import polars as pl

from schemas.codes import UPTAKE_CATEGORY
from transforms.variables.courses import TABLE
from transforms.variables.evidence import NO_ROWS, Record, asked, first_if_certain

_UPTAKE = pl.col("lesion_uptake").cast(pl.String)
IS_UP = _UPTAKE.is_in(["all", "some"]).fill_null(False)
IS_NONE = (_UPTAKE == "none").fill_null(False)
IS_UNREAD = _UPTAKE.is_null()
_FIRST = pl.col("row") == pl.col("index_row")
NO_CLASS = "no uptake at first, uptake later: the paper has no such class"
_FIRST_UNSEEN = "the first course was not assessed and a later one showed no uptake"
IN_DOUBT = "a course, or the reading of its scan, is missing or was set aside"


def uptake(record: Record, courses: pl.LazyFrame, index: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per patient with a row of 131I therapy.

    uptake_category, uptake_provisional, uptake_reason (why there is no category),
    uptake_courses_assessed, uptake_date and uptake_row (the last assessed course).
    """
    patients = index.select("patient_no", "index_row")
    is_first = _FIRST.fill_null(False)
    seen = courses.join(patients, on="patient_no", how="inner").with_columns(
        assessed=IS_UP | IS_NONE,
        unread=IS_UNREAD,
        first_up=is_first & IS_UP,
        first_none=is_first & IS_NONE,
        later_up=~is_first & IS_UP,
        later_none=~is_first & IS_NONE,
        whole=pl.col("earliest") == pl.col("latest"),
        newest_first=-pl.col("earliest").to_physical(),
    )
    marks = ("first_up", "first_none", "later_up", "later_none", "unread")
    said = seen.group_by("patient_no").agg(
        pl.col(marks).any(), pl.col("whole").all(), number=pl.col("assessed").sum().cast(pl.UInt16)
    )
    more = asked(
        record,
        TABLE,
        patients.select("patient_no"),
        NO_ROWS,
        until=pl.lit(record.as_of),
    ).select("patient_no", more="maybe")
    last = first_if_certain(
        record,
        TABLE,
        seen.filter(pl.col("assessed") | pl.col("unread")),
        "newest_first",
        certain="assessed",
    ).select("patient_no", uptake_date="earliest", uptake_row="row")
    return (
        patients.join(said, on="patient_no", how="left")
        .join(more, on="patient_no", how="left")
        .join(last, on="patient_no", how="left")
        .with_columns(
            *(pl.col(mark).fill_null(False) for mark in marks),
            doubt=pl.col("index_row").is_null()
            | pl.col("more")
            | pl.col("unread")
            | ~pl.col("whole"),
        )
        .with_columns(uptake_category=_category())
        .select("patient_no", "uptake_date", "uptake_row", "uptake_category", *_about())
    )


def _category() -> pl.Expr:
    first_up, first_none = pl.col("first_up"), pl.col("first_none")
    later_up, later_none = pl.col("later_up"), pl.col("later_none")
    sure = ~pl.col("doubt")
    return (
        pl.when(first_none & ~later_up & sure)
        .then(pl.lit("primary_nonuptake"))
        .when(first_up & later_none)
        .then(pl.lit("secondary_nonuptake"))
        .when((first_up | later_up) & ~first_none & ~later_none & sure)
        .then(pl.lit("uptake"))
        .cast(pl.Enum(UPTAKE_CATEGORY))
    )


def _about() -> list[pl.Expr]:
    """Return how far the category is to be trusted, or why there is none."""
    number, doubt = pl.col("number"), pl.col("doubt")
    has_category = pl.col("uptake_category").is_not_null()
    first_unseen = ~pl.col("first_up") & ~pl.col("first_none") & pl.col("later_none")
    reason = (
        pl.when(pl.col("first_none") & pl.col("later_up"))
        .then(pl.lit(NO_CLASS))
        .when(doubt)
        .then(pl.lit(IN_DOUBT))
        .when(number == 0)
        .then(pl.lit("no post-therapy scan was assessed"))
        .when(first_unseen)
        .then(pl.lit(_FIRST_UNSEEN))
    )
    return [
        pl.when(~has_category).then(reason).alias("uptake_reason"),
        pl.when(has_category).then(number < 2).alias("uptake_provisional"),
        pl.when(~doubt).then(number).alias("uptake_courses_assessed"),
    ]
