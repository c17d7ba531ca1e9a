"""131I activity: of the index treatment (Jin 2025), in total, and the number of courses.

Unit: mCi. The first activity is null when it was not recorded, when two entries of its day
disagree, or when it is unknown which course was first. The total and the number are null where a
course lacks its activity or its day, or was quarantined; `_at_least` is what is certain.
"""

import polars as pl

from transforms.units import divided
from transforms.variables.courses import TABLE
from transforms.variables.evidence import NO_ROWS, Record, asked
from transforms.variables.rrdtc_activity import in_total

_MICRO = 1_000_000


def activity(record: Record, courses: pl.LazyFrame, index: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per patient with a row of 131I therapy.

    activity_mci (first activity), cumulative_activity_mci and cumulative_activity_at_least,
    courses and courses_at_least, activity_missing_courses.
    """
    is_whole = pl.col("earliest") == pl.col("latest")
    mci = pl.col("activity_mci")
    summed = courses.group_by("patient_no").agg(
        total_mci=exact_sum(mci),
        least_mci=(pl.col("least_mci") - pl.col("lost_mci")).max(),
        days=is_whole.sum(),
        all_days=is_whole.all(),
        all_activities=mci.is_not_null().all(),
        number=pl.len(),
        missing=mci.is_null().sum(),
    )
    so_far = in_total(courses).group_by("patient_no").agg(pl.col("so_far_mci").max())
    patients = index.select("patient_no", "index_activity_mci")
    more = asked(
        record,
        TABLE,
        patients.select("patient_no"),
        NO_ROWS,
        until=pl.lit(record.as_of),
    )
    # A course alone is one course, whatever its day.
    alone = pl.col("number") == 1
    complete = (pl.col("all_days") | alone) & ~pl.col("maybe")
    at_least = pl.max_horizontal("days", pl.lit(1))
    return (
        patients.join(summed, on="patient_no", how="left")
        .join(so_far, on="patient_no", how="left")
        .join(more, on="patient_no", how="left")
        .select(
            "patient_no",
            activity_mci="index_activity_mci",
            cumulative_activity_mci=pl.when(complete & pl.col("all_activities")).then("total_mci"),
            cumulative_activity_at_least=pl.max_horizontal("so_far_mci", "least_mci"),
            activity_missing_courses=pl.when(complete).then(pl.col("missing").cast(pl.UInt16)),
            courses=pl.when(complete).then(pl.col("number").cast(pl.UInt16)),
            courses_at_least=pl.when(pl.col("number") > 0).then(at_least.cast(pl.UInt16)),
        )
    )


def exact_sum(column: pl.Expr) -> pl.Expr:
    """Sum to six decimals in whole numbers, so that the order of the rows cannot matter."""
    return divided((column * _MICRO).round().cast(pl.Int64).sum(), _MICRO)
