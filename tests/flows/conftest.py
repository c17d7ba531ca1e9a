import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.job import Job
from flows.night import run_night
from flows.outputs import Result
from flows.secrets import NO_KEYS, Keys
from flows.settings import Settings
from tests.registry import AS_OF, COLLECTED
from transforms.reading.mapping import Mapping

RunNight = Callable[..., Result]
PrefectHome = Callable[[Path], Path]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home of Prefect with an empty database, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    home = shared / "prefect"
    with (shared / "prefect.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            making = shared / "prefect.new"
            make = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"]
            said = {"PREFECT_HOME": str(making), "HOME": str(shared), "DO_NOT_TRACK": "1"}
            subprocess.run(make, env=os.environ | said, capture_output=True, check=True)
            making.rename(home)
    return home


@pytest.fixture
def prefect_home(migrated: Path) -> PrefectHome:
    """Make a folder a home of Prefect of its own; a server that makes its database takes longer."""
    return lambda place: shutil.copytree(migrated, place)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def publish(
    export: Path | None,
    out: Path,
    as_of: date = AS_OF,
    mapping: Mapping | None = None,
    keys: Keys = NO_KEYS,
    allow_future: bool = False,
    **settings: Any,
) -> Result:
    """Run a real night: real files, a real DuckDB warehouse, real parquet."""
    return run_night(
        Job(
            export,
            out,
            as_of,
            out / "warehouse.duckdb",
            mapping or COLLECTED,
            # Not what other work on the machine leaves free.
            Settings(**({"report": False, "memory": "4GB"} | settings)),
            keys,
            allow_future=allow_future,
        )
    )


@pytest.fixture
def night(out: Path) -> RunNight:
    """Run nights into the folder of the test."""

    def run(export: Path | None, as_of: date = AS_OF, to: Path | None = None, **how: Any) -> Result:
        return publish(export, to or out, as_of, **how)

    return run
