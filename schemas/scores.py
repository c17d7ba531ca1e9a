"""The scores: `model_scores.parquet`, one row per patient and model."""

from typing import Any

import pandera.polars as pa
import polars as pl

from schemas import codes


def _enum(values: tuple[str, ...], description: str) -> Any:
    return pa.Field(
        nullable=True,
        description=f"{description} ({', '.join(values)})",
        dtype_kwargs={"categories": list(values)},
    )


def _of(description: str, *, nullable: bool = True, **kwargs: Any) -> Any:
    return pa.Field(nullable=nullable, description=description, **kwargs)


def _words(description: str) -> Any:
    return pa.Field(nullable=True, description=description, dtype_kwargs={"inner": pl.String})


class ModelScores(pa.DataFrameModel):
    """One row per patient and model, with each predictor's value and points.

    Beside these columns, each predictor of a model has two: `<predictor>` (its value as text,
    null when missing) and `<predictor>_points`; both are null in the rows of other models.
    """

    patient_id: str = _of("patient", nullable=False)
    model: str = _of("name of the model", nullable=False)
    status: pl.Enum = _enum(codes.MODEL_STATUS, "whether and how the patient was scored")
    risk: pl.Enum = _enum(codes.RISK, "risk group; null for a model without a cut-off")
    reasons: pl.List = _words("why not scored, and where the model extrapolates")
    needs: pl.List = _words("what would settle an indeterminate risk group")
    extrapolated: bool = _of("a predictor is outside the range the model was developed on")
    points: float = _of("points; null unless every predictor is known")
    points_lower: float = _of("lowest points over all values of what is missing")
    points_upper: float = _of("highest points over all values of what is missing")
    probability: float = _of("predicted probability of RR-DTC")
    probability_lower: float = _of("its lower bound")
    probability_upper: float = _of("its upper bound")
    survival_3y: float = _of("predicted 3-year survival")
    survival_3y_lower: float = _of("its lower bound")
    survival_3y_upper: float = _of("its upper bound")
    survival_5y: float = _of("predicted 5-year survival")
    survival_5y_lower: float = _of("its lower bound")
    survival_5y_upper: float = _of("its upper bound")
    survival_10y: float = _of("predicted 10-year survival")
    survival_10y_lower: float = _of("its lower bound")
    survival_10y_upper: float = _of("its upper bound")


SCORES: dict[str, Any] = {
    name: column.dtype.type for name, column in ModelScores.to_schema().columns.items()
}
"""Name and type of the columns that every model has."""
