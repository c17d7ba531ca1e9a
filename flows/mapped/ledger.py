"""The ledger: what became of every record, and that nothing was lost or made up."""

from collections.abc import Iterable, Mapping

import polars as pl

from flows.counts import Counting, FileCount
from flows.errors import NightError
from flows.mapped.prepare import FATES, JOINED, Prepared
from schemas.published import Ledger, columns_of
from schemas.registry import TABLES

NO_RULE = "no rule reads it"
NOT_NEEDED = "looked up in, and not needed"
_RECORD = ["source", "file", "record"]
_COUNTS = ("rows_loaded", "rows_quarantined", "rows_duplicate")

TRACED = pl.Schema(
    {
        **{name: FATES[name] for name in ("source", "file", "record", "table", "rule")},
        "fate": pl.String(),
        "rows": pl.UInt32(),
        **dict.fromkeys(_COUNTS, pl.UInt32()),
        "row_keys": pl.List(pl.String()),
        "reason": pl.String(),
        "text": pl.String(),
    }
)
"""One row per record and rule by which it became rows."""


def seen_of(batch: pl.DataFrame) -> pl.DataFrame:
    """Return what the ledger needs of rows as they are read."""
    is_bad = pl.col("unreadable").is_not_null()
    return batch.select("line", "unreadable", text=pl.when(is_bad).then("extra"))


def trace(
    table: str, counted: Mapping[int, Counting], valid: pl.DataFrame, bad: pl.DataFrame
) -> pl.DataFrame:
    """Return what became of the rows of each record. Raises NightError when some were lost."""
    key = TABLES[table].key
    keys = pl.col(key).cast(pl.String) if key else pl.lit(None, dtype=pl.String)
    loaded = valid.select("file_no", "line", keys.alias("key"), is_loaded=True)
    aside = bad.filter(pl.col("cell").is_null())
    aside = aside.select("file_no", "line", key="row_key", is_loaded=False)
    rows = pl.concat([loaded, aside])
    found = [pl.DataFrame(schema=TRACED)]
    for file_no, count in counted.items():
        if count.seen:
            of_file = rows if len(counted) == 1 else rows.filter(file_no=file_no)
            found.append(_of_file(table, count, of_file))
    return pl.concat(found)


def _by_line(rows: pl.DataFrame, is_one_each: bool) -> pl.DataFrame:
    """Return, for each line, how many rows were loaded and quarantined, and their keys."""
    loaded = pl.col("is_loaded").cast(pl.UInt32)
    if is_one_each:  # as in every file that is only renamed: grouping millions takes seconds
        return rows.select(
            "line",
            rows_loaded=loaded,
            rows_quarantined=1 - loaded,
            row_keys=pl.when(pl.col("key").is_not_null()).then(pl.concat_list("key")),
        )
    return rows.group_by("line").agg(
        rows_loaded=loaded.sum(),
        rows_quarantined=(1 - loaded).sum(),
        row_keys=pl.col("key").drop_nulls().sort(),
    )


