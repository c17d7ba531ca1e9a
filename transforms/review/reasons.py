"""The reasons to review a patient, dated: one row per patient and reason.

A sentence in two parts: `lead` says what happened and on which day, `rest` what that rests on. No
adjective, no advice. A fact is a reason that once became known; what is undecided is none.
"""

from collections.abc import Mapping

import polars as pl

from models.spec import Model, deciding
from transforms.review.history import is_history
from transforms.review.listing import NUMBER, Listing

REASONS: dict[str, pl.DataType | type[pl.DataType]] = {
    "patient_no": pl.UInt32,
    "kind": pl.String,
    "fact": pl.String,
    "date": pl.Date,
    "lead": pl.String,
    "rest": pl.String,
    "live": pl.Boolean,
    "rule": pl.UInt8,
    "key": pl.Float64,
}
"""One row per reason. live: whether it is one tonight, not history. key: the order in its rule."""

_ON_FILE = {"fdg_uptake": "PET/CT", "stg_500": "Tg", "nodule_cm": "CT"}


def facts(
    derived: pl.DataFrame,
    risk: pl.DataFrame,
    criteria: pl.DataFrame,
    progressions: pl.DataFrame,
    listing: Listing,
) -> pl.DataFrame:
    """Return what is known of each patient and is a reason: one row per fact.

    `risk` are scores beside features, with what is history. `progressions` has one row per one
    that is certain and has a day.
    """
    parts = [
        _criteria(derived, criteria, listing),
        _progression(derived, progressions, listing),
        _tg_rise(derived, listing),
        *_flags(risk),
    ]
    return pl.concat([part.select(_typed()) for part in parts])


def undecided(live: pl.DataFrame, scored: pl.DataFrame, on_file: pl.DataFrame) -> pl.DataFrame:
    """Return whose flag one request that can be met would settle: one row per patient.

    `live` as `todo.live_needs` returns it, `scored` has patient_no, patient_id, disease and
    rrdtc_points_possible.
    """
    askable = live.filter(
        (pl.col("kind") == "examination") | ((pl.col("kind") == "entry") & pl.col("alone"))
    )
    first = (
        askable.with_columns(is_liu=pl.col("decides").list.contains(deciding("rrdtc").name))
        .sort(
            "patient_no",
            pl.col("kind").cast(pl.String) != "examination",
            ~pl.col("is_liu"),
            "valid_until",
            "feature",
            nulls_last=True,
        )
        .unique("patient_no", keep="first", maintain_order=True)
        .join(scored, on="patient_no", how="left", maintain_order="left")
        .join(_nearest(on_file, live), on=["patient_no", "feature"], how="left")
    )
    unknown_disease = pl.col("disease").is_null()
    return first.with_columns(
        kind=pl.lit("undecided"),
        fact=pl.lit(None),
        date=pl.coalesce("study_date", "index_date"),
        lead=pl.when(unknown_disease)
        .then(pl.lit("Unknown whether there is disease"))
        .when(pl.col("is_liu"))
        .then(pl.coalesce(_possible(), pl.lit("RR-DTC risk undecided")))
        .otherwise(
            pl.when(pl.col("decides").list.contains(deciding("os").name))
            .then(pl.lit("OS risk undecided"))
            .otherwise(pl.lit("PFS risk undecided"))
        ),
        rest=pl.coalesce("study", _missing()),
        live=pl.lit(True),
        rule=pl.lit(NUMBER["waiting"]),
        key=pl.lit(0.0),
    ).select(_typed())


def _typed() -> list[pl.Expr]:
    return [pl.col(name).cast(dtype) for name, dtype in REASONS.items()]


def _recent(day: str, listing: Listing) -> pl.Expr:
    since = pl.col("as_of").dt.offset_by(f"-{listing.recent_months}mo")
    return (pl.col(day) >= since).fill_null(False)


def _rule(applies: pl.Expr, rule: str) -> pl.Expr:
    return pl.when(applies).then(NUMBER[rule]).otherwise(NUMBER["waiting"])


def _latest_first(day: str) -> pl.Expr:
    return -pl.col(day).to_physical().cast(pl.Float64).fill_null(0)


def _criteria(derived: pl.DataFrame, criteria: pl.DataFrame, listing: Listing) -> pl.DataFrame:
    met = criteria.filter(pl.col("state").cast(pl.String) == "met").select(
        "patient_id", "criterion", "words", "date", "evidence"
    )
    named = derived.select("patient_no", "patient_id", "as_of")
    number = pl.col("criterion")
    return met.join(named, on="patient_id").with_columns(
        kind=pl.lit("criterion"),
        fact=pl.format("criterion {}", number),
        lead=pl.when(pl.col("date").is_null())
        .then(pl.format("Criterion {}, day unknown", number))
        .otherwise(pl.format("Criterion {} on {}", number, "date")),
        rest=pl.when(pl.col("date").is_null())
        .then("words")
        .otherwise(
            pl.col("evidence").str.replace("recorded progression", "progression", literal=True)
        ),
        live=pl.lit(True),
        rule=_rule(_recent("date", listing), "criterion"),
        key=_latest_first("date"),
    )


