"""What is not fit to be used, and why: every reason, in words, for every row.

A row is known by `row_hash` (of its received text), `file_no` and `line`. Rows set aside
because the as-of date does not know them yet are marked `not_yet`: they are no fault of the
registry's and count neither against its thresholds nor in a patient's `quarantined_rows`.
"""

from datetime import date
from typing import Any

import pandera.polars as pa
import polars as pl
import polars_hash as plh

from schemas.contracts import CONTEXT, RECEIVED, contract, empty_cell_reason
from schemas.registry import TABLES

PROVENANCE = ("file_no", "line", "row_hash")
_COLUMNS: dict[str, Any] = {
    "table": pl.String,
    "file_no": pl.UInt32,
    "line": pl.UInt32,
    "row_hash": pl.UInt64,
    "row_key": pl.String,
    "patient_id": pl.String,
    "row_date": pl.Date,
    "not_yet": pl.Boolean,
    "reasons": pl.List(pl.String),
}
REJECTED = pl.Schema(_COLUMNS)
"""One row per row set aside, before its original text is joined to it."""


def nothing_rejected() -> pl.DataFrame:
    """Return an empty frame of rejected rows."""
    return pl.DataFrame(schema=REJECTED)


def rejected(
    rows: pl.DataFrame, table: str, reasons: pl.Expr, *, not_yet: bool = False
) -> pl.DataFrame:
    """Return rows as rejected rows, with their reasons (a list of texts)."""
    key, when = TABLES[table].key, TABLES[table].date
    return rows.select(
        table=pl.lit(table),
        file_no="file_no",
        line="line",
        row_hash="row_hash",
        row_key=pl.col(key).cast(pl.String) if key else pl.lit(None, dtype=pl.String),
        patient_id=pl.col("patient_id").cast(pl.String),
        row_date=pl.col(when) if when else pl.lit(None, dtype=pl.Date),
        not_yet=pl.lit(not_yet),
        reasons=reasons,
    ).cast(REJECTED)


def with_context(rows: pl.DataFrame, table: str, patients: pl.DataFrame | None) -> pl.DataFrame:
    """Join what each row must agree with.

    `patients` has one row per patient: patient_id and `hashed`, patient_no, birth_date,
    death_date, first_diagnosis_date. It is None for the patients table itself.
    """
    if patients is None:
        return rows
    known = patients.select(
        "patient_no",
        pl.col("birth_date", "death_date", "first_diagnosis_date").name.prefix(CONTEXT),
        "hashed",
        context_id="patient_id",
    )
    # Joining on a hash of the text is more than twice as fast as joining on the text.
    joined = rows.with_columns(hashed=hashed("patient_id")).join(
        known, on="hashed", how="left", maintain_order="left"
    )
    is_known = pl.col("context_id").eq_missing(pl.col("patient_id"))
    return joined.with_columns(is_known.alias(CONTEXT + "patient_known")).drop(
        "context_id", "hashed"
    )


def hashed(column: str) -> pl.Expr:
    """Return a 64-bit hash of a text column, the same on every machine and version."""
    text_hash: pl.Expr = plh.col(column).nchash.xxhash64()
    return text_hash


def after_as_of(table: str, as_of: date) -> pl.Expr:
    """Tell whether the as-of date does not know a row yet."""
    when = TABLES[table].date or "birth_date"
    return (pl.col(when) > as_of).fill_null(False)


def validate(rows: pl.DataFrame, table: str, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split typed rows under contract into (valid rows, rejected rows).

    Valid rows keep their provenance. The two together are all rows, each once.
    """
    later = rows.select(after_as_of(table, as_of)).to_series()
    found = failures(rows, table)
    found = found.filter(~later.gather(found["index"]))
    reason = f"{TABLES[table].date or 'birth_date'}: after the as-of date {as_of}"
    bad = rows[found["index"]].with_columns(found["reasons"])
    apart = pl.concat(
        [
            rejected(rows.filter(later), table, pl.lit([reason]), not_yet=True),
            rejected(bad, table, pl.col("reasons")),
        ]
    )
    fit = (~later).scatter(found["index"], False)
    valid = rows.select(pl.exclude(f"^{RECEIVED}.*$", f"^{CONTEXT}.*$"))
    return (valid if fit.all() else valid.filter(fit)), apart


def failures(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Validate with pandera: one row per failing row, `index` and its list of `reasons`."""
    try:
        contract(table).validate(rows.drop(PROVENANCE, strict=False), lazy=True)
    except pa.errors.SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases.select("index", "column", "check")
    else:
        return pl.DataFrame(schema={"index": pl.UInt32, "reasons": pl.List(pl.String)})
    if cases["index"].null_count():
        # Only a frame of the wrong shape fails without a row: our fault, not the registry's.
        raise TypeError(f"{table}: not the columns of its contract: {cases['check'].to_list()}")
    empty = pl.col("check") == "not_nullable"
    cases = cases.with_columns(
        reason=pl.when(empty)
        .then(pl.format(empty_cell_reason("{}"), pl.col("column")))
        .otherwise(pl.col("check")),
        index=pl.col("index").cast(pl.UInt32),
    )
    cases = cases.filter(~empty | _really_empty(rows, cases))
    return (
        cases.sort("index", "reason")
        .group_by("index", maintain_order=True)
        .agg(pl.col("reason").unique(maintain_order=True).alias("reasons"))
    )


def _really_empty(rows: pl.DataFrame, cases: pl.DataFrame) -> pl.Series:
    """Tell the empty cells from those whose text could not be read, which say so themselves."""
    unread = pl.Series([False]).new_from_index(0, cases.height)
    for column in cases.filter(pl.col("check") == "not_nullable")["column"].unique():
        if RECEIVED + column in rows.columns:
            text = rows[RECEIVED + column].gather(cases["index"]).is_not_null()
            unread = unread | (text & (cases["column"] == column))
    return ~unread


def without_repeated(rows: pl.DataFrame, seen: pl.Series) -> pl.DataFrame:
    """Return the rows that are no exact duplicate of an earlier one, here or in `seen`."""
    first = rows["row_hash"].is_first_distinct()
    again = seen.filter(seen.is_in(rows["row_hash"].implode()))
    if again.len():
        first &= ~rows["row_hash"].is_in(again.implode())
    return rows if first.all() else rows.filter(first)


def conflicting_keys(valid: pl.DataFrame, table: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Set aside all rows of a key that appears with different contents; return (valid, rejected).

    Which of them is right is not for a program to guess.
    """
    key = TABLES[table].key
    if key is None or valid.select(hashed(key)).to_series().n_unique() == valid.height:
        return valid, nothing_rejected()
    twice = pl.col(key).is_duplicated()
    reason = f"{key}: the same key with different contents"
    return valid.filter(~twice), rejected(valid.filter(twice), table, pl.lit([reason]))
