"""A table of a DuckDB or SQLite file as records, read-only: its rows in their order, from 1."""

import sqlite3
from collections.abc import Iterator

import duckdb
import polars as pl

from flows.errors import NightRefused
from flows.intake.sources.given import Given, unique_names, whole

_LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
    "lock_configuration": True,
}


def read_duckdb(file: Given) -> Iterator[pl.DataFrame]:
    """Read the table `part` of a DuckDB file. Raises NightRefused."""
    file.refuse_options()
    try:
        with duckdb.connect(str(file.path), read_only=True, config=_LOCKED) as db:
            _refuse_absent(file, [str(name) for (name,) in db.execute("SHOW TABLES").fetchall()])
            quoted = (file.source.part or "").replace('"', '""')
            names = [row[0] for row in db.execute(f'DESCRIBE "{quoted}"').fetchall()]
            found = db.sql(f'SELECT CAST(COLUMNS(*) AS VARCHAR) FROM "{quoted}"')
            read = 0
            for batch in found.to_arrow_reader(file.settings.batch_rows):
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)  # noqa: S101
                yield whole(_named(frame, names), read + 1)
                read += frame.height
            if not read:
                yield whole(_frame([], names), 1)
    except duckdb.Error as error:
        raise _unreadable(file, error) from None


def read_sqlite(file: Given) -> Iterator[pl.DataFrame]:
    """Read the table `part` of a SQLite file. Raises NightRefused."""
    file.refuse_options()
    try:
        with sqlite3.connect(f"file:{file.path}?mode=ro&immutable=1", uri=True) as db:
            tables = db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            _refuse_absent(file, [str(name) for (name,) in tables])
            quoted = (file.source.part or "").replace('"', '""')
            cursor = db.execute(f'SELECT * FROM "{quoted}"')
            names, read = [str(column[0]) for column in cursor.description], 0
            while rows := cursor.fetchmany(file.settings.batch_rows):
                text = [[None if cell is None else str(cell) for cell in row] for row in rows]
                yield whole(_frame(text, names), read + 1)
                read += len(rows)
            if not read:
                yield whole(_frame([], names), 1)
    except sqlite3.Error as error:
        raise _unreadable(file, error) from None


def _frame(rows: list[list[str | None]], names: list[str]) -> pl.DataFrame:
    schema = dict.fromkeys(unique_names(names), pl.String())
    return pl.DataFrame(rows, schema=schema, orient="row")


def _named(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    return frame.rename(dict(zip(frame.columns, unique_names(names), strict=True)))


def _refuse_absent(file: Given, tables: list[str]) -> None:
    if file.source.part not in tables:
        raise NightRefused(
            f"{file.name}: no table {file.source.part!r}; `part` names one of: "
            f"{', '.join(sorted(tables)) or 'none'}"
        )


def _unreadable(file: Given, error: Exception) -> NightRefused:
    return NightRefused(
        f"{file.name}: cannot be read as {file.source.format} ({type(error).__name__}); export it "
        f"again"
    )
