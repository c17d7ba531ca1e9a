"""From a model to scores: one row per patient, with bounds where predictors are missing.

A missing predictor can have any of its values, so its effect lies between the lowest and the
highest of them. Effects add up without interactions, and so do these bounds: they are the true
minimum and maximum over all fillings.
"""

from collections.abc import Iterable

import polars as pl
import polars.selectors as cs

from models.points import Effects, effects, points_per_unit
from models.spec import Criterion, DevelopedOn, Model, Predictor
from models.words import Condition, with_words
from schemas.codes import MODEL_STATUS, RISK

STATUS = pl.Enum(MODEL_STATUS)
RISKS = pl.Enum(RISK)
_PATIENT = cs.by_name("patient_no", "patient_id", require_all=False)
"""What tells the patients apart: their number, their identifier, or both."""


def score(features: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Score every patient: one row per row of `features`, in its order.

    patient_no and patient_id (what there is of them), model, status, risk, reasons and needs
    (lists of words), extrapolated, points with bounds, linear_predictor bounds, the model's
    prediction with bounds (`probability`, or `survival_<years>y`), and for each predictor its
    value and its points.
    """
    scored = features.select(
        _PATIENT,
        pl.lit(model.name).alias("model"),
        *{c.feature: pl.col(c.feature) for c in model.eligibility}.values(),
        *(_value(p).alias(f"{p.name}_value") for p in model.predictors),
        *(_effect(model, p).alias(f"{p.name}_effect") for p in model.predictors),
        *(_outside(d).alias(f"outside_{i}") for i, d in enumerate(model.developed_on)),
    )
    scored = _with_bounds(scored, model).with_columns(_status(model))
    scored = scored.with_columns(_risk(model))
    scored = with_words(scored, "reasons", _reasons(model))
    scored = with_words(scored, "needs", _needs(model))
    outside = [pl.col(f"outside_{i}") for i in range(len(model.developed_on))]
    useful = pl.col("status").is_in(["scored", "bounded"])
    return scored.select(
        _PATIENT,
        "model",
        "status",
        "risk",
        "reasons",
        "needs",
        extrapolated=useful & _any(outside),
        **_points(model, useful),
        **_prediction(model, useful),
        **{p.name: _shown(p) for p in model.predictors},
        **{f"{p.name}_points": _predictor_points(model, p) for p in model.predictors},
    )


def _any(conditions: Iterable[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal(pl.lit(False), *conditions)


def _value(predictor: Predictor) -> pl.Expr:
    if predictor.levels:
        return pl.col(predictor.feature).cast(pl.String)
    return pl.col(predictor.feature).cast(pl.Float64)


def _effect(model: Model, predictor: Predictor) -> pl.Expr:
    """Return the effect of a predictor's value; null when it is missing."""
    effect = effects(model, predictor)
    value = _value(predictor)
    if predictor.levels:
        return value.replace_strict(effect.levels, return_dtype=pl.Float64, default=None)
    assert predictor.centre  # noqa: S101
    return (value - predictor.centre.value) * effect.slope


def _outside(range_: DevelopedOn) -> pl.Expr:
    value = pl.col(range_.feature)
    if range_.values:
        return (~value.cast(pl.String).is_in(range_.values)).fill_null(False)
    below = value < range_.low.value if range_.low else pl.lit(False)
    above = value > range_.high.value if range_.high else pl.lit(False)
    return (below | above).fill_null(False)


def _missing(predictor: Predictor) -> pl.Expr:
    return pl.col(f"{predictor.name}_effect").is_null()


def _effects_of(model: Model) -> list[tuple[Predictor, Effects]]:
    return [(predictor, effects(model, predictor)) for predictor in model.predictors]


def _with_bounds(scored: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Add lp_lower and lp_upper: the linear predictor over all fillings (intercept included).

    lp_least and lp_most are the same over the intervals of inferred effects too.
    """
    start = pl.lit(model.intercept.value if model.intercept else 0.0)
    lower = upper = least = most = start
    for predictor, effect in _effects_of(model):
        known = pl.col(f"{predictor.name}_effect")
        lower = lower + known.fill_null(effect.low)
        upper = upper + known.fill_null(effect.high)
        least = least + _end(predictor, effect, 0).fill_null(effect.least)
        most = most + _end(predictor, effect, 1).fill_null(effect.most)
    return scored.with_columns(lp_lower=lower, lp_upper=upper, lp_least=least, lp_most=most)


def _end(predictor: Predictor, effect: Effects, end: int) -> pl.Expr:
    """Return the low (0) or high (1) end of the effect of a predictor's value."""
    if all(low == high for low, high in effect.intervals.values()):
        return pl.col(f"{predictor.name}_effect")
    ends = {value: interval[end] for value, interval in effect.intervals.items()}
    value = pl.col(f"{predictor.name}_value")
    return value.replace_strict(ends, return_dtype=pl.Float64, default=None)


def _status(model: Model) -> pl.Expr:
    fulfilled = [_fulfilled(criterion) for criterion in model.eligibility]
    missing = [_missing(predictor) for predictor in model.predictors]
    return (
        pl.when(_any(~f.fill_null(True) for f in fulfilled))
        .then(pl.lit("ineligible"))
        .when(_any(f.is_null() for f in fulfilled) | pl.all_horizontal(missing))
        .then(pl.lit("insufficient"))
        .when(_any(missing))
        .then(pl.lit("bounded"))
        .otherwise(pl.lit("scored"))
        .cast(STATUS)
        .alias("status")
    )


def _fulfilled(criterion: Criterion) -> pl.Expr:
    value = pl.col(criterion.feature)
    if criterion.minimum is not None:
        return value >= criterion.minimum
    return value.cast(pl.String).is_in([_as_text(accepted) for accepted in criterion.accept])


def _as_text(value: bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def _reasons(model: Model) -> list[Condition]:
    """Say why a patient is not scored, and where a model extrapolates."""
    conditions: list[Condition] = []
    for criterion in model.eligibility:
        value = pl.col(criterion.feature)
        for refused, words in criterion.refuse.items():
            if criterion.minimum is not None:
                conditions.append((value < criterion.minimum, words))
            else:
                conditions.append((value.cast(pl.String) == refused, words))
        conditions.append((value.is_null(), criterion.unknown))
    missing = pl.all_horizontal(_missing(predictor) for predictor in model.predictors)
    conditions.append((missing, "no predictor is known"))
    for position, range_ in enumerate(model.developed_on):
        useful = pl.col("status").is_in(["scored", "bounded"])
        conditions.append((pl.col(f"outside_{position}") & useful, _outside_words(range_)))
    return conditions


def _outside_words(range_: DevelopedOn) -> str:
    if range_.values:
        return f"extrapolated: {range_.label} not among {', '.join(range_.values)}"
    low = f"{range_.low.value:g}" if range_.low else "any"
    high = f"{range_.high.value:g}" if range_.high else "any"
    return f"extrapolated: {range_.label} outside {low} to {high} {range_.unit}".rstrip()


def lower_points(model: Model) -> pl.Expr:
    """Return the points at the lower bound of the linear predictor."""
    return _as_points(model, pl.col("lp_lower"))


def _as_points(model: Model, linear_predictor: pl.Expr) -> pl.Expr:
    lowest = sum(effect.low for _, effect in _effects_of(model))
    start = model.intercept.value if model.intercept else 0.0
    return ((linear_predictor - start - lowest) * points_per_unit(model)).round(9)


def _is_high(model: Model, points: pl.Expr) -> pl.Expr:
    assert model.cutoff  # noqa: S101
    limit = model.cutoff.points.value
    return points >= limit if model.cutoff.high == ">=" else points > limit


def _risk(model: Model) -> pl.Expr:
    """Flag only where both bounds fall on the same side of the cut-off."""
    if model.cutoff is None:
        return pl.lit(None, dtype=RISKS).alias("risk")
    surely = _is_high(model, lower_points(model))
    possibly = _is_high(model, _as_points(model, pl.col("lp_upper")))
    return (
        pl.when(pl.col("status") == "ineligible")
        .then(pl.lit("not_applicable"))
        .when(pl.col("status") == "insufficient")
        .then(pl.lit("indeterminate"))
        .when(surely)
        .then(pl.lit("high"))
        .when(~possibly)
        .then(pl.lit("low"))
        .otherwise(pl.lit("indeterminate"))
        .cast(RISKS)
        .alias("risk")
    )


def _needs(model: Model) -> list[Condition]:
    """Say what would settle an indeterminate flag.

    That is whatever eligibility waits for; else each missing predictor that could settle it
    alone; else all that are missing.
    """
    open_flag = pl.col("risk") == "indeterminate"
    waiting = _any(pl.col(c.feature).is_null() for c in model.eligibility)
    conditions: list[Condition] = []
    for criterion in model.eligibility:
        conditions.append((open_flag & pl.col(criterion.feature).is_null(), criterion.needs))
    if model.cutoff is not None:
        settles = {p.name: _missing(p) & _settles(model, e) for p, e in _effects_of(model)}
        any_settles = pl.any_horizontal(settles.values())
        for predictor in model.predictors:
            asked = (
                pl.when(any_settles).then(settles[predictor.name]).otherwise(_missing(predictor))
            )
            conditions.append((open_flag & ~waiting & asked, predictor.needs))
    merged: dict[str, pl.Expr] = {}
    for condition, words in conditions:
        merged[words] = merged[words] | condition if words in merged else condition
    return [(condition, words) for words, condition in merged.items()]


def _settles(model: Model, effect: Effects) -> pl.Expr:
    span = effect.high - effect.low
    at_highest = _as_points(model, pl.col("lp_lower") + span)
    at_lowest = _as_points(model, pl.col("lp_upper") - span)
    return _is_high(model, at_highest) | ~_is_high(model, at_lowest)


def _points(model: Model, useful: pl.Expr) -> dict[str, pl.Expr]:
    if model.cutoff is None and model.family != "logistic":
        return {}
    lower, upper = lower_points(model), _as_points(model, pl.col("lp_upper"))
    return {
        "points": pl.when(pl.col("status") == "scored").then(lower),
        "points_lower": pl.when(useful).then(lower),
        "points_upper": pl.when(useful).then(upper),
    }


def _prediction(model: Model, useful: pl.Expr) -> dict[str, pl.Expr]:
    """Return the prediction with bounds: over missing predictors and inferred constants."""
    scored = pl.col("status") == "scored"
    known, least, most = pl.col("lp_lower"), pl.col("lp_least"), pl.col("lp_most")
    columns: dict[str, pl.Expr] = {}
    if model.family == "logistic" and model.intercept:
        low, high = model.intercept.bounds
        value = model.intercept.value
        columns["probability"] = pl.when(scored).then(_logistic(known))
        columns["probability_lower"] = pl.when(useful).then(_logistic(least + (low - value)))
        columns["probability_upper"] = pl.when(useful).then(_logistic(most + (high - value)))
    for horizon in model.baseline:
        name = f"survival_{horizon.years}y"
        low, high = horizon.survival.bounds
        columns[name] = pl.when(scored).then(_survival(horizon.survival.value, known))
        columns[f"{name}_lower"] = pl.when(useful).then(_survival(low, most))
        columns[f"{name}_upper"] = pl.when(useful).then(_survival(high, least))
    return columns


def _logistic(linear_predictor: pl.Expr) -> pl.Expr:
    return 1 / (1 + (-linear_predictor).exp())


def _survival(baseline: float, linear_predictor: pl.Expr) -> pl.Expr:
    return pl.lit(baseline) ** linear_predictor.exp()


def _shown(predictor: Predictor) -> pl.Expr:
    value = pl.col(f"{predictor.name}_value")
    return value if predictor.levels else value.round(3).cast(pl.String)


def _predictor_points(model: Model, predictor: Predictor) -> pl.Expr:
    effect = effects(model, predictor)
    known = pl.col(f"{predictor.name}_effect")
    return ((known - effect.low) * points_per_unit(model)).round(9)
