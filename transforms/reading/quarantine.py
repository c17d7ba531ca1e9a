"""What is not fit to be used, and why: every reason, in words, for every row and cell.

A bad cell is set aside and its row stays, with that cell unknown. A row is quarantined only
without its key, its patient, or the column that says what it is. A row is known by `row_hash`
(of its received text), `file_no` and `line`. Rows that the as-of date does not know yet are marked
`not_yet`: they are no fault of the registry's and count neither against its thresholds nor in a
patient's `quarantined_rows`.
"""

from datetime import date
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl
import polars_hash as plh

from schemas.contracts import (
    CONTEXT,
    EARLIEST,
    LATEST,
    RECEIVED,
    contract,
    empty_cell_reason,
    fulfilled,
    is_typed,
)
from schemas.registry import TABLES

PROVENANCE = ("file_no", "line", "row_hash")
_COLUMNS: dict[str, Any] = {
    "table": pl.String,
    "file_no": pl.UInt32,
    "line": pl.UInt32,
    "row_hash": pl.UInt64,
    "row_key": pl.String,
    "patient_id": pl.String,
    "earliest": pl.Date,
    "latest": pl.Date,
    "cell": pl.String,
    "not_yet": pl.Boolean,
    "reasons": pl.List(pl.String),
}
REJECTED = pl.Schema(_COLUMNS)
"""One row per quarantined row (`cell` is null) and per cell set aside (`cell` names its column).

earliest and latest are the days that the row's date may be, null where it says nothing of them.
"""

CELL_ASIDE = "aside."
"""Marks a cell that was set aside, in the columns where an empty one is an answer."""


CONTEXT_DAYS = ("birth_earliest", "death_latest", "first_diagnosis_earliest")
"""What rows must agree with, one row per patient: a row is set aside only where it cannot."""

_FAILURES = pl.Schema({"index": pl.UInt32(), "cell": pl.String(), "reasons": pl.List(pl.String)})
_WHY, _CELL = pl.col("reasons"), pl.col("cell")


NOT_ROWS = ("row: repeats the header", "row: not a row of the table")
"""Why a line is no row of its table: it says nothing of any patient."""


@cache
def nothing_rejected() -> pl.DataFrame:
    """Return an empty frame of rejected rows."""
    return pl.DataFrame(schema=REJECTED)


def rejected(
    rows: pl.DataFrame,
    table: str,
    reasons: pl.Expr,
    *,
    cell: pl.Expr | None = None,
    not_yet: bool = False,
) -> pl.DataFrame:
    """Return rows, or cells of them, as set aside, with their reasons (a list of texts)."""
    key, when = TABLES[table].key, TABLES[table].date
    is_read = when is not None and EARLIEST + when in rows.columns
    no_day = pl.lit(None, dtype=pl.Date)
    return rows.select(
        table=pl.lit(table),
        file_no="file_no",
        line="line",
        row_hash="row_hash",
        row_key=pl.col(key).cast(pl.String) if key else pl.lit(None, dtype=pl.String),
        patient_id=pl.col("patient_id").cast(pl.String),
        earliest=pl.col(f"{EARLIEST}{when}") if is_read else no_day,
        latest=pl.col(f"{LATEST}{when}") if is_read else no_day,
        cell=pl.lit(None, dtype=pl.String) if cell is None else cell,
        not_yet=pl.lit(not_yet),
        reasons=reasons,
    ).cast(REJECTED)


