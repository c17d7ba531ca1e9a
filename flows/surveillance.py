"""Surveillance in the night: what past nights predicted, from the last one, beside what came.

The kept predictions and the series go from night to night in published tables, so that a night
reads those of the one before it and no more. Where that night was of a version that kept none,
they are collected from the nights there are, once.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from flows.job import Tonight
from flows.published.nights import day_of, nights, read_table
from models.parts import Model
from models.spec import library
from transforms.measures.definitions import REVIEWING, completeness
from transforms.surveillance.drift import of_points, of_predictors, of_quality
from transforms.surveillance.kept import SCORED, keep, within
from transforms.surveillance.series import Rules, of_predictions, signals, with_earlier
from transforms.variables.windows import Windows

KEPT, SERIES = "past_predictions.parquet", "surveillance.parquet"
_EVERY_DAYS = 28


@dataclass(frozen=True)
class Watched:
    """The predictions that are kept, the series, and what of it is a reason to look."""

    kept: pl.DataFrame
    series: pl.DataFrame
    signals: tuple[str, ...]


def watch(
    tonight: Tonight,
    features: pl.DataFrame,
    scores: dict[str, pl.DataFrame],
    measures: pl.DataFrame,
) -> Watched:
    """Return what surveillance sees tonight. Raises NightRefused for a table that is damaged."""
    settings = tonight.settings
    rules = Rules(
        tonight.as_of, settings.surveillance, settings.smallest_cell, settings.round_counts
    )
    models = list(library().values())
    narrow = pl.concat(
        [_narrow(frame, name) for name, frame in scores.items()], how="diagonal_relaxed"
    )
    years = rules.watching.years
    before = _kept_before(tonight)
    kept = within(keep(before, narrow, features, rules.night), rules.night, years)
    rows = [
        *of_predictions(kept, models, features, rules),
        *of_predictors(features, narrow, rules),
        *of_points(narrow, features, models, rules),
        *of_quality(measures, _questions(models, settings.windows), rules),
    ]
    series = with_earlier(rows, _last(tonight, SERIES), rules)
    return Watched(kept, series, tuple(signals(series, rules)))


def _questions(models: list[Model], windows: Windows) -> dict[str, str]:
    """Return what each measure asks, by name."""
    return {one.name: one.asked(windows) for one in (*REVIEWING, *completeness(models))}


def _narrow(scores: pl.DataFrame, name: str) -> pl.DataFrame:
    named = scores.with_columns(model=pl.lit(name))
    return named.select(column for column in SCORED if column in named.columns)


def _last(tonight: Tonight, name: str) -> pl.DataFrame | None:
    """Return a table of the last night; None where it has none."""
    if tonight.previous is None:
        return None
    path = tonight.job.out / tonight.previous / name
    return read_table(path, tonight.keys) if path.is_file() else None


def _kept_before(tonight: Tonight) -> pl.DataFrame | None:
    """Return the predictions that the last night kept; else those that it would have kept."""
    last = _last(tonight, KEPT)
    return _collected(tonight) if last is None else last


def _collected(tonight: Tonight) -> pl.DataFrame | None:
    """Return what a month's first night each would have kept, of the nights that are there."""
    kept, next_one = None, date.min
    for folder in nights(tonight.job.out, before=tonight.as_of):
        day = date.fromisoformat(day_of(folder))
        if day < next_one:
            continue
        next_one = day + timedelta(days=_EVERY_DAYS)
        scores = read_table(folder / "model_scores.parquet", tonight.keys, columns=SCORED)
        dated = read_table(
            folder / "features.parquet", tonight.keys, columns=("patient_id", "index_date")
        )
        kept = keep(kept, scores, dated, day)
    return kept
