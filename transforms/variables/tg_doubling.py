"""Doubling time of suppressed thyroglobulin since the last 131I therapy.

A value counts when it is of a day after the last course, exact (comparator =, above 0),
suppressed and free of TgAb. Suppressed: recorded as not stimulated, or with a TSH below the limit
on the same day; a TSH from the limit on that day rules it out. Free of TgAb: no TgAb of that day
reaches the threshold. Values of one day count as one, their geometric mean. The doubling time is
ln 2 over the slope of the straight line through the logarithms of at least three of them. Unit:
months of 30.4375 days.
Null: fewer values, no rise, no certain last course, or anything that cannot be read and may be
such a value or rule one out (TSH and TgAb have to be collected).
Source: after Miyauchi 2011 (Thyroid 21:707, PubMed 21649472), who is quoted as asking for four
values and whose own text was not read; three of them, and the limit of TSH, are judgement, and
settings. The models do not use it.
"""

from math import log

import polars as pl

from transforms.units import divided, thyroglobulin_ng_ml
from transforms.variables.as_of import DAYS_PER_MONTH
from transforms.variables.evidence import Record
from transforms.variables.thyroglobulin import (
    TABLE,
    at_least,
    days_with,
    on_a_day_of,
    results_of,
)
from transforms.variables.windows import Windows

_DIGITS = 2


def tg_doubling(record: Record, courses: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return one row per patient with enough values.

    tg_doubling_months (null: no rise), tg_slope_n (days with a value), tg_slope_from, tg_slope_to.
    """
    values = suppressed_tg(record, last_course(record, courses), windows)
    days = (
        values.filter("counts")
        .group_by("patient_no", "earliest")
        .agg(log_tg=pl.col("tg_ng_ml").log().sort().mean())
        .sort("patient_no", "earliest")
        .with_columns(day=(pl.col("earliest") - pl.date(1970, 1, 1)).dt.total_days())
    )
    in_doubt = pl.concat(
        [values.filter(pl.col("counts").is_null()).select("patient_no"), _unread(record, courses)]
    )
    x = pl.col("day") - pl.col("day").mean()
    slope = (x * pl.col("log_tg")).sum() / (x * x).sum()
    return (
        days.join(in_doubt, on="patient_no", how="anti")
        .group_by("patient_no", maintain_order=True)
        .agg(
            slope=slope.round(9),
            tg_slope_n=pl.len(),
            tg_slope_from=pl.col("earliest").min(),
            tg_slope_to=pl.col("earliest").max(),
        )
        .filter(pl.col("tg_slope_n") >= windows.tg_slope_values)
        .with_columns(
            tg_doubling_months=pl.when(pl.col("slope") > 0).then(
                divided(pl.lit(log(2)) / pl.col("slope"), DAYS_PER_MONTH).round(_DIGITS)
            )
        )
        .drop("slope")
    )


def last_course(record: Record, courses: pl.LazyFrame) -> pl.LazyFrame:
    """Return the days that the last course may have been of: one row per patient with one.

    last_from, last_by; nobody where courses are not collected.
    """
    days = courses.group_by("patient_no").agg(
        last_from=pl.col("earliest").max(), last_by=pl.col("latest").max()
    )
    hidden = (
        record.hidden_in("i131_treatments")
        .group_by("patient_no")
        .agg(hidden_by=pl.col("latest").max())
    )
    return (
        days.join(hidden, on="patient_no", how="left")
        .with_columns(last_by=pl.max_horizontal("last_by", "hidden_by"))
        .filter(pl.lit(record.is_collected("i131_treatments")))
        .drop("hidden_by")
    )


def suppressed_tg(record: Record, last: pl.LazyFrame, windows: Windows) -> pl.LazyFrame:
    """Return the thyroglobulins of patients with a course: one row per result.

    patient_no, lab_id, earliest, tg_ng_ml, counts (null where that is unknown).
    """
    tg = results_of(record, "Tg").with_columns(tg_ng_ml=thyroglobulin_ng_ml())
    of_day = ["patient_no", "earliest", "latest"]
    limit, positive = windows.tsh_suppressed_miu_l, windows.tgab_positive_iu_ml
    tsh_high = days_with(record, "TSH", limit).select(*of_day, tsh_high="above")
    tgab_high = days_with(record, "TgAb", positive).select(*of_day, tgab_high="above")
    return (
        tg.join(last, on="patient_no", how="inner")
        .join(tsh_high, on=of_day, how="left")
        .join(_low_tsh(record, limit), on=of_day, how="left")
        .join(tgab_high, on=of_day, how="left")
        .join(_perhaps(record, tg, "TSH", limit, "tsh_perhaps"), on="lab_id", how="left")
        .join(_perhaps(record, tg, "TgAb", positive, "tgab_perhaps"), on="lab_id", how="left")
        .select(
            "patient_no",
            "lab_id",
            "earliest",
            "tg_ng_ml",
            counts=_exact() & _after_last() & _suppressed(record) & _free_of_tgab(record),
        )
    )


def _exact() -> pl.Expr:
    comparator, tg = pl.col("comparator").cast(pl.String), pl.col("tg_ng_ml")
    return (
        pl.when(comparator != "=")
        .then(False)
        .when(comparator.is_null() | tg.is_null())
        .then(None)
        .otherwise(tg > 0)
    )


def _after_last() -> pl.Expr:
    is_whole = pl.col("earliest") == pl.col("latest")
    return (
        pl.when(pl.col("latest") <= pl.col("last_from"))
        .then(False)
        .when(is_whole & (pl.col("earliest") > pl.col("last_by")))
        .then(True)
    )


def _suppressed(record: Record) -> pl.Expr:
    flagged = pl.col("stimulated").cast(pl.String)
    may_be_high = pl.col("tsh_perhaps").fill_null(False)
    may_be_high |= pl.lit(not record.is_collected(TABLE, "TSH"))
    return (
        pl.when((flagged == "yes") | pl.col("tsh_high"))
        .then(False)
        .when(may_be_high)
        .then(None)
        .when((flagged == "no") | pl.col("tsh_low"))
        .then(True)
    )


def _free_of_tgab(record: Record) -> pl.Expr:
    may_be_high = pl.col("tgab_perhaps").fill_null(False)
    may_be_high |= pl.lit(not record.is_collected(TABLE, "TgAb"))
    return pl.when("tgab_high").then(False).when(~may_be_high).then(True)


def _low_tsh(record: Record, limit: float) -> pl.LazyFrame:
    """Return the days with a TSH that certainly is below the limit."""
    reached = at_least(pl.col("value"), pl.col("comparator"), limit)
    return (
        results_of(record, "TSH")
        .filter(pl.col("earliest") == pl.col("latest"), ~reached)
        .select("patient_no", "earliest", "latest", tsh_low=pl.lit(True))
        .unique()
    )


def _perhaps(
    record: Record, tg: pl.LazyFrame, analyte: str, limit: float, name: str
) -> pl.LazyFrame:
    return on_a_day_of(record, tg, analyte, limit).rename({"may_be_high": name})


def _unread(record: Record, courses: pl.LazyFrame) -> pl.LazyFrame:
    """Return the patients with a row that cannot be used and may be of after the last course."""
    last = courses.group_by("patient_no").agg(last_from=pl.col("earliest").max())
    hidden = record.hidden_in(TABLE).join(last, on="patient_no", how="inner")
    return hidden.filter(pl.col("latest") > pl.col("last_from")).select("patient_no").unique()
