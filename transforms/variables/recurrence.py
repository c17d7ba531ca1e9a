"""The operation, and recurrence between it and the first 131I therapy (Liu 2022).

yes: a recurrence event after the first thyroidectomy and before the index date. no: none, and
nothing that may be one. Null: not known, or no thyroidectomy before the index date.
Source: Liu 2022, Tables 1-3, "recurrence between the operation and iodine-131 treatment".
"""

import polars as pl

from schemas.codes import THYROIDECTOMY
from transforms.variables.as_of import months_between, whole
from transforms.variables.evidence import (
    FIRST_DAY,
    Record,
    asked,
    first_if_certain,
    maybe_by,
    surely_by,
)

SURGERIES, EVENTS = "surgeries", "events"


def operation(record: Record, index: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per patient.

    operated_earliest, operated_latest: the days that the first thyroidectomy may have been;
    thyroidectomy_date and thyroidectomy_row where known; thyroidectomy_before_index: by the index
    date (null when unknown); months_operation_to_i131.
    """
    procedure = pl.col("procedure").cast(pl.String)
    removes = procedure.is_in(THYROIDECTOMY)
    rows = record.tables[SURGERIES].with_columns(surely=removes.fill_null(False))
    rows = rows.filter(procedure.is_null() | removes)
    treated = index.select("patient_no", "index_earliest", "index_latest")
    patients = record.tables["patients"].select("patient_no")
    near = rows.join(treated, on="patient_no", how="inner").filter(
        maybe_by(pl.col("index_latest")).fill_null(True)
    )
    before = asked(
        record,
        SURGERIES,
        treated,
        near.select("patient_no", surely=pl.col("surely") & surely_by(pl.col("index_earliest"))),
        until=pl.col("index_latest"),
    )
    days = _days(record, rows)
    row = first_if_certain(
        record, SURGERIES, rows, "earliest", "surgery_id", certain="surely"
    ).select("patient_no", thyroidectomy_row="surgery_id")
    known = pl.col("thyroidectomy_date").is_not_null()
    return (
        patients.join(treated, on="patient_no", how="left")
        .join(before, on="patient_no", how="left")
        .join(days, on="patient_no", how="left")
        .join(row, on="patient_no", how="left")
        .with_columns(
            thyroidectomy_date=whole("operated_earliest", "operated_latest"),
            index_date=whole("index_earliest", "index_latest"),
        )
        .select(
            "patient_no",
            "operated_earliest",
            "operated_latest",
            "thyroidectomy_date",
            thyroidectomy_row=pl.when(known).then("thyroidectomy_row"),
            thyroidectomy_before_index=pl.when(
                pl.col("surely") & pl.col("index_latest").is_not_null()
            )
            .then(True)
            .when(~pl.col("maybe"))
            .then(False),
            months_operation_to_i131=pl.when(
                pl.col("thyroidectomy_date") <= pl.col("index_date")
            ).then(months_between("thyroidectomy_date", "index_date")),
        )
    )


def _days(record: Record, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return the days that the first thyroidectomy may have been: one row per patient."""
    hidden = (
        record.hidden_in(SURGERIES)
        .group_by("patient_no")
        .agg(hidden_earliest=pl.col("earliest").min())
    )
    found = rows.group_by("patient_no").agg(
        pl.col("earliest").min(), operated_latest=pl.col("latest").filter("surely").min()
    )
    days = found.join(hidden, on="patient_no", how="full", coalesce=True)
    if not record.is_collected(SURGERIES):
        days = days.with_columns(hidden_earliest=pl.lit(FIRST_DAY))
    return days.select(
        "patient_no",
        "operated_latest",
        operated_earliest=pl.min_horizontal("earliest", "hidden_earliest"),
    )


def recurrence(record: Record, index: pl.LazyFrame, operated: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per patient operated on by the index date.

    recurrence (yes, no, null), recurrence_date and recurrence_row (the first such event).
    """
    between = operated.filter("thyroidectomy_before_index").join(
        index.select("patient_no", "index_earliest", "index_latest"), on="patient_no", how="inner"
    )
    found = pl.col("found")
    rows = (
        record.tables[EVENTS]
        .filter(pl.col("type") == "recurrence", found.is_null() | found)
        .join(between, on="patient_no", how="inner")
        .filter(
            (pl.col("latest") > pl.col("operated_earliest")).fill_null(True),
            pl.col("earliest") < pl.col("index_latest"),
        )
        .with_columns(
            surely=found.fill_null(False)
            & (pl.col("earliest") > pl.col("operated_latest"))
            & (pl.col("latest") < pl.col("index_earliest"))
        )
        .with_columns(pl.col("surely").fill_null(False))
    )
    answer = asked(
        record,
        EVENTS,
        between.select("patient_no", "operated_earliest", "index_latest"),
        rows,
        after=pl.col("operated_earliest"),
        until=pl.col("index_latest").dt.offset_by("-1d"),
        codes=["recurrence"],
    )
    first = first_if_certain(record, EVENTS, rows, "earliest", "event_id", certain="surely").select(
        "patient_no", recurrence_date="earliest", recurrence_row="event_id"
    )
    return answer.join(first, on="patient_no", how="left").select(
        "patient_no",
        "recurrence_date",
        "recurrence_row",
        recurrence=pl.when("surely").then(pl.lit("yes")).when(~pl.col("maybe")).then(pl.lit("no")),
    )
