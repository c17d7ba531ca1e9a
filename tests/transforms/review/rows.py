"""Rows of patients as the review stages get them: unremarkable but for what a test says."""

from datetime import date
from typing import Any

import polars as pl

from schemas.features import FEATURES
from schemas.published import Criteria, OnFile, columns_of
from schemas.scores import SCORES
from transforms.review.flags import NO_REVIEWS, patient_risk
from transforms.review.listed import listed
from transforms.review.listing import Listing
from transforms.review.needs import needs, with_needs
from transforms.review.reasons import facts, undecided
from transforms.review.reviews import LATEST
from transforms.review.todo import live_needs, todo
from transforms.variables.windows import Windows

TONIGHT = date(2026, 6, 30)
LAST_NIGHT = date(2026, 6, 29)
INDEX = date(2020, 6, 15)

_FLAGS = {
    "rrdtc_flag": ("liu2022_score", "risk"),
    "os_risk_group": ("jin2025_os", "risk"),
    "pfs_risk_group": ("jin2025_pfs", "risk"),
    "needs": ("liu2022_score", "needs"),
    "os_needs": ("jin2025_os", "needs"),
    "pfs_needs": ("jin2025_pfs", "needs"),
    "asks": ("liu2022_score", "needs_features"),
    "os_asks": ("jin2025_os", "needs_features"),
    "pfs_asks": ("jin2025_pfs", "needs_features"),
    "points": ("liu2022_score", "points"),
    "points_upper": ("liu2022_score", "points_upper"),
    "points_lower": ("liu2022_score", "points_lower"),
    "possible": ("liu2022_score", "points_possible"),
    "os_points": ("jin2025_os", "points"),
    "s3": ("jin2025_os", "survival_3y"),
    "s5": ("jin2025_os", "survival_5y"),
    "s10": ("jin2025_os", "survival_10y"),
}
"""What a test calls a score of a model."""

_ROWS = ("met", "progressed", "unused")
"""What a test calls the rows of a patient: criteria (number and day), progressions (table and
day), what is on file and does not count (variable and day)."""

MODELS = ("liu2022_score", "liu2022_nomogram", "jin2025_os", "jin2025_pfs")
Cells = dict[str, Any]


def name_of(patient_no: int) -> str:
    return chr(ord("A") + patient_no)


def derived(*patients: Cells) -> pl.DataFrame:
    """Return features: one row per patient to be followed, named A, B and so on."""
    usual = {"as_of": TONIGHT, "quarantined_rows": 0, "cells_set_aside": 0}
    usual |= {"died": False, "dtc": True, "disease": "yes", "complete_response": "no"}
    usual |= {"index_date": INDEX, "pfs_event": False, "last_contact_date": LAST_NIGHT}
    rows = [
        {"patient_no": n, "patient_id": name_of(n)} | usual | cells
        for n, cells in enumerate(patients)
    ]
    return pl.DataFrame(rows, schema={"patient_no": pl.UInt32, **FEATURES})


def scored(*patients: Cells) -> dict[str, pl.DataFrame]:
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
            rows.append({"patient_no": n, "patient_id": name_of(n)} | usual | theirs)
        scores[model] = pl.DataFrame(rows, schema={"patient_no": pl.UInt32, **SCORES})
    return scores


def without_scores(cells: Cells) -> Cells:
    """Return what a test says of a patient's features."""
    return {name: cell for name, cell in cells.items() if name not in (*_FLAGS, *_ROWS)}


def risk(
    *patients: Cells,
    last: pl.DataFrame | None = None,
    reviews: pl.DataFrame = NO_REVIEWS,
    listing: Listing | None = None,
) -> pl.DataFrame:
    """Return patient_risk of patients of whom a test says what matters."""
    listing = listing or Listing()
    features, scores = derived(*map(without_scores, patients)), scored(*patients)
    flagged = patient_risk(features, scores, last, reviews)
    asked = needs(features, scores, Windows())
    live = live_needs(asked, flagged)
    known = facts(features, flagged, _met(patients), _progressed(patients), listing)
    of_scores = flagged.select("patient_no", "rrdtc_points_possible")
    open_questions = undecided(
        live,
        of_scores.join(features.select("patient_no", "disease"), on="patient_no"),
        _unused(patients),
    )
    return listed(with_needs(flagged, asked), features, known, open_questions, todo(live), listing)


def _met(patients: tuple[Cells, ...]) -> pl.DataFrame:
    rows = [
        {
            "patient_id": name_of(n),
            "criterion": number,
            "words": "the lesions lost it",
            "state": "met",
            "date": day,
            "evidence": "course 3 took up nothing, an earlier one did",
        }
        for n, cells in enumerate(patients)
        for number, day in cells.get("met", {}).items()
    ]
    return pl.DataFrame(rows, schema=columns_of(Criteria))


def _progressed(patients: tuple[Cells, ...]) -> pl.DataFrame:
    rows = [
        {"patient_no": n, "source_table": table, "source_row": "R1", "date": day}
        for n, cells in enumerate(patients)
        for table, day in cells.get("progressed", [])
    ]
    schema = {"patient_no": pl.UInt32, "source_table": pl.String, "source_row": pl.String}
    return pl.DataFrame(rows, schema=schema | {"date": pl.Date})


def _unused(patients: tuple[Cells, ...]) -> pl.DataFrame:
    rows = [
        {"patient_id": name_of(n), "feature": feature, "date": day}
        for n, cells in enumerate(patients)
        for feature, day in cells.get("unused", [])
    ]
    return pl.DataFrame(rows, schema=columns_of(OnFile))


def reviewed(
    saw: list[str] | None, on: date = LAST_NIGHT, decision: str = "confirmed", **cells: Any
) -> pl.DataFrame:
    """Return the review of patient A by somebody who saw a state."""
    row = {"patient_id": "A", "reviewed_at": on, "review_decision": decision}
    return pl.DataFrame([{**row, "newly_seen_state": saw, **cells}], schema=LATEST)
