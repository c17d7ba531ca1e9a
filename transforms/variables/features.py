"""All variables of all patients: one row per patient, with the rows they came from."""

from datetime import date

import polars as pl

from schemas.features import FEATURES
from transforms.variables.activity import activity
from transforms.variables.as_of import Tables, index_course, known_as_of
from transforms.variables.demographics import demographics
from transforms.variables.fdg import fdg_uptake
from transforms.variables.metastases import metastases
from transforms.variables.nodules import lung_nodule
from transforms.variables.outcomes import outcomes
from transforms.variables.recurrence import operation, recurrence
from transforms.variables.refractory import refractory
from transforms.variables.response import response
from transforms.variables.thyroglobulin import stg_before_index, stimulated_tg
from transforms.variables.uptake import uptake
from transforms.variables.windows import Windows


def features(
    tables: Tables, set_aside: pl.LazyFrame, as_of: date, windows: Windows
) -> pl.DataFrame:
    """Derive every variable as of a date: one row per row of `tables["patients"]`, sorted.

    `tables` are validated; rows dated after `as_of` are not looked at. `set_aside` has one row
    per quarantined row of a known patient: patient_no, table, row_date (null: any date).

    What several variables start from is computed once, then all variables at the same time;
    one lazy query for everything took more than twice as long (polars 2.1).
    """
    known = known_as_of(tables, as_of)
    courses, labs = known["i131_treatments"], known["labs"]
    index = index_course(courses, set_aside).collect().lazy()
    operated = operation(known["surgeries"], index).collect().lazy()
    stimulated = stimulated_tg(labs, windows).collect().lazy()
    stg = stg_before_index(stimulated, labs, index, windows).collect().lazy()
    patients, *parts = pl.collect_all(
        [
            demographics(known["patients"], known["diagnoses"], index).sort("patient_no"),
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
            set_aside.group_by("patient_no").agg(quarantined_rows=pl.len()),
        ]
    )
    for part in parts:
        patients = patients.join(part, on="patient_no", how="left", maintain_order="left")
    return patients.with_columns(
        pl.col("quarantined_rows").fill_null(0),
        *(pl.col(name).fill_null(False) for name in ("uptake_provisional", "tgab_interference")),
        as_of=pl.lit(as_of),
        has_index=_has_index(),
        thyroidectomy_before_index=_operated_before_index(),
        rrdtc_met=_only_dtc(pl.col("rrdtc_criterion").is_not_null()),
        rrdtc_criterion=_only_dtc(pl.col("rrdtc_criterion")),
        rrdtc_met_date=_only_dtc(pl.col("rrdtc_met_date")),
    ).select(
        "patient_no",
        *(pl.col(name).cast(dtype) for name, dtype in FEATURES.items() if name != "patient_id"),
    )


def _has_index() -> pl.Expr:
    """Tell whether the patient had a first 131I therapy; null when its date is in doubt."""
    doubt = pl.col("index_uncertain").fill_null(False)
    return pl.when(~doubt).then(pl.col("index_date").is_not_null())


def _operated_before_index() -> pl.Expr:
    has_date = pl.col("index_date").is_not_null()
    return pl.when(has_date).then(pl.col("thyroidectomy_before_index").fill_null(False))


def _only_dtc(value: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("dtc")).then(value)
