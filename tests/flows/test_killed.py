"""A night that is killed at any instruction leaves nothing half done."""

import os
import random
import shutil
import subprocess
import sys
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
KILLS = int(os.environ.get("THYRISK_KILLS", "52"))
GROUPS = 4
LONGEST_SECONDS = 3.0


_content = cache(content)  # of nights that stay as they are


@dataclass(frozen=True)
class Nights:
    """Tonight's export, an output with last night's, and the same never killed."""

    export: Path
    base: Path
    once: Path
    twice: Path
    """Tonight's run two times: what a rerun after the very end leaves."""

    def killed(self, out: Path, call: int, seconds: float | None = None) -> bool:
        """Run tonight's in a process, killed at a call or after a time; say whether it died."""
        shutil.copytree(self.base, out, symlinks=True)
        with subprocess.Popen(
            [sys.executable, "-m", "tests.flows.killing", str(self.export), str(out), str(call)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
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
    command = [sys.executable, "-m", "tests.flows.killing", str(tonight.export), str(out), "0"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True
    )
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
    for number in range(max(6, KILLS // 10)):
        seconds = chance.uniform(0.5, LONGEST_SECONDS)
        out = tmp_path / f"out-{number}"
        tonight.killed(out, 0, seconds)
        assert tonight.differences(out) == [], f"killed after {seconds} seconds"
