"""The predictors of scored patients: each value, and the points that it brings."""

from collections.abc import Mapping

import polars as pl

from models.parts import Model

_ELIGIBLE = ("scored", "bounded", "insufficient")


def predictor_columns(models: Mapping[str, Model]) -> dict[str, str]:
    """Return the columns of predictors that scores have, each with its description."""
    described = {}
    for model in models.values():
        for predictor in model.predictors:
            described[predictor.name] = f"{predictor.label}: value, as text; null when missing"
            described[f"{predictor.name}_points"] = f"{predictor.label}: points"
    return described


def predictors(scores: Mapping[str, pl.DataFrame], models: Mapping[str, Model]) -> pl.DataFrame:
    """Return the predictors of those whom a model is for.

    One row per such patient, model and predictor: patient_id, model, predictor, value (as text,
    null when missing) and points.
    """
    parts = []
    for name, model in models.items():
        eligible = scores[name].filter(pl.col("status").cast(pl.String).is_in(_ELIGIBLE))
        parts += [
            eligible.select(
                "patient_id",
                model=pl.lit(name),
                predictor=pl.lit(one.name),
                value=pl.col(one.name).cast(pl.String),
                points=pl.col(f"{one.name}_points").cast(pl.Float64),
            )
            for one in model.predictors
        ]
    return pl.concat(parts).sort("patient_id", "model", maintain_order=True)
