"""The prediction of a model: a probability, or the survival at each horizon, with bounds."""

from collections.abc import Callable

import polars as pl

from models.parts import Model
from models.points import effects

Curve = Callable[[pl.Expr], pl.Expr]


def predictions(model: Model, no_answer: float) -> dict[str, pl.Expr]:
    """Return each prediction with bounds: over missing predictors and inferred constants.

    One whose own interval covers a share of `no_answer` of 0 to 100 % is not shown: it is null.
    """
    useful = pl.col("status").is_in(["scored", "bounded"])
    columns: dict[str, pl.Expr] = {}
    for name, (value, low, high) in _curves(model).items():
        lower, upper = low(pl.col(_WORST[model.family][0])), high(pl.col(_WORST[model.family][1]))
        shown = useful & (upper - lower < no_answer)
        scored = shown & (pl.col("status") == "scored")
        columns[name] = pl.when(scored).then(value(pl.col("lp_lower")))
        columns[f"{name}_lower"] = pl.when(shown).then(lower)
        columns[f"{name}_upper"] = pl.when(shown).then(upper)
    return columns


_WORST = {"logistic": ("lp_least", "lp_most"), "cox": ("lp_most", "lp_least")}
"""The ends of the linear predictor that give the lower and the upper bound."""


def widest_share(model: Model) -> pl.Expr:
    """Return how much of what a model can predict is open, of the prediction most open."""
    start = model.intercept.value if model.intercept else 0.0
    of = [effects(model, predictor) for predictor in model.predictors]
    lowest, highest = start + sum(e.low for e in of), start + sum(e.high for e in of)
    shares = []
    for value, _, _ in _curves(model).values():
        whole = value(pl.lit(highest)) - value(pl.lit(lowest))
        shares.append((value(pl.col("lp_upper")) - value(pl.col("lp_lower"))) / whole)
    return pl.max_horizontal(pl.lit(0.0), *shares)


def _curves(model: Model) -> dict[str, tuple[Curve, Curve, Curve]]:
    """Return each prediction as curves of the linear predictor: as it is, lower and upper."""
    draw = _logistic if model.family == "logistic" else _survival
    return {
        name: (draw(value), draw(low), draw(high))
        for name, (value, low, high) in drawn(model).items()
    }


def drawn(model: Model) -> dict[str, tuple[float, float, float]]:
    """Return the constant of each prediction: as it is, and for its lower and upper bound.

    Of a logistic model how far the intercept is moved, of a Cox model the baseline survival.
    """
    if model.family == "logistic" and model.intercept:
        value, (low, high) = model.intercept.value, model.intercept.bounds
        return {"probability": (0.0, low - value, high - value)}
    return {
        f"survival_{horizon.years}y": (horizon.survival.value, *horizon.survival.bounds)
        for horizon in model.baseline
    }


def _logistic(moved: float) -> Curve:
    return lambda linear_predictor: 1 / (1 + (-(linear_predictor + moved)).exp())


def _survival(baseline: float) -> Curve:
    return lambda linear_predictor: pl.lit(baseline) ** linear_predictor.exp()
