"""How far tonight is from the nights before, and whether that is too far.

A change is one row: what (the name of its tolerance), where, tonight, before, change (in the
tolerance's terms) and `concerned` (rows, cells, values or patients).
"""

from collections.abc import Sequence

import polars as pl

from models.parts import FLAGS
from schemas import codes
from transforms.acceptance.profile import QUANTILES
from transforms.acceptance.tolerances import Tolerances

CHANGE = pl.Schema(
    {
        "what": pl.String(),
        "where": pl.String(),
        "tonight": pl.Float64(),
        "before": pl.Float64(),
        "change": pl.Float64(),
        "concerned": pl.Float64(),
    }
)
MOST = 1000.0
"""A factor from or to nothing has no end: it counts as this."""

_T, _B, _OF, _OF_B = pl.col("tonight"), pl.col("before"), pl.col("of"), pl.col("of_before")
_FACTOR = (
    (pl.max_horizontal("tonight", "before") / pl.min_horizontal("tonight", "before"))
    .fill_nan(1)
    .clip(upper_bound=MOST)
)
_SHARE = (_T - _B).abs()

_MEASURED: tuple[tuple[str, tuple[str, ...], pl.Expr, pl.Expr], ...] = (
    # what is found, of which figures, how far they moved, how many that concerns
    ("rows_lost", ("rows", "file_rows"), (_B - _T) / _B, _B - _T),
    ("rows_gained", ("rows", "file_rows"), (_T - _B) / _B, _T - _B),
    ("rows_aside", ("rows_aside",), _T - _B, (_T - _B) * _OF),
    ("rows_later", ("rows_later",), _T - _B, (_T - _B) * _OF),
    ("cells_emptied", ("filled",), (_B - _T) / _B, (_B - _T) * _OF),
    ("cells_filled", ("filled",), _T - _B, (_T - _B) * _OF),
    ("quantiles", tuple(QUANTILES), _FACTOR, pl.min_horizontal("of", "of_before")),
    ("units", ("unit",), _SHARE, _SHARE * pl.max_horizontal("of", "of_before")),
    (
        "unit_new_or_gone",
        ("unit",),
        pl.when((_T == 0) | (_B == 0)).then(_SHARE).otherwise(0.0),
        _SHARE * pl.max_horizontal("of", "of_before"),
    ),
    ("newest_back", ("newest",), _B - _T, _OF_B),
)


