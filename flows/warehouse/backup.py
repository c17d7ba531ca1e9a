"""A copy of the warehouse that is whole, taken while nobody writes; readers may read on."""

import os
import shutil
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from flows.disk import sha256, sync
from flows.errors import NightError, UsageError, told
from flows.lock import LOCK, held
from flows.reviews.store import folder_of as reviews_of
from flows.warehouse.parts import folder_of

ONE_FILE = ".tar"


def back_up(warehouse: Path, out: Path, target: Path) -> int:
    """Copy the warehouse to `target` and check the copy; return the nights that it holds.

    `target` becomes a folder with the warehouse's file and its raw text, to be put where they
    came from; or, with a name that ends in .tar, one file with both. The locks keep a night from
    starting meanwhile. Raises NightRunning while one runs, UsageError when there is nothing to
    copy or `target` exists.
    """
    if not warehouse.is_file():
        raise UsageError(f"no warehouse at {warehouse}")
    if target.exists():
        raise UsageError(f"{target} exists; a backup never replaces one: give another name")
    if target.suffix == warehouse.suffix:
        raise UsageError(f"{target}: a backup is a folder, or one file whose name ends in .tar")
    locks = (out / LOCK, warehouse.with_name(warehouse.name + ".lock"))
    holder = f"backup, since {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    with told(target.parent):
        try:
            with held(*locks, holder=holder):
                _copy(warehouse, aside)
            count = _checked(aside / warehouse.name)
            _put(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return count


def _copy(warehouse: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    shutil.copyfile(warehouse, folder / warehouse.name)
    # What is committed but not yet in the file.
    log = warehouse.with_name(warehouse.name + ".wal")
    if log.exists():
        shutil.copyfile(log, folder / log.name)
    if folder_of(warehouse).is_dir():
        shutil.copytree(
            folder_of(warehouse), folder_of(folder / warehouse.name), copy_function=shutil.copyfile
        )

    given = reviews_of(warehouse)
    if given.is_dir():
        shutil.copytree(
            given,
            reviews_of(folder / warehouse.name),
            copy_function=shutil.copyfile,
            ignore=shutil.ignore_patterns("*.unfinished", ".lock"),
        )


def _put(copied: Path, target: Path) -> None:
    """Make the copied folder durable under its name, or one file of it."""
    for path in copied.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        sync(path)
    sync(copied)
    if target.suffix == ONE_FILE:
        one = copied.with_suffix(ONE_FILE)
        try:
            with tarfile.open(one, "w") as packed:
                for path in sorted(copied.iterdir()):
                    packed.add(path, path.name)
            one.chmod(0o600)
            sync(one)
            one.rename(target)
        finally:
            one.unlink(missing_ok=True)
    else:
        copied.rename(target)
    sync(target.parent)


def _checked(copy: Path) -> int:
    """Open the copy, which takes up its log; count its published nights, check its raw text."""
    try:
        with duckdb.connect(str(copy)) as db:
            db.execute("CHECKPOINT")
            rows = db.execute(
                "SELECT count(*) FROM ops.runs WHERE published_at IS NOT NULL"
            ).fetchall()
            is_old = not db.execute(
                "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'ops' AND table_name = 'parts'"
            ).fetchall()
            parts = [] if is_old else db.execute("SELECT part, sha256 FROM ops.parts").fetchall()
    except duckdb.Error as error:
        raise NightError(
            f"the copy of the warehouse cannot be read ({type(error).__name__}): the warehouse is "
            f"damaged, or no warehouse of thyrisk"
        ) from error
    whole = folder_of(copy)
    damaged = [
        part
        for part, digest in parts
        if not (whole / part).is_file() or sha256(whole / part) != digest
    ]
    if damaged:
        raise NightError(
            f"{len(damaged)} files of raw text of the warehouse are not as they were written, "
            f"{damaged[0]} for one: go back to an older backup"
        )
    return int(rows[0][0])
