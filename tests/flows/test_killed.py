"""A night that is killed at any instruction leaves nothing half done."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from flows.published.nights import nights
from flows.published.verify import problems_of
from flows.secrets import NO_KEYS
from tests.flows.killing import FIRST, content, is_finished, night
from tests.registry import Registry, days

# More of both for docs/promises.md: see `make promises`.
KILLS = int(os.environ.get("THYRISK_KILLS", "4"))
PREFECT_KILLS = int(os.environ.get("THYRISK_PREFECT_KILLS", "0"))
GROUPS = 2
LONGEST_SECONDS = 3.0
ROOT = Path(__file__).parents[2]


_content = cache(content)  # of nights that stay as they are


@dataclass(frozen=True)
class Nights:
    """Tonight's export, an output with last night's, and the same never killed."""

    export: Path
    base: Path
    once: Path
    twice: Path
    """Tonight's run two times: what a rerun after the very end leaves."""

    def command(self, out: Path, call: int, *how: str) -> list[str]:
        """Return the command that runs tonight's, and kills it at a call."""
        module = [sys.executable, "-m", "tests.flows.killing"]
        return [*module, str(self.export), str(out), str(call), *how]

    def killed(
        self,
        out: Path,
        call: int,
        seconds: float | None = None,
        how: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> bool:
        """Run tonight's in a process, killed at a call or after a time; say whether it died."""
        shutil.copytree(self.base, out, symlinks=True)
        with subprocess.Popen(
            self.command(out, call, *how), stdout=subprocess.PIPE, cwd=ROOT, env=environment
        ) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
        return process.returncode == -9

    def differences(self, out: Path) -> list[str]:
        """Return what a reader could have seen that is not whole, and what a rerun leaves other."""
        found = [
            f"{folder.name}: {problem}"
            for folder in nights(out)
            for problem in problems_of(folder, NO_KEYS)
        ]
        good = f"run_date={FIRST}"
        for path in (self.base / good).iterdir():
            if (out / good / path.name).read_bytes() != path.read_bytes():
                found.append(f"the last good night changed: {path.name}")
        if not (out / "latest" / "run.json").is_file():
            found.append("latest points nowhere")
        never_killed = self.twice if is_finished(out) else self.once
        night(self.export, out)
        wanted, got = _content(never_killed), content(out)
        found += [name for name in wanted.keys() | got.keys() if wanted.get(name) != got.get(name)]
        return found + [path.name for path in out.glob(".[sg]*")]


@pytest.fixture(scope="module")
def tonight(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    root = tmp_path_factory.mktemp("killed")
    registry = Registry()
    for name in ("A", "B", "C", "D"):
        registry.usual(name).metastasis(name, "lung").ct(name).stg(name, 300)
    night(registry.write(root / "first"), root / "base", FIRST)
    registry.rows["surgeries"].pop()
    registry.usual("E", 62).pet("A", days(-2), suv_max=8).add("events", "B", event_date="soon")
    export = registry.write(root / "tonight")
    shutil.copytree(root / "base", root / "once", symlinks=True)
    night(export, root / "once")
    shutil.copytree(root / "once", root / "twice", symlinks=True)
    night(export, root / "twice")
    return Nights(export, root / "base", root / "once", root / "twice")


@pytest.fixture(scope="module")
def calls(tonight: Nights, tmp_path_factory: pytest.TempPathFactory) -> int:
    """Return how many calls tonight's night makes."""
    out = tmp_path_factory.mktemp("counted") / "out"
    shutil.copytree(tonight.base, out, symlinks=True)
    command = tonight.command(out, 0)
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return int(done.stdout)


@pytest.mark.parametrize("group", range(GROUPS))
def test_killed_between_and_inside_all_stages(
    tonight: Nights, calls: int, tmp_path: Path, group: int
) -> None:
    for number in range(group, KILLS, GROUPS):
        call = max(1, round((number + 0.5) / KILLS * calls))
        out = tmp_path / f"out-{number}"
        assert tonight.killed(out, call), f"call {call} of {calls} did not happen"
        assert tonight.differences(out) == [], f"killed at call {call} of {calls}"


@pytest.mark.parametrize("group", range(2))
def test_killed_at_random_times(tonight: Nights, tmp_path: Path, group: int) -> None:
    chance = random.Random()  # noqa: S311 - new instants in every run
    for number in range(max(2, KILLS // 10)):
        seconds = chance.uniform(0.5, LONGEST_SECONDS)
        out = tmp_path / f"out-{number}"
        tonight.killed(out, 0, seconds)
        assert tonight.differences(out) == [], f"killed after {seconds} seconds"


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[dict[str, str]]:
    """Run a Prefect server, as a scheduled night has one; return the environment of its nights."""
    home = shutil.copytree(migrated, tmp_path_factory.mktemp("prefect") / "home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PREFECT_HOME": str(home),
        "HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "DO_NOT_TRACK": "1",
    }
    serve = ["server", "start", "--no-ui", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-m", "prefect", *serve], stdout=subprocess.DEVNULL, env=environment
    ) as server:
        while not _listens(port):
            assert server.poll() is None, "the server of Prefect did not start"
            time.sleep(0.2)
        yield environment
        server.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(
    PREFECT_KILLS == 0, reason="three Prefect servers, a minute: `make promises` runs it, 25 times"
)
@pytest.mark.parametrize("group", range(1 if PREFECT_KILLS < 10 else 2))
def test_a_prefect_flow_killed_between_and_inside_all_stages(
    tonight: Nights, prefect: dict[str, str], tmp_path: Path, group: int
) -> None:
    out = tmp_path / "counted"
    shutil.copytree(tonight.base, out, symlinks=True)
    count = tonight.command(out, 0, "prefect")
    done = subprocess.run(count, capture_output=True, text=True, cwd=ROOT, env=prefect, check=True)
    calls = int(done.stdout.split()[-1])
    assert tonight.differences(out) == [], "never killed"
    for number in range(group, PREFECT_KILLS, 1 if PREFECT_KILLS < 10 else 2):
        call = max(1, round((number + 0.5) / PREFECT_KILLS * calls))
        out = tmp_path / f"out-{number}"
        died = tonight.killed(out, call, how=("prefect",), environment=prefect)
        assert died, f"call {call} of {calls} did not happen"
        assert tonight.differences(out) == [], f"killed at call {call} of {calls}"
