"""What fitting a logistic model anew does to a patient: a sensitivity beside the prediction."""

from collections.abc import Mapping
from math import exp, log
from typing import Any

from models.parts import Model, Number


def refitted(model: Model, patient: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return a patient's probability as published and as refitted.

    `patient` has the level of each predictor by its name. None when the model has no refit, or a
    predictor is missing.
    """
    if model.refit is None or model.intercept is None:
        return None
    published, anew = model.intercept.value, model.refit.intercept.value
    for predictor in model.predictors:
        value = patient.get(predictor.name)
        effect = next((lv.effect for lv in predictor.levels if lv.value == value), None)
        if effect is None:
            return None
        other: Number = model.refit.effects.get(predictor.name, {}).get(str(value), effect)
        published, anew = published + log(effect.value), anew + log(other.value)
    return 1 / (1 + exp(-published)), 1 / (1 + exp(-anew))
