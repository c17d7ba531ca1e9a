"""What would settle an undecided flag, and whether it still can.

Three kinds: an examination that still counts, with the last day on which it does; an old result
that only has to be entered, with the days it would have to be from; and nothing any more. What
is on file and does not count is said with its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from schemas.published import Needs, columns_of
from transforms.variables.uptake import NO_CLASS
from transforms.variables.windows import Windows


@dataclass(frozen=True)
class Settles:
    """How a missing variable is settled. Days are from the index date; None is any day."""

    what: str
    first_day: str | None = None
    last_day: str | None = None
    examination: str | None = None
    """What can be examined while the window is open; None where only a record helps."""


def settling(windows: Windows) -> dict[str, Settles]:
    """Return, for each variable that a model asks for, what settles it."""
    by_index = f"{windows.metastasis_grace_days}d"
    return {
        "dtc": Settles("histology"),
        "histology_group": Settles("histology (PTC, FTC or PDTC)"),
        "has_index": Settles("the first 131I therapy"),
        "index_date": Settles("the date of the first 131I therapy"),
        "thyroidectomy_before_index": Settles("date of the thyroidectomy", None, "0d"),
        "sex": Settles("sex"),
        "age_48": Settles("birth date and diagnosis date"),
        "age_55": Settles("birth date"),
        "age_at_index": Settles("birth date"),
        "recurrence": Settles(
            "recurrence before the first 131I therapy, or its absence", None, "0d"
        ),
        "metastatic": Settles(
            "metastasis sites, or their absence", None, by_index, "staging of metastases"
        ),
        "site_count": Settles("metastasis sites", None, by_index, "staging of metastases"),
        "lung_timing": Settles(
            "lung metastasis, or its absence", None, f"{windows.lung_months}mo", "CT of the lung"
        ),
        "extent": Settles(
            "metastasis sites", None, f"{windows.lung_months}mo", "staging of metastases"
        ),
        "fdg_uptake": Settles(
            "FDG PET/CT with SUVmax", f"-{windows.fdg_days}d", f"{windows.fdg_days}d", "FDG PET/CT"
        ),
        "activity_mci": Settles("administered activity of the first 131I therapy", "0d", "0d"),
        "uptake_category": Settles("reading of the post-therapy scans"),
        "nodule_cm": Settles(
            "largest lung nodule on CT",
            f"-{windows.nodule_days_before}d",
            f"{windows.nodule_days_after}d",
            "CT with the lung nodule measured",
        ),
        "stg_500": Settles("stimulated Tg", f"-{windows.stg_days}d", "0d"),
    }


def needs(
    derived: pl.DataFrame, scores: Mapping[str, pl.DataFrame], windows: Windows
) -> pl.DataFrame:
    """Return one row per patient and variable that would settle an undecided flag.

    kind: examination, entry or nothing; what; valid_from and valid_until; decides (models).
    `scores` have risk and needs_features of each model.
    """
    asked = pl.concat(
        frame.lazy()
        .filter(pl.col("risk") == "indeterminate")
        .select("patient_no", model=pl.lit(name), feature="needs_features")
        .explode("feature")
        .drop_nulls("feature")
        for name, frame in scores.items()
    )
    decided = asked.group_by("patient_no", "feature").agg(decides=pl.col("model").unique().sort())
    known = derived.lazy().select(
        "patient_no", "patient_id", "as_of", "index_date", "uptake_reason", "histology", "died"
    )
    parts = [
        decided.filter(pl.col("feature") == feature)
        .join(known, on="patient_no")
        .select(
            "patient_id",
            "feature",
            "decides",
            **_what(feature, how),
        )
        for feature, how in settling(windows).items()
    ]
    return (
        pl.concat(parts, how="vertical_relaxed")
        .sort("patient_id", "feature")
        .select(pl.col(name).cast(dtype) for name, dtype in columns_of(Needs).items())
        .collect()
    )


SETTLED_BY = {
    "needs_examination": "examination",
    "needs_entry": "entry",
    "needs_nothing": "nothing",
}
"""The columns of patient_risk that say what settles its flags, and the kind of need of each."""


def with_needs(risk: pl.DataFrame, needs: pl.DataFrame) -> pl.DataFrame:
    """Add to patient_risk what settles its flags, in words: one row per row, in its order."""
    kind = pl.col("kind").cast(pl.String)
    spoken = (
        needs.with_columns(words=in_words())
        .group_by("patient_id")
        .agg(
            pl.col("words").filter(kind == wanted).unique().sort().alias(column)
            for column, wanted in SETTLED_BY.items()
        )
    )
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return risk.join(spoken, on="patient_id", how="left", maintain_order="left").with_columns(
        pl.col(column).fill_null(nothing) for column in SETTLED_BY
    )


def _what(feature: str, how: Settles) -> dict[str, pl.Expr]:
    never = pl.lit(False)
    if feature == "uptake_category":
        never = (pl.col("uptake_reason") == NO_CLASS).fill_null(False)
    if feature == "histology_group":
        never = pl.col("histology").is_not_null()
    no_day = pl.lit(None, dtype=pl.Date)
    index = pl.col("index_date")
    first = no_day if how.first_day is None else index.dt.offset_by(how.first_day)
    last = no_day if how.last_day is None else index.dt.offset_by(how.last_day)
    can_examine = pl.lit(False)
    if how.examination is not None:
        alive = ~pl.col("died").fill_null(False)
        can_examine = (alive & (last >= pl.col("as_of"))).fill_null(False)
    kind = (
        pl.when(never)
        .then(pl.lit("nothing"))
        .when(can_examine)
        .then(pl.lit("examination"))
        .otherwise(pl.lit("entry"))
    )
    words = pl.when(can_examine & ~never).then(pl.lit(how.examination or how.what))
    reason = pl.lit(_NEVER.get(feature, ""))
    return {
        "kind": kind,
        "what": pl.when(never).then(reason).otherwise(words.otherwise(pl.lit(how.what))),
        "valid_from": pl.when(~never).then(first),
        "valid_until": pl.when(~never).then(last),
    }


_NEVER = {
    "uptake_category": "no uptake at first, uptake later: the model has no such class",
    "histology_group": "the histology is known, and the model has no such class",
}


def in_words() -> pl.Expr:
    """Return a need as a person reads it."""
    until = pl.col("valid_until").dt.to_string("%Y-%m-%d")
    since = pl.col("valid_from").dt.to_string("%Y-%m-%d")
    kind = pl.col("kind").cast(pl.String)
    return (
        pl.when(kind == "nothing")
        .then(pl.col("what"))
        .when(kind == "examination")
        .then(pl.format("{} until {}", "what", until))
        .when(since.is_not_null() & (since != until))
        .then(pl.format("{} of {} to {}", "what", since, until))
        .when(until.is_not_null())
        .then(pl.format("{} up to {}", "what", until))
        .otherwise(pl.col("what"))
    )
