"""Whether a warehouse is whole, and another in its place: at any instant the old or the new.

The parts of the new one are laid beside those of the old under names that are free; nobody refers
to them yet. One rename, to `.<warehouse>.rebuilt`, decides: whoever opens the warehouse next puts
that file in its place before anything else.
"""

import re
import shutil
from pathlib import Path

import duckdb

from flows.disk import sha256, sync
from flows.errors import NightRunning
from flows.warehouse.parts import folder_of

_HOLDER = re.compile(r"PID (\d+)")


def damage_of(warehouse: Path) -> str | None:
    """Return in words why a warehouse cannot be used; None where every row of it can be read.

    Raises NightRunning when another process has it open.
    """
    if not warehouse.is_file():
        return "it is not there"
    try:
        with duckdb.connect(str(warehouse), read_only=True) as db:
            tables = db.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
            for schema, table in tables:
                db.execute(f'SELECT bit_xor(hash(t)) FROM "{schema}"."{table}" AS t').fetchall()
            parts = db.execute("SELECT part, sha256 FROM ops.parts").fetchall()
    except duckdb.Error as error:
        if holder := _HOLDER.search(str(error)):
            raise NightRunning(f"warehouse {warehouse} is open in process {holder[1]}") from error
        return f"it cannot be read ({type(error).__name__})"
    folder = folder_of(warehouse)
    lost = sum(not _is(folder / part, digest) for part, digest in parts)
    return f"{lost} files of its raw text are gone or damaged" if lost else None


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def put_in_place(made: Path, warehouse: Path) -> None:
    """Put a whole warehouse and its parts where another was, or none; the old file is kept."""
    _lay_parts(made, warehouse)
    sync(made)
    made.replace(_ready(warehouse))
    sync(warehouse.parent)
    finish_swap(warehouse)


def finish_swap(warehouse: Path) -> None:
    """Put a warehouse in its place that was ready to be when its rebuilding was killed."""
    ready = _ready(warehouse)
    if not ready.exists():
        return
    # DuckDB refuses a file with the log of another.
    log, kept = warehouse.with_name(warehouse.name + ".wal"), kept_of(warehouse)
    if warehouse.exists():
        kept.unlink(missing_ok=True)
        try:
            kept.hardlink_to(warehouse)
        except OSError:  # a file system without them
            shutil.copyfile(warehouse, kept)
    if log.exists():
        log.replace(kept.with_name(kept.name + ".wal"))
    ready.replace(warehouse)
    sync(warehouse.parent)


def kept_of(warehouse: Path) -> Path:
    """Return where the damaged file is kept."""
    return warehouse.with_name(f"{warehouse.name}.damaged")


def _ready(warehouse: Path) -> Path:
    return warehouse.with_name(f".{warehouse.name}.rebuilt")


def _lay_parts(made: Path, warehouse: Path) -> None:
    source, target = folder_of(made), folder_of(warehouse)
    with duckdb.connect(str(made)) as db:
        parts = db.execute("SELECT part, sha256 FROM ops.parts").fetchall()
        taken = {part for part, _ in parts}
        for part, digest in parts:
            place, number = Path(part), 0
            while (target / place).exists() and not _is(target / place, digest):
                number += 1
                place = Path(part).with_name(f"rebuilt{number}-{Path(part).name}")
                while str(place) in taken:
                    place = place.with_name(f"rebuilt-{place.name}")
            if str(place) != part:
                db.execute("UPDATE ops.parts SET part = ? WHERE part = ?", [str(place), part])
                taken.add(str(place))
            _lay(source / part, target / place)
        db.execute("CHECKPOINT")


def _lay(source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    sync(source)
    source.replace(target)
    for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
        sync(folder)
