"""Dirt for synthetic exports: what registries really contain, planted and remembered."""

from typing import Any

import numpy as np
import polars as pl

from schemas.registry import TABLES

QUARANTINED, DUPLICATE, HARMLESS = "quarantined", "duplicate", "harmless"

_EVENTS = [(t.name, t.key, t.date) for t in TABLES.values() if t.key and t.date]

_KINDS: dict[str, tuple[str, dict[str, tuple[str, str | None]]]] = {
    # kind: fate, and per table the column that is soiled and the text put there
    "impossible date": (
        QUARANTINED,
        {name: (when, "2021-02-31") for name, _, when in _EVENTS},
    ),
    "future date": (
        QUARANTINED,
        {name: (when, "2091-01-01") for name, _, when in _EVENTS},
    ),
    "date before birth": (
        QUARANTINED,
        {name: (when, "1903-05-05") for name, _, when in _EVENTS},
    ),
    "orphan": (QUARANTINED, {name: ("patient_id", "X000") for name, _, _ in _EVENTS}),
    "empty key": (QUARANTINED, {name: (key, None) for name, key, _ in _EVENTS}),
    "unknown code": (
        QUARANTINED,
        {
            "patients": ("sex", "F"),
            "diagnoses": ("histology", "papillary"),
            "surgeries": ("procedure", "Tx"),
            "i131_treatments": ("lesion_uptake", "weak"),
            "labs": ("analyte", "thyroglobulin"),
            "imaging": ("modality", "PET"),
            "metastases": ("site", "lungs"),
            "events": ("type", "relapse"),
        },
    ),
    "number as a word": (
        QUARANTINED,
        {
            "labs": ("value", "high"),
            "i131_treatments": ("activity", "5,55"),
            "diagnoses": ("tumour_size", "2x3"),
        },
    ),
    "no unit": (QUARANTINED, {"labs": ("unit", None), "i131_treatments": ("activity_unit", None)}),
    "negative": (QUARANTINED, {"labs": ("value", "-1"), "i131_treatments": ("activity", "-3.7")}),
    "formula": (HARMLESS, {"patients": ("centre", "=1+1")}),
}


def soil(
    tables: dict[str, pl.DataFrame], share: float, rng: np.random.Generator
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Soil a share of the rows of each table; return the tables and one row per soiled row.

    The second frame has table, row_key, patient_id (before soiling), kind and fate.
    """
    soiled, remembered = {}, [_remember([], [], "", "", "")]
    for name, frame in tables.items():
        frame, what = _soil_cells(frame, name, share, rng)
        frame, copies = _repeat_rows(frame, name, share / 4, what, rng)
        soiled[name] = frame
        remembered += [*what, *copies]
    return soiled, pl.concat(remembered)


def _soil_cells(
    frame: pl.DataFrame, table: str, share: float, rng: np.random.Generator
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    kinds = [(kind, fate, cells[table]) for kind, (fate, cells) in _KINDS.items() if table in cells]
    count = int(frame.height * share)
    rows = rng.choice(frame.height, count, replace=False)
    what = []
    key = TABLES[table].key or ""
    columns: dict[str, Any] = {}
    for (kind, fate, (column, text)), chosen in zip(
        kinds, np.array_split(rows, len(kinds)), strict=True
    ):
        hit = frame[np.sort(chosen)]
        what.append(_remember(hit[key], hit["patient_id"], table, kind, fate))
        cells = columns.get(column, frame[column].clone())
        columns[column] = cells.scatter(np.sort(chosen), text)
    return frame.with_columns(**columns), what


def _repeat_rows(
    frame: pl.DataFrame,
    table: str,
    share: float,
    soiled: list[pl.DataFrame],
    rng: np.random.Generator,
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Repeat clean rows: exactly, and with another patient's text under the same key."""
    key = TABLES[table].key or ""
    clean = frame.join(pl.concat(soiled), left_on=key, right_on="row_key", how="anti")
    count = min(int(frame.height * share), clean.height // 4)
    picked = clean[np.sort(rng.choice(clean.height, 2 * count, replace=False))]
    exact = picked[::2]
    last = next(c for c in ("centre", "basis", "stage", "intent") if c in [*frame.columns, "stage"])
    what = [_remember(exact[key], exact["patient_id"], table, "repeated row", DUPLICATE)]
    parts = [frame, exact]
    if last in frame.columns and table != "patients":
        other = picked[1::2].with_columns(pl.lit("another").alias(last))
        parts.append(other)
        what.append(
            _remember(other[key], other["patient_id"], table, "conflicting key", QUARANTINED)
        )
    return pl.concat(parts), what


def _remember(keys: Any, patients: Any, table: str, kind: str, fate: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"row_key": keys, "patient_id": patients},
        schema={"row_key": pl.String, "patient_id": pl.String},
    ).with_columns(table=pl.lit(table), kind=pl.lit(kind), fate=pl.lit(fate))
