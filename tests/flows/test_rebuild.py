"""A damaged warehouse is made anew from exports, a backup, and what is left of it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from flows.errors import NightRefused, NightRunning, UsageError
from flows.job import Job
from flows.night import run_night
from flows.published.nights import nights
from flows.published.verify import problems_of
from flows.rebuild.rebuild import Rebuilt, rebuild
from flows.secrets import NO_KEYS, Keys
from flows.settings import Settings
from flows.warehouse.backup import back_up
from flows.warehouse.swap import damage_of
from flows.warehouse.warehouse import Warehouse
from tests.flows.killing import content
from tests.flows.test_cli import thyrisk
from tests.registry import AS_OF, COLLECTED, Registry, days
from transforms.reading.mapping import Mapping

FIRST, SECOND = AS_OF - timedelta(days=2), AS_OF - timedelta(days=1)
ROOT = Path(__file__).parents[2]
KEYS = Keys(pseudonym=b"a key of the test, long enough")


@dataclass(frozen=True)
class Three:
    """The exports of three nights, and an output with the first two."""

    exports: Path
    out: Path
    backup: Path
    """Taken after the first night."""

    def copy(self, to: Path) -> Path:
        shutil.copytree(self.out, to, symlinks=True)
        with Warehouse(to / "warehouse.duckdb", "500MB", to, NO_KEYS) as warehouse:
            warehouse.forget_unfinished()  # its views show the text where it is now
        return to


def run(export: Path | None, out: Path, number: int, keys: Keys = NO_KEYS) -> Path:
    day = FIRST + timedelta(days=number)
    used = Settings(report=False, batch_rows=5)
    return run_night(Job(export, out, day, out / "warehouse.duckdb", COLLECTED, used, keys)).folder


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Three:
    root = tmp_path_factory.mktemp("rebuild")
    registry = Registry().usual("A", 62).metastasis("A", "lung").ct("A").stg("A", 300)
    registry.usual("B").add("surgeries", "B", surgery_date="soon", procedure="total")
    registry.add("reviews", "A", reviewed_at=FIRST, reviewer="R", decision="agree")
    registry.write(root / "exports" / "0")
    run(root / "exports" / "0", root / "out", 0)
    back_up(root / "out" / "warehouse.duckdb", root / "out", root / "backup.tar")
    registry.rows["reviews"].clear()
    registry.rows["surgeries"].pop()
    registry.usual("C", 30).pet("A", days(-2), suv_max=8)
    registry.write(root / "exports" / "1")
    run(root / "exports" / "1", root / "out", 1)
    registry.rows["patients"][1] |= {"sex": "male"}
    registry.event("A", "progression", days(100)).write(root / "exports" / "2")
    return Three(root / "exports", root / "out", root / "backup.tar")


def truncate(out: Path) -> None:
    whole = (out / "warehouse.duckdb").read_bytes()
    (out / "warehouse.duckdb").write_bytes(whole[: len(whole) // 2])


def lose_a_part(out: Path) -> None:
    next((out / "warehouse.duckdb.raw" / "labs" / "plain").glob("0*.parquet")).unlink()


def spoil_a_block(out: Path) -> None:
    path = out / "warehouse.duckdb"
    content = path.read_bytes()
    path.write_bytes(content[: 3 * 4096] + bytes(len(content) - 3 * 4096))


def lose_everything(out: Path) -> None:
    (out / "warehouse.duckdb").unlink()
    shutil.rmtree(out / "warehouse.duckdb.raw")


def made_anew(
    out: Path, *exports: object, backup: Path | None = None, mapping: Mapping | None = None,
    keys: Keys = NO_KEYS,
) -> Rebuilt:  # fmt: skip
    job = Job(*(None, out, AS_OF, out / "warehouse.duckdb"), mapping or Mapping(), Settings(), keys)
    return rebuild(job, backup, [str(export) for export in exports])


def parquet(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


@pytest.mark.parametrize("damage", [truncate, spoil_a_block, lose_a_part, lose_everything])
def test_a_warehouse_made_anew_from_exports_is_the_one_that_was_damaged(
    three: Three, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    out = three.copy(tmp_path / "out")
    before = content(out)
    damage(out)
    done = made_anew(out, three.exports)
    assert content(out) == before
    assert [line[:10] for line in done.used] == [str(FIRST), str(SECOND)]
    assert done.lacking == []


def test_after_a_truncated_warehouse_is_rebuilt_the_next_night_is_as_without_the_accident(
    three: Three, tmp_path: Path
) -> None:
    spared, out = three.copy(tmp_path / "spared"), three.copy(tmp_path / "out")
    truncate(out)
    with pytest.raises(NightRefused, match="thyrisk rebuild"):
        run(three.exports / "2", out, 2)
    done = made_anew(out, three.exports / "1", backup=three.backup)
    assert done.used == [f"{FIRST}: the backup", f"{SECOND}: {three.exports / '1'}"]
    assert done.lacking == []
    assert done.kept is not None and done.kept.is_file()
    one, other = (run(three.exports / "2", where, 2) for where in (spared, out))
    assert parquet(one) == parquet(other)
    assert content(out) == content(spared)
    published = [parquet(folder) for folder in nights(out)]
    for number in (0, 1):
        run(None, out, number)
    assert [parquet(folder) for folder in nights(out)] == published, "past nights run again"
    assert problems_of(out / "latest", NO_KEYS, warehouse=out / "warehouse.duckdb") == []


def test_what_could_not_be_had_is_said_and_reviews_are_kept(three: Three, tmp_path: Path) -> None:
    spared, out = three.copy(tmp_path / "spared"), three.copy(tmp_path / "out")
    truncate(out)
    command = ("rebuild", "--out", out, "--export", three.exports / "1")
    done = thyrisk(*command)
    assert done.returncode == 0, done.stderr
    assert f"used: {SECOND}: {three.exports / '1'}" in done.stdout
    assert "used: 1 reviews: the raw text of the damaged warehouse" in done.stdout
    assert f"not to be had: {FIRST}: its rows, so it cannot be run again" in done.stdout
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
        kept = db.sql("SELECT patient_id, decision FROM raw.reviews").fetchall()
    assert kept == [("A", "agree")]
    with pytest.raises(NightRefused, match="rebuilt without the export of that night"):
        run(None, out, 0)
    for folder in nights(out):
        assert problems_of(folder, NO_KEYS, warehouse=out / "warehouse.duckdb") == []
    one, other = (run(three.exports / "2", where, 2) for where in (spared, out))
    assert parquet(one) == parquet(other)
    again = thyrisk(*command)
    assert again.returncode == 2
    assert "is whole" in again.stderr


def test_a_backup_from_before_a_withdrawal_does_not_bring_the_night_back(
    three: Three, tmp_path: Path
) -> None:
    from flows.published.withdraw import withdraw

    out = three.copy(tmp_path / "out")
    back_up(out / "warehouse.duckdb", out, tmp_path / "backup")
    withdraw(out, out / "warehouse.duckdb", str(SECOND), "a wrong export", "500MB")
    before = content(out)
    truncate(out)
    made_anew(out, backup=tmp_path / "backup")
    assert content(out) == before


def test_only_the_export_that_a_night_read_is_taken_for_it(three: Three, tmp_path: Path) -> None:
    out = three.copy(tmp_path / "out")
    truncate(out)
    damaged = (out / "warehouse.duckdb").read_bytes()
    with pytest.raises(UsageError, match="nothing to rebuild from"):
        made_anew(out, three.exports / "2")
    with pytest.raises(UsageError, match="nothing to rebuild from"):
        made_anew(out, f"{FIRST}={three.exports / '1'}")
    assert (out / "warehouse.duckdb").read_bytes() == damaged
    third = AS_OF
    done = made_anew(out, three.exports, f"{third}={three.exports / '2'}", mapping=COLLECTED)
    assert f"{third}: {three.exports / '2'}, of which nothing is published" in done.used


def test_under_pseudonyms_the_mapping_must_be_the_one_of_the_night(
    three: Three, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(three.exports / "0", out, 0, KEYS)
    before = content(out)
    truncate(out)
    with pytest.raises(UsageError, match="give the key"):
        made_anew(out, three.exports)
    with pytest.raises(UsageError, match="nothing to rebuild from"):
        made_anew(out, three.exports, keys=KEYS)
    made_anew(out, three.exports, keys=KEYS, mapping=COLLECTED)
    assert content(out) == before


def test_a_warehouse_that_somebody_has_open_is_not_taken_for_damaged(
    three: Three, tmp_path: Path
) -> None:
    out = three.copy(tmp_path / "out")
    code = (
        "import duckdb, sys; db = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", f"{code}; input()", str(out / "warehouse.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        with pytest.raises(NightRunning, match=f"process {reader.pid}"):
            made_anew(out, three.exports)
        reader.communicate("\n")


KILL = """
import os, signal, sys
from pathlib import Path
import tests.flows.killing as killing
from tests.flows.test_rebuild import made_anew

