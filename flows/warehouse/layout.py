"""The layout of the warehouse and its views, as SQL made from the contracts."""

import polars as pl

from schemas.registry import TABLES
from transforms.reading.cells import NO, YES
from transforms.reading.mapping import Mapping


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _raw_tables() -> str:
    statements = []
    for name, table in TABLES.items():
        cells = ", ".join(f'"{column}" VARCHAR' for column in table.columns)
        shown = ", ".join(f'v."{column}"' for column in table.columns)
        statements.append(f"""
            CREATE TABLE IF NOT EXISTS raw.{name}_versions (
                row_hash UBIGINT, file_no UINTEGER, line UINTEGER,
                seen_from UINTEGER, seen_until UINTEGER,
                {cells}, extra VARCHAR, unreadable VARCHAR);
            CREATE VIEW IF NOT EXISTS raw.{name} AS
                SELECT f.file, v.line, f.loaded_at, r.run_id, v.row_hash,
                       v.seen_from, v.seen_until, {shown}, v.extra, v.unreadable
                FROM raw.{name}_versions AS v
                JOIN ops.files AS f USING (file_no) JOIN ops.runs AS r ON r.seq = f.seq;""")
    return "".join(statements)


LAYOUT = f"""
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
{_raw_tables()}
"""


def _cell(table: str, column: str, mapping: Mapping) -> str:
    """Return the SQL of a cell in the contract's dialect, as the mapping has it."""
    mapped = mapping.of(table)
    cell = f"trim(\"{column}\", ' \t\r\n')"
    if codes := {k: v for k, v in mapped.codes.get(column, {}).items() if k}:
        cases = " ".join(f"WHEN {_quoted(a)} THEN {_quoted(b)}" for a, b in codes.items())
        cell = f"CASE {cell} {cases} ELSE {cell} END"
    cell = f"nullif({cell}, '')"
    empty = mapped.codes.get(column, {}).get("") or mapped.units.get(column)
    return f"coalesce({cell}, {_quoted(empty)})" if empty else cell


def _typed(table: str, column: str, mapping: Mapping) -> str:
    cell = _cell(table, column, mapping)
    dtype = TABLES[table].schema.columns[column].dtype.type
    if dtype == pl.Date:
        return f"TRY_CAST(left({cell}, 10) AS DATE)"
    if dtype == pl.Float64:
        number = f"replace({cell}, ',', '.')" if mapping.decimal_comma else cell
        return f"TRY_CAST({number} AS DOUBLE)"
    if dtype == pl.Boolean:
        yes, no = (", ".join(_quoted(word) for word in words) for words in (YES, NO))
        said = f"lower({cell})"
        return f"CASE WHEN {said} IN ({yes}) THEN true WHEN {said} IN ({no}) THEN false END"
    return cell


def valid_view(table: str, seq: int, mapping: Mapping) -> str:
    """Return the SQL that shows the valid rows of a night in their types."""
    cells = ", ".join(f'{_typed(table, c, mapping)} AS "{c}"' for c in TABLES[table].columns)
    return f"""
        CREATE OR REPLACE VIEW valid.{table} AS
        SELECT {cells}, row_hash FROM raw.{table}_versions
        WHERE seen_from <= {seq} AND (seen_until IS NULL OR seen_until > {seq})
          AND row_hash NOT IN (SELECT row_hash FROM ops.quarantine
                               WHERE seq = {seq} AND "table" = {_quoted(table)})"""
