"""Taking a night back: what it opened goes, what it closed is open again."""

from datetime import datetime

from flows.warehouse.database import Database
from schemas.registry import TABLES

KEPT = "reviews"
"""What people decided stays, whatever becomes of the nights that brought it."""


def take_back(db: Database, seq: int, at: datetime, why: str) -> None:
    """Leave the tables as if a published night had not been; its run stays, marked withdrawn.

    Where a night was run after it, that one saw what it saw, and versions now begin or end there.
    """
    after = db.scalar(
        "SELECT min(seq) FROM ops.runs WHERE published_at IS NOT NULL AND seq > ?", [seq]
    )
    for table in TABLES:
        for versions in (f"ops.{table}_versions", f"valid.{table}_versions"):
            if table != KEPT:
                db.run(
                    f"DELETE FROM {versions} WHERE seen_from = ? "
                    f"AND (CAST(? AS UINTEGER) IS NULL OR seen_until <= ?)",
                    [seq, after, after],
                )
                db.run(f"UPDATE {versions} SET seen_from = ? WHERE seen_from = ?", [after, seq])
            db.run(f"UPDATE {versions} SET seen_until = ? WHERE seen_until = ?", [after, seq])
    _drop_files(db, seq)
    db.run("DELETE FROM ops.quarantine WHERE seq = ?", [seq])
    db.run(
        "UPDATE ops.runs SET published_at = NULL, withdrawn_at = ?, withdrawn_why = ? "
        "WHERE seq = ?",
        [at, why, seq],
    )


def _drop_files(db: Database, seq: int) -> None:
    """Forget a night's files, and their parts, of which no row is left."""
    used = " UNION ".join(f"SELECT file_no FROM ops.{table}_versions" for table in TABLES)
    gone = f"(SELECT file_no FROM ops.files WHERE seq = {int(seq)} AND file_no NOT IN ({used}))"
    db.run(f"DELETE FROM ops.parts WHERE file_no IN {gone}")
    db.run(f"DELETE FROM ops.files WHERE file_no IN {gone}")
