"""Opening a warehouse: a new one is made, an older one becomes one of this version.

One numbered step leads from each layout to the next.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from flows.disk import sync
from flows.errors import NightError, NightRefused, NightRunning, is_out_of_space
from flows.secrets import Keys
from flows.warehouse.database import Database, cannot_be_read
from flows.warehouse.layout import LAYOUT_1, follow_contract
from flows.warehouse.parts import Parts
from flows.warehouse.swap import finish_swap
from flows.warehouse.text_tables import move_text_to_parts


def _keep_history(db: Database, _: Parts) -> None:
    db.run("ALTER TABLE ops.runs ADD COLUMN history_kept BOOLEAN DEFAULT true")


def _cells_aside(db: Database, _: Parts) -> None:
    db.run('ALTER TABLE ops.quarantine ADD COLUMN "cell" VARCHAR')


def _withdrawals(db: Database, _: Parts) -> None:
    db.run("ALTER TABLE ops.runs ADD COLUMN withdrawn_at TIMESTAMPTZ")
    db.run("ALTER TABLE ops.runs ADD COLUMN withdrawn_why VARCHAR")


MIGRATIONS: dict[int, Callable[[Database, Parts], None]] = {
    2: _keep_history,
    3: move_text_to_parts,
    4: _cells_aside,
    5: _withdrawals,
}
"""Number of the layout that a step leads to -> the step. A released step never changes.

The first layout is `layout.LAYOUT_1`.
"""

CURRENT = max(MIGRATIONS)
_HOLDER = re.compile(r"PID (\d+)")


def opened(path: Path, memory: str, scratch: Path, keys: Keys) -> tuple[Database, Parts]:
    """Open a warehouse, made if it is not there; bring it to the current layout and contract.

    Raises NightRunning when another process has it open, NightRefused when it is no warehouse
    of this version.
    """
    finish_swap(path)
    if not path.exists():
        _make(path)
    db, parts = Database(_connect(path, memory, scratch), path), Parts(path, keys)
    try:
        db.run("SET preserve_insertion_order = false")
        db.run("SET enable_progress_bar = false")
        _migrate(db, parts, path)
        with db.transaction():
            follow_contract(db)
    except duckdb.Error as error:
        db.close()
        if is_out_of_space(error):
            raise
        raise NightError(f"warehouse {path}: its layout cannot be made: {error}") from error
    except BaseException:
        db.close()
        raise
    return db, parts


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
        raise NightRefused(cannot_be_read(path, error)) from error


def _migrate(db: Database, parts: Parts, path: Path) -> None:
    """Bring the file to the current layout, step by step, each step whole or not at all."""
    db.run(LAYOUT_1)
    version = db.scalar("SELECT max(version) FROM ops.layout")
    if version is not None and version > CURRENT:
        raise NightRefused(
            f"warehouse {path}: layout {version}, this version of thyrisk knows {CURRENT}; use the "
            f"newer version that wrote it"
        )
    for number in range((version or 0) + 1, CURRENT + 1):
        with db.transaction():
            if step := MIGRATIONS.get(number):
                step(db, parts)
            db.run("INSERT INTO ops.layout VALUES (?)", [number])


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
