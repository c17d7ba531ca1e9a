"""Who is validated and who is not: the flow of patients, by the first reason that holds."""

import polars as pl

from transforms.measures.disclosure import shown

EVERYBODY = "patients of the registry"
NO_INDEX = "no first 131I therapy, or its day in doubt"
DIED_BEFORE = "died before the landmark could be reached"
NO_LANDMARK = "not at the landmark by tonight"
INELIGIBLE = "not eligible for the model then"
INSUFFICIENT = "too little known then for any bound"
UNKNOWN = "outcome unknown, or without a certain day"
HAD_EVENT = "had the event, or died, by then"
NOT_FOLLOWED = "not followed beyond it"
COMPLETE = "validated, every predictor known"
BOUNDED = "a predictor missing: validated at the bounds, where there are any"
STEPS = (
    NO_INDEX, DIED_BEFORE, NO_LANDMARK, INELIGIBLE, INSUFFICIENT, UNKNOWN, HAD_EVENT,
    NOT_FOLLOWED, COMPLETE, BOUNDED,
)  # fmt: skip
"""What can become of a patient: the first that holds is counted, so that all add up."""


def flow_of(
    tonight: pl.DataFrame, made: pl.DataFrame, watched: pl.DataFrame, prediction: str
) -> dict[str, int]:
    """Return how many patients went which way: all together, then each of STEPS.

    `tonight` has every patient; `made` those with a prediction, of whatever status; `watched`
    those of them with a known outcome, and the time that is left of it.
    """
    told = made.select("patient_id", "status", known=pl.col(prediction).is_not_null())
    came = watched.select("patient_id", "time", "event")
    each = tonight.select("patient_id", "index_date", "os_event").join(
        told, on="patient_id", how="left"
    )
    each = each.join(came, on="patient_id", how="left")
    gone = pl.col("time") <= 0
    became = (
        pl.when(pl.col("index_date").is_null())
        .then(pl.lit(NO_INDEX))
        .when(pl.col("status").is_null() & pl.col("os_event").fill_null(False))
        .then(pl.lit(DIED_BEFORE))
        .when(pl.col("status").is_null())
        .then(pl.lit(NO_LANDMARK))
        .when(pl.col("status") == "ineligible")
        .then(pl.lit(INELIGIBLE))
        .when(pl.col("status") == "insufficient")
        .then(pl.lit(INSUFFICIENT))
        .when(pl.col("time").is_null())
        .then(pl.lit(UNKNOWN))
        .when(gone & (pl.col("event") != 0))
        .then(pl.lit(HAD_EVENT))
        .when(gone)
        .then(pl.lit(NOT_FOLLOWED))
        .when(pl.col("known"))
        .then(pl.lit(COMPLETE))
        .otherwise(pl.lit(BOUNDED))
    )
    counts = dict(each.group_by(became=became).len().iter_rows())
    return {EVERYBODY: each.height} | {step: counts.get(step, 0) for step in STEPS}


def flow_shown(flow: dict[str, int], smallest: int) -> list[dict[str, str | int | None]]:
    """Return the flow as rows, small counts and what gives them away left out (null)."""
    parts = shown({step: count for step, count in flow.items() if step != EVERYBODY}, smallest)
    whole: dict[str, int | None] = {EVERYBODY: flow.get(EVERYBODY, 0)}
    return [{"step": step, "patients": count} for step, count in (whole | parts).items()]
