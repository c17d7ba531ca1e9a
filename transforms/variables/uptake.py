"""131I uptake category of the lesions over the courses (Jin 2025, OS and PFS).

A course is assessed when its post-therapy scan says all, some or none; `all` and `some` both
count as uptake.

- primary_nonuptake: the first course's lesions took up nothing, and none later did.
- secondary_nonuptake: the first course's took up, a later assessed course's did not.
- uptake: every assessed course's took up.
- null, with `uptake_reason`: the paper has no such class, or the first course was not assessed
  and a later one showed no uptake, or no course was assessed.

With fewer than two assessed courses the category is provisional.
Source: Jin 2025, Results, "Clinical characteristics"; the paper's patients had 2 to 11 courses.
"""

import polars as pl

from schemas.codes import UPTAKE_CATEGORY
from transforms.variables.as_of import first_rows

_UP = pl.col("lesion_uptake").is_in(["all", "some"]).fill_null(False)
_NONE = (pl.col("lesion_uptake") == "none").fill_null(False)
_FIRST = pl.col("treatment_id") == pl.col("index_row")


def uptake(i131_treatments: pl.LazyFrame, index: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per patient with a course.

    uptake_category, uptake_provisional, uptake_reason (why there is no category),
    uptake_courses_assessed, uptake_date and uptake_row (the last assessed course).
    """
    courses = i131_treatments.join(index, on="patient_no", how="inner").select(
        "patient_no",
        "treatment_date",
        "treatment_id",
        assessed=_UP | _NONE,
        first_up=_FIRST & _UP,
        first_none=_FIRST & _NONE,
        later_up=~_FIRST & _UP,
        later_none=~_FIRST & _NONE,
    )
    last = first_rows(
        courses.filter("assessed"), -pl.col("treatment_date").to_physical(), "treatment_id"
    ).select("patient_no", uptake_date="treatment_date", uptake_row="treatment_id")
    seen = (
        courses.group_by("patient_no")
        .agg(
            pl.col("first_up", "first_none", "later_up", "later_none").max(),
            uptake_courses_assessed=pl.col("assessed").sum().cast(pl.UInt16),
        )
        .join(last, on="patient_no", how="left")
    )
    first_up, first_none = pl.col("first_up"), pl.col("first_none")
    later_up, later_none = pl.col("later_up"), pl.col("later_none")
    category = (
        pl.when(first_none & ~later_up)
        .then(pl.lit("primary_nonuptake"))
        .when(first_up & later_none)
        .then(pl.lit("secondary_nonuptake"))
        .when((first_up | later_up) & ~first_none & ~later_none)
        .then(pl.lit("uptake"))
        .cast(pl.Enum(UPTAKE_CATEGORY))
    )
    reason = (
        pl.when(pl.col("uptake_courses_assessed") == 0)
        .then(pl.lit("no post-therapy scan was assessed"))
        .when(first_none & later_up)
        .then(pl.lit("no uptake at first, uptake later: the paper has no such class"))
        .when(~first_up & ~first_none & later_none)
        .then(pl.lit("the first course was not assessed and a later one showed no uptake"))
    )
    return seen.select(
        "patient_no",
        "uptake_courses_assessed",
        "uptake_date",
        "uptake_row",
        uptake_category=category,
        uptake_provisional=category.is_not_null() & (pl.col("uptake_courses_assessed") < 2),
        uptake_reason=reason,
    )
