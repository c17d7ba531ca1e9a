"""A model as the few numbers that a calculator needs, to compute as the engine does."""

from typing import Any

from models.engine import NO_ANSWER
from models.parts import Model, Predictor
from models.points import effects, most_points, points_per_unit
from models.predictions import drawn


def calculation(model: Model) -> dict[str, Any]:
    """Return what a calculator adds up: plain numbers, lists and dicts, for JSON.

    Effects are on the scale of the linear predictor (of a score, in points). low, high, least and
    most stand for a predictor that is missing: the ends over its values, and over the intervals of
    inferred effects too. Each curve turns the linear predictor into a prediction: `value` as it
    is, `lower` and `upper` over the interval of an inferred constant.
    """
    of = [effects(model, predictor) for predictor in model.predictors]
    start = model.intercept.value if model.intercept else 0.0
    lowest = sum(effect.low for effect in of)
    return {
        "family": model.family,
        "start": start,
        "lowest": lowest,
        "highest": start + sum(effect.high for effect in of),
        "per_unit": points_per_unit(model),
        "most_points": most_points(model),
        "no_answer": NO_ANSWER,
        "cutoff": model.cutoff and {"points": model.cutoff.points.value, "high": model.cutoff.high},
        "predictors": [_predictor(model, predictor) for predictor in model.predictors],
        "curves": [
            {"name": name, "value": value, "lower": lower, "upper": upper}
            for name, (value, lower, upper) in drawn(model).items()
        ],
    }


def _predictor(model: Model, predictor: Predictor) -> dict[str, Any]:
    effect = effects(model, predictor)
    ends = {"low": effect.low, "high": effect.high, "least": effect.least, "most": effect.most}
    told = {"name": predictor.name, "label": model.said(predictor.label), **ends}
    if predictor.levels:
        levels = [
            {
                "value": level.value,
                "label": model.said(level.label),
                "effect": effect.levels[level.value],
                "least": effect.intervals[level.value][0],
                "most": effect.intervals[level.value][1],
            }
            for level in predictor.levels
        ]
        return told | {"levels": levels}
    assert predictor.axis and predictor.centre  # noqa: S101
    axis = (predictor.axis.low.value, predictor.axis.high.value)
    known = {"unit": predictor.unit, "slope": effect.slope, "centre": predictor.centre.value}
    return told | known | {"axis": axis, "developed_on": _range(model, predictor, axis)}


def _range(model: Model, predictor: Predictor, axis: tuple[float, float]) -> tuple[float, float]:
    """Return the range that the model was developed on; the axis, where the paper has none."""
    for asked in model.developed_on:
        if asked.feature == predictor.feature and asked.low and asked.high:
            return asked.low.value, asked.high.value
    return axis