def _of_file(table: str, count: Counting, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the records of a file by what became of their rows."""
    seen = pl.concat(count.seen)
    count.seen.clear()
    is_one_each = bool((seen["line"].cast(pl.Int64).diff() > 0).all())
    if is_one_each:
        seen = seen.with_columns(rows=pl.lit(1, dtype=pl.UInt32))
    else:
        seen = seen.group_by("line", maintain_order=True).agg(
            pl.len().cast(pl.UInt32).alias("rows"),
            pl.col("unreadable").first(),
            pl.col("text").first(),
        )
    by_line = _by_line(rows, is_one_each)
    records = seen.join(by_line, on="line", how="left", maintain_order="left").with_columns(
        pl.col("rows_loaded", "rows_quarantined").fill_null(0), pl.col("row_keys").fill_null([])
    )
    left = pl.col("rows").cast(pl.Int64) - pl.col("rows_loaded") - pl.col("rows_quarantined")
    records = records.with_columns(rows_duplicate=left)
    if (
        records["rows_duplicate"].sum() != count.duplicates
        or records.filter(pl.col("rows_duplicate") < 0).height
    ):
        raise NightError(
            f"{table}: rows of records were lost or made up: the ledger does not add up"
        )
    return records.select(
        source=pl.lit(count.file.source),
        file=pl.lit(count.file.name),
        record=pl.col("line").cast(pl.UInt32),
        table=pl.lit(table),
        rule=pl.lit(count.file.rule),
        fate=pl.when(pl.col("unreadable").is_null())
        .then(pl.lit("emitted"))
        .otherwise(pl.lit("rejected")),
        rows="rows",
        rows_loaded="rows_loaded",
        rows_quarantined="rows_quarantined",
        rows_duplicate="rows_duplicate",
        row_keys="row_keys",
        reason="unreadable",
        text="text",
    ).cast(TRACED)


def ledger(
    made: Prepared, traced: Iterable[pl.DataFrame], files: Iterable[FileCount]
) -> pl.DataFrame:
    """Return the ledger of a night: one row per record and rule. Raises NightError.

    Each record that was read has a fate by each rule of its source, and its rows are those that
    were counted.
    """
    known = pl.concat([pl.DataFrame(schema=TRACED), *traced, made.fates], how="diagonal")
    alone = made.records
    if made.records.height:
        alone = made.records.join(known.select(_RECORD).unique(), on=_RECORD, how="anti")
        is_known = pl.col("source").is_in(list(made.looked_up))
        reason = pl.when(is_known).then(pl.lit(NOT_NEEDED)).otherwise(pl.lit(NO_RULE))
        alone = alone.with_columns(fate=pl.lit("left_out"), reason=reason)
    found = pl.concat([known, alone], how="diagonal").with_columns(
        pl.col("rows", *_COUNTS).fill_null(0), pl.col("row_keys").fill_null([])
    )
    _refuse_lost_records(found, made)
    _refuse_lost_rows(found, list(files))
    order = ("source", "file", "record", "table", "rule", "fate", "reason")
    return (
        _with_codes(found, order)
        .sort(order)
        .select(pl.col(name).cast(dtype) for name, dtype in columns_of(Ledger).items())
    )


def _with_codes(found: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """Return texts as codes, which sort much faster and in the same order."""
    texts = [name for name in columns if found.schema[name] == pl.String]
    return found.with_columns(
        pl.col(name).cast(pl.Enum(found[name].drop_nulls().unique().sort())) for name in texts
    )


def _refuse_lost_records(found: pl.DataFrame, made: Prepared) -> None:
    """Raise NightError unless each record has exactly one fate by each rule of its source."""
    if made.records.is_empty():
        return
    there = dict(made.records.group_by("source").len().iter_rows())
    tables = sorted({table for table, _ in made.leads})
    own = found.filter(pl.col("reason").ne_missing(JOINED), pl.col("table").is_in(tables))
    by_rule = own.group_by("table", "rule").agg(
        rows=pl.len(), records=pl.struct("source", "file", "record").n_unique()
    )
    counted = {(table, rule): (rows, n) for table, rule, rows, n in by_rule.iter_rows()}
    for (table, rule), source in made.leads.items():
        expected = there.get(source, 0)
        if counted.get((table, rule), (0, 0)) != (expected, expected):
            raise NightError(
                f"{table}, rule {rule}: {expected} records read, but "
                f"{counted.get((table, rule), (0, 0))[1]} accounted for; nothing is published"
            )


def _refuse_lost_rows(found: pl.DataFrame, files: list[FileCount]) -> None:
    """Raise NightError unless the ledger's rows are those that the files' counts have."""
    rows = ("rows", *_COUNTS)
    sums = found.filter(pl.col("rows") > 0).group_by("table").agg(pl.col(rows).sum())
    told = {table: tuple(counts) for table, *counts in sums.iter_rows()}
    for table in {file.table for file in files}:
        of_table = [file for file in files if file.table == table]
        expected = tuple(
            sum(getattr(file, what) for file in of_table)
            for what in ("rows_read", "rows_loaded", "rows_quarantined", "duplicates")
        )
        if told.get(table, (0, 0, 0, 0)) != expected:
            raise NightError(
                f"{table}: the ledger has {told.get(table)} rows (all, loaded, quarantined, "
                f"duplicates), the files {expected}; nothing is published"
            )


def summary(found: pl.DataFrame) -> list[dict[str, object]]:
    """Return, for each source's file, its records by fate: emitted, else merged, else rejected.

    A record with several fates counts by the first of these; the counts add up to `records`.
    """
    order = {fate: at for at, fate in enumerate(("emitted", "merged", "rejected", "left_out"))}
    if found.is_empty():
        return []
    by_record = (
        _with_codes(found, ("source", "file"))
        .group_by("source", "file", "record")
        .agg(pl.col("fate").cast(pl.String).replace_strict(order, return_dtype=pl.Int8).min())
    )
    counted = by_record.group_by("source", "file").agg(
        records=pl.len(), **{fate: (pl.col("fate") == at).sum() for fate, at in order.items()}
    )
    return counted.sort("source", "file").cast({"source": pl.String, "file": pl.String}).to_dicts()
