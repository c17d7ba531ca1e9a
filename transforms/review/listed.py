"""Who is on which list, why, and how urgent: the reasons and the episodes put together."""

import polars as pl

from schemas.published import PatientRisk, columns_of
from transforms.review.episode import with_episode, with_review_status
from transforms.review.known import carried, known_since
from transforms.review.listing import NUMBER, RULES, Listing

_OF_FEATURES = (
    "died",
    "death_date",
    "dtc",
    "histology",
    "disease",
    "complete_response",
    "complete_response_since",
    "last_contact_date",
    "tg_doubling_months",
    "tg_slope_n",
    "tg_slope_from",
    "tg_slope_to",
)


def listed(
    risk: pl.DataFrame,
    derived: pl.DataFrame,
    facts: pl.DataFrame,
    undecided: pl.DataFrame,
    todo: pl.DataFrame,
    listing: Listing,
) -> pl.DataFrame:
    """Return patient_risk as it is published, with patient_no and what orders the worklist.

    One row per row of `risk`, in its order. `facts` and `undecided` as `transforms.review.reasons`
    has them, `todo` as `transforms.review.todo`.
    """
    nights = risk.select("patient_no", "as_of", "known_last", "last_known_facts", "is_baseline")
    known = known_since(facts, nights)
    reviewed = risk.select("patient_no", "as_of", "reviewed_at")
    reasons = (
        pl.concat([known, undecided.with_columns(known_since=pl.lit(None, dtype=pl.Date))])
        .filter("live")
        .join(reviewed, on="patient_no", how="left")
        .with_columns(**_novelty(listing))
    )
    more = derived.select(
        "patient_no",
        *_OF_FEATURES,
        sites_today=pl.col("sites_today_at_least").str.replace_all(", ", "; "),
    )
    together = risk.join(with_episode(more), on="patient_no", how="left", maintain_order="left")
    for part in (_first(reasons), _all(reasons), carried(known), todo):
        together = together.join(part, on="patient_no", how="left", maintain_order="left")
    together = with_review_status(_with_rule(together, listing))
    together = _with_words(together.with_columns(list=_list()))
    columns = columns_of(PatientRisk)
    return together.select(
        "patient_no",
        *(pl.col(name).cast(dtype) for name, dtype in columns.items()),
        *BESIDE,
    )


BESIDE = (
    "followed",
    "dtc",
    "disease",
    "urgency_key",
    "todo_kind",
    "todo_what",
    "valid_from",
    "valid_until",
    "decides",
)
"""What the other lists have of a patient that patient_risk does not."""


def _novelty(listing: Listing) -> dict[str, pl.Expr]:
    """Return whether a reason became known after the last review, and whether lately.

    A reviewer of a day saw the newest night published by that day.
    """
    since = pl.col("known_since")
    unseen = since.is_not_null() & (since > pl.col("reviewed_at")).fill_null(True)
    lately = (pl.col("as_of") - since).dt.total_days() < listing.new_days
    is_new = unseen & lately.fill_null(False)
    is_criterion = pl.col("kind") == "criterion"
    rule = pl.when(is_new & is_criterion).then(NUMBER["criterion"]).otherwise("rule")
    return {"unseen": unseen, "is_new": is_new, "rule": rule.cast(pl.UInt8)}


_IN_ORDER = ("rule", "key", "kind", "fact")


def _first(reasons: pl.DataFrame) -> pl.DataFrame:
    """Return the reason to show: what is new before what is not, then the most urgent."""
    return (
        reasons.sort("patient_no", ~pl.col("is_new"), *_IN_ORDER, nulls_last=True)
        .unique("patient_no", keep="first", maintain_order=True)
        .select(
            "patient_no",
            "known_since",
            has_reason=pl.lit(True),
            reason_kind="kind",
            reason_date="date",
            why_lead="lead",
            why_rest="rest",
            rule="rule",
            urgency_key="key",
        )
    )


def _all(reasons: pl.DataFrame) -> pl.DataFrame:
    """Return every reason in words, whether any is new, and the most urgent rule."""
    words = pl.format("{}: {}", "lead", "rest")
    return (
        reasons.sort("patient_no", *_IN_ORDER, nulls_last=True)
        .group_by("patient_no", maintain_order=True)
        .agg(
            review_reasons=words,
            any_new=pl.col("is_new").any(),
            any_unseen=pl.col("unseen").any(),
            first_rule=pl.col("rule").first(),
            first_key=pl.col("key").first(),
        )
    )


def _with_rule(together: pl.DataFrame, listing: Listing) -> pl.DataFrame:
    """Add the rule that places a patient, and its order in it."""
    left = (pl.col("valid_until") - pl.col("as_of")).dt.total_days()
    closing = (pl.col("todo_kind") == "examination") & (left <= listing.closing_days)
    closing = closing.fill_null(False) & pl.col("has_reason").fill_null(False)
    number = pl.when(closing).then(NUMBER["closing_window"]).otherwise("first_rule")
    names = pl.Series(list(RULES))
    followed = pl.col("followed").ne_missing(False)
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return together.with_columns(
        pl.col("has_reason", "any_new").fill_null(False),
        pl.col("review_reasons", "known_facts").fill_null(nothing),
        unseen=pl.col("any_unseen").fill_null(False),
        review_priority=pl.when(followed).then(number).cast(pl.UInt8),
        urgency_key=pl.when(closing).then(left.cast(pl.Float64)).otherwise("first_key"),
    ).with_columns(
        urgency_rule=pl.col("review_priority").replace_strict(
            list(range(1, len(names) + 1)), names, default=None, return_dtype=pl.String
        )
    )


def _list() -> pl.Expr:
    decision = pl.col("review_decision").cast(pl.String)
    come = (decision == "deferred") & (pl.col("deferred_until") <= pl.col("as_of"))
    was_seen = pl.col("changed_since_review").is_not_null()
    return pl.when(pl.col("review_status") == "waiting").then(
        pl.when("any_new")
        .then(pl.lit("new"))
        .when(come.fill_null(False) & was_seen)
        .then(pl.lit("due"))
        .when(was_seen | (decision == "reopened").fill_null(False))
        .then(pl.lit("changed"))
        .otherwise(pl.lit("backlog"))
    )


def _with_words(together: pl.DataFrame) -> pl.DataFrame:
    """Leave what is shown of the list to who is on it; a deferral that has come leads."""
    is_due = (pl.col("list") == "due").fill_null(False)
    waits = pl.col("list").is_not_null()
    shown = {
        "reason_kind": pl.when(is_due).then(pl.lit("deferral")).otherwise("reason_kind"),
        "reason_date": pl.when(is_due).then("deferred_until").otherwise("reason_date"),
        "why_rest": pl.when(is_due).then("why_lead").otherwise("why_rest"),
        "why_lead": pl.when(is_due)
        .then(pl.format("Deferred until {}", "deferred_until"))
        .otherwise("why_lead"),
        "known_since": pl.col("known_since"),
        "urgency_rule": pl.col("urgency_rule"),
    }
    return together.with_columns(
        pl.when(waits).then(value).alias(name) for name, value in shown.items()
    )
