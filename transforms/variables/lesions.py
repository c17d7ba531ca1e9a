"""Lesions: from when on a patient is known to have one.

A metastasis (also M1 alone), a recurrence, or a measurable lung nodule. The RR-DTC criteria speak
of lesions: uptake on a scan before any lesion is known may be that of a thyroid remnant.
Source: Liu 2022, Methods, "Definition of RR-DTC".
"""

import polars as pl

from transforms.variables.evidence import Record
from transforms.variables.metastases import findings, m_categories
from transforms.variables.nodules import measured_nodules

_SOURCES = ("metastases", "events", "imaging", "diagnoses")


def first_lesion(record: Record) -> pl.LazyFrame:
    """Return one row per patient who has a lesion, or may have one.

    lesion_latest: the day by which the first lesion certainly was known (null: never).
    lesion_earliest: the first day on which one may have been.
    """
    found = findings(record)
    recurred = pl.col("found")
    recurrences = (
        record.tables["events"]
        .filter(pl.col("type") == "recurrence", recurred.is_null() | recurred)
        .with_columns(surely=recurred.fill_null(False))
    )
    size = pl.col("nodule_cm")
    nodules = measured_nodules(record).filter(size.is_null() | (size > 0))
    kinds = [
        found,
        m_categories(record),
        recurrences,
        nodules.with_columns(surely=size.is_not_null()),
        *(record.hidden_in(table).with_columns(surely=pl.lit(False)) for table in _SOURCES),
    ]
    rows = pl.concat([kind.select("patient_no", "earliest", "latest", "surely") for kind in kinds])
    return rows.group_by("patient_no").agg(
        lesion_earliest=pl.col("earliest").min(),
        lesion_latest=pl.col("latest").filter("surely").min(),
    )


def none_is_known(record: Record) -> bool:
    """Tell whether a patient of whom no lesion is recorded has none: all sources are collected."""
    return (
        record.is_collected("metastases")
        and record.is_collected("events", "recurrence")
        and record.is_collected("imaging", "CT")
        and record.is_collected("diagnoses")
    )
