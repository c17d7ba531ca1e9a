"""What nights had published of patients by a day: predictions made before what came."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from flows.published.nights import day_of, nights, read_table
from flows.secrets import Keys
from models.performance.hazard import SURVIVALS
from models.spec import Model

PUBLISHED = "published"
PUBLISHED_WITHIN_DAYS = 31


def published_then(model: Model, named: pl.DataFrame, out: Path, keys: Keys) -> pl.DataFrame:
    """Return what the first night soon enough after each landmark published: one row each."""
    columns = [
        "patient_id", "model", "status", "risk", "points",
        *(f"{name}{bound}" for name in (*SURVIVALS, "probability")
          for bound in ("", "_lower", "_upper")),
    ]  # fmt: skip
    parts = []
    for folder in nights(out):
        night = date.fromisoformat(day_of(folder))
        due = named.filter(
            pl.col("landmark") <= night,
            pl.col("landmark") >= night - timedelta(days=PUBLISHED_WITHIN_DAYS),
        )
        if due.is_empty():
            continue
        rows = read_table(folder / "model_scores.parquet", keys, columns, of=due["patient_id"])
        rows = rows.join(due.select("patient_id"), on="patient_id")
        parts.append(_of_models(model, rows).with_columns(start=pl.lit(night)))
    if not parts:
        return pl.DataFrame(schema={"patient_id": named.schema["patient_id"]})
    first = pl.concat(parts).unique("patient_id", keep="first", maintain_order=True)
    return first.with_columns(source=pl.lit(PUBLISHED))


def _of_models(model: Model, rows: pl.DataFrame) -> pl.DataFrame:
    if model.outcome != "rrdtc":
        return rows.filter(pl.col("model") == model.name).drop("model")
    points = rows.filter(pl.col("model") == "liu2022_score")
    probability = rows.filter(pl.col("model") == "liu2022_nomogram").drop("points", "risk")
    return probability.join(points.select("patient_id", "points", "risk"), on="patient_id").drop(
        "model"
    )
