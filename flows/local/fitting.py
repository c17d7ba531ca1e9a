"""What a development fits: candidates as columns, the selection, ridge beside it, optimism."""

from dataclasses import dataclass

import numpy as np

from flows.errors import NightRefused
from flows.local.cohort import Cohort
from models.design import Column, columns, matrix
from models.parts import Predictor
from models.performance.followup import Array, Followup
from models.performance.optimism import Resampled, resample, samples
from models.performance.selecting import (
    Chance,
    Fitted,
    Outcome,
    Ridge,
    Steps,
    Survival,
    Term,
    Tested,
    columns_of,
    ridge,
    selected,
)


@dataclass(frozen=True)
class Data:
    """What is fitted: the candidates as the data have them, their columns, and what came."""

    who: Cohort
    predictors: list[Predictor]
    x: Array
    columns: list[Column]
    terms: list[Term]
    outcome: Outcome


@dataclass(frozen=True)
class Fits:
    """What the data say: tests, the selection and its fit, ridge, what was too good."""

    alone: list[Tested]
    kept: list[Term]
    steps: list[str]
    fitted: Fitted
    shrunk: Ridge
    resampled: Resampled


def data_of(who: Cohort, predictors: list[Predictor]) -> Data:
    """Return the columns of the candidates, and what came, as their family takes it."""
    of = columns(predictors)
    x = matrix(who.frame, of)
    places = {p.name: tuple(n for n, c in enumerate(of) if c.predictor is p) for p in predictors}
    terms = [Term(name, chosen) for name, chosen in places.items()]
    outcome: Outcome
    if who.outcome == "rrdtc":
        outcome = Chance(who.frame["y"].to_numpy() * 1.0, who.weight)
    else:
        event = who.frame["event"].to_numpy().astype(np.int64)
        outcome = Survival(Followup(who.watched.time, event), who.watched.entry)
    return Data(who, predictors, x, of, terms, outcome)


def fits_of(data: Data, steps: Steps, repeats: int) -> Fits:
    """Choose and fit. Raises NightRefused where nothing is chosen, NotFitted."""
    alone, kept, done = selected(data.outcome, data.x, data.terms, steps)
    if not kept:
        raise NightRefused(
            "no predictor is associated with the outcome alone (p < 0.05); nothing was developed"
        )
    fitted = data.outcome.fit(data.x[:, columns_of(kept)])
    shrunk = ridge(data.outcome, data.x)
    drawn = samples(len(data.x), repeats)
    resampled = resample(data.outcome, data.x, data.terms, steps, shrunk.penalty, drawn)
    return Fits(alone, kept, done, fitted, shrunk, resampled)
