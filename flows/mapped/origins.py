"""From a row that counts to the record of the hospital's file that it was made of."""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import polars as pl

from flows.published.nights import read_published
from flows.secrets import Keys
from schemas.registry import TABLES

_COLUMNS = ["table", "rule", "file", "record", "row_keys"]
_KEY = "thyrisk"


def origins(
    rows: Iterable[tuple[str, str]], out: Path, run_date: str | None, keys: Keys
) -> Iterator[str]:
    """Yield, for each row (table and key), its file, record and rule, and the record's cells.

    Nothing of a night without a ledger, or under pseudonyms: its rows are not named there.
    """
    ledger = read_published(out, "ledger.parquet", run_date, keys)
    if ledger is None or ledger.is_empty():
        return
    made = ledger.select(_COLUMNS).filter(pl.col("row_keys").list.len() > 0)
    for table, key in dict.fromkeys(rows):
        of_row = made.filter(pl.col("table") == table, pl.col("row_keys").list.contains(key))
        for one in of_row.to_dicts():
            yield f"{table} {key}: {one['file']}, record {one['record']}, by {one['rule']}"
        if of_row.height and (cells := _received(out, table, key, keys)):
            yield f"  {cells}"


def _received(out: Path, table: str, key: str, keys: Keys) -> str | None:
    """Return the cells of the record as the warehouse has kept them; None where it cannot say."""
    warehouse = out / "warehouse.duckdb"
    if not warehouse.is_file():
        return None
    try:
        with duckdb.connect(str(warehouse), read_only=True) as db:
            if keys.encryption is not None:
                secret = base64.b64encode(keys.encryption).decode()
                db.execute(f"PRAGMA add_parquet_key('{_KEY}', '{secret}')")
            found = db.execute(
                f'SELECT extra FROM raw.{table} WHERE "{TABLES[table].key}" = ? '
                f"AND extra IS NOT NULL ORDER BY seen_from DESC LIMIT 1",
                [key],
            ).fetchone()
    except duckdb.Error:
        return None  # a night is running, or it is elsewhere
    try:
        cells = json.loads(found[0]) if found else {}
    except ValueError:
        return None
    return "; ".join(f"{name} = {cell}" for name, cell in cells.items() if cell is not None)
