"""Validation of any scored table: figures of everybody, of subgroups, and over them.

What is written is `validation.parquet`, one row per figure, and `validation.json`, the same with
the curves. Subgroups so small that a patient could be recognised are left out, with one more
beside them where they could be subtracted.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from flows.checklist import as_markdown, checklist
from flows.errors import NightRefused, UsageError, told
from flows.landmarks import Way
from flows.night import private
from flows.participants import flow_shown
from flows.published.write import write_parquet
from flows.secrets import NO_KEYS
from flows.subgroups import (
    COLUMNS,
    COMPLETE,
    DESCRIPTIONS,
    LOWER,
    UPPER,
    Asked,
    evaluate,
    has_few,
    left_out,
    of_levels,
    over_levels,
    placed,
    rows_of,
    without_small,
    without_small_groups,
)
from models.performance.figures import FIGURES
from models.performance.followup import BadPredictions


@dataclass(frozen=True)
class Validation:
    """Frames of a validation; `curves` are named tables of everybody, per horizon."""

    figures: pl.DataFrame
    curves: dict[str, pl.DataFrame]
    about: dict[str, Any]


def validate(frame: pl.DataFrame, asked: Asked) -> Validation:
    """Return the figures of a table of predictions. Raises NightRefused for one that is none."""
    for name in asked.by:
        if name not in frame.columns:
            raise UsageError(f"--by {name}: no such column")
    try:
        parts = [_at(part, horizon, asked) for part, horizon in _by_horizon(frame, asked)]
    except BadPredictions as error:
        raise NightRefused(f"predictions: {error}") from None
    figures = pl.concat([figures for figures, _ in parts])
    curves: dict[str, pl.DataFrame] = {}
    for name in ("calibration_curve", "decision_curve", "groups"):
        shown = [curve[name] for _, curve in parts if not curve[name].is_empty()]
        if shown:
            curves[name] = pl.concat(shown, how="diagonal_relaxed")
    return Validation(figures, curves, {"rows": len(frame), "by": list(asked.by)})


CALIBRATION = (
    "expected", "oe", "oe_expected_known", "intercept", "ici", "e50", "e90", "brier", "ipa",
)  # fmt: skip
"""Figures that hang on the level of the predictions, and so on the baseline."""


REMARK = "the {} is inferred: this tests the reconstruction too"


def validate_ways(ways: Iterable[Way], asked: Asked, remark: str = "") -> Validation:
    """Return the figures of several ways of validating a model, each with where it is from.

    Of two sources of predictions, each has figures of its own too, unless one is so small that
    subtracting would show a patient. The curves are those of the first way.
    """
    figures: list[pl.DataFrame] = []
    curves: dict[str, pl.DataFrame] = {}
    about: dict[str, Any] = {"by": list(asked.by), "ways": {}, "flow": {}}
    for way in ways:
        name, frame = way.name, way.frame
        if way.flow:
            about["flow"][name] = flow_shown(way.flow, asked.smallest_cell)
        counts = dict(frame.group_by("source").len().sort("source").iter_rows())
        parts = {source: frame.filter(source=source) for source in counts}
        hide = len(parts) > 1 and any(_shows_a_patient(part, asked) for part in parts.values())
        about["ways"][name] = {"both": len(frame)} if hide else counts
        if len(parts) > 1:
            parts = {"both": frame} | parts
        for source, part in parts.items():
            if hide and source != "both":
                figures.append(_of(name, source, left_out()))
                continue
            options = replace(asked.options, events_per_year=_events_per_year(part))
            made = _or_nothing(part, replace(asked, options=options))
            figures.append(_of(name, source, made.figures))
            curves = curves or made.curves
    if not figures:
        raise NightRefused("nobody to validate on: no patient was eligible and followed")
    remarked = pl.concat(figures).with_columns(
        note=pl.when(pl.col("measure").is_in(list(CALIBRATION)) & pl.col("estimate").is_not_null())
        .then(pl.concat_str([pl.col("note"), pl.lit(remark)], separator=" ").str.strip_chars())
        .otherwise("note")
    )
    return Validation(remarked, curves, about)


def _of(way: str, source: str, figures: pl.DataFrame) -> pl.DataFrame:
    return figures.with_columns(landmark=pl.lit(way), predictions=pl.lit(source)).select(*COLUMNS)


def _shows_a_patient(part: pl.DataFrame, asked: Asked) -> bool:
    return has_few(part, asked) or has_few(part.drop_nulls(_prediction(part)), asked)


def _events_per_year(frame: pl.DataFrame) -> float | None:
    """Return how many events came in a year, from the first 131I of all to the last day of all."""
    if not {"index_date", "horizon"} <= set(frame.columns) or frame.is_empty():
        return None
    once = frame.filter(pl.col("horizon") == pl.col("horizon").min())
    followed = pl.duration(days=(pl.col("time") * 365.25).cast(pl.Int64))
    first, last = once.select(
        first=pl.col("index_date").min(), last=(pl.col("index_date") + followed).max()
    ).row(0)
    years = float((last - first).days) / 365.25
    return int(once["event"].eq(1).sum()) / years if years > 0 else None


def _or_nothing(frame: pl.DataFrame, asked: Asked) -> Validation:
    """Return the figures; where no patient has a full prediction, only that."""
    if _prediction(frame) and frame.drop_nulls(_prediction(frame)).height:
        return validate(frame, asked)
    row = pl.DataFrame(
        [{"measure": "events", "note": "no patient with every predictor known"}], schema=FIGURES
    )
    return Validation(placed(row, COMPLETE, None, None, 0, None), {}, {})


def _by_horizon(frame: pl.DataFrame, asked: Asked) -> Iterator[tuple[pl.DataFrame, float | None]]:
    """Yield the predictions of each horizon; one table without a horizon for a plain outcome."""
    if "y" in frame.columns:
        yield frame, None
        return
    if "horizon" not in frame.columns:
        if "risk" in frame.columns and len(asked.horizons) > 1:
            raise UsageError("one column of risks is of one horizon; add a column horizon")
        for horizon in asked.horizons or (None,):
            yield frame, horizon
        return
    if frame["horizon"].null_count() or not frame["horizon"].dtype.is_numeric():
        raise BadPredictions("column horizon: empty or not a number in some rows")
    for horizon in frame["horizon"].unique().sort():
        if not asked.horizons or horizon in asked.horizons:
            yield frame.filter(pl.col("horizon") == horizon), float(horizon)


def _at(
    frame: pl.DataFrame, horizon: float | None, asked: Asked
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """Return the figures at one horizon: of everybody, at the bounds, and of subgroups."""
    complete, bounded = _complete(frame)
    everybody = evaluate(complete, horizon, asked.options)
    rows = [rows_of(everybody, COMPLETE)]
    if bounded is not None:
        # The bounds are of the prediction, not of a score that a cut-off may be on.
        once = replace(asked.options, repeats=0, cutoff=None)
        for which, whole in zip((LOWER, UPPER), bounded, strict=True):
            rows.append(rows_of(evaluate(whole, horizon, once), which))
    for by in asked.by:
        levels = list(of_levels(complete, by, horizon, asked, everybody))
        rows += [*levels, over_levels(levels, by)]
    curves = {
        "calibration_curve": everybody.calibration_curve,
        "decision_curve": without_small(everybody.decision_curve, everybody.n, asked),
        "groups": without_small_groups(everybody.groups, asked),
    }
    curves = {name: _with_horizon(curve, horizon) for name, curve in curves.items()}
    figures = pl.concat(rows)
    return figures.with_columns(
        horizon=pl.col("horizon").fill_null(pl.lit(horizon, pl.Float64))
    ), curves


def _prediction(frame: pl.DataFrame) -> list[str]:
    return [name for name in ("p", "risk", "linear_predictor") if name in frame.columns]


def _complete(
    frame: pl.DataFrame,
) -> tuple[pl.DataFrame, tuple[pl.DataFrame, pl.DataFrame] | None]:
    """Return the rows with a prediction; and all rows at their lower and upper bounds, if any."""
    predictions = _prediction(frame)
    if not predictions:
        raise BadPredictions("want a column p, risk or linear_predictor")
    complete = frame.drop_nulls(predictions)
    if complete.is_empty():
        raise BadPredictions("no row has a prediction")
    name = predictions[0]
    bounds = [f"{name}_lower", f"{name}_upper"]
    if len(complete) == len(frame) or not set(bounds) <= set(frame.columns):
        return complete, None
    known = frame.drop_nulls(bounds).drop(*(other for other in predictions if other != name))
    low, high = (
        known.with_columns(pl.col(name).fill_null(pl.col(bound))).drop("score", strict=False)
        for bound in bounds
    )
    return complete, (low, high)


def _with_horizon(curve: pl.DataFrame, horizon: float | None) -> pl.DataFrame:
    return curve if curve.is_empty() else curve.with_columns(horizon=pl.lit(horizon, pl.Float64))


def write(validation: Validation, folder: Path, umask: str) -> tuple[Path, ...]:
    """Write figures, curves, page and checklist; each file appears whole or not at all."""
    from flows.report.validated import page  # only what is written needs its template

    figures, about = validation.figures, validation.about
    items = checklist(about, figures)
    texts = {
        "validation.json": as_json(validation),
        "validation.html": page(figures, validation.curves, about, items),
        "checklist.md": as_markdown(items),
    }
    with told(folder), private(umask):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "validation.parquet"
        write_parquet(figures, aside_of(path), DESCRIPTIONS, {}, NO_KEYS)
        aside_of(path).replace(path)
        for name, content in texts.items():
            aside_of(folder / name).write_text(content, "utf-8")
            aside_of(folder / name).replace(folder / name)
    return path, *(folder / name for name in texts)


def aside_of(path: Path) -> Path:
    """Return where a file is written before it appears."""
    return path.with_name(f".{path.name}")


def as_json(validation: Validation) -> str:
    """Return figures, curves and the checklist as JSON."""
    content = {
        "about": validation.about,
        "columns": DESCRIPTIONS,
        "figures": validation.figures.to_dicts(),
        **{name: curve.to_dicts() for name, curve in validation.curves.items()},
        "checklist": checklist(validation.about, validation.figures),
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"
