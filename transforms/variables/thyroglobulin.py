"""Stimulated thyroglobulin (sTg) before the first 131I therapy (Jin 2025, OS).

A Tg is stimulated when it is flagged so, or when TSH was at least 30 mIU/L on the same day.
The one that counts is the latest in the 30 days before the index date (the day itself counts).
Comparators count: > 500 is above, < 0.1 is below, > 300 is unknown. Two results of that day
on different sides of the threshold make it unknown. Unit: ng/mL. Null: none, or unknown.
A TgAb-positive sample of the same day sets tgab_interference: Tg may be falsely low.
Source: Jin 2025, Tables 1 and 2, "sTg (ng/mL)", at the threshold of 500.
"""

import polars as pl

from transforms.units import thyroglobulin_ng_ml
from transforms.variables.as_of import days_between
from transforms.variables.windows import Windows


def stimulated_tg(labs: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return the stimulated thyroglobulins: one row per result, with tg_ng_ml."""
    tsh_high = _days_with(labs, "TSH", windows.tsh_stimulated_miu_l, "tsh_high")
    return (
        labs.filter(pl.col("analyte") == "Tg", pl.col("value").is_not_null())
        .join(tsh_high, on=["patient_no", "sample_date"], how="left")
        .filter((pl.col("stimulated") == "yes").fill_null(False) | pl.col("tsh_high").is_not_null())
        .with_columns(tg_ng_ml=thyroglobulin_ng_ml())
        .drop("tsh_high")
    )


def _days_with(labs: pl.LazyFrame, analyte: str, at_least: float, name: str) -> pl.LazyFrame:
    """Return the days on which an analyte certainly was at least so high."""
    above = (pl.col("value") >= at_least) & pl.col("comparator").is_in(["=", ">", ">="])
    return (
        labs.filter((pl.col("analyte") == analyte) & above)
        .select("patient_no", "sample_date", pl.lit(True).alias(name))
        .unique()
    )


def at_least(value: pl.Expr, comparator: pl.Expr, threshold: float) -> pl.Expr:
    """Tell whether a result with a comparator is at least the threshold; null when unknown."""
    above = comparator.is_in(["=", ">", ">="]) & (value >= threshold)
    below = (comparator.is_in(["=", "<="]) & (value < threshold)) | (
        (comparator == "<") & (value <= threshold)
    )
    return pl.when(above).then(True).when(below).then(False)


def stg_before_index(
    stimulated: pl.LazyFrame, labs: pl.LazyFrame, index: pl.LazyFrame, windows: Windows
) -> pl.LazyFrame:
    """Return one row per patient with a stimulated Tg in the window.

    stg_500 (at_or_above, below, null), stg_ng_ml and stg_comparator, stg_date and stg_row,
    tgab_interference.
    """
    days_before = days_between("sample_date", "index_date")
    tgab = _days_with(labs, "TgAb", windows.tgab_positive_iu_ml, "tgab_positive")
    high = at_least(pl.col("tg_ng_ml"), pl.col("comparator"), windows.stg_threshold_ng_ml)
    in_window = (
        stimulated.join(index, on="patient_no", how="inner")
        .filter(days_before.is_between(0, windows.stg_days))
        .filter(pl.col("sample_date") == pl.col("sample_date").max().over("patient_no"))
        .with_columns(high=high)
        .sort("patient_no", "lab_id")
    )
    agreed = pl.col("high").null_count() == 0
    one = pl.col("high").all() | ~pl.col("high").any()
    return (
        in_window.group_by("patient_no", maintain_order=True)
        .agg(
            stg_high=pl.when(agreed & one).then(pl.col("high").any()),
            stg_ng_ml=pl.col("tg_ng_ml").first(),
            stg_comparator=pl.col("comparator").first(),
            stg_date=pl.col("sample_date").first(),
            stg_row=pl.col("lab_id").first(),
        )
        .join(
            tgab,
            left_on=["patient_no", "stg_date"],
            right_on=["patient_no", "sample_date"],
            how="left",
        )
        .select(
            "patient_no",
            "stg_ng_ml",
            "stg_comparator",
            "stg_date",
            "stg_row",
            stg_500=pl.when("stg_high")
            .then(pl.lit("at_or_above"))
            .when(~pl.col("stg_high"))
            .then(pl.lit("below")),
            tgab_interference=pl.col("tgab_positive").fill_null(False),
        )
    )
