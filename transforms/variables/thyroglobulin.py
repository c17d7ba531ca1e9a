"""Stimulated thyroglobulin (sTg) before the first 131I therapy (Jin 2025, OS).

A Tg is stimulated when it is flagged so, or when TSH was at least 30 mIU/L on the same day. It
may be where the flag says unknown, or a TSH of that day cannot be read.
The one that counts is the latest in the 30 days before the index date (the day itself counts).
Comparators count: > 500 is above, < 0.1 is below, > 300 is unknown, and so is an empty one. Two
results of that day on different sides of the threshold make it unknown, and so does one that may
be stimulated, or may be later. Unit: ng/mL. Null: none, or unknown.
A TgAb-positive sample of the same day sets tgab_interference: Tg may be falsely low.
Source: Jin 2025, Tables 1 and 2, "sTg (ng/mL)", at the threshold of 500.
"""

import polars as pl

from transforms.reading.quarantine import CELL_ASIDE
from transforms.units import thyroglobulin_ng_ml
from transforms.variables.as_of import whole
from transforms.variables.evidence import Record
from transforms.variables.windows import Windows

TABLE = "labs"
_UNREAD = CELL_ASIDE + "value"


def stimulated_tg(record: Record, windows: Windows) -> pl.LazyFrame:
    """Return the thyroglobulins that are stimulated, or may be: one row per result.

    tg_ng_ml (null where it was set aside), surely (stimulated).
    """
    tsh = days_with(record, "TSH", windows.tsh_stimulated_miu_l)
    results = results_of(record, "Tg")
    high_tsh = on_a_day_of(record, results, "TSH", windows.tsh_stimulated_miu_l)
    may_be_high = pl.col("may_be_high").fill_null(False)
    may_be_high |= pl.lit(not record.is_collected(TABLE, "TSH"))
    flagged = pl.col("stimulated").cast(pl.String)
    return (
        results.join(tsh, on=["patient_no", "earliest", "latest"], how="left")
        .join(high_tsh, on="lab_id", how="left")
        .with_columns(
            tg_ng_ml=thyroglobulin_ng_ml(),
            surely=(flagged == "yes").fill_null(False) | pl.col("above").fill_null(False),
            ruled_out=(flagged == "no").fill_null(False) & ~may_be_high,
        )
        .filter(pl.col("surely") | ~pl.col("ruled_out"))
        .drop("above", "may_be_above", "may_be_high", "ruled_out")
    )


def results_of(record: Record, analyte: str) -> pl.LazyFrame:
    """Return the results of an analyte, also those that cannot be read: one row per result."""
    is_there = pl.col("value").is_not_null() | pl.col(_UNREAD).fill_null(False)
    return record.tables[TABLE].filter(pl.col("analyte") == analyte, is_there)


def days_with(record: Record, analyte: str, threshold: float) -> pl.LazyFrame:
    """Return the days on which an analyte was, or may have been, at least so high.

    One row per patient and day: above (certainly), may_be_above.
    """
    reached = at_least(pl.col("value"), pl.col("comparator"), threshold)
    return (
        results_of(record, analyte)
        .group_by("patient_no", "earliest", "latest")
        .agg(
            above=(reached.fill_null(False) & (pl.col("earliest") == pl.col("latest"))).any(),
            may_be_above=reached.fill_null(True).any(),
        )
        .filter("may_be_above")
    )


def on_a_day_of(
    record: Record, results: pl.LazyFrame, analyte: str, threshold: float
) -> pl.LazyFrame:
    """Return the results on whose day an analyte may have been at least so high: lab_id."""
    reached = at_least(pl.col("value"), pl.col("comparator"), threshold)
    high = results_of(record, analyte).filter(reached.fill_null(True))
    some = pl.concat([high.select("patient_no", "earliest", "latest"), record.hidden_in(TABLE)])
    return (
        results.select("patient_no", "lab_id", on_from="earliest", on_by="latest")
        .join(some, on="patient_no", how="inner")
        .filter(pl.col("earliest") <= pl.col("on_by"), pl.col("latest") >= pl.col("on_from"))
        .select("lab_id", may_be_high=pl.lit(True))
        .unique()
    )


