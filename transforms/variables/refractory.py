"""RR-DTC already met: the five criteria of Liu 2022 (after the 2015 ATA guideline).

1 the lesions never concentrated 131I: a course showed none, and no course showed uptake
2 the lesions lost it: a course showed none after one that showed uptake
3 some lesions concentrate 131I and others do not: a course showed `some`
4 progression within a year after a 131I therapy
5 more than 600 mCi in total, of the activities that were recorded

The criterion reported is the first to hold in time; of two that hold on the same day, the
lower number. Criterion 1 no longer holds once a later course shows uptake. The criteria are
for DTC: for anything else, and while the histology is unknown, `rrdtc_met` is null.
Source: Liu 2022, Methods, and the legend of Fig. 1.
"""

import polars as pl

from transforms.units import activity_mci
from transforms.variables.windows import Windows

CRITERIA = {
    1: "the lesions never concentrated 131I",
    2: "the lesions lost the ability to concentrate 131I",
    3: "some lesions concentrate 131I, others do not",
    4: "progression within a year after a 131I therapy",
    5: "more than 600 mCi of 131I in total",
}

_MICRO = 1_000_000


def refractory(
    i131_treatments: pl.LazyFrame, events: pl.LazyFrame, windows: Windows
) -> pl.LazyFrame:
    """Return one row per patient with a course: rrdtc_criterion (1 to 5), rrdtc_met_date.

    Both null when no criterion holds; whether the patient has DTC is not looked at here.
    """
    dates = (
        _by_uptake(i131_treatments)
        .join(_by_progression(i131_treatments, events, windows), on="patient_no", how="left")
        .join(_by_activity(i131_treatments, windows), on="patient_no", how="left")
    )
    on = [pl.col(f"criterion_{number}") for number in CRITERIA]
    first = pl.min_horizontal(on)
    criterion: pl.Expr = pl.lit(None, dtype=pl.UInt8)
    for number in reversed(CRITERIA):
        holds = pl.col(f"criterion_{number}") == first
        criterion = pl.when(holds).then(pl.lit(number, dtype=pl.UInt8)).otherwise(criterion)
    return dates.select("patient_no", rrdtc_criterion=criterion, rrdtc_met_date=first)


def _by_uptake(i131_treatments: pl.LazyFrame) -> pl.LazyFrame:
    when, seen = pl.col("treatment_date"), pl.col("lesion_uptake")
    dates = (
        i131_treatments.select(
            "patient_no",
            up=pl.when(seen.is_in(["all", "some"])).then(when),
            none=pl.when(seen == "none").then(when),
            some=pl.when(seen == "some").then(when),
        )
        .group_by("patient_no")
        .agg(pl.col("up", "none", "some").min())
    )
    lost = (
        i131_treatments.filter(seen == "none")
        .join(dates.select("patient_no", "up"), on="patient_no", how="inner")
        .filter(when > pl.col("up"))
        .group_by("patient_no")
        .agg(criterion_2=when.min())
    )
    return dates.join(lost, on="patient_no", how="left").select(
        "patient_no",
        "criterion_2",
        criterion_1=pl.when(pl.col("up").is_null()).then("none"),
        criterion_3="some",
    )


def _by_progression(
    i131_treatments: pl.LazyFrame, events: pl.LazyFrame, windows: Windows
) -> pl.LazyFrame:
    given, seen = pl.col("treatment_date"), pl.col("event_date")
    within = (seen > given) & (seen <= given.dt.offset_by(f"{windows.progression_years}y"))
    return (
        events.filter(pl.col("type") == "progression")
        .join(i131_treatments, on="patient_no", how="inner")
        .filter(within)
        .group_by("patient_no")
        .agg(criterion_4=seen.min())
    )


def _by_activity(i131_treatments: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    courses = i131_treatments.select(
        "patient_no",
        "treatment_date",
        "treatment_id",
        micro=(activity_mci().fill_null(0) * _MICRO).round().cast(pl.Int64),
    )
    limit = round(windows.cumulative_mci * _MICRO)
    total = courses.group_by("patient_no").agg(total=pl.col("micro").sum())
    over = total.filter(pl.col("total") > limit).select("patient_no")
    return (
        courses.join(over, on="patient_no", how="semi")
        .sort("patient_no", "treatment_date", "treatment_id")
        .with_columns(so_far=pl.col("micro").cum_sum().over("patient_no"))
        .filter(pl.col("so_far") > limit)
        .group_by("patient_no")
        .agg(criterion_5=pl.col("treatment_date").min())
    )
