"""Updating a model on a scored table: what is changed, and how it was before and is after."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from flows.errors import NightRefused, UsageError
from flows.local.writing import as_json, write_files
from flows.subgroups import evaluate
from models.performance.cox import NotFitted
from models.performance.enough import Minimum
from models.performance.evaluation import Options
from models.performance.followup import BadPredictions, column, followup
from models.performance.updating import Updated, update_followup, update_plain


def update(
    frame: pl.DataFrame, predictors: Sequence[str], horizon: float | None, minimum_events: int
) -> dict[str, Any]:
    """Return what closed testing changes of a model, on the rows with everything known.

    Raises NightRefused with too few events, or where these data do not determine a model.
    """
    absent = [name for name in predictors if name not in frame.columns]
    if absent:
        raise UsageError(f"--predictors: no column {', '.join(absent)}")
    told = "p" if "y" in frame.columns else "risk"
    if told not in frame.columns:
        raise NightRefused(f"predictions: column {told}: not there")
    known = frame.drop_nulls([told, *predictors])
    try:
        before = evaluate(known, horizon, Options(minimum_events=0, repeats=0, thresholds=()))
        rarer = min(before.events, before.n - before.events)
        events = rarer if told == "p" else before.events
        enough = Minimum(events, minimum_events)
        if not enough.met:
            raise NightRefused(f"{enough.words}; nothing was updated")
        made = _updated(known, predictors, horizon)
    except BadPredictions as error:
        raise NightRefused(f"predictions: {error}") from None
    except NotFitted as error:
        raise NightRefused(f"these data do not determine a model: {error}") from None
    after = evaluate(
        known.drop("linear_predictor", strict=False).with_columns(pl.Series(told, made.prediction)),
        horizon,
        Options(minimum_events=0, repeats=0, thresholds=()),
    )
    return {
        "status": "local",
        "change": made.change,
        "scale": "log odds" if told == "p" else "log(-log(1 - risk))",
        "horizon": horizon,
        "baseline_survival": made.survival,
        "terms": made.terms.to_dicts(),
        "tests": made.tests.to_dicts(),
        "rows": len(frame),
        "complete": before.n,
        "events": before.events,
        "before": before.figures.to_dicts(),
        "after_on_the_same_data": after.figures.to_dicts(),
    }


def _updated(known: pl.DataFrame, predictors: Sequence[str], horizon: float | None) -> Updated:
    x = pl.DataFrame([pl.Series(name, column(known, name)) for name in predictors])
    if "y" in known.columns:
        return update_plain(column(known, "y"), column(known, "p"), x)
    outcomes = followup(known)
    if horizon is None:
        raise BadPredictions("risks without a horizon: by when?")
    if outcomes.has_competing:
        raise BadPredictions("updating with competing events is not there yet")
    return update_followup(outcomes, column(known, "risk"), x, horizon)


def write_update(update: dict[str, Any], folder: Path, umask: str) -> Path:
    """Write update.json; it appears whole or not at all."""
    return write_files({"update.json": as_json(update)}, folder, umask)[0]
