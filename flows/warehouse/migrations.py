"""Opening a warehouse: a new one is made, an older one becomes one of this version.

One numbered step leads from each layout to the next.
"""

import re
from pathlib import Path
from typing import Any

import duckdb

from flows.disk import sync
from flows.errors import NightError, NightRefused, NightRunning, is_out_of_space
from flows.warehouse.layout import LAYOUT

FIRST = 1
"""The layout that `layout.LAYOUT` makes; everything later is a migration."""

MIGRATIONS = {
    2: "ALTER TABLE ops.runs ADD COLUMN history_kept BOOLEAN DEFAULT true",
}
"""Number of the layout that a step leads to -> its SQL. A released step never changes."""

CURRENT = max(MIGRATIONS)
_HOLDER = re.compile(r"PID (\d+)")


def steps(version: int | None) -> list[tuple[int, str]]:
    """Return the layouts still to be reached from a version (None: a new file), with their SQL."""
    first = [(FIRST, "")] if version is None else []
    return first + [(number, sql) for number, sql in MIGRATIONS.items() if number > (version or 0)]


def opened(path: Path, memory: str, scratch: Path) -> duckdb.DuckDBPyConnection:
    """Open a warehouse, made if it is not there, and bring it to the current layout.

    Raises NightRunning when another process has it open, NightRefused when it is no warehouse
    of this version.
    """
    if not path.exists():
        _make(path)
    db = _connect(path, memory, scratch)
    try:
        db.execute("SET preserve_insertion_order = false")
        db.execute("SET enable_progress_bar = false")
        _migrate(db, path)
    except duckdb.Error as error:
        db.close()
        if is_out_of_space(error):
            raise
        raise NightError(f"warehouse {path}: its layout cannot be made: {error}") from error
    except NightRefused:
        db.close()
        raise
    return db


def _connect(path: Path, memory: str, scratch: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {"memory_limit": memory, "temp_directory": str(scratch)}
    try:
        return duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        if is_out_of_space(error):
            raise
        if holder := _HOLDER.search(str(error)):
            raise NightRunning(
                f"warehouse {path} is open in process {holder[1]}; end it, or wait"
            ) from error
        raise NightRefused(
            f"warehouse {path}: cannot be opened ({type(error).__name__}); is it a DuckDB file of "
            f"this version, whole, and writable? docs/operations.md says how to go back to a "
            f"backup."
        ) from error


def _migrate(db: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring the file to the current layout, step by step, each step whole or not at all."""
    db.execute(LAYOUT)
    ((version,),) = db.execute("SELECT max(version) FROM ops.layout").fetchall()
    if version is not None and version > CURRENT:
        raise NightRefused(
            f"warehouse {path}: layout {version}, this version of thyrisk knows {CURRENT}; use the "
            f"newer version that wrote it"
        )
    for number, sql in steps(version):
        db.execute(f"BEGIN; {sql}; INSERT INTO ops.layout VALUES ({number}); COMMIT")


def _make(path: Path) -> None:
    """Make an empty file aside and put it in its place: half a file could not be opened again."""
    aside = path.with_name(f".{path.name}.new")
    aside.unlink(missing_ok=True)
    try:
        duckdb.connect(str(aside)).close()
        sync(aside)
        aside.rename(path)
        sync(path.parent)
    except duckdb.Error as error:
        aside.unlink(missing_ok=True)
        if is_out_of_space(error):
            raise
        raise NightError(f"warehouse {path}: cannot be made ({type(error).__name__})") from error
