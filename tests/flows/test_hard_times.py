"""The world lets a night down: the disk is full, the input goes away or changes, files lie."""

import gzip
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.errors import NightError, NightRefused
from flows.job import Job
from flows.night import run_night
from flows.published.nights import nights
from flows.published.verify import problems_of
from flows.secrets import NO_KEYS
from flows.settings import Settings
from tests.flows.conftest import RunNight
from tests.registry import AS_OF, Registry
from transforms.reading.mapping import Mapping

THYRISK = Path(sys.executable).with_name("thyrisk")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    registry = Registry()
    for number in range(300):
        registry.usual(f"P{number}").stg(f"P{number}", number).ct(f"P{number}")
    return registry.write(tmp_path / "export")


def nightly(export: Path, out: Path, **how: Any) -> subprocess.CompletedProcess[str]:
    command = [THYRISK, "nightly", "--export", export, "--out", out, "--as-of", "2026-06-30"]
    return subprocess.run(
        [*map(str, command), "--no-server"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "THYRISK_REPORT": "false"},
        **how,
    )


def limit(kilobytes: int) -> Callable[[], None]:
    """Let a process write no file beyond a size: it fails as on a full disk."""

    def before_it_starts() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024,) * 2)

    return before_it_starts


@pytest.mark.parametrize("kilobytes", [0, 8, 20, 40, 100])
def test_a_full_disk_ends_the_night_with_a_message_and_nothing_half_done(
    export: Path, tmp_path: Path, kilobytes: int
) -> None:
    out = tmp_path / "out"
    done = nightly(export, out, preexec_fn=limit(kilobytes))
    assert done.returncode == 1
    assert "no space left" in done.stderr and "free some" in done.stderr
    assert nights(out) == []
    assert nightly(export, out).returncode == 0
    assert problems_of(nights(out)[0], NO_KEYS) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_on_a_small_disk_a_night_is_whole_or_not_there(export: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a disk")
    ends = []
    try:
        for kilobytes in (64, 300, 600, 900, 1200, 2400, 9600):
            resized = f"remount,size={kilobytes}k"
            subprocess.run(["mount", "-o", resized, str(disk)], check=True)
            done = nightly(export, disk / "out")
            ends.append(done.returncode)
            assert "Traceback" not in done.stderr
            if done.returncode:
                assert "no space left" in done.stderr
                # Where only the warehouse found no room, the night is there, and whole.
                assert all(problems_of(night, NO_KEYS) == [] for night in nights(disk / "out"))
        assert ends[:2] == [1, 1] and ends[-1] == 0
        assert problems_of(nights(disk / "out")[0], NO_KEYS) == []
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        done = nightly(export, disk / "out")
        assert done.returncode == 1
        assert "cannot be written (Read-only file system)" in done.stderr
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=False)


