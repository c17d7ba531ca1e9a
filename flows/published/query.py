"""SQL over the published nights: every table of every night, as one."""

import base64
from pathlib import Path

import duckdb
import polars as pl
from polars.exceptions import PolarsError

from flows.errors import UsageError
from flows.published.nights import is_encrypted, nights
from flows.secrets import Keys
from schemas.published import PUBLISHED

_KEY = "thyrisk"


def query(sql: str, out: Path, keys: Keys) -> pl.DataFrame:
    """Run SQL over the nights in a folder; return its rows. Raises UsageError.

    There is a view per published table with a column run_date, and, in the schema `latest`, the
    same of the newest night alone.
    """
    folders = nights(out)
    if not folders:
        raise UsageError(f"no published night in {out}")
    with duckdb.connect() as db:
        db.execute("CREATE SCHEMA latest")
        if keys.encryption is not None:
            key = base64.b64encode(keys.encryption).decode()
            db.execute(f"PRAGMA add_parquet_key('{_KEY}', '{key}')")
        for name in PUBLISHED:
            files = [path for folder in folders if (path := folder / f"{name}.parquet").is_file()]
            if files:
                db.execute(f"CREATE VIEW {name} AS {_scan(files)}")
                db.execute(f"CREATE VIEW latest.{name} AS {_scan(files[-1:])}")
        try:
            found = db.sql(sql)
            rows: pl.DataFrame = pl.DataFrame() if found is None else found.pl()
        except (duckdb.Error, PolarsError) as error:
            raise UsageError(f"query: {error}") from error
    return rows


def _scan(files: list[Path]) -> str:
    paths = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
    encrypted = is_encrypted(files[-1])
    config = f", encryption_config = {{footer_key: '{_KEY}'}}" if encrypted else ""
    # DuckDB 2.0 fails to skip pages of encrypted parquet: OFFSET keeps filters from the scan.
    unfiltered = " OFFSET 0" if encrypted else ""
    return (
        f"SELECT * FROM read_parquet([{paths}], hive_partitioning = true, union_by_name = true"
        f"{config}){unfiltered}"
    )
