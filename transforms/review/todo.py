"""What can still be done for a patient, of what the models ask: one thing, the most pressing.

Only requests that can be met, and only for forecasts that are none of history: an examination that
still counts; else the entry of an old result; else that nothing can settle it any more. Of each,
one that settles a forecast by itself comes first, then the soonest to close.
"""

import polars as pl

from models.spec import library
from transforms.review.history import is_history

_ORDER = {"examination": 0, "entry": 1, "nothing": 2}


def live_needs(needs: pl.DataFrame, risk: pl.DataFrame) -> pl.DataFrame:
    """Return the needs of forecasts that are no history: one row per patient and variable.

    As `needs`, with patient_no, patient_id, index_date, `decides` without models whose forecast is
    history, and `alone`: whether it settles one of them by itself.
    """
    of_patients = risk.select(
        "patient_no",
        "patient_id",
        "index_date",
        **{f"past_{model}": is_history(model) for model in library()},
    )
    each = (
        needs.lazy()
        .explode("decides")
        .join(of_patients.lazy(), on="patient_id", maintain_order="left")
    )
    past = pl.any_horizontal(
        (pl.col("decides") == model) & pl.col(f"past_{model}") for model in library()
    )
    return (
        each.filter(~past)
        .with_columns(alone=pl.len().over("patient_no", "decides") == 1)
        .group_by("patient_no", "feature", maintain_order=True)
        .agg(
            pl.col("patient_id", "index_date", "kind", "what", "valid_from", "valid_until").first(),
            pl.col("decides"),
            pl.col("alone").any(),
        )
        .collect()
    )


def todo(live: pl.DataFrame) -> pl.DataFrame:
    """Return the one thing to do: one row per patient with a need.

    todo_kind, todo_what, valid_from, valid_until, decides.
    """
    rank = pl.col("kind").cast(pl.String).replace_strict(_ORDER, return_dtype=pl.UInt8)
    return (
        live.sort("patient_no", rank, ~pl.col("alone"), "valid_until", "feature", nulls_last=True)
        .unique("patient_no", keep="first", maintain_order=True)
        .select(
            "patient_no",
            "valid_from",
            "valid_until",
            todo_kind=pl.col("kind").cast(pl.String),
            todo_what="what",
            decides=pl.col("decides").list.join("; "),
        )
    )
