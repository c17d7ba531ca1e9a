"""RR-DTC criterion 5: more than 600 mCi of 131I in total.

Activities are added up course by course; what a course without a recorded activity or day adds is
unknown. The criterion speaks of a lesion, known no later than 7 days after the course that passed
the limit. A recorded complete response (RECIST CR) rules it out when it is the last assessment on
or before that day.
Source: Liu 2022, Methods, and the legend of Fig. 1.
"""

import polars as pl

from transforms.reading.quarantine import CELL_ASIDE
from transforms.variables.courses import TABLE
from transforms.variables.evidence import FIRST_DAY, NO_ROWS, Record, asked
from transforms.variables.windows import Windows

_MICRO = 1_000_000


def in_total(courses: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per course in order of its day, with what had been given by then.

    so_far_mci: the least that the courses with a whole day come to. all_known: whether no course
    of the patient's lacks its activity or its day.
    """
    is_whole = pl.col("earliest") == pl.col("latest")
    least, lost = (
        pl.when(is_whole).then((pl.col(name) * _MICRO).round().cast(pl.Int64)).fill_null(0)
        for name in ("least_mci", "lost_mci")
    )
    # A row without a day of its own is of one course at most.
    is_lost = lost.rank("ordinal", descending=True).over("patient_no") <= pl.col("unplaced")
    return (
        courses.sort("patient_no", "earliest", "treatment_id")
        .with_columns(
            so_far=least.cum_sum().over("patient_no"),
            lost=pl.when(is_lost).then(lost).sum().over("patient_no"),
            whole=is_whole,
            known=pl.col("activity_mci").is_not_null() & is_whole,
        )
        .with_columns(
            so_far_mci=pl.max_horizontal(
                (pl.col("so_far") - pl.col("lost")) / _MICRO, pl.lit(0.0)
            ).round(6),
            all_known=pl.col("known").all().over("patient_no"),
        )
        .drop("so_far", "lost", "known")
    )


def passed(so_far_mci: pl.Expr, windows: Windows) -> pl.Expr:
    """Tell whether an activity is above the limit of the criterion."""
    return so_far_mci > windows.cumulative_mci


def by_activity(
    record: Record, courses: pl.LazyFrame, windows: Windows, *, none_known: bool
) -> pl.LazyFrame:
    """Return one row per patient with a course, or who may have one.

    `courses` are counted courses: with lesion_latest and lesion_earliest. criterion_5_from and
    _by: the days between which it was first met (_from null: certainly not; _by null: not
    certainly), criterion_5_row; ruled_out (by a complete response).
    """
    summed = in_total(courses.filter("is_course"))
    over = (
        summed.filter(passed(pl.col("so_far_mci"), windows), "whole")
        .group_by("patient_no", maintain_order=True)
        .agg(
            pl.col("earliest", "counts", "may_count").first(),
            criterion_5_row=pl.col("row").first(),
            criterion_5_number=pl.col("number").first(),
            criterion_5_mci=pl.col("so_far_mci").first(),
        )
    )
    most = summed.group_by("patient_no").agg(
        pl.col("all_known").first(),
        most=pl.col("activity_mci").sum().round(6),
    )
    patients = (
        courses.group_by("patient_no")
        .agg(all_count=pl.col("of_lesion").all())
        .join(over.select("patient_no", day="earliest"), on="patient_no", how="left")
    )
    more = asked(
        record, TABLE, patients.select("patient_no"), NO_ROWS, until=pl.lit(record.as_of)
    ).select("patient_no", more="maybe")
    complete = pl.col("all_known") & ~pl.col("more")
    unmet = (complete & ~passed(pl.col("most"), windows)) | (
        complete & (pl.col("ruled_out") | ~pl.col("may_count"))
    )
    # Where the limit may have been passed before, a lesion must have been known before, too.
    counts = pl.when(complete).then("counts").otherwise("all_count")
    surely = pl.col("earliest").is_not_null() & counts & (pl.col("ruled_out") == False)  # noqa: E712
    day = pl.when(complete).then("earliest").otherwise(pl.lit(FIRST_DAY))
    return (
        patients.select("patient_no", "all_count")
        .join(most, on="patient_no", how="left")
        .join(over, on="patient_no", how="left")
        .join(more, on="patient_no", how="left")
        .join(_complete_response(record, patients), on="patient_no", how="left")
        .select(
            "patient_no",
            "criterion_5_row",
            "criterion_5_number",
            "criterion_5_mci",
            pl.when(complete).then("ruled_out"),
            criterion_5_from=pl.when(~unmet.fill_null(False)).then(day),
            criterion_5_by=pl.when(surely & (complete | ~pl.col("may_respond"))).then("earliest"),
        )
    )


def _complete_response(record: Record, patients: pl.LazyFrame) -> pl.LazyFrame:
    """Tell whether the last assessment by the day on which the limit was passed is complete.

    One row per patient: ruled_out (null: unknown), may_respond (any complete response that may be).
    """
    recist = pl.col("recist").cast(pl.String)
    unread = recist.is_null() & pl.col(CELL_ASIDE + "recist").fill_null(False)
    rows = (
        record.tables["imaging"]
        .filter(recist.is_in(["CR", "PR", "SD", "PD"]) | unread)
        .join(patients, on="patient_no", how="inner")
        .filter((pl.col("earliest") <= pl.col("day")).fill_null(True))
    )
    certain = ~unread & (pl.col("latest") <= pl.col("day")).fill_null(False)
    certain &= pl.col("earliest") == pl.col("latest")
    is_last = pl.col("earliest") == pl.col("earliest").max().over("patient_no")
    last = (
        rows.with_columns(certain=certain, is_last=is_last, complete=recist == "CR")
        .group_by("patient_no")
        .agg(
            certain=pl.col("certain").all(),
            complete=pl.col("complete").filter("is_last").all(),
            any_complete=(pl.col("complete") | ~pl.col("certain")).any(),
        )
    )
    hidden = asked(record, "imaging", patients, NO_ROWS, until=pl.col("day"))
    may_respond = pl.col("any_complete").fill_null(False) | pl.col("maybe")
    ruled_out = pl.col("certain") & pl.col("complete")
    return hidden.join(last, on="patient_no", how="left").select(
        "patient_no",
        may_respond=may_respond,
        ruled_out=pl.when(pl.col("maybe"))
        .then(None)
        .when(~may_respond)
        .then(False)
        .when("certain")
        .then(ruled_out),
    )
