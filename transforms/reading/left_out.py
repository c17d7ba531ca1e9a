"""Identifiers that became no patient of the night, and those that are likely the same patient.

Patients are those of the patients table. Rows of other tables may name somebody else: their
identifier is on the list, with the reason. Nobody is ever merged.
"""

import polars as pl

from schemas.published import PatientsLeftOut, columns_of

NOT_IN_PATIENTS = "no row in patients: nothing can be said of this patient"
LIKELY_THE_SAME = (
    "likely the same as another identifier: they differ only in case, width, leading zeros, spaces "
    "or characters that cannot be seen"
)

_UNSEEN = r"[\s\p{Cf}\x{115F}\x{1160}\x{3164}\x{FE00}-\x{FE0F}]"


def left_out(rejected: pl.DataFrame, patients: pl.Series) -> pl.DataFrame:
    """Return one row per identifier in no output, and per one that is likely another patient.

    As schemas.published.PatientsLeftOut. `rejected` is what was set aside, `patients` the
    identifiers of the night's patients.
    """
    theirs = rejected.filter(
        pl.col("patient_id").is_not_null() & ~pl.col("patient_id").is_in(patients.implode())
    )
    out = (
        theirs.group_by("patient_id")
        .agg(
            rows=pl.struct("table", "file_no", "line").n_unique(),
            tables=pl.col("table").unique().sort(),
            reasons=pl.col("reasons").explode().unique().sort(),
        )
        .with_columns(is_left_out=True)
    )
    there = pl.DataFrame({"patient_id": patients}, schema={"patient_id": pl.String})
    everybody = pl.concat([there, out.select("patient_id")]).unique()
    return (
        everybody.join(out, on="patient_id", how="left")
        .join(_likely_the_same(everybody), on="patient_id", how="left")
        .filter(pl.col("is_left_out").is_not_null() | pl.col("likely_same_as").is_not_null())
        .select(
            "patient_id",
            pl.col("is_left_out").fill_null(False),
            "likely_same_as",
            pl.col("tables").fill_null(pl.lit([], dtype=pl.List(pl.String))),
            pl.col("rows").fill_null(0),
            reasons=_reasons(),
        )
        .cast(pl.Schema(columns_of(PatientsLeftOut)))
        .sort("patient_id")
    )


def _reasons() -> pl.Expr:
    none = pl.lit([], dtype=pl.List(pl.String))
    unknown = pl.when(pl.col("is_left_out")).then(pl.lit([NOT_IN_PATIENTS])).otherwise(none)
    same = pl.when(pl.col("likely_same_as").is_not_null()).then(pl.lit([LIKELY_THE_SAME]))
    return pl.concat_list(unknown, same.otherwise(none), pl.col("reasons").fill_null(none))


def alike(patient_id: pl.Expr) -> pl.Expr:
    """Return what is left of an identifier without case, width, leading zeros and the unseen."""
    return (
        patient_id.str.normalize("NFKC")
        .str.replace_all(_UNSEEN, "")
        .str.to_lowercase()
        .str.replace_all(r"(^|\D)0+(\d)", "$1$2")
    )


def _likely_the_same(everybody: pl.DataFrame) -> pl.DataFrame:
    """Return one row per identifier that is like others: patient_id, likely_same_as (a list)."""
    groups = (
        everybody.with_columns(alike=alike(pl.col("patient_id")))
        .filter(pl.len().over("alike") > 1)
        .select("patient_id", "alike")
    )
    return (
        groups.join(groups.rename({"patient_id": "other"}), on="alike")
        .filter(pl.col("patient_id") != pl.col("other"))
        .group_by("patient_id")
        .agg(likely_same_as=pl.col("other").sort())
    )
