"""The review of a night: from scores, criteria and needs to who is listed, and why."""

from dataclasses import dataclass

import polars as pl

from transforms.review.criteria import criteria
from transforms.review.listed import listed
from transforms.review.listing import Listing
from transforms.review.needs import with_needs
from transforms.review.on_file import on_file
from transforms.review.reasons import facts, undecided
from transforms.review.todo import live_needs, todo
from transforms.variables.evidence import Record
from transforms.variables.progression import progressions
from transforms.variables.windows import Windows


@dataclass(frozen=True)
class Review:
    """What a review rests on, and what it comes to."""

    criteria: pl.DataFrame
    on_file: pl.DataFrame
    live: pl.DataFrame
    """What would settle a forecast that is no history."""
    risk: pl.DataFrame
    """patient_risk, with patient_no and what orders the worklist."""


def review(
    record: Record,
    derived: pl.DataFrame,
    risk: pl.DataFrame,
    needs: pl.DataFrame,
    windows: Windows,
    listing: Listing,
) -> Review:
    """Return who is to be looked at tonight: all reasons, and the lists.

    `risk` as `transforms.review.flags` returns it; `needs` one row per patient and variable that
    would settle a flag.
    """
    met, unused = criteria(derived, windows), on_file(record, derived, windows)
    known = facts(derived, risk, met, certain_progressions(record, windows), listing)
    live = live_needs(needs, risk)
    scored = risk.select("patient_no", "rrdtc_points_possible").join(
        derived.select("patient_no", "disease"), on="patient_no"
    )
    open_questions = undecided(live, scored, unused)
    settled = with_needs(risk, needs)
    return Review(
        met, unused, live, listed(settled, derived, known, open_questions, todo(live), listing)
    )


def certain_progressions(record: Record, windows: Windows) -> pl.DataFrame:
    """Return the progressions that are certain and have a day: one row each."""
    return (
        progressions(record, windows)
        .filter("surely", pl.col("earliest") == pl.col("latest"))
        .select("patient_no", "source_table", "source_row", date="earliest")
        .collect()
    )
