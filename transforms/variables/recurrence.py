"""The operation, and recurrence between it and the first 131I therapy (Liu 2022).

yes: a recurrence event after the first thyroidectomy and before the index date. no: none, and
nothing quarantined that may be one. Null: not known, or no thyroidectomy before the index date.
Source: Liu 2022, Tables 1-3, "recurrence between the operation and iodine-131 treatment".
"""

import polars as pl

from schemas.codes import THYROIDECTOMY
from transforms.variables.as_of import first_rows, may_hide, months_between


def operation(surgeries: pl.LazyFrame, index: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per patient with a thyroidectomy.

    thyroidectomy_date and thyroidectomy_row (the first), thyroidectomy_before_index,
    months_operation_to_i131.
    """
    first = first_rows(
        surgeries.filter(pl.col("procedure").cast(pl.String).is_in(THYROIDECTOMY)),
        "surgery_date",
        "surgery_id",
    )
    before = pl.col("surgery_date") <= pl.col("index_date")
    return first.join(index, on="patient_no", how="left").select(
        "patient_no",
        thyroidectomy_date="surgery_date",
        thyroidectomy_row="surgery_id",
        thyroidectomy_before_index=before,
        months_operation_to_i131=pl.when(before).then(months_between("surgery_date", "index_date")),
    )


def recurrence(
    events: pl.LazyFrame, index: pl.LazyFrame, operation: pl.LazyFrame, set_aside: pl.LazyFrame
) -> pl.LazyFrame:
    """Return one row per patient operated on before the index date.

    recurrence (yes, no, null), recurrence_date and recurrence_row (the first such event).
    """
    between = operation.filter("thyroidectomy_before_index").join(
        index.select("patient_no", "index_date"), on="patient_no", how="inner"
    )
    when = pl.col("event_date")
    hits = (
        events.filter(pl.col("type") == "recurrence")
        .join(between, on="patient_no", how="inner")
        .filter((when > pl.col("thyroidectomy_date")) & (when < pl.col("index_date")))
    )
    first = first_rows(hits, "event_date", "event_id").select(
        "patient_no", recurrence_date="event_date", recurrence_row="event_id"
    )
    doubt = may_hide(between, set_aside, "events", until=pl.col("index_date"))
    return (
        between.select("patient_no")
        .join(first, on="patient_no", how="left")
        .join(doubt, on="patient_no", how="left")
        .select(
            "patient_no",
            "recurrence_date",
            "recurrence_row",
            recurrence=pl.when(pl.col("recurrence_date").is_not_null())
            .then(pl.lit("yes"))
            .when(pl.col("may_hide").is_null())
            .then(pl.lit("no")),
        )
    )
