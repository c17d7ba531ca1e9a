"""The columns that a model's coefficients belong to: levels against the reference, and numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import polars as pl

from models.parts import Model, Predictor
from models.performance.followup import Array
from models.points import effects, points_per_unit


@dataclass(frozen=True)
class Column:
    """A column of the design: a level of a predictor (1 there, else 0), or a number."""

    predictor: Predictor
    level: str | None = None

    @property
    def name(self) -> str:
        """The predictor, and the level."""
        return self.predictor.name if self.level is None else f"{self.predictor.name}={self.level}"

    def values(self, frame: pl.DataFrame) -> Array:
        """Return the column for patients with each predictor by its name."""
        if self.level is not None:
            return (frame[self.predictor.name] == self.level).to_numpy() * 1.0
        centre = self.predictor.centre.value if self.predictor.centre else 0.0
        return frame[self.predictor.name].to_numpy() - centre

    @property
    def coefficient(self) -> float:
        """The model's own coefficient."""
        if self.level is None:
            assert self.predictor.per_unit  # noqa: S101
            return log(self.predictor.per_unit.value)
        return log(next(lv.effect.value for lv in self.predictor.levels if lv.value == self.level))


def reference(predictor: Predictor) -> str | None:
    """Return the level that the others are compared with: the first with a ratio of 1."""
    return next((level.value for level in predictor.levels if level.effect.value == 1), None)


def columns(predictors: Sequence[Predictor]) -> list[Column]:
    """Return the columns of predictors, in order; a level without a reference has its own."""
    found = []
    for predictor in predictors:
        if not predictor.levels:
            found.append(Column(predictor))
            continue
        first = reference(predictor)
        found += [Column(predictor, lv.value) for lv in predictor.levels if lv.value != first]
    return found


def matrix(frame: pl.DataFrame, of: Sequence[Column]) -> Array:
    """Return the values of columns, one row per patient."""
    if not of:
        return np.empty((frame.height, 0))
    return np.column_stack([column.values(frame) for column in of])


def linear_predictor(model: Model, frame: pl.DataFrame) -> Array:
    """Return the linear predictor of complete patients, without the intercept."""
    of = columns(model.predictors)
    return np.asarray(matrix(frame, of) @ np.array([column.coefficient for column in of]))


def points(model: Model, frame: pl.DataFrame) -> Array:
    """Return the points of complete patients, as the engine has them."""
    lowest = sum(effects(model, predictor).low for predictor in model.predictors)
    above = linear_predictor(model, frame) - lowest
    return np.asarray((above * points_per_unit(model)).round(9))
