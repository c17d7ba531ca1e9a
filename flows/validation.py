"""Validation of any scored table: figures of everybody, of subgroups, and over them.

What is written is `validation.parquet`, one row per figure, and `validation.json`, the same with
the curves. Subgroups so small that a patient could be recognised are left out, with one more
beside them where they could be subtracted.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from flows.errors import NightRefused, UsageError, told
from flows.night import private
from models.performance.evaluation import Evaluation, Options
from models.performance.figures import FIGURES
from models.performance.followup import BadPredictions
from models.performance.plain import evaluate_plain
from models.performance.pooling import SCALES, pool
from models.performance.with_followup import evaluate_followup
from transforms.measures.disclosure import is_small, suppressed

COLUMNS = {
    "landmark": pl.String,
    "predictions": pl.String,
    "patients": pl.String,
    "by": pl.String,
    "level": pl.String,
    **FIGURES,
    "n": pl.Int64,
    "events": pl.Int64,
    "suppressed": pl.Boolean,
}
"""The columns of validation.parquet; one row is one figure of one group of patients.

`patients`: which (all, those with every predictor, the rest at a bound); `by` and `level`: the
subgroup (null: everybody); `n`, `events`: patients, and events by the horizon.
"""
DESCRIPTIONS = {
    "landmark": "from when: second course, first 131I, or the paper's own way; null for a file",
    "predictions": "published: of the night of that day; recomputed: from what was dated up to it; "
    "both; null for a file",
    "patients": "complete: patients with a prediction; at lower or upper bounds: all patients, "
    "those with a predictor missing at that bound of their prediction",
    "by": "what the subgroup is of; null for everybody",
    "level": "which subgroup; pooled: the random-effects summary over them",
    "measure": "what is measured",
    "horizon": "by when, in the unit of the times",
    "cutoff": "the cut-off that the measure is of",
    "estimate": "the figure; null where `note` says why",
    "lower": "lower end of its 95 % interval",
    "upper": "upper end of its 95 % interval",
    "standard_error": "standard error, on the scale of the estimate",
    "definition": "which definition: packages differ",
    "note": "why there is no figure, or what to know of it",
    "n": "patients",
    "events": "events by the horizon",
    "suppressed": "left out: so few that a patient could be recognised",
}
COMPLETE, LOWER, UPPER = "complete", "at lower bounds", "at upper bounds"
POOLED = "pooled"


@dataclass(frozen=True)
class Asked:
    """What a validation is asked for."""

    by: tuple[str, ...] = ()
    horizons: tuple[float, ...] = ()
    """By when; without, what the column `horizon` says."""
    options: Options = field(default_factory=Options)
    smallest_cell: int = 5


@dataclass(frozen=True)
class Validation:
    """Frames of a validation; `curves` are named tables of everybody, per horizon."""

    figures: pl.DataFrame
    curves: dict[str, pl.DataFrame]
    about: dict[str, Any]


def read_predictions(path: Path, renamed: dict[str, str]) -> pl.DataFrame:
    """Return a table of predictions, its columns renamed (theirs to ours).

    Raises NightRefused when it cannot be read, UsageError when a column to rename is not there.
    """
    if not path.is_file():
        raise NightRefused(f"{path}: no such file")
    try:
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
        else:
            separator = "\t" if path.suffix == ".tsv" else ","
            frame = pl.read_csv(
                path, separator=separator, null_values=["", "NA"], infer_schema_length=None
            )
    except (PolarsError, OSError) as error:
        raise NightRefused(f"{path} cannot be read: {type(error).__name__}") from None
    absent = [theirs for theirs in renamed if theirs not in frame.columns]
    if absent:
        raise UsageError(f"{path} has no column {', '.join(absent)}")
    if frame.is_empty():
        raise NightRefused(f"{path} has no rows")
    return frame.rename(renamed)


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


def validate_ways(ways: Iterable[tuple[str, pl.DataFrame]], asked: Asked) -> Validation:
    """Return the figures of several ways of validating a model, each with where it is from.

    A way is its name and a frame of predictions with `source`; of two sources, each has figures
    of its own too. The curves are those of the first way.
    """
    figures: list[pl.DataFrame] = []
    curves: dict[str, pl.DataFrame] = {}
    about: dict[str, Any] = {"by": list(asked.by), "ways": {}}
    for name, frame in ways:
        counts = dict(frame.group_by("source").len().sort("source").iter_rows())
        about["ways"][name] = counts
        parts = {"both": frame} if len(counts) > 1 else {}
        parts |= {
            str(key[0]): part for key, part in frame.partition_by("source", as_dict=True).items()
        }
        for source, part in parts.items():
            made = _or_nothing(part, asked)
            placed = made.figures.with_columns(landmark=pl.lit(name), predictions=pl.lit(source))
            figures.append(placed.select(*COLUMNS))
            curves = curves or made.curves
    if not figures:
        raise NightRefused("nobody to validate on: no patient was eligible and followed")
    return Validation(pl.concat(figures), curves, about)


def _or_nothing(frame: pl.DataFrame, asked: Asked) -> Validation:
    """Return the figures; where no patient has a full prediction, only that."""
    if _prediction(frame) and frame.drop_nulls(_prediction(frame)).height:
        return validate(frame, asked)
    row = pl.DataFrame(
        [{"measure": "events", "note": "no patient with every predictor known"}], schema=FIGURES
    )
    return Validation(_placed(row, COMPLETE, None, None, 0, None), {}, {})


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
    rows = [_rows(everybody, COMPLETE)]
    if bounded is not None:
        # The bounds are of the prediction, not of a score that a cut-off may be on.
        once = replace(asked.options, repeats=0, cutoff=None)
        for which, whole in zip((LOWER, UPPER), bounded, strict=True):
            rows.append(_rows(evaluate(whole, horizon, once), which))
    for by in asked.by:
        levels = list(_levels(complete, by, horizon, asked, everybody))
        rows += [*levels, _over(levels, by)]
    curves = {
        "calibration_curve": everybody.calibration_curve,
        "decision_curve": _without_small(everybody.decision_curve, everybody.n, asked),
        "groups": _without_small_groups(everybody.groups, asked),
    }
    curves = {name: _with_horizon(curve, horizon) for name, curve in curves.items()}
    figures = pl.concat(rows)
    return figures.with_columns(
        horizon=pl.col("horizon").fill_null(pl.lit(horizon, pl.Float64))
    ), curves


def evaluate(frame: pl.DataFrame, horizon: float | None, options: Options) -> Evaluation:
    """Return the evaluation of a frame, by what it has: `y` and `p`, or follow-up."""
    if "y" in frame.columns:
        return evaluate_plain(frame, options)
    return evaluate_followup(frame, horizon, options)


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


def _levels(
    frame: pl.DataFrame, by: str, horizon: float | None, asked: Asked, everybody: Evaluation
) -> Iterator[pl.DataFrame]:
    """Yield the figures of each level of a column; of one left out, only that it is."""
    parts = frame.with_columns(pl.col(by).cast(pl.String).fill_null("unknown")).partition_by(
        by, as_dict=True, maintain_order=False
    )
    named = {str(key[0]): part for key, part in sorted(parts.items(), key=lambda kv: str(kv[0]))}
    counts = {level: _events(part, horizon) for level, part in named.items()}
    hidden = _hidden(counts, {k: len(v) for k, v in named.items()}, everybody, asked)
    for level, part in named.items():
        if level in hidden:
            row = pl.DataFrame(
                [{"measure": "events", "note": "left out: small numbers"}],
                schema=FIGURES,
            )
            yield _placed(row, COMPLETE, by, level, None, None, hide=True)
        else:
            made = evaluate(part, horizon, asked.options)
            yield _rows(made, COMPLETE, by, level)


def _events(part: pl.DataFrame, horizon: float | None) -> int:
    if "y" in part.columns:
        return int((part["y"] == 1).sum())
    within = part["time"] <= (np.inf if horizon is None else horizon)
    return int(((part["event"].cast(pl.Int64) == 1) & within).sum())


def _hidden(
    events: dict[str, int], sizes: dict[str, int], everybody: Evaluation, asked: Asked
) -> set[str]:
    """Return the levels whose counts could point at a patient, by the rules of all measures."""
    groups = [*events.items(), (None, everybody.events)]
    counted = pl.DataFrame(
        {
            "measure": "events",
            "period": "all",
            "start": None,
            "centre": [level for level, _ in groups],
            "numerator": [count for _, count in groups],
            "denominator": [everybody.n if level is None else sizes[level] for level, _ in groups],
            "unknown": 0,
            "value": None,
            "sensitive": True,
        },
        schema_overrides={"centre": pl.String, "value": pl.Float64},
    )
    left_out = suppressed(counted, asked.smallest_cell).filter("suppressed")
    return set(left_out["centre"].drop_nulls())


def _rows(
    made: Evaluation, patients: str, by: str | None = None, level: str | None = None
) -> pl.DataFrame:
    return _placed(made.figures, patients, by, level, made.n, made.events)


def _placed(
    figures: pl.DataFrame,
    patients: str,
    by: str | None,
    level: str | None,
    n: int | None,
    events: int | None,
    *,
    hide: bool = False,
) -> pl.DataFrame:
    about = {"patients": patients, "by": by, "level": level, "n": n, "events": events}
    return figures.with_columns(
        *(pl.lit(value, COLUMNS[name]).alias(name) for name, value in about.items()),
        suppressed=pl.lit(hide),
        landmark=pl.lit(None, pl.String),
        predictions=pl.lit(None, pl.String),
    ).select(*COLUMNS)


def _over(levels: Sequence[pl.DataFrame], by: str) -> pl.DataFrame:
    """Return the random-effects summary of each measure over the levels of a column."""
    together = pl.concat(levels).filter(pl.col("measure").is_in(list(SCALES)))
    rows = []
    for (measure,), part in together.group_by("measure", maintain_order=True):
        found = pool(
            part["estimate"].fill_null(np.nan).to_numpy(),
            part["standard_error"].fill_null(np.nan).to_numpy(),
            str(measure),
        )
        if found is not None:
            rows.append(
                {
                    "measure": measure,
                    "estimate": found.estimate,
                    "lower": found.lower,
                    "upper": found.upper,
                    "definition": "random effects: restricted likelihood, Hartung-Knapp",
                    "note": f"{found.centres} of {len(levels)}; tau {found.tau:.3g}, I2 "
                    f"{100 * found.i2:.0f} %; a new one in {found.predicted_lower:.3g} to "
                    f"{found.predicted_upper:.3g}",
                }
            )
    figures = pl.DataFrame(rows, schema=FIGURES)
    return _placed(figures, COMPLETE, by, POOLED, None, None)


def _without_small(curve: pl.DataFrame, n: int, asked: Asked) -> pl.DataFrame:
    if curve.is_empty():
        return curve
    above, smallest = pl.col("above"), asked.smallest_cell
    small = is_small(above, smallest) | is_small(n - above, smallest)
    hidden = ("net_benefit", "lower", "upper", "above")
    return curve.with_columns(pl.when(~small).then(pl.col(name)).alias(name) for name in hidden)


def _without_small_groups(groups: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    if groups.is_empty():
        return groups
    smallest = asked.smallest_cell
    small = is_small(pl.col("events"), smallest) | is_small(pl.col("at_risk"), smallest)
    hidden = ("incidence", "lower", "upper", "at_risk", "events")
    return groups.with_columns(pl.when(~small).then(pl.col(name)).alias(name) for name in hidden)


def _with_horizon(curve: pl.DataFrame, horizon: float | None) -> pl.DataFrame:
    return curve if curve.is_empty() else curve.with_columns(horizon=pl.lit(horizon, pl.Float64))


def write(validation: Validation, folder: Path, umask: str) -> tuple[Path, Path]:
    """Write validation.parquet and validation.json; each appears whole or not at all."""
    whole = folder / "validation.parquet", folder / "validation.json"
    with told(folder), private(umask):
        folder.mkdir(parents=True, exist_ok=True)
        for path in whole:
            aside = path.with_name(f".{path.name}")
            if path.suffix == ".parquet":
                metadata = {f"description_{name}": text for name, text in DESCRIPTIONS.items()}
                validation.figures.write_parquet(aside, metadata=metadata)
            else:
                aside.write_text(as_json(validation), "utf-8")
            aside.replace(path)
    return whole


def as_json(validation: Validation) -> str:
    """Return figures and curves as JSON."""
    content = {
        "about": validation.about,
        "columns": DESCRIPTIONS,
        "figures": validation.figures.to_dicts(),
        **{name: curve.to_dicts() for name, curve in validation.curves.items()},
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"