out, exports, call = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
last = 0

def die(number):
    global last
    last = number
    if number == call:
        os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(killing.count_calls(die))
made_anew(out, exports)
sys.setprofile(None)
print(last)
"""


def test_a_rebuild_that_is_killed_leaves_the_old_file_or_the_new_one(
    three: Three, tmp_path: Path
) -> None:
    base = three.copy(tmp_path / "out")
    wanted, whole = content(base), (base / "warehouse.duckdb").read_bytes()
    truncate(base)
    (base / "warehouse.duckdb.wal").write_bytes(b"of the damaged one")
    out = base.rename(tmp_path / "base").with_name("out")

    def killed(call: int) -> subprocess.CompletedProcess[str]:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(tmp_path / "base", out, symlinks=True)
        command = [sys.executable, "-c", KILL, str(out), str(three.exports), str(call)]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)

    calls = int(killed(0).stdout)
    assert content(out) == wanted
    kills = int(os.environ.get("THYRISK_KILLS", "2"))
    # Most calls load the nights; the swap is in the last ones.
    moments = [calls * (n + 0.5) / kills for n in range(kills)]
    moments += [calls - calls * 0.02 * (n + 0.5) / kills for n in range(kills)]
    seen = set()
    for call in map(round, moments):
        assert killed(call).returncode == -signal.SIGKILL
        old = (out / "warehouse.duckdb").read_bytes() == whole[: len(whole) // 2]
        assert old or damage_of(out / "warehouse.duckdb") is None
        seen.add(old)
        try:
            made_anew(out, three.exports)
        except UsageError as done:
            assert "is whole" in str(done)
            with Warehouse(out / "warehouse.duckdb", "500MB", out, NO_KEYS) as warehouse:
                warehouse.forget_unfinished()
        assert content(out) == wanted, f"killed at call {call} of {calls}"
        assert not list(out.glob(".*rebuil*"))
    assert seen == {True, False}
