"""What a rebuilt warehouse has of nights without their rows: that they were, and reviews."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from flows.warehouse.database import Database
from flows.warehouse.parts import Parts
from flows.warehouse.taking_back import KEPT
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping


@dataclass(frozen=True)
class Gone:
    """A published night of which the rows are gone."""

    run_id: str
    as_of: date
    started_at: datetime
    published_at: datetime
    previous: str | None
    settings: dict[str, Any]
    files: tuple[dict[str, Any], ...]
    """Of each: table, file, sha256, rows_read, rows_loaded, rows_quarantined, duplicates."""


def remember(db: Database, night: Gone) -> None:
    """Record a night without its rows: no version claims to have been seen by it."""
    seq = int(db.scalar("SELECT coalesce(max(seq), 0) + 1 FROM ops.runs"))
    db.run(
        "INSERT INTO ops.runs (seq, run_id, as_of, started_at, published_at, previous, mapping, "
        "settings, history_kept) VALUES (?, ?, ?, ?, ?, ?, ?, ?, false)",
        [
            *(seq, night.run_id, night.as_of, night.started_at, night.published_at),
            *(night.previous, Mapping().model_dump_json(), json.dumps(night.settings)),
        ],
    )
    for number, file in enumerate(night.files, _next_file(db)):
        db.run(
            "INSERT INTO ops.files (file_no, seq, table_name, file, sha256, loaded_at, rows_read, "
            "rows_loaded, rows_quarantined, duplicates) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                *(number, seq, file["table"], file["file"], file["sha256"], night.started_at),
                *(file["rows_read"], file["rows_loaded"]),
                *(file["rows_quarantined"], file["duplicates"]),
            ],
        )
    for table in TABLES:
        if table != KEPT:
            for versions in (f"ops.{table}_versions", f"valid.{table}_versions"):
                db.run(f"UPDATE {versions} SET seen_until = ? WHERE seen_until IS NULL", [seq])


def keep_reviews(db: Database, parts: Parts, rows: pl.DataFrame, at: datetime, why: str) -> int:
    """Keep reviews that no night here saw, under a run that published nothing; return how many.

    `rows` are as in the parts of a warehouse.
    """
    known = db.frame(f"SELECT row_hash FROM ops.{KEPT}_versions")
    new = rows.unique("row_hash", keep="first", maintain_order=True)
    new = new.join(known, on="row_hash", how="anti", maintain_order="left")
    if new.is_empty():
        return 0
    seq = int(db.scalar("SELECT coalesce(max(seq), 0) + 1 FROM ops.runs"))
    file_no = _next_file(db)
    last: Iterable[tuple[Any, ...]] = db.run("SELECT max(as_of) FROM ops.runs")
    ((day,),) = last
    db.run(
        "INSERT INTO ops.runs (seq, run_id, as_of, started_at, withdrawn_at, withdrawn_why, "
        "mapping, settings) VALUES (?, 'rebuild', ?, ?, ?, ?, ?, '{}')",
        [seq, day or at.date(), at, at, why, Mapping().model_dump_json()],
    )
    db.run(
        "INSERT INTO ops.files (file_no, seq, table_name, file, loaded_at) VALUES (?, ?, ?, ?, ?)",
        [file_no, seq, KEPT, "raw text of the damaged warehouse", at],
    )
    new = new.with_columns(file_no=pl.lit(file_no, dtype=pl.UInt32))
    part = parts.write(KEPT, f"kept-{seq:06}-{file_no}-0", file_no, new)
    db.insert("ops.parts", pl.DataFrame([asdict(part)]))
    seen = pl.lit(seq, dtype=pl.UInt32)
    versions = new.select("file_no", "line", "row_hash", seen_from=seen, seen_until=seen)
    db.insert(f"ops.{KEPT}_versions", versions)
    return new.height


def _next_file(db: Database) -> int:
    return int(db.scalar("SELECT coalesce(max(file_no), 0) + 1 FROM ops.files"))