def _some_day_with(record: Record, analyte: str, threshold: float) -> pl.LazyFrame:
    """Return the patients in whom a result without a whole date may be so high, on any day."""
    reached = at_least(pl.col("value"), pl.col("comparator"), threshold)
    return (
        results_of(record, analyte)
        .filter(pl.col("earliest") != pl.col("latest"), reached.fill_null(True))
        .select("patient_no", some_day=pl.lit(True))
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
    record: Record, stimulated: pl.LazyFrame, index: pl.LazyFrame, windows: Windows
) -> pl.LazyFrame:
    """Return one row per patient with a stimulated Tg in the window, or what may be one.

    stg_500 (at_or_above, below, null), stg_ng_ml and stg_comparator, stg_date and stg_row,
    tgab_interference.
    """
    patients = index.select("patient_no", "index_earliest", "index_latest")
    latest = _latest_in_window(record, stimulated, patients, windows)
    high = at_least(pl.col("tg_ng_ml"), pl.col("comparator"), windows.stg_threshold_ng_ml)
    agreed = latest.with_columns(high=high).sort("patient_no", "lab_id")
    one_side = pl.col("high").null_count() == 0
    one_side &= pl.col("high").all() | ~pl.col("high").any()
    tgab = days_with(record, "TgAb", windows.tgab_positive_iu_ml).select(
        "patient_no", "above", "may_be_above", stg_date="earliest"
    )
    some_day = _some_day_with(record, "TgAb", windows.tgab_positive_iu_ml)
    ruled_out = ~pl.col("may_be_above").fill_null(False) & pl.col("some_day").is_null()
    ruled_out &= pl.lit(record.is_collected(TABLE, "TgAb"))
    return (
        agreed.group_by("patient_no", maintain_order=True)
        .agg(
            stg_high=pl.when(one_side).then(pl.col("high").any()),
            certain=pl.col("certain").all(),
            stg_ng_ml=pl.col("tg_ng_ml").first(),
            stg_comparator=pl.col("comparator").first(),
            stg_date=pl.col("earliest").first(),
            stg_row=pl.col("lab_id").first(),
        )
        .filter("certain")
        .join(tgab, on=["patient_no", "stg_date"], how="left")
        .join(some_day, on="patient_no", how="left")
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
            tgab_interference=pl.when("above").then(True).when(ruled_out).then(False),
        )
    )


def _latest_in_window(
    record: Record, stimulated: pl.LazyFrame, patients: pl.LazyFrame, windows: Windows
) -> pl.LazyFrame:
    """Return the results of the last day on which one counts, or may: one row per result.

    certain: the value, the day and the stimulation of all of them are known, and nothing that
    was set aside may be as late.
    """
    start = f"-{windows.stg_days}d"
    near = stimulated.join(patients, on="patient_no", how="inner").filter(
        pl.col("latest") >= pl.col("index_earliest").dt.offset_by(start),
        (pl.col("earliest") <= pl.col("index_latest")).fill_null(True),
    )
    last = near.filter(
        pl.col("latest") >= pl.col("earliest").max().over("patient_no")
    ).with_columns(index_date=whole("index_earliest", "index_latest"))
    hidden = (
        record.hidden_in(TABLE)
        .join(patients, on="patient_no", how="inner")
        .filter(
            pl.col("latest") >= pl.col("index_earliest").dt.offset_by(start),
            (pl.col("earliest") <= pl.col("index_latest")).fill_null(True),
        )
        .group_by("patient_no")
        .agg(hidden_latest=pl.col("latest").max())
    )
    is_certain = (
        pl.col("surely")
        & pl.col("tg_ng_ml").is_not_null()
        & pl.col("index_date").is_not_null()
        & (pl.col("earliest") == pl.col("latest"))
        & ~(pl.col("hidden_latest") >= pl.col("earliest")).fill_null(False)
    )
    return last.join(hidden, on="patient_no", how="left").with_columns(certain=is_certain)
