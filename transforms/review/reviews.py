"""Reviews: who was reviewed, what the reviewer saw, what changed since, and who waits.

A reviewer of a date saw the newest night published by that date. A patient who was reviewed
stays away from the worklist until something that matters to the flags differs from what was
seen then; one who was deferred comes back on the date, or when something differs before.
"""

from typing import Any

import polars as pl

from schemas import codes

WATCHED = (
    "rrdtc_flag",
    "rrdtc_met",
    "rrdtc_criterion",
    "os_risk_group",
    "pfs_risk_group",
    "uptake_category",
    "needs",
)
"""The columns of patient_risk whose change brings a patient back."""

CARRIED = ("reviewed_at", "reviewed_state", "review_status", "waiting_since")
"""What a night takes over from the one before."""

LATEST: dict[str, Any] = {
    "patient_id": pl.String,
    "reviewed_at": pl.Date,
    "review_decision": pl.Enum(codes.REVIEW_DECISION),
    "deferred_until": pl.Date,
    "newly_seen_state": pl.List(pl.String),
}
"""One row per reviewed patient: the last review, and what its reviewer saw if it is new."""


def latest_reviews(reviews: pl.DataFrame) -> pl.DataFrame:
    """Return the last review of each patient: one row per reviewed patient, by patient_no.

    Of several on one date a deferral counts before a confirmation, that before a dismissal: the
    patient comes back rather than not. `reviews` holds those known as of tonight.
    """
    caution = {"dismissed": 0, "confirmed": 1, "deferred": 2}
    rank = pl.col("decision").cast(pl.String).replace_strict(caution, return_dtype=pl.UInt8)
    return (
        reviews.sort("patient_no", "reviewed_at", rank, pl.col("deferred_until"))
        .group_by("patient_no", maintain_order=True)
        .agg(
            pl.col("reviewed_at").last(),
            pl.col("decision").last().alias("review_decision"),
            pl.when(pl.col("decision").last() == "deferred")
            .then(pl.col("deferred_until").last())
            .alias("deferred_until"),
        )
    )


def text_of(name: str) -> pl.Expr:
    """Return a watched column as text; a list as its items, with commas."""
    is_list = name in ("needs", "last_needs")
    column = pl.col(name)
    return column.list.join(", ") if is_list else column.cast(pl.String)


def said(name: str) -> pl.Expr:
    """Return a watched column as a person reads it."""
    return pl.coalesce(text_of(name).replace("", None), pl.lit("none"))


def state() -> pl.Expr:
    """Return what a reviewer sees of the watched columns, in their order."""
    return pl.concat_list(said(name) for name in WATCHED)


def with_reviews(risk: pl.DataFrame, reviews: pl.DataFrame) -> pl.DataFrame:
    """Add the last review, what its reviewer saw as `seen_<column>`, and what changed since."""
    same_type = risk.schema["patient_id"]
    latest = reviews.with_columns(pl.col("patient_id").cast(same_type, strict=False))
    joined = risk.join(latest, on="patient_id", how="left", maintain_order="left")
    is_the_same = pl.col("reviewed_at") == pl.col("last_reviewed_at")
    joined = joined.with_columns(
        reviewed_state=pl.when(is_the_same)
        .then("last_reviewed_state")
        .otherwise("newly_seen_state")
    )
    seen = [pl.col("reviewed_state").list.get(n, null_on_oob=True) for n in range(len(WATCHED))]
    joined = joined.with_columns(
        value.replace("none", None).alias(f"seen_{name}")
        for name, value in zip(WATCHED, seen, strict=True)
    )
    changes = joined.filter(pl.col("reviewed_state").is_not_null()).select(
        "patient_id",
        changed_since_review=pl.concat_list(
            pl.when(said(name) != before).then(
                pl.format(f"{name}: {{}} -> {{}}", before, said(name))
            )
            for name, before in zip(WATCHED, seen, strict=True)
        ).list.drop_nulls(),
    )
    return joined.join(changes, on="patient_id", how="left", maintain_order="left")


def with_review_status(risk: pl.DataFrame) -> pl.DataFrame:
    """Add who waits for a review, and since when.

    A reviewer who could not have seen the patient (no night was published by then, or it is
    gone) counts as none.
    """
    same = pl.col("changed_since_review").list.len() == 0
    put_off = same & (pl.col("deferred_until") > pl.col("as_of"))
    done = same & pl.col("deferred_until").is_null()
    status = (
        pl.when(pl.col("review_priority").is_null())
        .then(pl.lit("nothing"))
        .when(put_off.fill_null(False))
        .then(pl.lit("deferred"))
        .when(done.fill_null(False))
        .then(pl.lit("reviewed"))
        .otherwise(pl.lit("waiting"))
    )
    waited = pl.col("last_review_status").cast(pl.String) == "waiting"
    no_review_since = pl.col("reviewed_at").eq_missing(pl.col("last_reviewed_at"))
    since = pl.when(waited & no_review_since).then("last_waiting_since")
    joined = risk.with_columns(review_status=status)
    return joined.with_columns(
        waiting_since=pl.when(pl.col("review_status") == "waiting").then(
            pl.coalesce(since, "as_of")
        )
    )
