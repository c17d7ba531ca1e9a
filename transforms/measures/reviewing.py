"""What the measures ask of reviews: decisions on listed patients, and how long patients wait."""

from datetime import date

import polars as pl

KINDS = ("criterion", "progression", "flag", "result", "undecided", "deferral")
"""Kinds of reasons for which a patient is on the worklist."""

FLAGS = ("criterion", "progression", "flag")
"""Those that are a flag of the night, not a gap or a date."""

NOT_LISTED = "not_listed"
KIND_COLUMNS = ("reason_kind", "review_priority")
_BY_PRIORITY = {1: "criterion", 2: "flag", 3: "flag", 4: "flag", 5: "undecided", 6: "quarantined"}
"""What a priority stood for in nights that do not name the kind."""


def listed_for(listed: pl.DataFrame) -> pl.Expr:
    """Return the kind of the reason for which patients were listed."""
    if "reason_kind" in listed.columns:
        return pl.col("reason_kind").cast(pl.String)
    return pl.col("review_priority").replace_strict(
        _BY_PRIORITY, default=None, return_dtype=pl.String
    )


def decisions(told: pl.DataFrame) -> pl.DataFrame:
    """Return what was confirmed or dismissed: one row per patient and day, the last that counts.

    `told` has every review, of a patient's in the order in which they count. A decision that was
    taken back later is none.
    """
    of_day = told.unique(["patient_no", "reviewed_at"], keep="last", maintain_order=True)
    next_one = pl.col("decision").cast(pl.String).shift(-1).over("patient_no")
    decided = pl.col("decision").is_in(["confirmed", "dismissed"])
    return of_day.sort("patient_no", "reviewed_at").filter(
        decided & next_one.ne_missing(pl.lit("reopened"))
    )


def waits_of(told: pl.DataFrame, risk: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return how long patients waited: one row per patient and wait, ended or not.

    patient_no, waiting_since, listed_for, days, reviewed. A wait begins with the first night
    that lists a patient and ends with the first review; those who still wait count until tonight.
    """
    ended = (
        told.filter(pl.col("waiting_since").is_not_null() & (pl.col("decision") != "reopened"))
        .sort("patient_no", "waiting_since", "reviewed_at")
        .unique(["patient_no", "waiting_since"], keep="first", maintain_order=True)
        .select(
            "patient_no", "waiting_since", "listed_for", until="reviewed_at", reviewed=pl.lit(True)
        )
    )
    waiting = risk.filter(pl.col("waiting_since").is_not_null()).select(
        "patient_no",
        "waiting_since",
        listed_for=listed_for(risk),
        until=pl.lit(as_of),
        reviewed=pl.lit(False),
    )
    waiting = waiting.join(ended, on=["patient_no", "waiting_since"], how="anti")
    days = (pl.col("until") - pl.col("waiting_since")).dt.total_days()
    return pl.concat([ended, waiting]).select(
        "patient_no", "waiting_since", "listed_for", "reviewed", days=days
    )
