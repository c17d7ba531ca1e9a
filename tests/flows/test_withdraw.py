"""A way back: the newest night is withdrawn, whole or not at all; what only looks like a night."""

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flows.errors import NightRefused, UsageError
from flows.job import Job
from flows.night import run_night
from flows.published.nights import nights
from flows.published.status import status_of
from flows.published.verify import problems_of
from flows.published.withdraw import withdraw
from flows.secrets import NO_KEYS
from flows.settings import Settings
from schemas.registry import TABLES
from tests.flows.conftest import RunNight
from tests.flows.killing import content
from tests.registry import AS_OF, COLLECTED, Registry

BEFORE = AS_OF - timedelta(days=1)
SRC = Path(__file__).parents[2]


@pytest.fixture
def exports(tmp_path: Path) -> tuple[Path, Path]:
    registry = Registry().usual("A", 62).metastasis("A", "lung").ct("A").usual("B")
    first = registry.write(tmp_path / "first")
    registry.rows["surgeries"].pop()
    registry.usual("C", 30).add("surgeries", "B", surgery_date="soon", procedure="total")
    registry.add("reviews", "A", reviewed_at=BEFORE, reviewer="R", decision="agree")
    return first, registry.write(tmp_path / "second")


def state(out: Path) -> dict[str, object]:
    """Return every published byte and every row of the warehouse, its record of runs apart."""
    found: dict[str, object] = dict(content(out))
    del found["ops.runs"]
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
        for table in set(TABLES) - {"reviews"}:
            for schema in ("ops", "valid"):
                name = f"{schema}.{table}_versions"
                found[name] = db.sql(f"FROM {name} ORDER BY ALL").fetchall()
        published = "SELECT seq, run_id FROM ops.runs WHERE published_at IS NOT NULL ORDER BY seq"
        for name in ("ops.files", "ops.parts"):
            others = f"FROM {name} WHERE table_name <> 'reviews' ORDER BY ALL"
            found[name] = db.sql(others).fetchall()
        found["runs"] = db.sql(published).fetchall()
    return {name: what for name, what in found.items() if "reviews" not in name}


def take_back(out: Path, day: date = AS_OF) -> Path:
    return withdraw(out, out / "warehouse.duckdb", str(day), "a wrong export", "500MB")


def test_a_withdrawn_night_leaves_everything_as_before_it(
    exports: tuple[Path, Path], night: RunNight, out: Path, tmp_path: Path
) -> None:
    night(exports[0], as_of=BEFORE)
    before = state(out)
    night(exports[1])
    published = {p.name: p.read_bytes() for p in (out / f"run_date={AS_OF}").iterdir()}
    night(exports[1])
    kept = take_back(out)
    assert state(out) == before
    assert {p.name for p in kept.iterdir()} == published.keys()
    assert (kept / "patient_risk.parquet").read_bytes() == published["patient_risk.parquet"]
    assert json.loads((kept.parent / "withdrawn.json").read_text())["why"] == "a wrong export"
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
        marked = db.sql(
            "SELECT seq, withdrawn_why FROM ops.runs WHERE withdrawn_at IS NOT NULL ORDER BY seq"
        ).fetchall()
        reviews = db.sql("SELECT count(*) FROM raw.reviews").fetchall()
    assert marked == [(2, "a wrong export"), (3, "a wrong export")]
    assert reviews == [(1,)], "what people decided stays"
    again = night(exports[1])
    assert (again.folder / "features.parquet").read_bytes() == published["features.parquet"]


def test_the_first_night_can_be_withdrawn_too(
    exports: tuple[Path, Path], night: RunNight, out: Path
) -> None:
    night(exports[0])
    take_back(out)
    assert nights(out) == []
    assert not (out / "latest").is_symlink()
    assert night(exports[0]).previous is None
    assert (out / "latest" / "run.json").is_file()


def test_only_the_newest_night_is_withdrawn_and_with_a_reason(
    exports: tuple[Path, Path], night: RunNight, out: Path
) -> None:
    night(exports[0], as_of=BEFORE)
    night(exports[0])
    with pytest.raises(UsageError, match=f"the newest night is of {AS_OF}"):
        take_back(out, BEFORE)
    with pytest.raises(UsageError, match="no published night"):
        take_back(out, date(2020, 1, 1))
    with pytest.raises(UsageError, match="--why"):
        withdraw(out, out / "warehouse.duckdb", str(AS_OF), " ", "500MB")
    assert len(nights(out)) == 2


