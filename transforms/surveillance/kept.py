"""The predictions that nights published, kept to be compared with what comes.

Of each patient and model a night keeps the first complete prediction, and a year after it the one
of the night then; so each is prospective, and nobody counts twice at a time. Those older than the
years that surveillance looks back on go. Bounded predictions are not kept: they have no risk.
"""

from datetime import date

import polars as pl

from models.performance.hazard import SURVIVALS
from schemas.published import PastPredictions, columns_of

SCORED = ("patient_id", "model", "status", "points", "probability", *SURVIVALS)
"""The columns of model_scores that are looked at."""


def keep(
    before: pl.DataFrame | None, scores: pl.DataFrame, features: pl.DataFrame, night: date
) -> pl.DataFrame:
    """Return the predictions that are kept after a night, as PastPredictions: one row each.

    `before` are those that the night before it kept; `scores` and `features` are its own.
    """
    schema = columns_of(PastPredictions)
    kept = (
        pl.DataFrame(schema=schema)
        if before is None
        else before.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
    )
    tonight = (
        scores.filter(pl.col("status") == "scored")
        .join(features.select("patient_id", "index_date"), on="patient_id")
        .drop_nulls("index_date")
        .with_columns(predicted_on=pl.lit(night))
        .select(pl.col(name).cast(dtype) for name, dtype in schema.items())
    )
    a_year_ago = pl.lit(night).dt.offset_by("-1y")
    fresh = kept.filter(pl.col("predicted_on") > a_year_ago).select("patient_id", "model")
    new = tonight.join(fresh, on=["patient_id", "model"], how="anti")
    return pl.concat([kept, new]).sort("patient_id", "model", "predicted_on")


def within(kept: pl.DataFrame, night: date, years: int) -> pl.DataFrame:
    """Return the predictions of so many years: one row each."""
    return kept.filter(pl.col("predicted_on") > pl.lit(night).dt.offset_by(f"-{years}y"))
