"""Ends that explain themselves: stopped, out of memory, without its page, wrongly set."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from flows.errors import NightError, NightRefused, UsageError
from flows.lock import holder_of
from flows.memory import available
from flows.published.nights import nights
from flows.published.verify import problems_of
from flows.secrets import NO_KEYS
from flows.settings import Settings, load_settings
from tests.flows.conftest import PrefectHome, RunNight
from tests.registry import AS_OF, Registry

EXAMPLE = Path(__file__).parents[2] / "examples" / "export"
NIGHTLY = [sys.executable, "-m", "flows.cli.thyrisk", "nightly", "--as-of", str(AS_OF)]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    registry = Registry().usual("A", 62).metastasis("A", "lung").ct("A").usual("B")
    return registry.write(tmp_path / "export")


def alive_with(text: str) -> list[int]:
    """Return the processes of this machine that have a text in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and text.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("number", "status", "how"),
    [
        (signal.SIGTERM, 143, ["--no-server"]),
        (signal.SIGINT, 130, ["--no-server"]),
        (signal.SIGTERM, 143, []),
        (signal.SIGINT, 130, []),
    ],
)
def test_a_night_told_to_stop_ends_in_order(
    tmp_path: Path,
    prefect_home: PrefectHome,
    number: signal.Signals,
    status: int,
    how: list[str],
) -> None:
    out, home = tmp_path / "out", prefect_home(tmp_path / "prefect")
    command = [*NIGHTLY, "--export", str(EXAMPLE), "--out", str(out), *how]
    environment = os.environ | {
        "PREFECT_HOME": str(home),
        "HOME": str(tmp_path),
        "THYRISK_MEMORY": "4GB",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "1200",
    }
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        while running.poll() is None and not list(out.glob(".staging-*/scratch")):
            time.sleep(0.05)
        time.sleep(0.5)
        running.send_signal(number)
        _, said = running.communicate(timeout=3600)
    assert running.returncode == status, said
    assert f"thyrisk: stopped by {number.name}; " in said
    assert "Traceback" not in said
    assert not list(out.glob(".staging-*"))
    assert nights(out) == []
    assert holder_of(out / ".lock") is None
    assert alive_with(str(home)) == [], "the server of Prefect stayed behind"


def test_a_failed_report_never_loses_the_night(export: Path, night: RunNight) -> None:
    before = night(export, AS_OF - timedelta(days=1)).folder
    (before / "features.parquet").write_bytes(b"PAR1, and then nothing")  # drift is read of it
    result = night(export, report=True)
    assert not (result.folder / "report.html").exists()
    report = json.loads((result.folder / "run.json").read_text())
    for said in (report["warnings"], result.warnings):
        assert any("report.html could not be made (NightRefused)" in words for words in said)
    assert problems_of(result.folder, NO_KEYS) == []


def test_too_little_memory_is_said_before_the_work(
    export: Path, night: RunNight, out: Path
) -> None:
    with pytest.raises(NightError, match=r"needs about 0\.5 GB of memory.*memory = '1GB'"):
        night(export, memory="400MB")
    assert nights(out) == []
    assert night(export, memory="1GB").patients == 2


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"proc/meminfo": "MemTotal: 9 kB\nMemAvailable: 7 kB\nSwapFree: 1 kB\n"}, 8 * 1024),
        (
            {
                "proc/meminfo": "MemAvailable: 7 kB\n",
                "sys/fs/cgroup/memory.max": "5000\n",
                "sys/fs/cgroup/memory.current": "3000\n",
                "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 1000\n",
            },
            3000,
        ),
        ({"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "1\n"}, None),
    ],
)
def test_memory_that_is_free_is_what_machine_and_container_leave(
    tmp_path: Path, files: dict[str, str], wanted: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert available(tmp_path) == wanted


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('duckdb_memory = "500MBytes"', "duckdb_memory: .*as 500MB, 2GB"),
        ('duckdb_memory = "lots"', "duckdb_memory: .*as 500MB, 2GB"),
        ("max_bad_share = 20", "max_bad_share: .*as 0.2 for 20 %"),
        ("max_bad_share_of = { labs = 5 }", "max_bad_share_of: .*as 0.2 for 20 %"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_said_with_what_can(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=complaint):
        load_settings(path)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("THYRISK_MAX_BAD_SHAER", "THYRISK_MAX_BAD_SHARE"),
        ("THYRISK_WINDOWS__FDG_DAY", "THYRISK_WINDOWS__FDG_DAYS"),
        ("THYRISK_ENCRYPTION_KEYFILE", "THYRISK_ENCRYPTION_KEY_FILE"),
    ],
)
def test_a_variable_that_sets_nothing_is_refused_with_what_was_meant(
    monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(UsageError, match=f"did you mean {meant}\\?"):
        load_settings(None)


def test_variables_that_set_something_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THYRISK_MAX_BAD_SHARE", "0.3")
    monkeypatch.setenv("THYRISK_WINDOWS__FDG_DAYS", "9")
    monkeypatch.setenv("THYRISK_DEBUG", "1")
    assert load_settings(None).windows.fdg_days == 9
    assert Settings().max_bad_share == 0.3


def test_a_damaged_warehouse_says_what_to_put_in_its_place(
    export: Path, night: RunNight, out: Path
) -> None:
    night(export)
    whole = (out / "warehouse.duckdb").read_bytes()
    (out / "warehouse.duckdb").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NightRefused, match="thyrisk rebuild --out OUT"):
        night(export)
    (out / "warehouse.duckdb").unlink()
    shutil.rmtree(out / "warehouse.duckdb.raw")
    after = night(export, as_of=AS_OF + timedelta(days=1))
    assert after.previous == f"run_date={AS_OF}", "without a backup, the next night goes on"