def compare(tonight: pl.DataFrame, before: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return how far tonight's figures are from those before: one row per comparison, as CHANGE.

    The figure before is the median of the nights, of newest dates the newest. What no earlier
    night has is not compared, nor what tonight has no more; rows and units then count as none.
    """
    if not before:
        return pl.DataFrame(schema=CHANGE)
    past = (
        pl.concat(before)
        .group_by("what", "where")
        .agg(
            before=pl.when(pl.col("what").first() == "newest")
            .then(pl.col("figure").max())
            .otherwise(pl.col("figure").median()),
            of_before=pl.col("of").median(),
        )
    )
    both = tonight.rename({"figure": "tonight"}).join(
        past, on=["what", "where"], how="full", coalesce=True
    )
    counted = pl.col("what").is_in(["rows", "unit"])
    was_there = pl.col("what") == "unit"
    both = both.with_columns(
        tonight=pl.when(counted).then(_T.fill_null(0)).otherwise(_T),
        before=pl.when(was_there).then(_B.fill_null(0)).otherwise(_B),
        of=_OF.cast(pl.Float64).fill_null(0),
        of_before=_OF_B.fill_null(0),
    ).drop_nulls(["tonight", "before"])
    parts = [_found(both, *measured) for measured in _MEASURED]
    return pl.concat(parts).sort("what", "where", "tonight")


def _found(
    both: pl.DataFrame, what: str, figures: tuple[str, ...], change: pl.Expr, concerned: pl.Expr
) -> pl.DataFrame:
    quantile = pl.when(pl.col("what").str.starts_with("quantile_")).then(
        pl.format("{}, {} % quantile", "where", pl.col("what").str.strip_prefix("quantile_"))
    )
    return (
        both.filter(pl.col("what").is_in(figures))
        .with_columns(
            change=change.fill_nan(0.0), concerned=concerned, where=quantile.otherwise("where")
        )
        .with_columns(what=pl.lit(what))
        .select(CHANGE.names())
        .cast(CHANGE)
    )


def patients_moved(tonight: pl.Series, last: pl.Series) -> pl.DataFrame:
    """Return how many of the last night's patients are gone and how many are new, as CHANGE."""
    gone = last.filter(~last.is_in(tonight.implode())).len()
    new = tonight.filter(~tonight.is_in(last.implode())).len()
    rows = [("patients_gone", "patients", gone), ("patients_new", "patients", new)]
    return change_of([(*row, last.len()) for row in rows])


def flags_moved(tonight: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """Return how many patients of each class of a flag moved to each other class, as CHANGE.

    Both have one row per patient: patient_id and the flags. Tonight is how many moved, before how
    many of the patients of both nights were in the class that they left.
    """
    parts = [pl.DataFrame(schema=CHANGE)]
    patient = pl.col("patient_id").cast(pl.String)
    for flag in (flag for flag in FLAGS.values() if flag in last.columns):
        was = last.select(patient, was=pl.col(flag).cast(pl.String))
        now = tonight.select(patient, now=pl.col(flag).cast(pl.String))
        both = was.join(now, on="patient_id").with_columns(before=pl.len().over("was"))
        moved = both.filter(pl.col("was") != pl.col("now")).group_by("was", "now", "before")
        counts = (
            moved.agg(tonight=pl.len())
            .sort("was", "now")
            .select(
                pl.lit("flags_moved"),
                pl.format(f"{flag} {{}} to {{}}", "was", "now"),
                "tonight",
                "before",
            )
        )
        parts.append(change_of(counts.rows()))
    return pl.concat(parts)


def change_of(counts: Sequence[tuple[str, str, float, float]]) -> pl.DataFrame:
    """Return counts (what, where, tonight, before) as CHANGE: shares of what was before."""
    return pl.DataFrame(
        [
            (what, where, tonight, before, tonight / before if before else 0.0, tonight)
            for what, where, tonight, before in counts
        ],
        schema=CHANGE,
        orient="row",
    )


def standing(counts: Sequence[tuple[str, str, float]]) -> pl.DataFrame:
    """Return what stands for itself (what, where, days or nights) as CHANGE."""
    return pl.DataFrame(
        [(what, where, n, None, n, 1) for what, where, n in counts], schema=CHANGE, orient="row"
    )


def judged(changes: pl.DataFrame, tolerances: Tolerances) -> pl.DataFrame:
    """Return changes with their verdict, and from where they would be refused."""
    schema = {"what": pl.String, "warn": pl.Float64, "refuse": pl.Float64, "least": pl.Int64}
    limits = [
        {"what": what, **tolerances.of(what).model_dump()} for what in changes["what"].unique()
    ]
    # A share of 0.05 of 60 rows is 3 of them, whatever the last bit of the quotient says.
    change = pl.col("change").round(9)
    counts = (change > 0) & (pl.col("concerned").round(6) >= pl.col("least"))
    verdict = (
        pl.when(counts & (change >= pl.col("refuse")))
        .then(pl.lit("refused"))
        .when(counts & (change >= pl.col("warn")))
        .then(pl.lit("warned"))
        .otherwise(pl.lit("fine"))
    )
    return (
        changes.join(pl.DataFrame(limits, schema), on="what", how="left", maintain_order="left")
        .with_columns(
            change=change, verdict=verdict.cast(pl.Enum(codes.VERDICT)), refused_from="refuse"
        )
        .select(*("what", "where", "tonight", "before", "change", "verdict", "refused_from"))
    )
