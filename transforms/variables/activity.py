"""131I activity: of the index treatment (Jin 2025), in total, and the number of courses.

Unit: mCi. The first activity is null when it was not recorded, or when two courses on the
index date disagree. The total is of the recorded activities: a lower bound when
`activity_missing_courses` is not 0.
"""

import polars as pl

from transforms.units import activity_mci, divided

_MICRO = 1_000_000


def activity(i131_treatments: pl.LazyFrame, index: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per patient with a course.

    activity_mci (first activity), cumulative_activity_mci, activity_missing_courses, courses.
    """
    on_index = pl.col("activity_mci").filter(pl.col("treatment_date") == pl.col("index_date"))
    return (
        i131_treatments.join(index, on="patient_no", how="inner")
        .with_columns(activity_mci=activity_mci())
        .group_by("patient_no")
        .agg(
            activity_mci=pl.when(on_index.min() == on_index.max()).then(on_index.max()),
            cumulative_activity_mci=exact_sum("activity_mci"),
            activity_missing_courses=pl.col("activity_mci").is_null().sum().cast(pl.UInt16),
            courses=pl.len().cast(pl.UInt16),
        )
    )


def exact_sum(column: str) -> pl.Expr:
    """Sum to six decimals in whole numbers, so that the order of the rows cannot matter."""
    return divided((pl.col(column) * _MICRO).round().cast(pl.Int64).sum(), _MICRO)
