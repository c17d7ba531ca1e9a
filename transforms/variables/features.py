"""All variables of all patients: one row per patient, with the rows they came from."""

import polars as pl

from schemas.features import FEATURES
from transforms.variables.activity import activity
from transforms.variables.courses import courses as courses_of
from transforms.variables.courses import index_course
from transforms.variables.demographics import demographics, first_diagnosis
from transforms.variables.disease import disease
from transforms.variables.evidence import Record
from transforms.variables.fdg import fdg_uptake
from transforms.variables.metastases import metastases, sites_today
from transforms.variables.nodules import lung_nodule
from transforms.variables.outcomes import outcomes
from transforms.variables.recurrence import operation, recurrence
from transforms.variables.refractory import IN_DOUBT, refractory
from transforms.variables.response import response
from transforms.variables.tg_doubling import tg_doubling
from transforms.variables.thyroglobulin import stg_before_index, stimulated_tg
from transforms.variables.uptake import uptake
from transforms.variables.windows import Windows


def features(record: Record, set_aside: pl.LazyFrame, windows: Windows) -> pl.DataFrame:
    """Derive every variable: one row per row of `record.tables["patients"]`, sorted.

    `set_aside` has one row per quarantined row and cell set aside of a known patient: patient_no
    and cell. Beside the columns of FEATURES the frame has those of `refractory` on the criteria.

    What several variables start from is computed once, then all variables at the same time;
    one lazy query for everything took more than twice as long (polars 2.1).
    """
    courses = courses_of(record).collect().lazy()
    index = index_course(record, courses).collect().lazy()
    diagnosis = first_diagnosis(record).collect().lazy()
    record = record.with_scopes(_scopes(diagnosis, index))
    on_file = index.filter("on_file")
    operated = operation(record, on_file).collect().lazy()
    stimulated = stimulated_tg(record, windows).collect().lazy()
    stg = stg_before_index(record, stimulated, on_file, windows).collect().lazy()
    patients, *parts = pl.collect_all(
        [
            demographics(record, diagnosis, index).sort("patient_no"),
            index.select("patient_no", "index_date", "index_row", "has_index"),
            operated.drop("operated_earliest", "operated_latest"),
            recurrence(record, on_file, operated),
            metastases(record, on_file, windows),
            sites_today(record),
            fdg_uptake(record, on_file, windows),
            activity(record, courses, on_file),
            uptake(record, courses, on_file),
            lung_nodule(record, on_file, windows),
            stg,
            refractory(record, courses, on_file, windows),
            response(record, stimulated, stg, on_file, windows),
            outcomes(record, on_file, windows),
            tg_doubling(record, courses, windows),
            disease(record),
            _counts(set_aside),
        ]
    )
    for part in parts:
        patients = patients.join(part, on="patient_no", how="left", maintain_order="left")
    # Whoever has no row of the index course, usable or not, certainly had no 131I therapy.
    treated = index.select("patient_no", may_be_treated=pl.lit(True)).collect()
    patients = patients.join(treated, on="patient_no", how="left", maintain_order="left")
    untreated = pl.col("may_be_treated").is_null()
    is_dtc = pl.col("dtc").fill_null(False)
    met = pl.when(untreated).then(False).otherwise("rrdtc_met")
    uncollected = pl.col("has_index").is_null() & ~untreated
    unsaid = uncollected & pl.col("rrdtc_met").is_null() & pl.col("rrdtc_reason").is_null()
    patients = patients.with_columns(
        rrdtc_reason=pl.when(unsaid).then(pl.lit(IN_DOUBT)).otherwise("rrdtc_reason")
    )
    rrdtc = {name: pl.when(is_dtc).then(name) for name in _RRDTC}
    return patients.with_columns(
        pl.col("quarantined_rows", "cells_set_aside").fill_null(0),
        as_of=pl.lit(record.as_of),
        has_index=pl.when(untreated).then(False).otherwise("has_index"),
        rrdtc_met=pl.when(is_dtc).then(met),
        **rrdtc,
    ).select(
        "patient_no",
        *(pl.col(name).cast(dtype) for name, dtype in FEATURES.items() if name != "patient_id"),
        "^(criterion_|ruled_out).*$",
    )


_RRDTC = ("rrdtc_criterion", "rrdtc_met_date", "rrdtc_reason")


def _scopes(diagnosis: pl.LazyFrame, index: pl.LazyFrame) -> pl.LazyFrame:
    return diagnosis.join(index, on="patient_no", how="left").select(
        "patient_no", diagnosis="diagnosis_earliest", index="index_earliest"
    )


def _counts(set_aside: pl.LazyFrame) -> pl.LazyFrame:
    is_cell = pl.col("cell").is_not_null()
    return set_aside.group_by("patient_no").agg(
        quarantined_rows=(~is_cell).sum(), cells_set_aside=is_cell.sum()
    )
