"""The text of single rows as it was received, looked up in the parts."""

import polars as pl

from flows.warehouse.database import Database
from flows.warehouse.parts import Parts
from schemas.registry import TABLES

_FOUND = pl.Schema({"row_hash": pl.UInt64(), "original": pl.String()})


def originals(db: Database, parts: Parts, table: str, hashes: pl.Series) -> pl.DataFrame:
    """Return the received text of rows: one row per row_hash, `original` as JSON.

    A line that is no row of its table is returned as it was.
    """
    if hashes.is_empty():
        return pl.DataFrame(schema=_FOUND)
    with db.shown(wanted=hashes.unique().to_frame("row_hash")):
        places = db.run(
            f"SELECT DISTINCT part FROM ops.{table}_versions "
            f"JOIN wanted USING (row_hash) JOIN ops.parts USING (file_no) ORDER BY part"
        )
    if not places:
        return pl.DataFrame(schema=_FOUND)
    of_them = pl.col("row_hash").is_in(hashes.implode())
    scans = [parts.read(part, table).filter(of_them) for (part,) in places]
    cells = ", ".join(f'"{name}" := "{name}"' for name in TABLES[table].columns)
    any_cell = " OR ".join(f'"{name}" IS NOT NULL' for name in TABLES[table].columns)
    with db.shown(received=pl.concat(pl.collect_all(scans))):
        return db.frame(
            f"SELECT row_hash, any_value(CASE WHEN {any_cell} "
            f"THEN to_json(struct_pack({cells}))::VARCHAR ELSE extra END) AS original "
            f"FROM received GROUP BY row_hash"
        )
