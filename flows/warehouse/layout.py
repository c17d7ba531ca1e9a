"""The tables of the warehouse: those that never change by themselves, those of the contract."""

from typing import Any

import polars as pl

from flows.warehouse.database import Database
from schemas.registry import TABLES

LAYOUT_1 = """
CREATE SCHEMA IF NOT EXISTS raw; CREATE SCHEMA IF NOT EXISTS valid;
CREATE SCHEMA IF NOT EXISTS marts; CREATE SCHEMA IF NOT EXISTS ops;
CREATE TABLE IF NOT EXISTS ops.layout (version UINTEGER);
CREATE TABLE IF NOT EXISTS ops.runs (
    seq UINTEGER, run_id VARCHAR, as_of DATE, started_at TIMESTAMPTZ, published_at TIMESTAMPTZ,
    previous VARCHAR, mapping VARCHAR, settings VARCHAR);
CREATE TABLE IF NOT EXISTS ops.files (
    file_no UINTEGER, seq UINTEGER, table_name VARCHAR, file VARCHAR, sha256 VARCHAR,
    bytes UBIGINT, loaded_at TIMESTAMPTZ, rows_read UBIGINT, rows_loaded UBIGINT,
    rows_quarantined UBIGINT, duplicates UBIGINT, new_versions UBIGINT);
CREATE TABLE IF NOT EXISTS ops.quarantine (
    seq UINTEGER, "table" VARCHAR, file VARCHAR, line UINTEGER, row_hash UBIGINT,
    row_key VARCHAR, patient_id VARCHAR, not_yet BOOLEAN, reasons VARCHAR[], original VARCHAR);
"""
"""What a new file starts from. It never changes: every later change is a migration."""

_WHERE = {"file_no": "UINTEGER", "line": "UINTEGER", "row_hash": "UBIGINT"}
_WHEN = {"seen_from": "UINTEGER", "seen_until": "UINTEGER"}

_TYPES: dict[Any, str] = {
    pl.String: "VARCHAR",
    pl.Enum: "VARCHAR",
    pl.Date: "DATE",
    pl.Float64: "DOUBLE",
    pl.Boolean: "BOOLEAN",
}


def wanted_tables() -> dict[str, dict[str, str]]:
    """Return the tables that follow the contract: name -> column -> SQL type.

    ops.<table>_versions has one row per version of a row as received, valid.<table>_versions one
    per version that passed validation, typed. A version was seen by the nights from seen_from to
    before seen_until.
    """
    wanted = {}
    for name, table in TABLES.items():
        typed = {
            column: _TYPES[declared.dtype.type.base_type()]
            for column, declared in table.schema.columns.items()
        }
        wanted[f"ops.{name}_versions"] = _WHERE | _WHEN
        wanted[f"valid.{name}_versions"] = typed | _WHERE | _WHEN
    return wanted


def follow_contract(db: Database) -> None:
    """Give the open warehouse what today's contract has and it has not: tables and columns.

    A column that left the contract stays in its table, with what it held.
    """
    columns: dict[str, dict[str, str]] = {}
    for table, column, dtype in db.run(
        "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE NOT internal"
    ):
        columns.setdefault(table, {})[column] = dtype
    for table, wanted in wanted_tables().items():
        there = columns.get(table)
        if there is None:
            cells = ", ".join(f'"{name}" {dtype}' for name, dtype in wanted.items())
            db.run(f"CREATE TABLE {table} ({cells})")
            continue
        for name, dtype in wanted.items():
            if name not in there:
                db.run(f'ALTER TABLE {table} ADD COLUMN "{name}" {dtype}')
            elif there[name] != dtype:
                db.run(f'ALTER TABLE {table} ALTER COLUMN "{name}" SET DATA TYPE {dtype}')
    for name, table_ in TABLES.items():
        if set(columns.get(f"valid.{name}", ())) != {*table_.columns, *_WHERE}:
            db.run(_valid_view(name))


def _valid_view(table: str) -> str:
    """Return the SQL that shows the valid rows of the last published night."""
    cells = ", ".join(f'"{name}"' for name in (*TABLES[table].columns, *_WHERE))
    return f"""
        CREATE OR REPLACE VIEW valid.{table} AS
        WITH last AS (SELECT max(seq) AS seq FROM ops.runs WHERE published_at IS NOT NULL)
        SELECT {cells} FROM valid.{table}_versions, last
        WHERE seen_from <= last.seq AND (seen_until IS NULL OR seen_until > last.seq)"""
