"""From features and scores to `patient_risk`: flags, what to review, and what changed."""

from collections.abc import Mapping

import polars as pl

from models.words import Condition, with_words
from schemas.published import PatientRisk, columns_of
from transforms.review.needs import SETTLED_BY
from transforms.review.reviews import (
    CARRIED,
    LATEST,
    WATCHED,
    said,
    text_of,
    with_review_status,
    with_reviews,
)

NO_REVIEWS = pl.DataFrame(schema=LATEST)
"""Nobody was reviewed yet."""

PRIORITIES = {
    1: "RR-DTC criterion newly met",
    2: "newly at high risk of RR-DTC",
    3: "newly in a high-risk group for survival",
    4: "at high risk",
    5: "undecided; one examination or entry would settle it",
    6: "rows of this patient are quarantined",
}
"""Review priorities, 1 first: the order in which the worklist asks for attention.

Newly means: not so when the patient was last reviewed.
"""

HORIZONS = ("3y", "5y", "10y")
_RISKS = ("rrdtc_flag", "os_risk_group", "pfs_risk_group")


def patient_risk(
    features: pl.DataFrame,
    scores: Mapping[str, pl.DataFrame],
    last: pl.DataFrame | None,
    reviews: pl.DataFrame = NO_REVIEWS,
) -> pl.DataFrame:
    """Return one row per row of `features`, in its order: patient_no, and what is published.

    `scores` has the scores of each model by name: one row per patient, by patient_no. `last` is
    `patient_risk` of the last published night (None when there is none). `reviews` has one row
    per reviewed patient, as `transforms.review.reviews.LATEST` says.
    """
    score, nomogram = scores["liu2022_score"], scores["liu2022_nomogram"]
    joined = features
    for part in (
        score.select("patient_no", "needs", **_rrdtc()),
        nomogram.select("patient_no", **_probability()),
        scores["jin2025_os"].select("patient_no", os_needs="needs", **_survival("os")),
        scores["jin2025_pfs"].select("patient_no", pfs_needs="needs", **_survival("pfs")),
    ):
        joined = joined.join(part, on="patient_no", how="left", maintain_order="left")
    joined = _with_needs(joined, ["needs", "os_needs", "pfs_needs"])
    joined = with_reviews(_with_changes(joined, last), reviews)
    conditions = _review()
    joined = with_words(
        joined, "review_reasons", [c for group in conditions.values() for c in group]
    )
    priority: pl.Expr = pl.lit(None, dtype=pl.UInt8)
    for number in reversed(conditions):
        applies = pl.any_horizontal(
            condition.fill_null(False) for condition, _ in conditions[number]
        )
        priority = pl.when(applies).then(pl.lit(number, dtype=pl.UInt8)).otherwise(priority)
    joined = joined.with_columns(
        # Nobody can do anything for the dead: they are searchable, never listed.
        review_priority=pl.when(~pl.col("died").fill_null(False)).then(priority),
        newly_flagged=_newly_flagged(),
    )
    joined = with_review_status(joined)
    unfilled = columns_of(PatientRisk).keys() - set(joined.columns) - set(SETTLED_BY)
    joined = joined.with_columns(
        pl.lit(name.endswith("_history")).not_().alias(name)
        if name.endswith("_history")
        else pl.lit(None).alias(name)
        for name in sorted(unfilled)
    )
    return joined.select(
        "patient_no",
        *(
            pl.col(name).cast(dtype)
            for name, dtype in columns_of(PatientRisk).items()
            if name not in SETTLED_BY
        ),
    )


def _rrdtc() -> dict[str, pl.Expr]:
    named = {"status": "status", "flag": "risk", "extrapolated": "extrapolated"}
    named |= {"reasons": "reasons"} | {name: name for name in _with_bounds("points")}
    return {f"rrdtc_{ours}": pl.col(theirs) for ours, theirs in named.items()}


def _probability() -> dict[str, pl.Expr]:
    return {f"rrdtc_{name}": pl.col(name) for name in _with_bounds("probability")}


def _survival(prefix: str) -> dict[str, pl.Expr]:
    named = {"status": "status", "risk_group": "risk", "extrapolated": "extrapolated"}
    named |= {"reasons": "reasons"} | {name: name for name in _with_bounds("points")}
    for horizon in HORIZONS:
        named |= {name: name for name in _with_bounds(f"survival_{horizon}")}
    return {f"{prefix}_{ours}": pl.col(theirs) for ours, theirs in named.items()}


def _with_bounds(name: str) -> tuple[str, str, str]:
    return name, f"{name}_lower", f"{name}_upper"


def _with_needs(joined: pl.DataFrame, each: list[str]) -> pl.DataFrame:
    """Add `needs`: what any of the models needs, each once, sorted."""
    # Few combinations occur: they are merged once each, not row by row.
    combined = joined.select(each).unique()
    combined = combined.with_columns(all_needs=pl.concat_list(each).list.unique().list.sort())
    joined = joined.join(combined, on=each, how="left", nulls_equal=True, maintain_order="left")
    return joined.drop(each).with_columns(
        needs="all_needs", one_need=pl.col("all_needs").list.len() == 1
    )


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
        pl.when(change).then(pl.format(f"{name}: {{}} -> {{}}", said(f"last_{name}"), said(name)))
        for name, change in zip(WATCHED, differs, strict=True)
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


def _is_new(name: str, value: str, since: str) -> pl.Expr:
    return (text_of(name) == value) & text_of(f"{since}_{name}").ne_missing(value)


def _newly_flagged() -> pl.Expr:
    alarms = [("rrdtc_met", "true"), *((name, "high") for name in _RISKS)]
    return pl.any_horizontal(
        _is_new(name, value, since="last").fill_null(False) for name, value in alarms
    )


def _review() -> dict[int, list[Condition]]:
    """Return, by priority, the conditions under which a patient is to be reviewed."""
    newly_met = _is_new("rrdtc_met", "true", since="seen")
    undecided = pl.any_horizontal(pl.col(name) == "indeterminate" for name in _RISKS)
    new = {name: _is_new(name, "high", since="seen").fill_null(False) for name in _RISKS}
    still = {name: (pl.col(name) == "high") & ~new[name] for name in _RISKS}
    return {
        1: [(newly_met, PRIORITIES[1])],
        2: [(new["rrdtc_flag"], PRIORITIES[2])],
        3: [
            (new["os_risk_group"], "newly at high risk of death"),
            (new["pfs_risk_group"], "newly at high risk of progression"),
        ],
        4: [
            (still["rrdtc_flag"], "at high risk of RR-DTC"),
            (still["os_risk_group"], "at high risk of death"),
            (still["pfs_risk_group"], "at high risk of progression"),
        ],
        5: [(undecided & pl.col("one_need"), PRIORITIES[5])],
        6: [(pl.col("quarantined_rows") > 0, PRIORITIES[6])],
    }
