"""The scores: `model_scores.parquet`, one row per patient and model."""

from typing import Any

import pandera.polars as pa
import polars as pl

from schemas import codes
from schemas.fields import code, numbers, of, words


class ModelScores(pa.DataFrameModel):
    """One row per patient and model, with each predictor's value and points.

    Beside these columns, each predictor of a model has two: `<predictor>` (its value as text,
    null when missing) and `<predictor>_points`; both are null in the rows of other models.
    """

    patient_id: str = of("patient", nullable=False)
    model: str = of("name of the model", nullable=False)
    status: pl.Enum = code(codes.MODEL_STATUS, "whether and how the patient was scored")
    risk: pl.Enum = code(codes.RISK, "risk group; null for a model without a cut-off")
    reasons: pl.List = words("why not scored, and where the model extrapolates")
    needs: pl.List = words("what would settle an indeterminate risk group")
    needs_features: pl.List = words("variables that would settle it, by name, sorted")
    extrapolated: bool = of("a predictor is outside the range the model was developed on")
    modified: bool = of("a window is not the one that the paper prints", nullable=False)
    points: float = of("points; null unless every predictor is known")
    points_lower: float = of("lowest points over all values of what is missing")
    points_upper: float = of("highest points over all values of what is missing")
    points_inferred_lower: float = of("lowest points, also over axes that may have been drawn")
    points_inferred_upper: float = of("highest points, also over axes that may have been drawn")
    points_possible: pl.List = numbers(
        "the points that are possible, where what is missing leaves at most four; else null"
    )
    hangs_on_axis: bool = of(
        "on another axis that the paper may have drawn, the risk group would differ"
    )
    probability: float = of(
        "predicted probability of RR-DTC; null, as its bounds, when they are 90 % apart or more"
    )
    probability_lower: float = of("its lower bound")
    probability_upper: float = of("its upper bound")
    survival_3y: float = of("predicted 3-year survival")
    survival_3y_lower: float = of("its lower bound")
    survival_3y_upper: float = of("its upper bound")
    survival_5y: float = of("predicted 5-year survival")
    survival_5y_lower: float = of("its lower bound")
    survival_5y_upper: float = of("its upper bound")
    survival_10y: float = of("predicted 10-year survival")
    survival_10y_lower: float = of("its lower bound")
    survival_10y_upper: float = of("its upper bound")


SCORES: dict[str, Any] = {
    name: column.dtype.type for name, column in ModelScores.to_schema().columns.items()
}
"""Name and type of the columns that every model has."""
