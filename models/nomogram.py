"""The nomogram of a model as positions on a page: what is drawn where, without drawing it.

The axes from top to bottom: points, one per predictor, total points, and one per prediction.
Positions are fractions of the width, 0 to 1. Points and predictors share one scale, total points
and predictions another, as in the nomograms that R's rms draws.
"""

from dataclasses import dataclass
from math import ceil, floor, log, log10
from typing import Any

from models.parts import Model, Predictor
from models.points import effects, points_per_unit

PROBABILITIES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
_LEAST_GAP = 0.04
"""Ticks nearer to each other than this share of the width would print over each other."""


@dataclass(frozen=True)
class Tick:
    """A labelled position on an axis; `above` puts the label over the axis."""

    x: float
    label: str
    above: bool = False


@dataclass(frozen=True)
class Axis:
    """An axis of the nomogram; mark_from and mark_to say where a patient is on it.

    inferred: its place, or that of a tick, is not in the paper.
    """

    label: str
    ticks: tuple[Tick, ...]
    mark_from: float | None = None
    mark_to: float | None = None
    inferred: bool = False


@dataclass(frozen=True)
class Nomogram:
    """A nomogram: its axes from top to bottom, the position of the cut-off, and its words."""

    title: str
    axes: tuple[Axis, ...]
    total_row: int
    cutoff: float | None
    cutoff_label: str


def nomogram(model: Model, patient: dict[str, Any] | None = None) -> Nomogram:
    """Lay out a model's nomogram, with a patient on it when `patient` is given.

    `patient` is the patient's row of the model's scores (see `models.engine.score`).
    """
    spans = {p.name: effects(model, p) for p in model.predictors}
    widths = {n: (e.high - e.low) * points_per_unit(model) for n, e in spans.items()}
    widest, total = max(widths.values()), _round_up(sum(widths.values()))
    points = Axis("Points", _ticks(0, widest, widest, 0))
    predictors = [_predictor_axis(model, p, widest, widths, patient) for p in model.predictors]
    bounds = _bounds(patient, total)
    totals = Axis("Total points", _ticks(0, total, total, 0), *bounds)
    predictions = [
        Axis(label, ticks, *bounds, inferred)
        for label, ticks, inferred in _prediction_axes(model, total)
        if ticks
    ]
    cutoff = model.cutoff.points.value if model.cutoff else None
    words = f"high risk: {model.cutoff.high} {cutoff:g}" if model.cutoff else ""
    return Nomogram(
        title=model.title,
        axes=(points, *predictors, totals, *predictions),
        total_row=1 + len(predictors),
        cutoff=None if cutoff is None else cutoff / total,
        cutoff_label=words,
    )


def _round_up(total: float) -> float:
    step = _step(total)
    return ceil(total / step) * step


def _step(span: float) -> float:
    """Return a step of 1, 2 or 5 times a power of ten that divides a span into about ten."""
    power = 10.0 ** floor(log10(span / 10))
    return next(power * nice for nice in (1, 2, 5, 10) if power * nice >= span / 10.5)


def _ticks(low: float, high: float, width: float, start: float) -> tuple[Tick, ...]:
    """Return ticks at round values from low to high, placed from `start` on over `width`."""
    step = _step(high - low)
    values = [low] + [step * n for n in range(ceil(low / step), floor(high / step) + 1)] + [high]
    placed: list[Tick] = []
    for value in dict.fromkeys(values):
        x = start + (value - low) / width
        near_end = value != high and (high - value) / width < _LEAST_GAP
        near_last = placed and x - placed[-1].x < _LEAST_GAP
        if not near_end and not near_last:
            placed.append(Tick(x, f"{value:g}"))
    return tuple(placed)


def _predictor_axis(
    model: Model,
    predictor: Predictor,
    widest: float,
    widths: dict[str, float],
    patient: dict[str, Any] | None,
) -> Axis:
    effect, per_unit = effects(model, predictor), points_per_unit(model)
    if predictor.levels:
        positions = sorted(
            ((effect.levels[lv.value] - effect.low) * per_unit / widest, model.said(lv.label))
            for lv in predictor.levels
        )
        # Neighbours print on different sides of the axis.
        ticks = tuple(Tick(x, label, above=n % 2 == 1) for n, (x, label) in enumerate(positions))
        label = predictor.label
    else:
        ticks = _numeric_ticks(predictor, widths[predictor.name] / widest, effect.slope > 0)
        label = f"{predictor.label}, {predictor.unit}"
    inferred = _inferred(predictor)
    if patient is None:
        return Axis(label, ticks, inferred=inferred)
    points = patient[f"{predictor.name}_points"]
    ends = (0.0, widths[predictor.name]) if points is None else (points, points)
    return Axis(label, ticks, ends[0] / widest, ends[1] / widest, inferred)


def _inferred(predictor: Predictor) -> bool:
    effects_of = [level.effect for level in predictor.levels]
    effects_of += [predictor.per_unit] if predictor.per_unit else []
    drawn = predictor.axis is not None and predictor.axis.inferred
    return drawn or any(effect.status == "inferred" for effect in effects_of)


def _numeric_ticks(predictor: Predictor, width: float, rising: bool) -> tuple[Tick, ...]:
    assert predictor.axis  # noqa: S101
    low, high = predictor.axis.low.value, predictor.axis.high.value
    ticks = _ticks(low, high, (high - low) / width, 0)
    if rising:
        return ticks
    return tuple(Tick(width - tick.x, tick.label) for tick in ticks)


def _bounds(patient: dict[str, Any] | None, total: float) -> tuple[float | None, float | None]:
    if patient is None or patient["points_lower"] is None:
        return None, None
    return patient["points_lower"] / total, patient["points_upper"] / total


def _prediction_axes(model: Model, total: float) -> list[tuple[str, tuple[Tick, ...], bool]]:
    """Return each prediction's axis: where on the total points its round values lie.

    With it, whether it rests on an inferred constant.
    """
    if model.family == "logistic" and model.intercept:
        at = {p: log(p / (1 - p)) - model.intercept.value for p in PROBABILITIES}
        ticks = _prediction_ticks(model, at, total)
        return [("Probability of RR-DTC", ticks, model.intercept.status == "inferred")]
    axes = []
    for horizon in model.baseline:
        cumulative = -log(horizon.survival.value)
        at = {s: log(-log(s) / cumulative) for s in PROBABILITIES}
        inferred = horizon.survival.status == "inferred"
        ticks = _prediction_ticks(model, at, total)
        axes.append((f"{horizon.years}-year survival", ticks, inferred))
    return axes


def _prediction_ticks(model: Model, at: dict[float, float], total: float) -> tuple[Tick, ...]:
    lowest = sum(effects(model, predictor).low for predictor in model.predictors)
    scale = points_per_unit(model) / total
    placed: list[Tick] = []
    for value, linear_predictor in sorted(at.items(), key=lambda pair: pair[1]):
        x = (linear_predictor - lowest) * scale
        if 0 <= x <= 1 and (not placed or x - placed[-1].x >= _LEAST_GAP):
            placed.append(Tick(x, f"{value:g}"))
    return tuple(placed)
