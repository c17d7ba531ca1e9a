"""Every review that was ever given: of the exports of all nights, and those that were imported."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from flows.job import Tonight
from flows.read import Read
from flows.reviews.store import read as read_imported
from flows.warehouse.warehouse import Warehouse
from schemas.contracts import EARLIEST, LATEST
from transforms.review.reviews import GIVEN

TABLE = "reviews"


def with_every_review(tonight: Tonight, warehouse: Warehouse, read: Read) -> Read:
    """Return what is read with the reviews of all nights in the place of tonight's alone.

    A review that an export no longer has still counts: it is taken back by a decision, not by
    its absence.
    """
    exported = warehouse.reviews_seen(tonight.seq).with_columns(
        reviewed_time=pl.lit(None, dtype=pl.Time), source=pl.lit("export")
    )
    imported = _named(read_imported(tonight.job.warehouse, tonight.keys, tonight.imports), tonight)
    named = imported.join(_pseudonyms(tonight, read.names), on="given_as", how="left")
    parts = [
        exported.join(read.names, on="patient_id").select(*GIVEN),
        named.filter(pl.col("patient_no").is_not_null()).select(*GIVEN),
    ]
    given = pl.concat(part.cast(pl.Schema(GIVEN)) for part in parts)
    given = given.unique([name for name in GIVEN if name != "source"], keep="first")
    loaded = replace(read.tables[TABLE], rows=_dated(given, read.names))
    remarks = (*_gone(warehouse, tonight), *_unnamed(named, tonight))
    return replace(read, tables={**read.tables, TABLE: loaded}, remarks=remarks)


def _named(imported: pl.DataFrame, tonight: Tonight) -> pl.DataFrame:
    """Mark the reviews whose patients were named as tonight's are."""
    whose = pl.lit(tonight.keys.fingerprint, dtype=pl.String)
    as_tonight = pl.col("pseudonyms").eq_missing(whose)
    return imported.with_columns(given_as=pl.when(as_tonight).then("patient_id"))


def _pseudonyms(tonight: Tonight, names: pl.DataFrame) -> pl.DataFrame:
    """Return the number of each patient by what the published nights call them."""
    ids = names["patient_id"]
    shown = ids if tonight.keys.pseudonym is None else tonight.keys.pseudonyms(ids)
    return names.select("patient_no", given_as=shown)


def _dated(given: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Return reviews as rows of a table: with the days that their dates may be."""
    days = [
        pl.col(name).alias(edge + name)
        for name in ("reviewed_at", "deferred_until")
        for edge in (EARLIEST, LATEST)
    ]
    ordered = given.sort(pl.all())
    return ordered.join(names, on="patient_no", maintain_order="left").with_columns(days)


def _gone(warehouse: Warehouse, tonight: Tonight) -> Iterator[str]:
    gone = 0 if tonight.replayed else warehouse.reviews_gone(tonight.seq)
    if gone:
        yield (
            f"reviews: {gone} that the last export had are not in tonight's; they still count. "
            f"A review is taken back by another one that says reopened."
        )


def _unnamed(named: pl.DataFrame, tonight: Tonight) -> Iterator[str]:
    lost = named.filter(pl.col("given_as").is_null()).height
    if lost:
        yield (
            f"reviews: {lost} that were imported name patients by other pseudonyms, or by none: "
            f"they do not count tonight. Give the key that those nights were published with."
        )