def _progression(
    derived: pl.DataFrame, progressions: pl.DataFrame, listing: Listing
) -> pl.DataFrame:
    by_recist = pl.col("source_table") == "imaging"
    # Every one is remembered, so that none looks new when a later one is withdrawn.
    each = (
        progressions.group_by("patient_no", "date")
        .agg(by_recist=by_recist.any(), recorded=(~by_recist).any())
        .join(derived.select("patient_no", "as_of"), on="patient_no")
    )
    return each.with_columns(
        kind=pl.lit("progression"),
        fact=pl.format("progression {}", "date"),
        lead=pl.format("Progression on {}", "date"),
        rest=pl.when(pl.col("by_recist") & pl.col("recorded"))
        .then(pl.lit("recorded, and RECIST PD"))
        .when("by_recist")
        .then(pl.lit("RECIST PD"))
        .otherwise(pl.lit("recorded as an event")),
        live=pl.col("date") == pl.col("date").max().over("patient_no"),
        rule=_rule(_recent("date", listing), "progression"),
        key=_latest_first("date"),
    )


def _tg_rise(derived: pl.DataFrame, listing: Listing) -> pl.DataFrame:
    steep = derived.filter(pl.col("tg_doubling_months") < listing.tg_doubling_months)
    return steep.with_columns(
        kind=pl.lit("result"),
        fact=pl.lit("tg rise"),
        date=pl.col("tg_slope_to"),
        lead=pl.format("Tg doubles every {} months", pl.col("tg_doubling_months").round(1)),
        rest=pl.format("{} values from {} to {}", "tg_slope_n", "tg_slope_from", "tg_slope_to"),
        live=pl.lit(True),
        rule=_rule(_recent("tg_slope_to", listing), "tg_rise"),
        key=pl.col("tg_doubling_months"),
    )


def _flags(risk: pl.DataFrame) -> list[pl.DataFrame]:
    fdg = pl.col("fdg_uptake").cast(pl.String) == "positive"
    rests_on = (
        pl.when(fdg.fill_null(False))
        .then(pl.lit("FDG uptake"))
        .otherwise(pl.lit("recurrence, several sites"))
    )
    liu = _flag(risk, deciding("rrdtc"), "RR-DTC risk")
    liu = liu.with_columns(
        rest=pl.format("{} points, {}", _points("rrdtc_points", "rrdtc_points_lower"), rests_on),
        key=-pl.col("rrdtc_points_lower").cast(pl.Float64).fill_null(0),
    )
    survival = []
    for model, order in ((deciding("os"), 1.0), (deciding("pfs"), 2.0)):
        one = _flag(risk, model, f"{model.prefix.upper()} risk")
        points = _points(f"{model.prefix}_points", f"{model.prefix}_points_lower")
        cutoff = model.cutoff.points.value if model.cutoff else 0
        rest = pl.format(f"{{}} points, the cut-off is {cutoff:g}", points)
        survival.append(one.with_columns(rest=rest, key=pl.lit(order)))
    return [liu, *survival]


def _flag(risk: pl.DataFrame, model: Model, words: str) -> pl.DataFrame:
    high = risk.filter(pl.col(model.flag).cast(pl.String) == "high")
    return high.with_columns(
        kind=pl.lit("flag"),
        fact=pl.lit(model.flag),
        date=pl.col("index_date"),
        lead=pl.when(pl.col("index_date").is_null())
        .then(pl.lit(f"High {words}"))
        .otherwise(pl.format(f"High {words} at 131I on {{}}", "index_date")),
        live=~is_history(model.name),
        rule=pl.lit(NUMBER["points"]),
    )


def _points(known: str, lower: str) -> pl.Expr:
    exact = pl.col(known).round(0).cast(pl.Int32)
    at_least = pl.format("from {}", pl.col(lower).round(0).cast(pl.Int32))
    return pl.coalesce(exact.cast(pl.String), at_least, pl.lit("unknown"))


def _possible() -> pl.Expr:
    """Return the possible points as a person says them: 5 or 45 points, undecided."""
    values = pl.col("rrdtc_points_possible").list.eval(
        pl.element().round(0).cast(pl.Int32).unique().sort().cast(pl.String)
    )
    count = values.list.len()
    few = values.list.slice(0, count.cast(pl.Int64) - 1).list.join(", ")
    return (
        pl.when(count == 1)
        .then(pl.format("{} points, undecided", values.list.last()))
        .when(count > 1)
        .then(pl.format("{} or {} points, undecided", few, values.list.last()))
    )


def _missing() -> pl.Expr:
    """Return what is asked for, in words."""
    return (
        pl.when(pl.col("kind") == "examination")
        .then(pl.format("{} counts until {}", "what", "valid_until"))
        .otherwise(pl.format("not on file: {}", "what"))
    )


def _nearest(on_file: pl.DataFrame, live: pl.DataFrame) -> pl.DataFrame:
    """Return the study nearest to the first 131I therapy that does not count: one row per need."""
    named: Mapping[str, str] = _ON_FILE
    far = (pl.col("date") - pl.col("index_date")).dt.total_days()
    inside = (pl.col("date") >= pl.col("valid_from")) & (pl.col("date") <= pl.col("valid_until"))
    study = pl.col("feature").replace_strict(named, default=None, return_dtype=pl.String)
    came = pl.format(
        "the {} came {} days {} first 131I",
        study,
        far.abs(),
        pl.when(far < 0).then(pl.lit("before")).otherwise(pl.lit("after")),
    )
    unread = pl.format("the {} of {} has no usable value", study, "date")
    return (
        live.select(
            "patient_no", "patient_id", "feature", "index_date", "valid_from", "valid_until"
        )
        .join(on_file.select("patient_id", "feature", "date"), on=["patient_id", "feature"])
        .drop_nulls(["date", "index_date"])
        .with_columns(far=far.abs())
        .sort("patient_no", "feature", "far", "date")
        .unique(["patient_no", "feature"], keep="first", maintain_order=True)
        .select(
            "patient_no",
            "feature",
            study_date="date",
            study=pl.when(inside).then(unread).otherwise(came),
        )
    )