def test_an_output_that_cannot_be_made_is_named(export: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = nightly(export, tmp_path / "file" / "out")
    assert done.returncode == 1
    assert "file/out: Not a directory; mend this" in done.stderr


@pytest.mark.parametrize(
    ("happens", "says"),
    [
        (lambda path: path.unlink(), r"labs\.csv: gone while it was being read"),
        (lambda path: path.write_text("cut"), r"labs\.csv: changed while it was being read"),
        (
            lambda path: path.write_bytes(path.read_bytes().replace(b"ng/mL", b"ug/L ")),
            r"labs\.csv: changed while it was being read",
        ),
    ],
    ids=["gone", "cut short", "rewritten"],
)
@pytest.mark.parametrize("before", ["load patients", "load labs"])
def test_input_that_goes_or_changes_during_the_night_refuses_it(
    export: Path, out: Path, before: str, happens: Callable[[Path], None], says: str
) -> None:
    def stage(name: str, step: Callable[..., Any], *args: Any) -> Any:
        if name == before:
            happens(export / "labs.csv")
        return step(*args)

    job = Job(export, out, AS_OF, out / "warehouse.duckdb", Mapping(), Settings(report=False))
    with pytest.raises(NightRefused, match=says):
        run_night(job, stage)
    assert nights(out) == []


def _gzip_bomb(path: Path) -> None:
    path.with_name("labs.csv.gz").write_bytes(
        gzip.compress(path.read_bytes() + b"\n" * 200_000_000)
    )
    path.unlink()


def _parquet_bomb(path: Path) -> None:
    table = pa.table({name: pa.nulls(20_000_000, pa.string()) for name in _columns(path)})
    pq.write_table(table, path.with_name("labs.parquet"))
    path.unlink()


def _parquet_without_its_end(path: Path) -> None:
    pl.read_csv(path, infer_schema=False).write_parquet(path.with_name("labs.parquet"))
    path.unlink()
    whole = path.with_name("labs.parquet").read_bytes()
    path.with_name("labs.parquet").write_bytes(whole[:-9] + b"\xff\xff\xff\x7fPAR1")


def _columns(path: Path) -> list[str]:
    return path.read_text().splitlines()[0].split(",")


def _link_out(path: Path) -> None:
    path.rename(path.parent.parent / "labs.csv")
    path.symlink_to(path.parent.parent / "labs.csv")


def _link_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _folder(path: Path) -> None:
    shutil.copy(path, path.with_name("labs-1.csv"))
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _huge_cell(path: Path) -> None:
    with path.open("a") as stream:
        stream.write('L9,P1,2020-01-01,Tg,=,"\n' + "x" * (17 << 20) + '",ng/mL,yes\n')


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_gzip_bomb, "unpacks to more than 200 times"),
        (_parquet_bomb, "claims 20000000 rows"),
        (_parquet_without_its_end, "cannot be read as parquet"),
        (_link_out, "a link that leads out of the export"),
        (_link_to_itself, r"labs\.csv: a link to itself"),
        (_folder, r"labs\.csv: not a file"),
        (_pipe, r"labs\.csv: not a file"),
        (_huge_cell, r"labs\.csv: cannot be read as CSV"),
        (lambda path: path.rename(path.with_name("labs-\n.csv")), "control characters"),
    ],
)
def test_files_that_lie_are_refused(
    export: Path, night: RunNight, damage: Callable[[Path], None], says: str
) -> None:
    damage(export / "labs.csv")
    with pytest.raises(NightRefused, match=says):
        night(export)


@pytest.mark.parametrize("name", ["labs-*.csv", "labs-[12].csv", "labs-'; DROP TABLE x;--.csv"])
def test_a_file_name_is_never_a_pattern_or_a_statement(
    export: Path, night: RunNight, name: str
) -> None:
    rows = (export / "labs.csv").read_text().splitlines()
    (export / "labs.csv").rename(export / "labs-1.csv")
    (export / name).write_text(f"{rows[0]}\nX1{rows[1][2:]}\n")
    result = night(export)
    counted = {file.file: file.rows_read for file in result.files if file.table == "labs"}
    assert counted == {"labs-1.csv": 300, name: 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[1]", "manifest.json"),
        ('{"files": [1]}', r"manifest\.json: files\.0"),
        ('{"files": [{"file": "labs.csv", "rows": "many"}]}', r"files\.0\.rows"),
        ('{"files": [{"file": "labs.csv", "rows": -1}]}', r"files\.0\.rows"),
        ("[" * 100_000, "manifest.json"),
        ('{"files": [{"file": "labs-9.csv"}]}', "not in the export"),
    ],
)
def test_a_manifest_that_is_none_is_refused(
    export: Path, night: RunNight, text: str, says: str
) -> None:
    (export / "manifest.json").write_text(text)
    with pytest.raises(NightRefused, match=says):
        night(export)


def test_a_last_night_that_panics_the_reader_is_refused_not_crashed(
    export: Path, night: RunNight
) -> None:
    first = night(export, as_of=AS_OF.replace(day=29)).folder / "patient_risk.parquet"
    whole = bytearray(first.read_bytes())
    chance = np.random.default_rng(1)
    for position in chance.integers(4, len(whole) - 8, 400):
        whole[position] ^= 0xFF
    first.write_bytes(bytes(whole))
    with pytest.raises(NightError, match="thyrisk verify"):
        night(export)
