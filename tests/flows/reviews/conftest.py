"""A published night, to be reviewed, and the command that people use."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows.job import Job
from flows.night import run_night
from flows.outputs import Result
from flows.secrets import Keys
from flows.settings import Settings
from tests.registry import AS_OF, COLLECTED, Registry

KEY = "a key of the tests, long enough"
HEADER = "patient_id,reviewed_at,reviewer,decision,reason,deferred_until,note"


def people() -> Registry:
    """Return a registry of which A and C are on the worklist, and B is not."""
    registry = Registry().usual("B")
    for name in ("A", "C"):
        registry.usual(name, 62).metastasis(name, "lymph_node").pet(name, suv_max=8)
    return registry


@dataclass
class Desk:
    """Where nights are published, and where their reviewers sit."""

    out: Path
    pseudonym: bytes | None = None
    registry: Registry = field(default_factory=people)

    @property
    def warehouse(self) -> Path:
        return self.out / "warehouse.duckdb"

    def night(self, as_of: date, **settings: object) -> Result:
        export = self.registry.write(self.out.parent / f"export-{as_of}")
        used = Settings(**({"report": False} | settings))  # type: ignore[arg-type]
        keys = Keys(pseudonym=self.pseudonym)
        return run_night(Job(export, self.out, as_of, self.warehouse, COLLECTED, used, keys))

    def again(self, as_of: date) -> Result:
        keys = Keys(pseudonym=self.pseudonym)
        job = Job(None, self.out, as_of, self.warehouse, COLLECTED, Settings(report=False), keys)
        return run_night(job)

    def file(self, *lines: str, name: str = "decisions.csv", header: str = HEADER) -> Path:
        path = self.out.parent / name
        path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
        return path

    def take(self, *files: Path, key: str | None = None, **options: str) -> tuple[int, str]:
        """Run `thyrisk review import`; return its exit status and what it said."""
        more = [part for name, value in options.items() for part in (f"--{name}", value)]
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli.thyrisk", "review", "import", *map(str, files)]
            + ["--out", str(self.out), *more],
            capture_output=True,
            text=True,
            check=False,
            env=environment(key),
        )
        return done.returncode, done.stdout + done.stderr

    def kept(self) -> list[Path]:
        return sorted((self.out / "warehouse.duckdb.reviews").glob("*.parquet"))


def environment(key: str | None = None) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "COLUMNS": "200"} | (
        {"THYRISK_PSEUDONYM_KEY": key} if key else {}
    )


def listed(result: Result) -> list[str]:
    return pl.read_parquet(result.folder / "worklist.parquet", hive_partitioning=False)[
        "patient_id"
    ].to_list()


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output of a first night."""
    desk = Desk(tmp_path_factory.mktemp("reviewed") / "out")
    desk.night(AS_OF)
    return desk.out


@pytest.fixture
def desk(published: Path, tmp_path: Path) -> Desk:
    shutil.copytree(published, tmp_path / "out", symlinks=True)
    return Desk(tmp_path / "out")
