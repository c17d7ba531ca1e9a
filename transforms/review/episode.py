"""An episode: whether a patient is to be followed, and if not, why not, with its day.

Open: alive, DTC, disease known, not in complete response at the last assessment, and not closed by
a reviewer. What is unknown closes nothing: such an episode counts as open. A reviewer closes one
by confirming or dismissing it, until something that is watched changes or becomes known, or a
review reopens it.
"""

import polars as pl

NOTHING = "nothing to review on record: no criterion, progression, high risk, Tg rise or question"


def with_episode(patients: pl.DataFrame) -> pl.DataFrame:
    """Add followed (null where unknown) and closed_because to features: one row per row."""
    died, dtc, disease = pl.col("died"), pl.col("dtc"), pl.col("disease").cast(pl.String)
    complete = pl.col("complete_response").cast(pl.String)
    since = pl.col("complete_response_since")
    why = (
        pl.when(died)
        .then(pl.coalesce(pl.format("died {}", "death_date"), pl.lit("died, day unknown")))
        .when(~dtc)
        .then(
            pl.coalesce(
                pl.format("not DTC ({})", pl.col("histology").cast(pl.String)), pl.lit("not DTC")
            )
        )
        .when(disease == "no")
        .then(pl.lit("no disease known"))
        .when(complete == "yes")
        .then(
            pl.coalesce(
                pl.format("complete response since {}", since),
                pl.lit("complete response at the last assessment"),
            )
        )
    )
    unknown = pl.any_horizontal(column.is_null() for column in (died, dtc, disease, complete))
    return patients.with_columns(closed_because=why).with_columns(
        followed=pl.when(pl.col("closed_because").is_not_null())
        .then(False)
        .when(~unknown)
        .then(True)
    )


def with_review_status(risk: pl.DataFrame) -> pl.DataFrame:
    """Add who waits for a review, since when, whether the episode is open, and why not listed.

    Asks for followed and closed_because, has_reason, unseen (something became known that the last
    reviewer could not know), and the last review. A reviewer who could not have seen the
    patient (no night was published by then, or it is gone) counts as none.
    """
    decision = pl.col("review_decision").cast(pl.String)
    same = (pl.col("changed_since_review").list.len() == 0) & ~pl.col("unseen")
    put_off = (same & (pl.col("deferred_until") > pl.col("as_of"))).fill_null(False)
    done = (same & decision.is_in(["confirmed", "dismissed"])).fill_null(False)
    closed = pl.col("followed").eq_missing(False)
    status = (
        pl.when(closed | ~pl.col("has_reason"))
        .then(pl.lit("nothing"))
        .when(put_off)
        .then(pl.lit("deferred"))
        .when(done)
        .then(pl.lit("reviewed"))
        .otherwise(pl.lit("waiting"))
    )
    why_not = (
        pl.when(closed)
        .then("closed_because")
        .when(done)
        .then(pl.format("reviewed {}, nothing changed since", "reviewed_at"))
        .when(~pl.col("has_reason"))
        .then(pl.lit(NOTHING))
        .when(put_off)
        .then(pl.format("deferred until {}", "deferred_until"))
    )
    waited = pl.col("last_review_status").cast(pl.String) == "waiting"
    no_review_since = pl.col("reviewed_at").eq_missing(pl.col("last_reviewed_at"))
    since = pl.when(waited & no_review_since).then("last_waiting_since")
    waits = pl.col("review_status") == "waiting"
    return risk.with_columns(
        review_status=status,
        not_listed_reason=why_not,
        episode_open=pl.when(closed | done).then(False).otherwise("followed"),
    ).with_columns(waiting_since=pl.when(waits).then(pl.coalesce(since, "as_of")))
