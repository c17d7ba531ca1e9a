"""The worklist: who waits for a review, in the order of review."""

import polars as pl

from schemas.published import Worklist, columns_of


def worklist(risk: pl.DataFrame, cap: int = 0) -> pl.DataFrame:
    """Return one row per patient who waits for a review; with a cap, the first so many.

    Order: priority; newly flagged before others; longest waiting; highest RR-DTC points;
    patient_id.
    """
    columns = {name: dtype for name, dtype in columns_of(Worklist).items() if name != "position"}
    unfilled = columns.keys() - set(risk.columns)
    risk = risk.with_columns(pl.lit(None).alias(name) for name in sorted(unfilled))
    listed = (
        risk.lazy()
        .filter(pl.col("review_status") == "waiting")
        .select(*columns)
        .sort(
            "review_priority",
            "newly_flagged",
            "waiting_since",
            pl.col("rrdtc_points_upper").fill_null(-1),
            "patient_id",
            descending=[False, True, False, True, False],
        )
    )
    words = [name for name in columns if risk.schema[name] == pl.List(pl.String)]
    return (
        (listed.head(cap) if cap else listed)
        .with_columns(pl.col(name).list.join("; ") for name in words)
        .with_columns(position=pl.int_range(1, pl.len() + 1))
        .select(pl.col(name).cast(dtype) for name, dtype in columns_of(Worklist).items())
        .collect()
    )
