"""From layout 2 to 3: the text of the rows goes from tables of DuckDB into parts."""

from collections.abc import Iterator
from dataclasses import asdict

import polars as pl

from flows.warehouse.database import Database
from flows.warehouse.parts import Part, Parts
from schemas.registry import TABLES
from transforms.reading.row_hash import with_row_hash

_LINES = 500_000
_NEW_TABLES = """
ALTER TABLE ops.runs ADD COLUMN reading VARCHAR;
CREATE TABLE ops.views (view VARCHAR, made_by VARCHAR);
CREATE TABLE ops.parts (
    part VARCHAR, table_name VARCHAR, file_no UINTEGER, rows UBIGINT, sha256 VARCHAR);
"""


def move_text_to_parts(db: Database, parts: Parts) -> None:
    """Move the versions of every table; their hashes, and those in quarantine, are made anew."""
    db.run(_NEW_TABLES)
    there = db.run(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'raw' AND "
        "table_name LIKE '%!_versions' ESCAPE '!' ORDER BY table_name"
    )
    for (versions,) in there:
        table = versions.removesuffix("_versions")
        db.run(
            f"CREATE TABLE ops.{versions} (file_no UINTEGER, line UINTEGER, row_hash UBIGINT, "
            f"seen_from UINTEGER, seen_until UINTEGER)"
        )
        for name, rows in _pieces(db, table):
            part = _moved(db, parts, table, name, rows)
            db.insert("ops.parts", pl.DataFrame([asdict(part)]))
        for view in (f"raw.{table}", f"valid.{table}"):
            db.run(f"DROP VIEW IF EXISTS {view}")
        db.run(f"DROP TABLE raw.{versions}")


def _pieces(db: Database, table: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the versions of a table: those of one file, so many lines at a time."""
    versions = f"raw.{table}_versions"
    files = db.run(f"SELECT file_no, max(line) FROM {versions} GROUP BY file_no ORDER BY file_no")
    for file_no, last in files:
        for number, start in enumerate(range(0, last + 1, _LINES)):
            rows = db.frame(
                f"SELECT * FROM {versions} WHERE file_no = {file_no} "
                f"AND line >= {start} AND line < {start + _LINES} ORDER BY line, seen_from"
            )
            if rows.height:
                yield f"migrated-{file_no}-{number}", rows


def _moved(db: Database, parts: Parts, table: str, name: str, rows: pl.DataFrame) -> Part:
    """Write rows as a part, and into the tables what the tables keep of them."""
    before = rows.select(old="row_hash")
    rows = with_row_hash(rows, [c for c in TABLES[table].columns if c in rows.columns])
    kept = ("file_no", "line", "row_hash", "seen_from", "seen_until")
    db.insert(f"ops.{table}_versions", rows.select(kept))
    with db.shown(hashes=before.with_columns(new=rows["row_hash"])):
        db.run(
            "UPDATE ops.quarantine AS q SET row_hash = h.new FROM hashes AS h "
            'WHERE q.row_hash = h.old AND q."table" = ?',
            [table],
        )
    return parts.write(table, name, rows["file_no"][0], rows)
