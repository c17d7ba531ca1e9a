"""The worklist: newly flagged and changed patients, in the order of review."""

import polars as pl

from schemas.published import Worklist, columns_of

NEWS = (1, 2, 3)
"""Priorities that put a patient on the list by themselves; others need a change."""


def worklist(risk: pl.DataFrame) -> pl.DataFrame:
    """Return one row per patient to review, by priority, then points, then patient."""
    is_news = pl.col("review_priority").is_in(NEWS)
    changed = pl.col("changed_since_last").list.len() > 0
    listed = risk.filter(pl.col("review_priority").is_not_null(), is_news | changed).sort(
        "review_priority",
        pl.col("rrdtc_points_upper").fill_null(-1),
        "patient_id",
        descending=[False, True, False],
    )
    return listed.select(
        pl.int_range(1, pl.len() + 1).alias("position"),
        *(
            pl.col(name).list.join("; ") if listed.schema[name] == pl.List(pl.String) else name
            for name in columns_of(Worklist)
            if name != "position"
        ),
    ).select(pl.col(name).cast(dtype) for name, dtype in columns_of(Worklist).items())
