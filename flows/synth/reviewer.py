"""A simulated reviewer: what somebody who does the list once a week would have decided."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from schemas.registry import TABLES

BACKLOG_AT_ONCE = 10
"""Patients of the backlog that the reviewer gets through in one go."""
FRESH = ("new", "changed", "due")
_LEFT = 0.5
"""Share of what is fresh that waits for another time."""
_DECISIONS = {"confirmed": 0.62, "dismissed": 0.22, "deferred": 0.16}
_WHY = {"remnant_only": 0.3, "on_systemic_therapy": 0.4, "data_error": 0.1, "other": 0.2}
_COMMENTS = {"deferred": "after the next CT", "confirmed": "to the tumour board"}


def review(
    worklist: pl.DataFrame, night: date, leave: set[str], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Return the reviews after a night: half of what is fresh, and some of the backlog."""
    theirs = worklist.filter(~pl.col("patient_id").cast(pl.String).is_in(list(leave)))
    is_fresh = pl.col("list").cast(pl.String).is_in(FRESH)
    fresh, backlog = theirs.filter(is_fresh), theirs.filter(~is_fresh)
    seen = fresh.filter(pl.Series(rng.random(fresh.height) >= _LEFT))
    chosen = pl.concat([seen, backlog.head(BACKLOG_AT_ONCE)])["patient_id"].cast(pl.String)
    return [_decision(patient, night, rng) for patient in chosen]


def _decision(patient: str, night: date, rng: np.random.Generator) -> dict[str, Any]:
    decision = str(rng.choice(list(_DECISIONS), p=[*_DECISIONS.values()]))
    why = str(rng.choice(list(_WHY), p=[*_WHY.values()]))
    until = night + timedelta(days=int(rng.choice([28, 60, 90, 180])))
    return {
        "patient_id": patient,
        "reviewed_at": str(night),
        "decision": decision,
        "reason": why if decision == "dismissed" else None,
        "deferred_until": str(until) if decision == "deferred" else None,
        "comment": _COMMENTS.get(decision),
    }


def reviews_table(reviews: list[dict[str, Any]]) -> pl.DataFrame:
    """Return the reviews as the export has them: one row per review."""
    columns = TABLES["reviews"].columns
    same = {"reviewer_role": "physician", "reviewer": "physician"}
    rows = [{**same, "note": one.get("comment"), **one} for one in reviews]
    return pl.DataFrame(
        [{name: row.get(name) for name in columns} for row in rows],
        schema=dict.fromkeys(columns, pl.String),
    )
