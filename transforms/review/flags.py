"""From features and scores to `patient_risk`: flags, what is history, and what changed."""

from collections.abc import Mapping

import polars as pl

from models.parts import FLAGS, Model
from models.spec import by_outcome, deciding
from schemas.published import PatientRisk, columns_of
from transforms.review.history import is_history, with_history
from transforms.review.reviews import (
    CARRIED,
    LATEST,
    WATCHED,
    change,
    said,
    text_of,
    with_reviews,
)

NO_REVIEWS = pl.DataFrame(schema=LATEST)
"""Nobody was reviewed yet."""


def patient_risk(
    features: pl.DataFrame,
    scores: Mapping[str, pl.DataFrame],
    last: pl.DataFrame | None,
    reviews: pl.DataFrame = NO_REVIEWS,
) -> pl.DataFrame:
    """Return one row per row of `features`, in its order: what is published of scores and reviews.

    Beside it INSIDE, which the worklist rests on. `scores` has the scores of each model by name:
    one row per patient, by patient_no. `last` is `patient_risk` of the last published night (None
    when there is none). `reviews` has one row per reviewed patient, as
    `transforms.review.reviews.LATEST` says.
    """
    joined = features
    for models in by_outcome().values():
        for model in models:
            named = _decided(model) if model is models[0] else {}
            named |= _predicted(model, scores[model.name])
            part = scores[model.name].select("patient_no", **named)
            joined = joined.join(part, on="patient_no", how="left", maintain_order="left")
    joined = _with_needs(joined, [f"{outcome}_needs" for outcome in FLAGS])
    joined = with_history(with_reviews(_with_changes(joined, last), reviews))
    joined = joined.with_columns(
        newly_flagged=_newly_flagged() & pl.lit(last is not None),
        is_baseline=pl.lit(last is None),
    )
    ours = [name for name in columns_of(PatientRisk) if name in joined.columns]
    return joined.select(*INSIDE, *(name for name in ours if name not in _OF_FEATURES))


INSIDE = (
    "patient_no",
    "fdg_uptake",
    "os_history",
    "pfs_past",
    "is_baseline",
    "known_last",
    "last_known_facts",
    "last_review_status",
    "last_reviewed_at",
    "last_waiting_since",
)
"""What the worklist rests on and is not published."""

_OF_FEATURES = (
    "last_contact_date",
    "tg_doubling_months",
    "tg_slope_n",
    "tg_slope_from",
    "tg_slope_to",
)


_POINTS = ("points", "points_lower", "points_upper", "points_possible")


def _decided(model: Model) -> dict[str, str]:
    """Return the columns of the model that decides an outcome's flag, by their published names."""
    named = ("status", "extrapolated", "reasons", "needs", *_POINTS)
    return {model.flag: "risk"} | {f"{model.prefix}_{name}": name for name in named}


def _predicted(model: Model, scores: pl.DataFrame) -> dict[str, str]:
    """Return the columns of a model's predictions, by their published names."""
    named = (name for name in scores.columns if name.startswith(("probability", "survival_")))
    return {f"{model.prefix}_{name}": name for name in named}


def _with_needs(joined: pl.DataFrame, each: list[str]) -> pl.DataFrame:
    """Add `needs`: what any of the models needs, each once, sorted."""
    # Few combinations occur: they are merged once each, not row by row.
    combined = joined.select(each).unique()
    combined = combined.with_columns(all_needs=pl.concat_list(each).list.unique().list.sort())
    joined = joined.join(combined, on=each, how="left", nulls_equal=True, maintain_order="left")
    return joined.drop(each).rename({"all_needs": "needs"})


def _with_changes(joined: pl.DataFrame, last: pl.DataFrame | None) -> pl.DataFrame:
    """Add `changed_since_last`, and the watched columns of the last night as `last_<name>`.

    On the very first night nothing has changed; later, a patient who was not there is new.
    """
    before = _nights_before(joined, last)
    joined = joined.join(before, on="patient_id", how="left", maintain_order="left")
    unwritten = [name for name in WATCHED if last is not None and name not in last.columns]
    joined = joined.with_columns(  # an earlier version's night does not say that it differs
        pl.when("known_last").then(name).alias(f"last_{name}") for name in unwritten
    )
    is_new = pl.col("known_last").is_null() & pl.lit(last is not None)
    differs = [
        pl.col("known_last").is_not_null() & text_of(name).ne_missing(text_of(f"last_{name}"))
        for name in WATCHED
    ]
    words = [
        pl.when(differ).then(change(name, said(f"last_{name}"), said(name)))
        for name, differ in zip(WATCHED, differs, strict=True)
    ]
    changed = joined.filter(pl.any_horizontal(is_new, *differs)).select(
        "patient_id",
        changed_since_last=pl.concat_list(
            pl.when(is_new).then(pl.lit("new patient")), *words
        ).list.drop_nulls(),
    )
    joined = joined.join(changed, on="patient_id", how="left", maintain_order="left")
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return joined.with_columns(pl.col("changed_since_last").fill_null(nothing))


def _nights_before(joined: pl.DataFrame, last: pl.DataFrame | None) -> pl.DataFrame:
    if last is None:
        last = pl.DataFrame(schema=columns_of(PatientRisk))
    lacking = columns_of(PatientRisk).keys() - set(last.columns)  # written by an earlier version
    last = last.with_columns(
        pl.lit(None, dtype=columns_of(PatientRisk)[name]).alias(name) for name in lacking
    )
    same_type = joined.schema["patient_id"]
    return last.select(
        pl.col("patient_id").cast(same_type, strict=False),
        pl.lit(True).alias("known_last"),
        *(pl.col(name).alias(f"last_{name}") for name in (*WATCHED, *CARRIED)),
    ).filter(pl.col("patient_id").is_not_null())


def _is_new(name: str, value: str) -> pl.Expr:
    is_now = (text_of(name) == value).fill_null(False)
    return is_now & text_of(f"last_{name}").ne_missing(value)


def _newly_flagged() -> pl.Expr:
    """Tell whether there is an alarm that the last night did not have; what is history is none."""
    high = [_is_new(model.flag, "high") & ~is_history(model.name) for model in map(deciding, FLAGS)]
    return pl.any_horizontal(_is_new("rrdtc_met", "true"), *high)
