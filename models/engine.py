"""From a model to scores: one row per patient, with bounds where predictors are missing.

A missing predictor can have any of its values, so its effect lies between the lowest and the
highest of them. Effects add up without interactions, and so do these bounds: they are the true
minimum and maximum over all fillings.
"""

from collections.abc import Iterable, Mapping

import polars as pl

from models import reasons
from models.bounds import PATIENT, is_high, missing, possible_points, with_bounds
from models.parts import Model, Predictor
from models.points import most_points, on_possible_axes
from models.predictions import predictions, widest_share
from models.windows import modified_windows
from models.words import with_words
from schemas.codes import MODEL_STATUS, RISK

STATUS = pl.Enum(MODEL_STATUS)
RISKS = pl.Enum(RISK)
NO_ANSWER = 0.9
"""An interval over this share of all that a model can say is no answer."""


def score(
    features: pl.DataFrame, model: Model, windows: Mapping[str, float] | None = None
) -> pl.DataFrame:
    """Score every patient: one row per row of `features`, in its order.

    patient_id, model, status, risk, reasons and needs (lists of words), needs_features,
    extrapolated, modified, points with bounds, possible values and the room that inferred axes
    leave, hangs_on_axis, the model's prediction with bounds (`probability`, or
    `survival_<years>y`), and for each predictor its value and its points. `windows` are those
    in force when `features` were derived; without them, those of the paper.
    """
    scored = with_bounds(features, model, on_possible_axes(model))
    scored = scored.with_columns(decided=_decided(model, "")).with_columns(_status(model))
    scored = scored.with_columns(_risk(model), hangs_on_axis=_hangs(model))
    scored = with_words(scored, "reasons", reasons.reasons(model, windows))
    needed = reasons.needs(model, windows)
    scored = with_words(scored, "needs", [(need.condition, need.words) for need in needed])
    by_feature = sorted(reasons.by_feature(needed).items())
    scored = with_words(scored, "needs_features", [(needs, name) for name, needs in by_feature])
    useful = pl.col("status").is_in(["scored", "bounded"])
    return scored.select(
        PATIENT,
        "model",
        "status",
        "risk",
        "reasons",
        "needs",
        "needs_features",
        extrapolated=pl.when(useful)
        .then(reasons.extrapolated(model))
        .when(pl.col("status") == "ineligible")
        .then(False),
        modified=pl.lit(bool(modified_windows(model, windows or {}))),
        **_points(model, useful),
        points_possible=possible_points(scored, model, useful),
        hangs_on_axis="hangs_on_axis",
        **predictions(model, NO_ANSWER),
        **{p.name: _shown(p) for p in model.predictors},
        **{f"{p.name}_points": pl.col(f"{p.name}_points") for p in model.predictors},
    )


def _any(conditions: Iterable[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal(pl.lit(False), *conditions)


def _decided(model: Model, axis: str) -> pl.Expr:
    """Return `high` or `low` where both bounds are on that side of the cut-off, else null."""
    if model.cutoff is None:
        return pl.lit(None, dtype=pl.String)
    return (
        pl.when(is_high(model, pl.col(f"points_lower{axis}")))
        .then(pl.lit("high"))
        .when(~is_high(model, pl.col(f"points_upper{axis}")))
        .then(pl.lit("low"))
    )


def _status(model: Model) -> pl.Expr:
    fulfilled = [reasons.fulfilled(criterion) for criterion in model.eligibility]
    gaps = [missing(predictor) for predictor in model.predictors]
    return (
        pl.when(_any(~f.fill_null(True) for f in fulfilled))
        .then(pl.lit("ineligible"))
        .when(_any(f.is_null() for f in fulfilled) | pl.all_horizontal(gaps))
        .then(pl.lit("insufficient"))
        .when(_says_nothing(model))
        .then(pl.lit("insufficient"))
        .when(_any(gaps))
        .then(pl.lit("bounded"))
        .otherwise(pl.lit("scored"))
        .cast(STATUS)
        .alias("status")
    )


def _says_nothing(model: Model) -> pl.Expr:
    """Say where the interval covers nine tenths of what the model can say, and decides nothing.

    It is judged in points where a cut-off in points decides the group, else as predicted.
    """
    if model.cutoff is None:
        share = widest_share(model)
    else:
        share = (pl.col("points_upper") - pl.col("points_lower")) / most_points(model)
    return (share.round(9) >= NO_ANSWER) & pl.col("decided").is_null()


def _risk(model: Model) -> pl.Expr:
    """Flag only where both bounds fall on the same side of the cut-off."""
    if model.cutoff is None:
        return pl.lit(None, dtype=RISKS).alias("risk")
    return (
        pl.when(pl.col("status") == "ineligible")
        .then(pl.lit("not_applicable"))
        .when(pl.col("status") == "insufficient")
        .then(pl.lit("indeterminate"))
        .otherwise(pl.col("decided").fill_null("indeterminate"))
        .cast(RISKS)
        .alias("risk")
    )


def _hangs(model: Model) -> pl.Expr:
    """Say where the flag would differ on an axis that may have been drawn."""
    if model.cutoff is None:
        return pl.lit(False)
    differs = [
        _decided(model, f"_{n}").ne_missing(pl.col("decided"))
        for n in range(len(on_possible_axes(model)))
    ]
    return pl.col("status").is_in(["scored", "bounded"]) & _any(differs)


def _points(model: Model, useful: pl.Expr) -> dict[str, pl.Expr]:
    axes = ["", *(f"_{n}" for n in range(len(on_possible_axes(model))))]
    lower = pl.min_horizontal(f"points_lower{axis}" for axis in axes)
    upper = pl.max_horizontal(f"points_upper{axis}" for axis in axes)
    return {
        "points": pl.when(pl.col("status") == "scored").then(pl.col("points_lower")),
        "points_lower": pl.when(useful).then(pl.col("points_lower")),
        "points_upper": pl.when(useful).then(pl.col("points_upper")),
        "points_inferred_lower": pl.when(useful).then(lower),
        "points_inferred_upper": pl.when(useful).then(upper),
    }


def _shown(predictor: Predictor) -> pl.Expr:
    value = pl.col(f"{predictor.name}_value")
    return value if predictor.levels else value.round(3).cast(pl.String)
