"""All variables of all patients: one row per patient, with the rows they came from."""

from datetime import date

import polars as pl

from schemas.features import FEATURES
from transforms.activity import activity
from transforms.demographics import demographics
from transforms.fdg import fdg_uptake
from transforms.metastases import metastases
from transforms.nodules import lung_nodule
from transforms.outcomes import outcomes
from transforms.recurrence import operation, recurrence
from transforms.refractory import refractory
from transforms.response import response
from transforms.thyroglobulin import stg_before_index, stimulated_tg
from transforms.timeline import Tables, index_course, known_as_of
from transforms.uptake import uptake
from transforms.windows import Windows

SET_ASIDE = {"patient_id": pl.String, "table": pl.String, "row_date": pl.Date}
"""One row per quarantined row whose patient is known; row_date null when it may be any date."""


def features(
    tables: Tables, set_aside: pl.LazyFrame, as_of: date, windows: Windows
) -> pl.LazyFrame:
    """Derive every variable as of a date: one row per row of `tables["patients"]`.

    `tables` are validated; rows dated after `as_of` are not looked at. `set_aside` has one row
    per quarantined row (see SET_ASIDE).
    """
    known = known_as_of(tables, as_of)
    index = index_course(known["i131_treatments"], set_aside)
    operated = operation(known["surgeries"], index)
    stimulated = stimulated_tg(known["labs"], windows)
    stg = stg_before_index(stimulated, known["labs"], index, windows)
    courses = known["i131_treatments"]
    parts = [
        index,
        operated,
        recurrence(known["events"], index, operated, set_aside),
        metastases(known["metastases"], index, set_aside, windows),
        fdg_uptake(known["imaging"], index, windows),
        activity(courses, index),
        uptake(courses, index),
        lung_nodule(known["imaging"], index, windows),
        stg,
        refractory(courses, known["events"], windows),
        response(known["imaging"], stimulated, stg, index, windows),
        outcomes(known["patients"], known["events"], index),
        set_aside.group_by("patient_id").agg(quarantined_rows=pl.len().cast(pl.UInt32)),
    ]
    joined = demographics(known["patients"], known["diagnoses"], index)
    for part in parts:
        joined = joined.join(part, on="patient_id", how="left")
    return joined.with_columns(
        pl.col("quarantined_rows").fill_null(0),
        *(pl.col(name).fill_null(False) for name in ("uptake_provisional", "tgab_interference")),
        as_of=pl.lit(as_of),
        has_index=_has_index(),
        thyroidectomy_before_index=_operated_before_index(),
        rrdtc_met=_only_dtc(pl.col("rrdtc_criterion").is_not_null()),
        rrdtc_criterion=_only_dtc(pl.col("rrdtc_criterion")),
        rrdtc_met_date=_only_dtc(pl.col("rrdtc_met_date")),
    ).sort("patient_id").select(pl.col(name).cast(dtype) for name, dtype in FEATURES.items())


def _has_index() -> pl.Expr:
    """Tell whether the patient had a first 131I therapy; null when its date is in doubt."""
    doubt = pl.col("index_uncertain").fill_null(False)
    return pl.when(~doubt).then(pl.col("index_date").is_not_null())


def _operated_before_index() -> pl.Expr:
    has_date = pl.col("index_date").is_not_null()
    return pl.when(has_date).then(pl.col("thyroidectomy_before_index").fill_null(False))


def _only_dtc(value: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("dtc")).then(value)
