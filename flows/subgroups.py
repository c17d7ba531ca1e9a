"""Figures of everybody and of subgroups as rows; subgroups that are small are left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from models.performance.evaluation import Evaluation, Options
from models.performance.figures import FIGURES
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


def evaluate(frame: pl.DataFrame, horizon: float | None, options: Options) -> Evaluation:
    """Return the evaluation of a frame, by what it has: `y` and `p`, or follow-up."""
    if "y" in frame.columns:
        return evaluate_plain(frame, options)
    return evaluate_followup(frame, horizon, options)


def of_levels(
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
            yield left_out(by, level)
        else:
            made = evaluate(part, horizon, asked.options)
            yield rows_of(made, COMPLETE, by, level)


def left_out(by: str | None = None, level: str | None = None) -> pl.DataFrame:
    """Return the one row that stands for figures left out."""
    row = pl.DataFrame(
        [{"measure": "events", "note": "left out: small numbers"}],
        schema=FIGURES,
    )
    return placed(row, COMPLETE, by, level, None, None, hide=True)


def has_few(frame: pl.DataFrame, asked: Asked) -> bool:
    """Tell whether at some horizon few patients, few with the event or few without are there."""
    timed = "horizon" in frame.columns
    for horizon in frame["horizon"].unique() if timed else [None]:
        part = frame.filter(horizon=horizon) if timed else frame
        events = _events(part, horizon)
        if any(0 < count < asked.smallest_cell for count in (events, len(part) - events)):
            return True
    return False


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


def rows_of(
    made: Evaluation, patients: str, by: str | None = None, level: str | None = None
) -> pl.DataFrame:
    """Return the figures of an evaluation as rows of validation.parquet."""
    return placed(made.figures, patients, by, level, made.n, made.events)


def placed(
    figures: pl.DataFrame,
    patients: str,
    by: str | None,
    level: str | None,
    n: int | None,
    events: int | None,
    *,
    hide: bool = False,
) -> pl.DataFrame:
    """Return figures with whom they are of, as rows of validation.parquet."""
    about = {"patients": patients, "by": by, "level": level, "n": n, "events": events}
    return figures.with_columns(
        *(pl.lit(value, COLUMNS[name]).alias(name) for name, value in about.items()),
        suppressed=pl.lit(hide),
        landmark=pl.lit(None, pl.String),
        predictions=pl.lit(None, pl.String),
    ).select(*COLUMNS)


def over_levels(levels: Sequence[pl.DataFrame], by: str) -> pl.DataFrame:
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
    return placed(figures, COMPLETE, by, POOLED, None, None)


def without_small(curve: pl.DataFrame, n: int, asked: Asked) -> pl.DataFrame:
    """Return a decision curve without what shows so few patients above or below a threshold."""
    if curve.is_empty():
        return curve
    above, smallest = pl.col("above"), asked.smallest_cell
    small = is_small(above, smallest) | is_small(n - above, smallest)
    hidden = ("net_benefit", "lower", "upper", "above")
    return curve.with_columns(pl.when(~small).then(pl.col(name)).alias(name) for name in hidden)


def without_small_groups(groups: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """Return the curves of groups without what shows so few events or patients at risk."""
    if groups.is_empty():
        return groups
    smallest = asked.smallest_cell
    small = is_small(pl.col("events"), smallest) | is_small(pl.col("at_risk"), smallest)
    hidden = ("incidence", "lower", "upper", "at_risk", "events")
    return groups.with_columns(pl.when(~small).then(pl.col(name)).alias(name) for name in hidden)
