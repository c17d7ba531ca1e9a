"""RR-DTC criteria 1 to 3: what the lesions did with 131I, course by course.

1 the lesions never concentrated 131I: a course showed none, and no course showed uptake
2 the lesions lost it: a course showed none after one that showed uptake
3 some lesions concentrate 131I and others do not: a course showed `some`

A course counts when a lesion was known no later than 7 days after it; it may where that is not
known, or its scan's reading is not. Each criterion has the days on which it was first met: it
is met where they are certain, not met where there are none, else unknown.
Source: Liu 2022, Methods, and the legend of Fig. 1.
"""

import polars as pl

from transforms.variables.uptake import IS_NONE, IS_UNREAD, IS_UP
from transforms.variables.windows import Windows

_SOME = (pl.col("lesion_uptake").cast(pl.String) == "some").fill_null(False)


def counted_courses(
    courses: pl.LazyFrame, lesions: pl.LazyFrame, windows: Windows, *, none_known: bool
) -> pl.LazyFrame:
    """Return one row per possible course, with its lesions' days.

    of_lesion and may_count: whether a lesion was known by its scan. counts: so of a course.
    """
    grace = f"{windows.scan_days}d"
    by_scan = pl.col("lesion_latest") <= pl.col("earliest").dt.offset_by(grace)
    may_be_by_scan = pl.col("lesion_earliest") <= pl.col("latest").dt.offset_by(grace)
    return courses.join(lesions, on="patient_no", how="left").with_columns(
        of_lesion=by_scan.fill_null(False),
        counts=by_scan.fill_null(False) & pl.col("is_course"),
        may_count=may_be_by_scan.fill_null(False) | pl.lit(not none_known),
    )


def by_uptake(courses: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per patient with a course.

    first_none_from and first_none_by: the days between which a course first showed none; for each
    criterion 1 to 3, criterion_<n>_from and _by: between which it was first met, as it stands
    tonight (_from null: certainly not met; _by null: not certainly met), its _row and _number.
    counted: whether any course counts.
    """
    marked = courses.with_columns(
        up=IS_UP & pl.col("counts"),
        none=IS_NONE & pl.col("counts"),
        some=_SOME & pl.col("counts"),
        may_up=(IS_UP | IS_UNREAD) & pl.col("may_count"),
        may_none=(IS_NONE | IS_UNREAD) & pl.col("may_count"),
        may_some=(_SOME | IS_UNREAD) & pl.col("may_count"),
    )
    first, last = pl.col("earliest"), pl.col("latest")
    ordered = marked.sort("patient_no", "earliest", "treatment_id")
    days = ordered.group_by("patient_no", maintain_order=True).agg(
        counted=pl.col("counts").any(),
        up_from=first.filter("may_up").min(),
        up_by=last.filter("up").min(),
        first_none_from=first.filter("may_none").min(),
        first_none_by=last.filter("none").min(),
        criterion_3_from=first.filter("may_some").min(),
        criterion_3_by=last.filter("some").min(),
        **_rests_on(1, pl.col("none")),
        **_rests_on(3, pl.col("some")),
    )
    after_up = pl.col("none") & (first > pl.col("up_by")).fill_null(False)
    may_follow_up = pl.col("may_none") & (last > pl.col("up_from")).fill_null(False)
    lost = (
        ordered.join(days.select("patient_no", "up_from", "up_by"), on="patient_no")
        .sort("patient_no", "earliest", "treatment_id")
        .group_by("patient_no", maintain_order=True)
        .agg(
            criterion_2_from=first.filter(may_follow_up).min(),
            criterion_2_by=last.filter(after_up).min(),
            **_rests_on(2, after_up),
        )
    )
    never_up, surely_up = pl.col("up_from").is_null(), pl.col("up_by").is_not_null()
    return (
        days.join(lost, on="patient_no", how="left")
        .with_columns(
            criterion_1_from=pl.when(~surely_up).then("first_none_from"),
            criterion_1_by=pl.when(never_up).then("first_none_by"),
        )
        .drop("up_from", "up_by")
    )


def _rests_on(number: int, course: pl.Expr) -> dict[str, pl.Expr]:
    return {
        f"criterion_{number}_row": pl.col("row").filter(course).first(),
        f"criterion_{number}_number": pl.col("number").filter(course).first(),
    }