KILL = """
import os, signal, sys
from pathlib import Path
from flows.published.withdraw import withdraw
import tests.flows.killing as killing

out, call = Path(sys.argv[1]), int(sys.argv[2])
last = 0

def die(number):
    global last
    last = number
    if number == call:
        os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(killing.count_calls(die))
withdraw(out, out / "warehouse.duckdb", sys.argv[3], "a wrong export", "500MB")
sys.setprofile(None)
print(last)
"""


def run_killed(out: Path, call: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", KILL, str(out), str(call), str(AS_OF)]
    return subprocess.run(command, capture_output=True, text=True, cwd=SRC)


def test_a_withdrawal_that_is_killed_leaves_the_night_or_takes_it_back(
    exports: tuple[Path, Path], night: RunNight, out: Path, tmp_path: Path
) -> None:
    night(exports[0], as_of=BEFORE)
    before = state(out)
    night(exports[1])
    base = tmp_path / "base"
    shutil.copytree(out, base, symlinks=True)
    calls = int(run_killed(out, 0).stdout)
    kills = int(os.environ.get("THYRISK_KILLS", "3"))
    seen = set()
    for number in range(kills):
        call = max(1, round(calls * (number + 0.5) / kills))
        shutil.rmtree(out)
        shutil.copytree(base, out, symlinks=True)
        assert run_killed(out, call).returncode == -signal.SIGKILL
        assert (out / "latest" / "run.json").is_file()
        for folder in nights(out):
            assert problems_of(folder, NO_KEYS) == []
        gone = not (out / f"run_date={AS_OF}").exists()
        seen.add(gone)
        if gone:
            night(exports[0], as_of=BEFORE)  # any command with the lock settles it
        else:
            take_back(out)
        left = state(out)
        if not gone:
            assert left == before, f"killed at call {call} of {calls}"
        assert [folder.name for folder in nights(out)] == [f"run_date={BEFORE}"]
        assert not list(out.glob(".withdrawn/*/withdrawing.json"))
        with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
            kept = "SELECT seq FROM ops.runs WHERE withdrawn_at IS NOT NULL"
            assert db.sql(kept).fetchall() == [(2,)], f"killed at call {call} of {calls}"
    assert seen == {True, False}


def test_a_date_after_tomorrow_needs_a_yes(exports: tuple[Path, Path], out: Path) -> None:
    far = datetime.now(UTC).date() + timedelta(days=2)

    def run(*, allowed: bool) -> None:
        settings = Settings(report=False)
        where = (out, far, out / "warehouse.duckdb")
        run_night(Job(exports[0], *where, COLLECTED, settings, allow_future=allowed))

    with pytest.raises(NightRefused, match="in the future"):
        run(allowed=False)
    assert nights(out) == []
    run(allowed=True)
    take_back(out, far)
    assert nights(out) == []


def test_what_only_looks_like_a_night_changes_nothing(
    exports: tuple[Path, Path], night: RunNight, out: Path
) -> None:
    first = night(exports[0], as_of=BEFORE).folder
    (out / "run_date=2026-12-31").mkdir()
    (out / "run_date=2026-12-30").write_text("no folder")
    shutil.copytree(first, out / "run_date=2026-12-29")
    (out / "run_date=2026-06-20").mkdir()
    (out / "run_date=2026-06-20" / "run.json").write_text('{"as_of": "2026-06-20"}')
    (out / "run_date=2026-12-28").mkdir()
    (out / "run_date=2026-12-28" / "run.json").write_bytes(b"[" * 100_000)
    assert nights(out) == [first]
    status = status_of(out, out / "warehouse.duckdb", Settings(), datetime.now(UTC))
    assert (status.last_night, status.nights) == (str(BEFORE), 1)
    result = night(exports[0])
    assert result.previous == first.name
    assert (out / "latest").readlink() == Path(f"run_date={AS_OF}")


def test_latest_that_is_a_folder_is_said_before_the_work(
    exports: tuple[Path, Path], night: RunNight, out: Path
) -> None:
    (out / "latest").mkdir(parents=True)
    with pytest.raises(NightRefused, match="move what is there away"):
        night(exports[0])
    assert nights(out) == []
