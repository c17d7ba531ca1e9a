"""Reviews: who was reviewed, what the reviewer saw, what changed since, and who waits.

A reviewer of a date saw the newest night published by that date. A patient who was reviewed
stays away from the worklist until something that matters to the flags differs from what was
seen then; one who was deferred comes back on the date, or when something differs before. A
review that was taken back (`reopened`) leaves the patient as one who was never reviewed.
"""

from collections.abc import Collection
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

_MET, _CRITERION = "rrdtc_met", "rrdtc_criterion"

_FIRST_STATE = (
    "rrdtc_flag",
    "rrdtc_met",
    "rrdtc_criterion",
    "os_risk_group",
    "pfs_risk_group",
    "uptake_category",
    "needs",
)
"""What the first versions wrote into a state: the values alone, in this order."""

CARRIED = ("reviewed_at", "reviewed_state", "review_status", "waiting_since", "known_facts")
"""What a night takes over from the one before."""

GIVEN: dict[str, Any] = {
    "patient_no": pl.UInt32,
    "reviewed_at": pl.Date,
    "reviewed_time": pl.Time,
    "reviewer": pl.String,
    "decision": pl.Enum(codes.REVIEW_DECISION),
    "reason": pl.Enum(codes.DISMISSAL),
    "deferred_until": pl.Date,
    "note": pl.String,
    "source": pl.Enum(codes.REVIEW_SOURCE),
}
"""One row per review that was ever given; one given twice is there once."""

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

    `reviews` holds every one known as of tonight, as GIVEN.
    """
    return (
        in_order(reviews)
        .group_by("patient_no", maintain_order=True)
        .agg(
            pl.col("reviewed_at").last(),
            pl.col("decision").last().alias("review_decision"),
            pl.when(pl.col("decision").last() == "deferred")
            .then(pl.col("deferred_until").last())
            .alias("deferred_until"),
        )
    )


def in_order(reviews: pl.DataFrame) -> pl.DataFrame:
    """Return reviews by patient in the order in which they count: one row per review.

    Of several on one date the later counts where all of them say when. Otherwise one taken back
    counts before a deferral, that before a confirmation, that before a dismissal, and of
    deferrals the soonest: the patient comes back rather than not.
    """
    caution = {"dismissed": 0, "confirmed": 1, "deferred": 2, "reopened": 3}
    rank = pl.col("decision").cast(pl.String).replace_strict(caution, return_dtype=pl.UInt8)
    on_one_day = ["patient_no", "reviewed_at"]
    all_timed = pl.col("reviewed_time").is_not_null().all().over(on_one_day)
    ordered = reviews.with_columns(in_time=pl.when(all_timed).then("reviewed_time"), rank=rank)
    by = [*on_one_day, "in_time", "rank", "deferred_until"]
    # What differs in nothing of these is told apart by its words: the order is that of no file.
    by += [name for name in ("reason", "reviewer", "note", "source") if name in reviews.columns]
    later_first = [name == "deferred_until" for name in by]
    return ordered.sort(by, descending=later_first).drop("in_time", "rank")


def text_of(name: str) -> pl.Expr:
    """Return a watched column as text; a list as its items, with commas."""
    is_list = name in ("needs", "last_needs")
    column = pl.col(name)
    return column.list.join(", ") if is_list else column.cast(pl.String)


def said(name: str, has_met: bool = True) -> pl.Expr:
    """Return a watched column as a person reads it: what is unknown is not "none".

    No criterion is met where that is known; `has_met` says whether the column of it is there.
    """
    if name.endswith("needs"):
        return text_of(name).replace("", "none").fill_null("unknown")
    if not name.endswith(_CRITERION):
        return text_of(name).fill_null("unknown")
    met = pl.col(name.replace(_CRITERION, _MET)) if has_met else pl.lit(None, dtype=pl.Boolean)
    absent = pl.when(met.eq_missing(False)).then(pl.lit("none")).otherwise(pl.lit("unknown"))
    return pl.coalesce(text_of(name), absent)


def change(name: str, before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Return what changed in a column as a person reads it."""
    return pl.format(f"{name}: {{}} -> {{}}", before, after)


def state(columns: Collection[str] = WATCHED) -> pl.Expr:
    """Return what a reviewer sees of the watched columns, as name=value.

    `columns` are those of the night that was seen: an older one may lack some.
    """
    has_met = _MET in columns
    return pl.concat_list(
        pl.format(f"{name}={{}}", said(name, has_met)) for name in WATCHED if name in columns
    )


def by_name(state: str) -> pl.Expr:
    """Return a state as name=value, also one that was written without names.

    Earlier versions wrote "none" where something is unknown: it is read as that. A state of which
    nobody can tell what it is of says nothing: it is null.
    """
    column = pl.col(state)
    named = column.list.first().str.contains("^[a-z0-9_]+=")
    first = pl.concat_list(
        pl.format(f"{name}={{}}", column.list.get(position, null_on_oob=True).fill_null("none"))
        for position, name in enumerate(_FIRST_STATE)
    )
    is_first = column.list.len() == len(_FIRST_STATE)
    return _with_unknown(pl.when(named).then(column).when(is_first).then(first))


def _with_unknown(state: pl.Expr) -> pl.Expr:
    unknown = {f"{name}=none": f"{name}=unknown" for name in (_MET, "uptake_category")}
    told = state.list.eval(pl.element().replace(unknown))
    which = {f"{_CRITERION}=none": f"{_CRITERION}=unknown"}
    is_not_met = state.list.contains(f"{_MET}=false")
    return pl.when(is_not_met).then(told).otherwise(told.list.eval(pl.element().replace(which)))


def _seen(name: str) -> pl.Expr:
    """Return what a state says of a column; what it does not know counts as seen as it is."""
    start = f"{name}="
    item = pl.element().filter(pl.element().str.starts_with(start)).first()
    of_state = pl.col("reviewed_state").list.eval(item).list.first().str.strip_prefix(start)
    return pl.coalesce(of_state, said(name))


def with_reviews(risk: pl.DataFrame, reviews: pl.DataFrame) -> pl.DataFrame:
    """Add the last review, what its reviewer saw, and what changed since: one row per row."""
    same_type = risk.schema["patient_id"]
    latest = reviews.with_columns(pl.col("patient_id").cast(same_type, strict=False))
    joined = risk.join(latest, on="patient_id", how="left", maintain_order="left")
    is_the_same = pl.col("reviewed_at") == pl.col("last_reviewed_at")
    joined = joined.with_columns(
        reviewed_state=pl.coalesce(
            pl.when(is_the_same).then(by_name("last_reviewed_state")), by_name("newly_seen_state")
        )
    ).with_columns(
        # Taken back: nothing was decided on what the reviewer saw.
        reviewed_state=pl.when((pl.col("review_decision") != "reopened").fill_null(True)).then(
            "reviewed_state"
        )
    )
    changes = [
        pl.when(said(name) != _seen(name)).then(change(name, _seen(name), said(name)))
        for name in WATCHED
    ]
    theirs = joined.filter(pl.col("reviewed_state").is_not_null()).select(
        "patient_id",
        changed_since_review=pl.concat_list(changes).list.drop_nulls(),
    )
    return joined.join(theirs, on="patient_id", how="left", maintain_order="left")
