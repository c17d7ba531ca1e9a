"""Linear predictor and points over all values of what is missing, and over inferred effects."""

from collections.abc import Sequence
from itertools import combinations, product

import polars as pl
import polars.selectors as cs

from models.parts import Model, Predictor
from models.points import Effects, effects, points_per_unit

MOST_POSSIBLE = 4
"""More combinations of missing levels than this are told as an interval only."""

PATIENT = cs.by_name("patient_no", "patient_id", require_all=False)
"""What tells the patients apart: their number, their identifier, or both."""


def with_bounds(features: pl.DataFrame, model: Model, others: Sequence[Model]) -> pl.DataFrame:
    """Return one row per patient: `<predictor>_value`, `_effect` and `_points`, and the bounds.

    lp_lower and lp_upper bound the linear predictor over all fillings (intercept included),
    lp_least and lp_most over the intervals of inferred effects too. points_lower and points_upper
    are on the model's axes, with `_<n>` on those of `others`, which may have been drawn instead.
    Beside them is every variable that eligibility and range of development ask about.
    """
    asked = [criterion.feature for criterion in model.eligibility]
    asked += [range_.feature for range_ in model.developed_on]
    scored = features.select(
        PATIENT,
        pl.lit(model.name).alias("model"),
        *(pl.col(name).alias(f"asked_{name}") for name in dict.fromkeys(asked)),
        *(_value(p).alias(f"{p.name}_value") for p in model.predictors),
        *(_effect(model, p).alias(f"{p.name}_effect") for p in model.predictors),
    )
    points = {}
    for axis, drawn in {"": model, **{f"_{n}": other for n, other in enumerate(others)}}.items():
        points[f"points_lower{axis}"] = _as_points(drawn, _sum(drawn, "low"))
        points[f"points_upper{axis}"] = _as_points(drawn, _sum(drawn, "high"))
    return scored.with_columns(
        lp_lower=_sum(model, "low"),
        lp_upper=_sum(model, "high"),
        lp_least=_sum(model, "least"),
        lp_most=_sum(model, "most"),
        **points,
        **{f"{p.name}_points": _predictor_points(model, p) for p in model.predictors},
    )


def missing(predictor: Predictor) -> pl.Expr:
    """Say where a predictor has no value that the model knows."""
    return pl.col(f"{predictor.name}_effect").is_null()


def is_high(model: Model, points: pl.Expr) -> pl.Expr:
    """Say where points are on the high side of the model's cut-off."""
    assert model.cutoff  # noqa: S101
    limit = model.cutoff.points.value
    return points >= limit if model.cutoff.high == ">=" else points > limit


def _value(predictor: Predictor) -> pl.Expr:
    if predictor.levels:
        return pl.col(predictor.feature).cast(pl.String)
    value = pl.col(predictor.feature).cast(pl.Float64)
    return pl.when(value.is_finite()).then(value)


def _effect(model: Model, predictor: Predictor) -> pl.Expr:
    """Return the effect of a predictor's value; null when it is missing."""
    effect = effects(model, predictor)
    value = _value(predictor)
    if predictor.levels:
        return value.replace_strict(effect.levels, return_dtype=pl.Float64, default=None)
    assert predictor.centre  # noqa: S101
    return (value - predictor.centre.value) * effect.slope


def _start(model: Model) -> float:
    return model.intercept.value if model.intercept else 0.0


def _sum(model: Model, end: str) -> pl.Expr:
    """Return the linear predictor with what is missing at an end (low, high, least, most)."""
    total = pl.lit(_start(model))
    for predictor in model.predictors:
        effect = effects(model, predictor)
        total = total + _end(predictor, effect, end).fill_null(getattr(effect, end))
    return total


def _end(predictor: Predictor, effect: Effects, end: str) -> pl.Expr:
    """Return the effect of a predictor's value, at the end of its interval for least and most."""
    known = all(low == high for low, high in effect.intervals.values())
    if known or end in ("low", "high"):
        return pl.col(f"{predictor.name}_effect")
    side = ("least", "most").index(end)
    ends = {value: interval[side] for value, interval in effect.intervals.items()}
    value = pl.col(f"{predictor.name}_value")
    return value.replace_strict(ends, return_dtype=pl.Float64, default=None)


def _as_points(model: Model, linear_predictor: pl.Expr) -> pl.Expr:
    lowest = sum(effects(model, predictor).low for predictor in model.predictors)
    return ((linear_predictor - _start(model) - lowest) * points_per_unit(model)).round(9)


def _predictor_points(model: Model, predictor: Predictor) -> pl.Expr:
    effect = effects(model, predictor)
    known = pl.col(f"{predictor.name}_effect")
    return ((known - effect.low) * points_per_unit(model)).round(9)


def possible_points(scored: pl.DataFrame, model: Model, useful: pl.Expr) -> pl.Series:
    """Return each patient's possible points, sorted; null where there are more than a few.

    Each is one combination of the levels of what is missing; a number that is missing has
    too many values to list.
    """
    gaps = [missing(predictor) for predictor in model.predictors]
    mask = pl.sum_horizontal(gap.cast(pl.Int64) * (1 << n) for n, gap in enumerate(gaps))
    added = _additions(model)
    listed = pl.DataFrame(
        {"mask": list(added), "added": list(added.values())},
        schema={"mask": pl.Int64, "added": pl.List(pl.Float64)},
    )
    told = scored.select(pl.when(useful).then(mask).alias("mask"), base=pl.col("points_lower"))
    told = told.join(listed, on="mask", how="left", maintain_order="left")
    each = told.with_row_index("row").explode("added").drop_nulls("added")
    few = (
        each.select("row", points=(pl.col("base") + pl.col("added")).round(9))
        .unique()
        .sort("row", "points")
        .group_by("row", maintain_order=True)
        .agg("points")
    )
    rows = told.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))
    joined = rows.join(few, on="row", how="left", maintain_order="left")
    return joined["points"].rename("points_possible")


def _additions(model: Model) -> dict[int, list[float]]:
    """Return, for each set of missing predictors with few combinations, what each adds.

    In points, above the lowest; sets are bit masks in the order of the predictors.
    """
    per_unit, found = points_per_unit(model), {0: [0.0]}
    of = [effects(model, predictor) for predictor in model.predictors]
    numbered = range(len(of))
    for size in range(1, len(of)):
        for chosen in combinations(numbered, size):
            rises = [[value - of[n].low for value in of[n].levels.values()] for n in chosen]
            count = 1
            for rise in rises:
                count *= len(rise)
            if 0 < count <= MOST_POSSIBLE:
                sums = {sum(combination) * per_unit for combination in product(*rises)}
                found[sum(1 << n for n in chosen)] = sorted(sums)
    return found
