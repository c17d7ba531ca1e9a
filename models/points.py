"""Effects and nomogram points of a model.

The points follow the convention of R's rms: the predictor with the longest span of the linear
predictor spans 0 to 100 points, the others in proportion; within a predictor the level or axis
end with the lowest linear predictor has 0 points. A points score has its published points.
"""

from dataclasses import dataclass
from itertools import product
from math import log

from models.parts import Model, Predictor

LONGEST_SPAN_POINTS = 100.0


@dataclass(frozen=True)
class Effects:
    """The effects of one predictor on the linear predictor.

    levels: effect of each level. slope: effect per unit. low and high: the range of the effect
    over all values (the axis, for a numeric predictor), relative to the centre.
    intervals: of each level, the range of its effect; wider than a point where it is inferred.
    """

    levels: dict[str, float]
    slope: float
    low: float
    high: float
    intervals: dict[str, tuple[float, float]]

    @property
    def least(self) -> float:
        """The lowest effect of any value, inferred effects at the low end of their interval."""
        return min((low for low, _ in self.intervals.values()), default=self.low)

    @property
    def most(self) -> float:
        """The highest effect of any value, inferred effects at the high end of their interval."""
        return max((high for _, high in self.intervals.values()), default=self.high)


def effects(model: Model, predictor: Predictor) -> Effects:
    """Return a predictor's effects on the linear predictor (log scale, or points)."""
    if predictor.levels:
        of = {level.value: level.effect for level in predictor.levels}
        by_level = {value: _effect(model, effect.value) for value, effect in of.items()}
        intervals = {
            value: (_effect(model, effect.bounds[0]), _effect(model, effect.bounds[1]))
            for value, effect in of.items()
        }
        low, high = min(by_level.values()), max(by_level.values())
        return Effects(by_level, 0.0, low, high, intervals)
    assert predictor.per_unit and predictor.axis and predictor.centre  # noqa: S101
    slope = _effect(model, predictor.per_unit.value)
    ends = [
        slope * (end.value - predictor.centre.value)
        for end in (predictor.axis.low, predictor.axis.high)
    ]
    return Effects({}, slope, min(ends), max(ends), {})


def _effect(model: Model, stated: float) -> float:
    return stated if model.family == "points" else log(stated)


def points_per_unit(model: Model) -> float:
    """Return the nomogram points of one unit of the linear predictor."""
    if model.family == "points":
        return 1.0
    spans = [effects(model, predictor) for predictor in model.predictors]
    return LONGEST_SPAN_POINTS / max(span.high - span.low for span in spans)


def most_points(model: Model) -> float:
    """Return the most points that a patient can have within the axes; the fewest are 0."""
    spans = [effects(model, predictor) for predictor in model.predictors]
    return sum(span.high - span.low for span in spans) * points_per_unit(model)


def on_possible_axes(model: Model) -> list[Model]:
    """Return the model on each other axis that may have been drawn; empty when there is none."""
    options = [_with_axes(predictor) for predictor in model.predictors]
    return [
        model.model_copy(update={"predictors": predictors})
        for predictors in product(*options)
        if predictors != model.predictors
    ]


def _with_axes(predictor: Predictor) -> list[Predictor]:
    if predictor.axis is None:
        return [predictor]
    axes = [predictor.axis.at(other) for other in predictor.axis.alternatives]
    return [predictor, *(predictor.model_copy(update={"axis": axis}) for axis in axes)]
