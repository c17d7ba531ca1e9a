"""A copy of the warehouse that is whole, taken while nobody writes; readers may read on."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from flows.disk import sync
from flows.errors import NightError, UsageError, told
from flows.lock import LOCK, held


def back_up(warehouse: Path, out: Path, target: Path) -> int:
    """Copy the warehouse to `target` and check the copy; return the nights that it holds.

    The locks keep a night from starting meanwhile. Raises NightRunning while one runs, UsageError
    when there is nothing to copy or `target` exists.
    """
    if not warehouse.is_file():
        raise UsageError(f"no warehouse at {warehouse}")
    if target.exists():
        raise UsageError(f"{target} exists; a backup never replaces one: give another name")
    locks = (out / LOCK, warehouse.with_name(warehouse.name + ".lock"))
    holder = f"backup, since {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    log, log_aside = _log_of(warehouse), _log_of(aside)
    with told(target.parent):
        try:
            with held(*locks, holder=holder):
                shutil.copyfile(warehouse, aside)
                if log.exists():
                    shutil.copyfile(log, log_aside)
            count = _checked(aside)
            aside.chmod(0o600)
            sync(aside)
            aside.rename(target)
            sync(target.parent)
        finally:
            for left in (aside, log_aside):
                left.unlink(missing_ok=True)
    return count


def _log_of(warehouse: Path) -> Path:
    """Return where DuckDB keeps what is committed but not yet in the file."""
    return warehouse.with_name(warehouse.name + ".wal")


def _checked(copy: Path) -> int:
    """Open the copy, which takes up its log, and count its published nights."""
    try:
        with duckdb.connect(str(copy)) as db:
            db.execute("CHECKPOINT")
            rows = db.execute(
                "SELECT count(*) FROM ops.runs WHERE published_at IS NOT NULL"
            ).fetchall()
    except duckdb.Error as error:
        raise NightError(
            f"the copy of the warehouse cannot be read ({type(error).__name__}): the warehouse is "
            f"damaged, or no warehouse of thyrisk"
        ) from error
    return int(rows[0][0])
