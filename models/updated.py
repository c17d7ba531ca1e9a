"""From an update to a model file: the published model with the numbers that local data changed."""

from math import exp

from models.design import Column
from models.origin import Origin
from models.parts import Baseline, Cutoff, Finding, Model, Number, Predictor
from models.performance.updating_model import Estimate, UpdatedModel

WORDS = {
    "none": "nothing",
    "intercept": "intercept",
    "slope": "intercept and slope",
    "refit": "intercept and every coefficient",
}


def changed_words(model: Model, made: UpdatedModel) -> str:
    """Return what was changed, in words."""
    words = WORDS[made.change]
    return words.replace("intercept", "baseline survival") if model.family == "cox" else words


def updated(
    model: Model,
    made: UpdatedModel,
    free: list[Column],
    source: str,
    origin: Origin,
    cutoff: Cutoff | None,
    performance: tuple[Finding, ...],
    name: str,
) -> Model:
    """Return the local model: `free` are the columns of the update, `source` that of its numbers.

    Numbers that were not changed stay as they are, with their own status and source.
    """
    ratios = _ratios(made, free)
    constants = [_number(one, source) for one in made.constants]
    changes: dict[str, object] = {
        "name": name,
        "title": f"{model.title}, updated here",
        "citation": f"{model.citation} Updated on local data.",
        "cohort": f"Developed on: {model.cohort} Updated on: {origin.how}.",
        "predictors": tuple(_anew(p, ratios, source) for p in model.predictors),
        "cutoff": cutoff,
        "performance": performance,
        "contradictions": (),
        "refit": None,
        "local": origin,
    }
    if model.family == "logistic":
        changes["intercept"] = constants[0]
    else:
        changes["baseline"] = tuple(
            Baseline(years=one.years, survival=survival)
            for one, survival in zip(_ordered(model), constants, strict=True)
        )
    return Model.model_validate(model.model_copy(update=changes).model_dump())


def _ordered(model: Model) -> list[Baseline]:
    return sorted(model.baseline, key=lambda one: one.years)


def horizons(model: Model) -> tuple[list[float], list[float]]:
    """Return the years of a survival model's file, and the survival at each."""
    ordered = _ordered(model)
    return [float(one.years) for one in ordered], [one.survival.value for one in ordered]


def _ratios(made: UpdatedModel, free: list[Column]) -> dict[str, Estimate]:
    """Return the new ratio of each column that has one."""
    if made.coefficients is not None:
        each = zip(free, made.coefficients, strict=True)
        return {c.name: Estimate(exp(e.value), exp(e.lower), exp(e.upper)) for c, e in each}
    if made.slope is None:
        return {}
    found = {}
    for column in free:
        ends = [exp(column.coefficient * b) for b in (made.slope.lower, made.slope.upper)]
        found[column.name] = Estimate(exp(column.coefficient * made.slope.value), *sorted(ends))
    return found


def _number(found: Estimate, source: str) -> Number:
    interval = (found.lower, found.upper)
    return Number(value=found.value, status="local", source=source, interval=interval)


def _anew(predictor: Predictor, ratios: dict[str, Estimate], source: str) -> Predictor:
    if predictor.name in ratios:
        return predictor.model_copy(update={"per_unit": _number(ratios[predictor.name], source)})
    levels = tuple(
        level.model_copy(update={"effect": _number(ratios[key], source)})
        if (key := f"{predictor.name}={level.value}") in ratios
        else level
        for level in predictor.levels
    )
    return predictor.model_copy(update={"levels": levels})
