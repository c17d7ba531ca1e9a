"""Rows of patients as the review stages get them: unremarkable but for what a test says."""

from datetime import date
from typing import Any

import polars as pl

from schemas.features import FEATURES
from schemas.scores import SCORES
from transforms.review.flags import NO_REVIEWS, patient_risk
from transforms.review.reviews import LATEST

TONIGHT = date(2026, 6, 30)
LAST_NIGHT = date(2026, 6, 29)

_FLAGS = {
    "rrdtc_flag": ("liu2022_score", "risk"),
    "os_risk_group": ("jin2025_os", "risk"),
    "pfs_risk_group": ("jin2025_pfs", "risk"),
    "needs": ("liu2022_score", "needs"),
    "os_needs": ("jin2025_os", "needs"),
    "pfs_needs": ("jin2025_pfs", "needs"),
    "points_upper": ("liu2022_score", "points_upper"),
    "points_lower": ("liu2022_score", "points_lower"),
}
"""What a test calls a score of a model."""

MODELS = ("liu2022_score", "liu2022_nomogram", "jin2025_os", "jin2025_pfs")


def derived(*patients: dict[str, Any]) -> pl.DataFrame:
    """Return features: one row per patient, named A, B and so on."""
    usual = {"as_of": TONIGHT, "quarantined_rows": 0, "cells_set_aside": 0}
    rows = [
        {"patient_no": n, "patient_id": chr(ord("A") + n)} | usual | cells
        for n, cells in enumerate(patients)
    ]
    return pl.DataFrame(rows, schema={"patient_no": pl.UInt32, **FEATURES})


def scored(*patients: dict[str, Any]) -> dict[str, pl.DataFrame]:
    """Return the scores of every model: low risk, unless a test says otherwise."""
    scores = {}
    for model in MODELS:
        usual = {"model": model, "status": "scored", "risk": "low", "extrapolated": False}
        usual |= {"reasons": [], "needs": [], "needs_features": []}
        rows = []
        for n, cells in enumerate(patients):
            theirs = {
                what: cells[ours]
                for ours, (of, what) in _FLAGS.items()
                if of == model and ours in cells
            }
            rows.append({"patient_no": n, "patient_id": chr(ord("A") + n)} | usual | theirs)
        scores[model] = pl.DataFrame(rows, schema={"patient_no": pl.UInt32, **SCORES})
    return scores


def risk(
    *patients: dict[str, Any], last: pl.DataFrame | None = None, reviews: pl.DataFrame = NO_REVIEWS
) -> pl.DataFrame:
    """Return patient_risk of patients of whom a test says what matters."""
    features = [{k: v for k, v in cells.items() if k not in _FLAGS} for cells in patients]
    return patient_risk(derived(*features), scored(*patients), last, reviews)


def reviewed(
    saw: list[str] | None, on: date = LAST_NIGHT, decision: str = "confirmed", **cells: Any
) -> pl.DataFrame:
    """Return the review of patient A by somebody who saw a state."""
    row = {"patient_id": "A", "reviewed_at": on, "review_decision": decision}
    return pl.DataFrame([{**row, "newly_seen_state": saw, **cells}], schema=LATEST)
