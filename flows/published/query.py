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
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_ALLOWED = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
_ABOUT_THE_SQL = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
"""Errors that are found before a row is read."""


def query(sql: str, out: Path, keys: Keys) -> pl.DataFrame:
    """Run one SELECT over the nights in a folder; return its rows. Raises UsageError.

    There is a view per published table with a column run_date, and, in the schema `latest`, the
    same of the newest night alone. It reads the nights' files and nothing else, and writes
    nothing; an error quotes no cell.
    """
    folders = nights(out)
    if not folders:
        raise UsageError(f"no published night in {out}")
    with duckdb.connect(config=_CONFIG) as db:
        db.execute("CREATE SCHEMA latest")
        if keys.encryption is not None:
            key = base64.b64encode(keys.encryption).decode()
            db.execute(f"PRAGMA add_parquet_key('{_KEY}', '{key}')")
        read: list[Path] = []
        for name in PUBLISHED:
            files = [path for folder in folders if (path := folder / f"{name}.parquet").is_file()]
            if files:
                db.execute(f"CREATE VIEW {name} AS {_scan(files)}")
                db.execute(f"CREATE VIEW latest.{name} AS {_scan(files[-1:])}")
                read += files
        _lock(db, read)
        try:
            _refuse_unless_select(sql)
            found = db.sql(sql)
            rows: pl.DataFrame = pl.DataFrame() if found is None else found.pl()
        except _ABOUT_THE_SQL as error:
            raise UsageError(f"query: {error}") from None
        except (duckdb.Error, PolarsError) as error:
            # Its words may quote a cell.
            raise UsageError(f"query: {_kind(error)} while it ran; nothing was changed") from None
    return rows


def _lock(db: duckdb.DuckDBPyConnection, files: list[Path]) -> None:
    """Leave the connection nothing to read but the files of the nights, for good."""
    db.execute("SET temp_directory = ''")
    db.execute("SET python_enable_replacements = false")
    db.execute(f"SET allowed_paths = [{_quoted(files)}]")
    db.execute("SET enable_external_access = false")
    db.execute("SET lock_configuration = true")


def _refuse_unless_select(sql: str) -> None:
    """Raise UsageError for what is not one SELECT: files that may be read could be written too."""
    kinds = [statement.type for statement in duckdb.extract_statements(sql)]
    if len(kinds) != 1 or kinds[0] not in _ALLOWED:
        raise UsageError(
            "query: want one SELECT; nothing is written, attached, loaded or set here (docs/"
            "analysts.md reads the same files with polars, DuckDB or R)"
        )


def _kind(error: Exception) -> str:
    return "refused" if isinstance(error, duckdb.PermissionException) else type(error).__name__


def _quoted(files: list[Path]) -> str:
    return ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)


def _scan(files: list[Path]) -> str:
    encrypted = is_encrypted(files[-1])
    config = f", encryption_config = {{footer_key: '{_KEY}'}}" if encrypted else ""
    # DuckDB 2.0 fails to skip pages of encrypted parquet: OFFSET keeps filters from the scan.
    unfiltered = " OFFSET 0" if encrypted else ""
    how = f"hive_partitioning = true, union_by_name = true{config}"
    return f"SELECT * FROM read_parquet([{_quoted(files)}], {how}){unfiltered}"
