"""Response to 131I: RECIST where recorded, else the change of stimulated Tg.

RECIST: the latest after the index date (NE does not count; the worse of two on one day).
Else stimulated Tg, the latest after the index date against that before it: more than 25 % up
is PD, more than 25 % down is PR, between them SD. Only exact results (comparator =) are compared.
Null: nothing to go by, or something that cannot be read may be later.
Source: Jin 2025, Methods, "Evaluation of therapeutic efficacy"; where CT and sTg disagree, the
paper goes by CT.
"""

import polars as pl

from schemas.codes import RESPONSE
from transforms.reading.quarantine import CELL_ASIDE
from transforms.variables.evidence import Record, asked
from transforms.variables.windows import Windows

_RANK = {"PD": 0, "SD": 1, "PR": 2, "CR": 3}


def response(
    record: Record,
    stimulated: pl.LazyFrame,
    stg: pl.LazyFrame,
    index: pl.LazyFrame,
    windows: Windows,
) -> pl.LazyFrame:
    """Return one row per patient with a row of 131I therapy.

    response (CR, PR, SD, PD), response_basis (RECIST, sTg), response_date.
    """
    patients = index.select("patient_no", "index_earliest", "index_latest")
    recist = _latest_recist(record, patients)
    change = _stg_change(record, stimulated, stg, patients, windows)
    by_recist = pl.col("recist").is_not_null()
    by_stg = ~pl.col("may_be_assessed").fill_null(True) & pl.col("by_stg").is_not_null()
    return (
        patients.join(recist, on="patient_no", how="left")
        .join(change, on="patient_no", how="left")
        .select(
            "patient_no",
            response=pl.when(by_recist)
            .then("recist")
            .when(by_stg)
            .then("by_stg")
            .cast(pl.Enum(RESPONSE)),
            response_basis=pl.when(by_recist)
            .then(pl.lit("RECIST"))
            .when(by_stg)
            .then(pl.lit("sTg")),
            response_date=pl.when(by_recist)
            .then("recist_date")
            .when(by_stg)
            .then("stg_later_date"),
        )
    )


def _latest_recist(record: Record, patients: pl.LazyFrame) -> pl.LazyFrame:
    """Return the latest assessment, if it certainly is: one row per patient.

    recist (null: none, or unknown), recist_date, may_be_assessed (whether there may be any).
    """
    recist = pl.col("recist").cast(pl.String)
    unread = recist.is_null() & pl.col(CELL_ASIDE + "recist").fill_null(False)
    rows = (
        record.tables["imaging"]
        .filter(recist.is_in(RESPONSE) | unread)
        .join(patients, on="patient_no", how="inner")
        .filter(pl.col("latest") > pl.col("index_earliest"))
        .with_columns(
            surely=~unread
            & (pl.col("earliest") == pl.col("latest"))
            & (pl.col("earliest") > pl.col("index_latest")),
            rank=recist.replace_strict(_RANK, default=None, return_dtype=pl.UInt8),
        )
        .with_columns(pl.col("surely").fill_null(False))
    )
    last = (
        rows.filter(pl.col("latest") >= pl.col("earliest").max().over("patient_no"))
        .group_by("patient_no")
        .agg(
            pl.col("surely").all().alias("certain"),
            recist=pl.col("recist").cast(pl.String).sort_by("rank").first(),
            recist_date=pl.col("earliest").max(),
        )
    )
    any_row = asked(
        record,
        "imaging",
        patients,
        rows.select("patient_no", "surely"),
        after=pl.col("index_earliest"),
        until=pl.lit(record.as_of),
    ).select("patient_no", may_be_assessed="maybe")
    hidden = (
        record.hidden_in("imaging").group_by("patient_no").agg(hidden_latest=pl.col("latest").max())
    )
    later = (pl.col("hidden_latest") >= pl.col("recist_date")).fill_null(False)
    sure = pl.col("certain") & ~later & pl.lit(record.is_collected("imaging"))
    return (
        any_row.join(last, on="patient_no", how="left")
        .join(hidden, on="patient_no", how="left")
        .select(
            "patient_no",
            "may_be_assessed",
            recist=pl.when(sure).then("recist"),
            recist_date=pl.when(sure).then("recist_date"),
        )
    )


def _stg_change(
    record: Record,
    stimulated: pl.LazyFrame,
    stg: pl.LazyFrame,
    patients: pl.LazyFrame,
    windows: Windows,
) -> pl.LazyFrame:
    """Return what the latest stimulated Tg after the index date says, if it certainly is that."""
    baseline = stg.filter((pl.col("stg_comparator") == "=") & (pl.col("stg_ng_ml") > 0))
    ratio = pl.col("tg_ng_ml") / pl.col("stg_ng_ml")
    is_exact = (pl.col("comparator") == "=").fill_null(False) & pl.col("tg_ng_ml").is_not_null()
    may_be_exact = (pl.col("comparator") == "=").fill_null(True)
    later = (
        stimulated.filter(may_be_exact)
        .join(patients, on="patient_no", how="inner")
        .filter(pl.col("latest") > pl.col("index_earliest"))
        .join(baseline.select("patient_no", "stg_ng_ml"), on="patient_no", how="inner")
        .with_columns(
            certain=(
                pl.col("surely")
                & is_exact
                & (pl.col("earliest") == pl.col("latest"))
                & (pl.col("earliest") > pl.col("index_latest"))
            ).fill_null(False),
            by_stg=pl.when(ratio > 1 + windows.response_change)
            .then(pl.lit("PD"))
            .when(ratio < 1 - windows.response_change)
            .then(pl.lit("PR"))
            .otherwise(pl.lit("SD")),
        )
    )
    hidden = (
        record.hidden_in("labs").group_by("patient_no").agg(hidden_latest=pl.col("latest").max())
    )
    return (
        later.filter(pl.col("latest") >= pl.col("earliest").max().over("patient_no"))
        .group_by("patient_no")
        .agg(
            certain=pl.col("certain").all() & (pl.col("by_stg").n_unique() == 1),
            by_stg=pl.col("by_stg").first(),
            stg_later_date=pl.col("earliest").max(),
        )
        .join(hidden, on="patient_no", how="left")
        .filter("certain", ~(pl.col("hidden_latest") >= pl.col("stg_later_date")).fill_null(False))
        .select("patient_no", "by_stg", "stg_later_date")
    )
