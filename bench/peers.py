"""Two peers of the scoring step: a calculator called per patient, and lifelines on pandas."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from lifelines import CoxPHFitter

from models.engine import score
from models.points import effects
from models.spec import Model, library

PATIENTS = 100_000


def compare(features: Path) -> list[str]:
    """Return a table of the time each takes to score the OS model, as lines of markdown."""
    model = library()["jin2025_os"]
    names = [predictor.feature for predictor in model.predictors]
    frame = pl.read_parquet(features, hive_partitioning=False).drop_nulls(names).head(PATIENTS)
    took = {
        "engine (polars), all outputs": _timed(lambda: score(frame, model)),
        "calculator per patient (Python)": _timed(lambda: _calculator(frame, model)),
        "lifelines predict (pandas)": _lifelines(frame, model),
    }
    fastest = took["engine (polars), all outputs"]
    lines = [
        f"Scoring the OS model for {frame.height:,} patients with every predictor known:",
        "",
        "| what | s | of the engine |",
        "| --- | ---: | ---: |",
    ]
    lines += [f"| {name} | {taken:.3f} | {taken / fastest:.1f} |" for name, taken in took.items()]
    return lines


def _timed(run: Callable[[], Any]) -> float:
    start = time.monotonic()
    run()
    return time.monotonic() - start


def _calculator(frame: pl.DataFrame, model: Model) -> list[float]:
    survival = []
    ratios = {p.feature: (effects(model, p), p.centre) for p in model.predictors}
    baseline = [horizon.survival.value for horizon in model.baseline]
    for patient in frame.iter_rows(named=True):
        linear_predictor = 0.0
        for feature, (effect, centre) in ratios.items():
            value = patient[feature]
            if effect.levels:
                linear_predictor += effect.levels[value]
            elif centre is not None:
                linear_predictor += effect.slope * (value - centre.value)
        survival += [s ** math.exp(linear_predictor) for s in baseline]
    return survival


def _lifelines(frame: pl.DataFrame, model: Model) -> float:
    columns = [p.feature for p in model.predictors]
    design = pd.get_dummies(frame.select(columns).to_pandas(), drop_first=True, dtype=float)
    rng = np.random.default_rng(1)
    fitted = design.head(2000).assign(
        time=rng.exponential(10, min(2000, len(design))),
        event=rng.random(min(2000, len(design))) < 0.5,
    )
    cox = CoxPHFitter(penalizer=0.1).fit(fitted, "time", "event")
    return _timed(lambda: cox.predict_survival_function(design, times=[3, 5, 10]))
