"""The worklist: who waits for a review, in the order of review."""

import polars as pl

from schemas.published import Worklist, columns_of


def worklist(risk: pl.DataFrame, cap: int = 0) -> pl.DataFrame:
    """Return one row per patient who waits for a review; with a cap, the first so many.

    Order: priority; newly flagged before others; longest waiting; highest RR-DTC points;
    patient_id.
    """
    listed = risk.filter(pl.col("review_status") == "waiting").sort(
        "review_priority",
        "newly_flagged",
        "waiting_since",
        pl.col("rrdtc_points_upper").fill_null(-1),
        "patient_id",
        descending=[False, True, False, True, False],
    )
    return (
        listed.head(cap or listed.height)
        .select(
            pl.int_range(1, pl.len() + 1).alias("position"),
            *(
                pl.col(name).list.join("; ") if listed.schema[name] == pl.List(pl.String) else name
                for name in columns_of(Worklist)
                if name != "position"
            ),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in columns_of(Worklist).items())
    )
