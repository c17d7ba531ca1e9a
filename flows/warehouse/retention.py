"""Forgetting: rows that only old nights saw leave the tables, and their text the disk."""

from dataclasses import asdict

import polars as pl

from flows.warehouse.database import Database
from flows.warehouse.parts import Parts
from flows.warehouse.taking_back import KEPT
from schemas.registry import TABLES


def forget(db: Database, parts: Parts, keep: int) -> None:
    """Forget what only nights before the newest `keep` saw (0 keeps all).

    A part of which rows remain is written anew without the others; the old one is no longer
    referred to, and the caller sweeps it.
    """
    oldest = db.scalar(
        "SELECT min(seq) FROM (SELECT seq FROM ops.runs WHERE published_at IS NOT NULL "
        "ORDER BY seq DESC LIMIT ?)",
        [keep],
    )
    if not keep or oldest is None:
        return
    for table in TABLES:
        for versions in (f"ops.{table}_versions", f"valid.{table}_versions"):
            if versions == f"valid.{KEPT}_versions":
                continue
            db.run(f"DELETE FROM {versions} WHERE seen_until <= ?", [oldest])
        _shrink_parts(db, parts, table, oldest)
    db.run("DELETE FROM ops.quarantine WHERE seq < ?", [oldest])
    db.run("UPDATE ops.runs SET history_kept = false WHERE seq < ?", [oldest])


def _shrink_parts(db: Database, parts: Parts, table: str, oldest: int) -> None:
    """Write the parts of a table anew that hold more rows than are still seen."""
    shrunk = db.run(
        f"SELECT part, file_no FROM ops.parts WHERE table_name = '{table}' AND file_no IN ("
        f"  SELECT file_no FROM"
        f"    (SELECT file_no, sum(rows) AS held FROM ops.parts GROUP BY file_no) LEFT JOIN"
        f"    (SELECT file_no, count(*) AS seen FROM ops.{table}_versions GROUP BY file_no)"
        f"    USING (file_no) WHERE held > coalesce(seen, 0)) ORDER BY part"
    )
    for number, (part, file_no) in enumerate(shrunk):
        seen = db.frame(f"SELECT row_hash FROM ops.{table}_versions WHERE file_no = {file_no}")
        rows = parts.read(part, table).collect()
        kept = rows.join(seen, on="row_hash", how="semi", maintain_order="left")
        if kept.height == rows.height:
            continue
        db.run("DELETE FROM ops.parts WHERE part = ?", [part])
        if kept.height:
            name = f"kept-{oldest:06}-{file_no}-{number}"
            anew = parts.write(table, name, file_no, kept)
            db.insert("ops.parts", pl.DataFrame([asdict(anew)]))
