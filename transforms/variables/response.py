"""Response to 131I: RECIST where recorded, else the change of stimulated Tg.

RECIST: the latest after the index date (NE does not count; the worse of two on one day).
Else stimulated Tg, the latest after the index date against that before it: more than 25 % up
is PD, more than 25 % down is PR, between them SD. Only exact results (comparator =) are compared.
Source: Jin 2025, Methods, "Evaluation of therapeutic efficacy"; where CT and sTg disagree, the
paper goes by CT.
"""

import polars as pl

from schemas.codes import RESPONSE
from transforms.variables.as_of import first_rows
from transforms.variables.windows import Windows


def response(
    imaging: pl.LazyFrame,
    stimulated: pl.LazyFrame,
    stg: pl.LazyFrame,
    index: pl.LazyFrame,
    windows: Windows,
) -> pl.LazyFrame:
    """Return one row per patient with a course.

    response (CR, PR, SD, PD), response_basis (RECIST, sTg), response_date.
    """
    recist = _latest_recist(imaging, index)
    change = _stg_change(stimulated, stg, index, windows)
    by_recist = pl.col("recist").is_not_null()
    return (
        index.select("patient_no")
        .join(recist, on="patient_no", how="left")
        .join(change, on="patient_no", how="left")
        .select(
            "patient_no",
            response=pl.coalesce("recist", "by_stg").cast(pl.Enum(RESPONSE)),
            response_basis=pl.when(by_recist)
            .then(pl.lit("RECIST"))
            .when(pl.col("by_stg").is_not_null())
            .then(pl.lit("sTg")),
            response_date=pl.when(by_recist).then("recist_date").otherwise("stg_later_date"),
        )
    )


def _latest_recist(imaging: pl.LazyFrame, index: pl.LazyFrame) -> pl.LazyFrame:
    recist = pl.col("recist").cast(pl.String)
    worst_first = recist.replace_strict(
        {"PD": 0, "SD": 1, "PR": 2, "CR": 3}, default=4, return_dtype=pl.UInt8
    )
    read = (
        imaging.filter(recist.is_in(RESPONSE))
        .join(index, on="patient_no", how="inner")
        .filter(pl.col("study_date") > pl.col("index_date"))
    )
    newest_first = -pl.col("study_date").to_physical()
    return first_rows(read, newest_first, worst_first, "study_id").select(
        "patient_no", recist=recist, recist_date="study_date"
    )


def _stg_change(
    stimulated: pl.LazyFrame, stg: pl.LazyFrame, index: pl.LazyFrame, windows: Windows
) -> pl.LazyFrame:
    baseline = stg.filter((pl.col("stg_comparator") == "=") & (pl.col("stg_ng_ml") > 0))
    later = (
        stimulated.filter(pl.col("comparator") == "=")
        .join(index, on="patient_no", how="inner")
        .filter(pl.col("sample_date") > pl.col("index_date"))
    )
    newest_first = -pl.col("sample_date").to_physical()
    ratio = pl.col("tg_ng_ml") / pl.col("stg_ng_ml")
    return (
        first_rows(later, newest_first, "lab_id")
        .join(baseline.select("patient_no", "stg_ng_ml"), on="patient_no", how="inner")
        .select(
            "patient_no",
            stg_later_date="sample_date",
            by_stg=pl.when(ratio > 1 + windows.response_change)
            .then(pl.lit("PD"))
            .when(ratio < 1 - windows.response_change)
            .then(pl.lit("PR"))
            .otherwise(pl.lit("SD")),
        )
    )
