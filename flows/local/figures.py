"""What the report of a development shows: who they were, and how well the model fits them.

Small numbers are left out (`smallest_cell`), and with them what would give them away.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from flows.local.cohort import Cohort
from flows.local.updating import risks
from flows.subgroups import Asked, evaluate, without_small_groups
from models.design import points
from models.parts import Model, Predictor
from models.performance.evaluation import Options
from models.performance.followup import Followup
from models.performance.groups import group_curves, log_rank
from models.performance.thresholds import is_high

_QUIET = Options(minimum_events=0, repeats=0, thresholds=())
TIMES = tuple(half / 2 for half in range(21))
"""Years at which the groups' curves are drawn: no patient's own day."""


def describe(
    who: Cohort, predictors: Sequence[Predictor], words: Callable[[str], str], smallest: int
) -> dict[str, Any]:
    """Return table 1: patients and events by level, quartiles of numbers; and who lacked what."""
    rows: list[dict[str, Any]] = []
    for predictor in predictors:
        if not predictor.levels:
            low, middle, high = np.quantile(who.frame[predictor.name].to_numpy(), [0.25, 0.5, 0.75])
            said = f"{middle:.3g} [{low:.3g}; {high:.3g}] {predictor.unit}"
            rows.append({"predictor": predictor.label, "level": said, "n": who.frame.height})
            continue
        parts = [who.frame.filter(pl.col(predictor.name) == lv.value) for lv in predictor.levels]
        events = [int(part["y"].sum()) for part in parts]
        is_small = any(
            0 < count < smallest
            for part, with_it in zip(parts, events, strict=True)
            for count in (with_it, part.height - with_it)
        )
        for level, part, with_it in zip(predictor.levels, parts, events, strict=True):
            shown = None if is_small else with_it
            row = {"level": words(level.label), "n": part.height, "events": shown}
            rows.append({"predictor": predictor.label} | row)
    lacking = {name: None if 0 < count < smallest else count for name, count in who.missing.items()}
    return {"table_1": rows, "missing": lacking}


def figures_of(model: Model, who: Cohort, smallest: int) -> dict[str, Any]:
    """Return calibration on the same data, and the groups' curves with the log-rank test."""
    figures, curves = [], []
    for horizon, frame in risks(model, who):
        made = evaluate(frame, horizon, _QUIET)
        figures.append(made.figures.drop_nulls("estimate"))
        if not made.calibration_curve.is_empty():
            curves.append(made.calibration_curve.with_columns(horizon=pl.lit(horizon, pl.Float64)))
    found: dict[str, Any] = {
        "calibration": pl.concat(figures).to_dicts(),
        "calibration_curve": pl.concat(curves).to_dicts() if curves else [],
        "groups": [],
        "log_rank_p": None,
    }
    if model.cutoff is None or model.family != "cox":
        return found
    high = is_high(points(model, who.frame), model.cutoff.points.value, model.cutoff.high)
    group = pl.Series(np.where(high, "high", "low"))
    watched = who.watched
    event = who.frame["event"].to_numpy().astype(np.int64)
    outcomes = Followup(watched.time - watched.entry, event)
    groups = group_curves(outcomes, group, TIMES)
    test = log_rank(outcomes, group)
    shown = without_small_groups(groups, Asked(smallest_cell=smallest))
    return found | {"groups": shown.to_dicts(), "log_rank_p": test.p_value if test else None}
