"""What R says: the data and figures of `bench/oracles/performance.R`."""

import json
from pathlib import Path
from typing import Any

import polars as pl

FIXTURES = Path(__file__).parent / "fixtures"
FIGURES: dict[str, Any] = json.loads((FIXTURES / "performance.json").read_text())
AT_HORIZON: dict[str, dict[str, Any]] = FIGURES["at_horizon"]
OVER_TIME: dict[str, dict[str, Any]] = FIGURES["over_time"]
SETS = ("gbsg", "tied", "mgus", "few")
"""Breast cancer; the same in half-years (heavy ties); competing risks in months; few events."""
CLOSE = 1e-6


def data(name: str) -> pl.DataFrame:
    frame = pl.read_csv(FIXTURES / f"{name}.csv")
    return frame.with_columns(pl.col("^group$").cast(pl.String))
