"""The list of the desk: who is on it and why, and where everybody else is."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from flows.report.packed import Packed, one_each

MOST_LISTED = 5000
"""More cards than anybody reads make a page slow; worklist.csv has all."""

MOST_SEARCHED = 20_000
"""Beyond so many patients the page would be mostly index; `thyrisk explain` finds any."""

LISTS = {"new": "new", "changed": "changed", "due": "due", "backlog": "in the backlog"}

CARD = (
    *("patient_id", "list", "sex", "age", "histology", "sites", "centre", "last_contact_date"),
    *("urgency_rule", "why_lead", "why_rest", "reason_kind", "reason_date", "known_since"),
    *("todo_kind", "todo_what", "valid_from", "valid_until", "decides"),
    *("review_priority", "review_reasons", "rrdtc_flag", "waiting_since", "newly_flagged"),
    *("needs_examination", "needs_entry"),
    *("reviewed_at", "review_decision", "deferred_until", "changed_since_review"),
)
"""What a card may show: the columns of the worklist that are there."""


def cards(worklist: pl.DataFrame) -> Packed:
    """Return the first of the list as the page carries them: one row per card."""
    shown = worklist.head(MOST_LISTED)
    return one_each(shown, CARD, shown.select("patient_id"))


def counted(worklist: pl.DataFrame, run: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return how many are on each list, those with somebody and the backlog: words and number."""
    if "list" not in worklist.columns or (worklist.height and worklist["list"].is_null().all()):
        return [("newly flagged", run["newly_flagged"]), ("wait for a review", worklist.height)]
    found = dict(worklist["list"].cast(pl.String).value_counts().iter_rows())
    counts = [(words, found.get(name, 0)) for name, words in LISTS.items()]
    return [*((words, number) for words, number in counts[:-1] if number), counts[-1]]


def search_index(risk: pl.DataFrame) -> dict[str, Any] | None:
    """Return every patient's identifier and one phrase; None where there are too many.

    Phrases stand once, with their number beside each patient; -1 is somebody on the list.
    """
    if risk.height > MOST_SEARCHED:
        return None
    listed = pl.col("review_status") == "waiting"
    if "list" in risk.columns:
        listed = pl.col("list").is_not_null()
    told = risk.select("patient_id", phrase=pl.when(~listed.fill_null(False)).then(_phrase(risk)))
    phrases = told["phrase"].drop_nulls().unique().sort()
    numbers = pl.DataFrame({"phrase": phrases, "number": range(phrases.len())})
    placed = told.join(numbers, on="phrase", how="left", maintain_order="left")
    return {
        "ids": placed["patient_id"].to_list(),
        "phrases": phrases.to_list(),
        "of": placed["number"].fill_null(-1).to_list(),
    }


def _phrase(risk: pl.DataFrame) -> pl.Expr:
    """Return why somebody is not on the list, as the night says it or else from the review."""
    status = pl.col("review_status").cast(pl.String)
    decided = pl.format("{} on {}", pl.col("review_decision").cast(pl.String), "reviewed_at")
    until = pl.format("deferred until {}", "deferred_until")
    reviewed = pl.coalesce(
        pl.when(status == "deferred").then(until),
        pl.when(status == "reviewed").then(decided),
        pl.lit("nothing to review"),
    )
    if "not_listed_reason" not in risk.columns:
        return reviewed
    return pl.coalesce("not_listed_reason", reviewed)