def with_context(rows: pl.DataFrame, table: str, patients: pl.DataFrame | None) -> pl.DataFrame:
    """Join what each row must agree with.

    `patients` has one row per patient: patient_id and `hashed`, patient_no, and
    the columns of CONTEXT_DAYS. It is None for the patients table itself.
    """
    if patients is None:
        return rows
    known = patients.select(
        "patient_no",
        pl.col(CONTEXT_DAYS).name.prefix(CONTEXT),
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


def kept_columns(table: str) -> list[str]:
    """Return what variables need of a table: its columns, the days of its dates, cells aside."""
    described = TABLES[table]
    needed = described.needed
    dates = [name for name in needed if described.schema.columns[name].dtype.type == pl.Date]
    return [
        *([] if table == "patients" else ["patient_no"]),
        *needed,
        *(f"{edge}{name}" for name in dates for edge in (EARLIEST, LATEST)),
        *(f"{CELL_ASIDE}{name}" for name in needed if name in described.empty_answers),
    ]


def validate(rows: pl.DataFrame, table: str, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split typed rows under contract into (valid rows, what is set aside).

    Valid rows keep their provenance; cells set aside are null in them, and marked where an empty
    cell would be an answer. Every row is in one of the two, each once.
    """
    later = rows.select(_after_as_of(table, as_of)).to_series()
    found = failures(rows, table)
    if table == "patients":
        found = pl.concat([found, _born_later(rows, as_of)])
    if found.is_empty() and not later.any():
        return _without(rows, table, found), nothing_rejected()
    found = found.filter(~later.gather(found["index"]))
    whole = found.filter(pl.col("cell").is_in(TABLES[table].identifies))["index"].unique()
    quarantined = (
        found.filter(pl.col("index").is_in(whole.implode()))
        .group_by("index")
        .agg(pl.col("reasons").explode().unique().sort())
        .sort("index")
    )
    cells = found.filter(~pl.col("index").is_in(whole.implode()))
    reason = f"{TABLES[table].date}: after the as-of date {as_of}"
    dated = _undated(rows, table, found)
    apart = pl.concat(
        [
            rejected(rows.filter(later), table, pl.lit([reason]), not_yet=True),
            rejected(dated[quarantined["index"]].with_columns(quarantined["reasons"]), table, _WHY),
            rejected(dated[cells["index"]].hstack(cells.drop("index")), table, _WHY, cell=_CELL),
        ]
    )
    fit = (~later).scatter(quarantined["index"], False)
    valid = _without(rows, table, cells)
    return (valid if fit.all() else valid.filter(fit)), apart


def _after_as_of(table: str, as_of: date) -> pl.Expr:
    """Tell whether the as-of date certainly does not know a row yet."""
    when = TABLES[table].date
    if when is None:
        return pl.int_range(pl.len()) < 0  # a patient is there from the first
    return (pl.col(EARLIEST + when) > as_of).fill_null(False)


def _born_later(rows: pl.DataFrame, as_of: date) -> pl.DataFrame:
    reason = f"birth_date: after the as-of date {as_of}"
    return (
        rows.with_row_index("index")
        .filter(pl.col(EARLIEST + "birth_date") > as_of)
        .select("index", cell=pl.lit("birth_date"), reasons=pl.lit([reason]))
        .cast(_FAILURES)
    )


def _undated(rows: pl.DataFrame, table: str, found: pl.DataFrame) -> pl.DataFrame:
    """Return the rows without the days of a date that failed: it says nothing of them."""
    when = TABLES[table].date
    failed = found.filter(cell=when)["index"] if when else found["index"].clear()
    if failed.is_empty():
        return rows
    good = ~_at(failed)
    return rows.with_columns(
        pl.when(good).then(pl.col(f"{edge}{when}")).alias(f"{edge}{when}")
        for edge in (EARLIEST, LATEST)
    )


def _without(rows: pl.DataFrame, table: str, cells: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the cells set aside unknown, without what only validation needs."""
    changes: list[pl.Expr] = []
    for name in TABLES[table].columns:
        bad = cells.filter(cell=name)["index"]
        is_aside = _at(bad) if bad.len() else pl.lit(False)
        if bad.len():
            columns = [c for c in (name, EARLIEST + name, LATEST + name) if c in rows.columns]
            changes += [pl.when(~is_aside).then(pl.col(c)).alias(c) for c in columns]
        if name in TABLES[table].empty_answers:
            changes.append(is_aside.alias(CELL_ASIDE + name))
    kept = rows.select(pl.exclude(f"^{RECEIVED}.*$", f"^{CONTEXT}.*$"))
    return kept.with_columns(changes)


def _at(positions: pl.Series) -> pl.Expr:
    return pl.int_range(pl.len()).is_in(positions.cast(pl.Int64).implode())


def failures(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Validate with pandera: one row per failing cell: `index`, `cell`, its list of `reasons`."""
    if not is_typed(rows, table):
        return _failures(rows, table)
    doubtful = rows.select(~fulfilled(table)).to_series().arg_true()
    if doubtful.is_empty():
        return pl.DataFrame(schema=_FAILURES)
    found = _failures(rows[doubtful], table)
    return found.with_columns(index=doubtful.gather(found["index"]))


def _failures(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    try:
        contract(table).validate(rows.drop(PROVENANCE, strict=False), lazy=True)
    except pa.errors.SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases.select("index", "column", "check")
    else:
        return pl.DataFrame(schema=_FAILURES)
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
        cases.sort("index", "column", "reason")
        .group_by("index", cell="column", maintain_order=True)
        .agg(pl.col("reason").unique(maintain_order=True).alias("reasons"))
        .cast(_FAILURES)
    )


def _really_empty(rows: pl.DataFrame, cases: pl.DataFrame) -> pl.Series:
    """Tell the empty cells from those whose text could not be read, which say so themselves."""
    unread = pl.Series([False]).new_from_index(0, cases.height)
    for column in cases.filter(pl.col("check") == "not_nullable")["column"].unique():
        if RECEIVED + column in rows.columns:
            text = rows[RECEIVED + column].gather(cases["index"]).is_not_null()
            unread = unread | (text & (cases["column"] == column))
    return ~unread


def unattributed(set_aside: pl.DataFrame, patients: pl.Series) -> pl.DataFrame:
    """Return the quarantined rows whose patient cannot be told: they may be anybody's.

    Lines that are no rows (a repeated header, a footer) are nobody's.
    """
    is_row = pl.col("cell").is_null() & ~pl.col("not_yet")
    is_known = pl.col("patient_id").is_in(patients.implode()).fill_null(False)
    is_line = pl.col("reasons").list.first().is_in(NOT_ROWS)
    return set_aside.filter(is_row, ~is_known, ~is_line)


def empty_columns(rows: pl.DataFrame, set_aside: pl.DataFrame, table: str) -> tuple[str, ...]:
    """Return the columns of a table in which nothing was received; `*` where it has no row.

    An FDG reading that nobody records is no claim of absence: SUVmax decides then.
    """
    bad = set_aside.filter(pl.col("table") == table)
    if TABLES[table].key is None or (rows.is_empty() and bad.height):
        return ()
    if rows.is_empty():
        return ("*",)
    kept = [name for name in TABLES[table].needed if name in rows.columns]
    nulls = rows.select(pl.col(kept).is_null().all()).row(0, named=True)
    dates = [name for name in kept if f"{EARLIEST}{name}" in rows.columns]
    partial = rows.select(pl.col(f"{EARLIEST}{name}").is_not_null().any() for name in dates)
    read = {name for name, some in zip(dates, partial.row(0), strict=True) if some}
    received = set(bad["cell"].drop_nulls()) | read | {"fdg_positive"}
    return tuple(name for name in kept if nulls[name] and name not in received)


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
