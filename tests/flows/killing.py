"""A night that kills itself with SIGKILL at one of its calls, and how to compare what is left.

python -m tests.flows.killing EXPORT OUT CALL [prefect]
"""

# ruff: noqa: T201 - a command

import hashlib
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows.job import Job
from flows.night import run_night
from flows.published.nights import nights
from flows.settings import Settings
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping

FIRST, TONIGHT = date(2026, 6, 29), date(2026, 6, 30)
_OURS = str(Path(__file__).parents[2] / "flows")
_WORLD = {"execute", "fsync", "rename", "symlink", "unlink", "rmdir", "mkdir", "replace"}
_FILES = {"pathlib.py", "shutil.py", "tempfile.py", "os.py"}
_STATE = {"started_at", "published_at", "loaded_at"}


def night(export: Path, out: Path, as_of: date = TONIGHT) -> None:
    """Run a night of three tables a batch, so that there are instants between batches."""
    run_night(_job(export, out, as_of))


def prefect_night(export: Path, out: Path) -> None:
    """Run tonight's as a Prefect flow."""
    from flows.prefect_flow import run_with_prefect

    run_with_prefect(_job(export, out, TONIGHT))


def _job(export: Path, out: Path, as_of: date) -> Job:
    settings = Settings(batch_rows=5, keep_nights=2, report=False)
    return Job(export, out, as_of, out / "warehouse.duckdb", Mapping(), settings)


def content(out: Path) -> dict[str, str]:
    """Return a digest of every published file, and of every row of the warehouse."""
    found = {
        f"{folder.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in nights(out)
        for path in folder.iterdir()
        if path.name != "run.json"
    }
    found["latest"] = str((out / "latest").readlink())
    text = out / "warehouse.duckdb.raw"
    found |= {
        str(path.relative_to(text)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in text.rglob("*")
        if path.is_file()
    }
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
        for table in _tables():
            rows = db.sql(f"SELECT * FROM {table}")
            kept = ", ".join(f'"{name}"' for name in rows.columns if name not in _STATE)
            lines = db.sql(f"SELECT {kept} FROM {table} ORDER BY ALL").fetchall()
            found[table] = hashlib.sha256(repr(lines).encode()).hexdigest()
    return found


def is_finished(out: Path) -> bool:
    """Tell whether tonight's night said that it was published."""
    finished = "SELECT count(*) FROM ops.runs WHERE as_of = ? AND published_at IS NOT NULL"
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
        return bool(db.execute(finished, [TONIGHT]).fetchall()[0][0])


def _tables() -> list[str]:
    raw = [f"{schema}.{name}" for name in TABLES for schema in ("raw", "valid")]
    versions = [f"{schema}.{name}_versions" for name in TABLES for schema in ("ops", "valid")]
    said = ["ops.runs", "ops.files", "ops.parts", "ops.quarantine", "marts.patient_risk"]
    return [*raw, *versions, *said]


def count_calls(
    act: Callable[[int], None], *, ours_only: bool = False
) -> Callable[[Any, str, Any], None]:
    """Call `act` with a running number at each call into our flows, return, or act on the disk.

    `ours_only`: not what libraries do that run the night, as Prefect does.
    """
    seen = 0

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal seen
        file = frame.f_code.co_filename
        ours = event in ("call", "return") and file.startswith(_OURS)
        world = event in ("c_call", "c_return") and argument.__name__ in _WORLD
        if ours_only:
            world &= file.startswith(_OURS) or Path(file).name in _FILES
        if ours or world:
            seen += 1
            act(seen)

    return profile


def main(run: Callable[[Path, Path], None], export: Path, out: Path, call: int) -> None:
    """Run a night and die at a call; told call 0, live and print how many there were."""
    last = 0

    def die(number: int) -> None:
        nonlocal last
        last = number
        if number == call:
            os.kill(os.getpid(), signal.SIGKILL)

    by_prefect = run is prefect_night
    if by_prefect:
        import flows.prefect_flow  # noqa: F401 - seconds, in which no night is

    sys.setprofile(count_calls(die, ours_only=by_prefect))
    run(export, out)
    sys.setprofile(None)
    print(last)


if __name__ == "__main__":
    how = prefect_night if sys.argv[4:] == ["prefect"] else night
    main(how, Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
