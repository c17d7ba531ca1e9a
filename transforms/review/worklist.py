"""The worklist: who waits for a review, in the order to look at them."""

import polars as pl

from schemas.published import Worklist, columns_of
from transforms.review.listing import NUMBER
from transforms.variables.as_of import completed_years


def worklist(risk: pl.DataFrame, derived: pl.DataFrame, cap: int = 0) -> pl.DataFrame:
    """Return one row per patient who waits for a review; with a cap, the first so many.

    `risk` as `transforms.review.listed` returns it. Order: new, changed, due and windows
    that close before the backlog; then the rules of `transforms.review.listing`, and what they
    say within each.
    """
    who = derived.lazy().select(
        "patient_no",
        "sex",
        "histology",
        "centre",
        age=completed_years("birth_date", "as_of"),
    )
    columns = columns_of(Worklist)
    listed = (
        risk.lazy()
        .filter(pl.col("list").is_not_null())
        .join(who, on="patient_no", how="left")
        .with_columns(sites="sites_today", todo_kind=pl.col("todo_kind").fill_null("complete"))
        .sort(
            # A window that closes before anybody comes to the backlog is lost.
            (pl.col("list").cast(pl.String) == "backlog")
            & (pl.col("review_priority") != NUMBER["closing_window"]),
            "review_priority",
            "urgency_key",
            "waiting_since",
            "reason_date",
            "last_contact_date",
            "patient_id",
            descending=[False, False, False, False, True, True, False],
            nulls_last=True,
        )
    )
    words = [name for name in columns if risk.schema.get(name) == pl.List(pl.String)]
    return (
        (listed.head(cap) if cap else listed)
        .with_columns(pl.col(name).list.join("; ") for name in words)
        .with_columns(position=pl.int_range(1, pl.len() + 1))
        .select(pl.col(name).cast(dtype) for name, dtype in columns.items())
        .collect()
    )
