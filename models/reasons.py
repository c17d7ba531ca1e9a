"""Why a patient is not scored or a score is to be read with care, and what would settle a flag."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from models.bounds import is_high, missing
from models.parts import Criterion, DevelopedOn, Model
from models.points import effects, points_per_unit
from models.words import Condition

HANGS = "the flag hangs on an unpublished axis"
TOO_OPEN = "too much is missing: at least nine tenths of the scale stay open"
Windows = Mapping[str, float] | None


def fulfilled(criterion: Criterion) -> pl.Expr:
    """Say where a criterion of eligibility holds; null where it is unknown."""
    value = _asked(criterion.feature)
    if criterion.minimum is not None:
        return value >= criterion.minimum
    return value.cast(pl.String).is_in([_as_text(accepted) for accepted in criterion.accept])


def extrapolated(model: Model) -> pl.Expr:
    """Say where a variable is outside what the model was developed on; null where one may be."""
    return pl.any_horizontal(pl.lit(False), *(_outside(range_) for range_ in model.developed_on))


def reasons(model: Model, windows: Windows) -> list[Condition]:
    """Say why a patient is not scored, where a model extrapolates, what the flag hangs on."""
    conditions: list[Condition] = []
    for criterion in model.eligibility:
        value = _asked(criterion.feature)
        for refused, words in criterion.refuse.items():
            told = model.said(words, windows)
            if criterion.minimum is not None:
                conditions.append((value < criterion.minimum, told))
            else:
                conditions.append((value.cast(pl.String) == refused, told))
        conditions.append((value.is_null(), model.said(criterion.unknown, windows)))
    nothing = pl.all_horizontal(missing(predictor) for predictor in model.predictors)
    conditions.append((nothing, "no predictor is known"))
    useful = pl.col("status").is_in(["scored", "bounded"])
    for range_ in model.developed_on:
        conditions.append((_outside(range_) & useful, _outside_words(range_)))
    eligible = pl.all_horizontal(pl.lit(True), *(fulfilled(c) for c in model.eligibility))
    open_ = (pl.col("status") == "insufficient") & eligible & ~nothing
    return [*conditions, (open_, TOO_OPEN), (pl.col("hangs_on_axis"), HANGS)]


def _asked(feature: str) -> pl.Expr:
    return pl.col(f"asked_{feature}")


def _as_text(value: bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def _outside(range_: DevelopedOn) -> pl.Expr:
    value = _asked(range_.feature)
    if range_.values:
        return ~value.cast(pl.String).is_in(range_.values)
    below = value < range_.low.value if range_.low else pl.lit(False)
    above = value > range_.high.value if range_.high else pl.lit(False)
    return below | above


def _outside_words(range_: DevelopedOn) -> str:
    if range_.values:
        return f"extrapolated: {range_.label} not among {', '.join(range_.values)}"
    low = f"{range_.low.value:g}" if range_.low else "any"
    high = f"{range_.high.value:g}" if range_.high else "any"
    return f"extrapolated: {range_.label} outside {low} to {high} {range_.unit}".rstrip()


@dataclass(frozen=True)
class Need:
    """Something that would settle a flag: where it would, in words, and the variables it gives."""

    condition: pl.Expr
    words: str
    features: dict[str, pl.Expr]


def needs(model: Model, windows: Windows) -> list[Need]:
    """Return what would settle an indeterminate flag, each once.

    That is whatever eligibility waits for; else each missing predictor that could settle it
    alone; else all that are missing.
    """
    found: list[tuple[pl.Expr, str, str]] = []
    open_flag = pl.col("risk") == "indeterminate"
    waiting = pl.any_horizontal(
        pl.lit(False), *(_asked(c.feature).is_null() for c in model.eligibility)
    )
    for criterion in model.eligibility:
        unknown = open_flag & _asked(criterion.feature).is_null()
        found.append((unknown, model.said(criterion.needs, windows), criterion.feature))
    if model.cutoff is not None:
        settles = _settling(model)
        any_settles = pl.any_horizontal(settles.values())
        for predictor in model.predictors:
            alone, gap = settles[predictor.name], missing(predictor)
            asked = open_flag & ~waiting & pl.when(any_settles).then(alone).otherwise(gap)
            found.append((asked, model.said(predictor.needs, windows), predictor.feature))
    return [_together(words, found) for words in dict.fromkeys(words for _, words, _ in found)]


def _together(words: str, found: list[tuple[pl.Expr, str, str]]) -> Need:
    features = {feature: condition for condition, said, feature in found if said == words}
    return Need(pl.any_horizontal(features.values()), words, features)


def by_feature(needed: list[Need]) -> dict[str, pl.Expr]:
    """Return each variable that would settle a flag, and where it would."""
    found: dict[str, pl.Expr] = {}
    for need in needed:
        for feature, condition in need.features.items():
            found[feature] = found[feature] | condition if feature in found else condition
    return found


def _settling(model: Model) -> dict[str, pl.Expr]:
    """Say of each predictor where it is missing and one value of it would settle the flag."""
    found = {}
    for predictor in model.predictors:
        effect = effects(model, predictor)
        span = (effect.high - effect.low) * points_per_unit(model)
        at_highest = (pl.col("points_lower") + span).round(9)
        at_lowest = (pl.col("points_upper") - span).round(9)
        settles = is_high(model, at_highest) | ~is_high(model, at_lowest)
        found[predictor.name] = missing(predictor) & settles
    return found
