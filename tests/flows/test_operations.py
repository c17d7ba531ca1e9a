"""What an operator relies on: proof, status, backup, retention, upgrades, keys, file rights."""

import gzip
import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.errors import NightError, NightRefused, NightRunning, UsageError
from flows.lock import held, holder_of
from flows.published.nights import nights, read_table
from flows.published.query import query as query_nights
from flows.published.status import status_of
from flows.published.verify import problems_of, remarks_on
from flows.secrets import NO_KEYS, Keys, load_keys
from flows.settings import Settings
from flows.warehouse import migrations
from flows.warehouse.backup import back_up
from schemas.published import PUBLISHED
from schemas.registry import TABLES
from tests.flows.conftest import RunNight
from tests.registry import AS_OF, Registry

FIXTURES = Path(__file__).parent / "fixtures"
BEFORE = AS_OF - timedelta(days=1)
KEYS = Keys(pseudonym=b"a key of the test, long enough", encryption=bytes(range(32)))


@contextmanager
def process(script: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script that prints a line when it holds what it holds, and then waits."""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        assert running.stdout.readline() == "held\n"
        yield running


def unpack_warehouse(layout: int, out: Path) -> None:
    packed = FIXTURES / f"warehouse_layout_{layout}.duckdb.gz"
    (out / "warehouse.duckdb").write_bytes(gzip.decompress(packed.read_bytes()))


def query(out: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
        return db.execute(sql).fetchall()


@pytest.fixture
def export(tmp_path: Path) -> Path:
    registry = Registry().usual("A", 62).metastasis("A", "lung").ct("A").usual("B")
    registry.add("surgeries", "B", surgery_date="2031-02-31", procedure="total")
    return registry.write(tmp_path / "export")


def test_a_whole_night_verifies_with_its_inputs(export: Path, night: RunNight) -> None:
    folder = night(export).folder
    assert problems_of(folder, NO_KEYS, export) == []
    assert remarks_on(folder) == []


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda f, e: (f / "features.parquet").unlink(), "features.parquet: missing"),
        (lambda f, e: (f / "more.parquet").touch(), "more.parquet: not a file of this night"),
        (lambda f, e: (f / "worklist.csv").write_text("x"), "worklist.csv: its sha256"),
        (lambda f, e: (f / "run.json").write_text('{"a":'), "run.json: missing or not whole"),
        (lambda f, e: (f / "run.json").write_text('{"a": 1}'), "run.json: not the report"),
        (lambda f, e: (e / "labs.csv").write_text("x"), "input labs.csv: not the bytes"),
        (lambda f, e: (e / "labs.csv").unlink(), "input labs.csv: not in"),
    ],
)
def test_verify_says_what_differs(export: Path, night: RunNight, damage, says: str) -> None:  # type: ignore[no-untyped-def]
    folder = night(export).folder
    damage(folder, export)
    assert [problem for problem in problems_of(folder, NO_KEYS, export) if says in problem]


def test_verify_counts_rows_even_when_the_checksums_were_forged(
    export: Path, night: RunNight
) -> None:
    folder = night(export).folder
    report = json.loads((folder / "run.json").read_text())
    report["patients"] += 1
    report["files"][0]["rows_read"] += 1
    (folder / "run.json").write_text(json.dumps(report))
    found = problems_of(folder, NO_KEYS)
    assert "patient_risk.parquet: 2 rows, not 3" in found
    assert any("rows read" in problem for problem in found)


def test_a_night_of_another_model_file_is_remarked_on(export: Path, night: RunNight) -> None:
    folder = night(export).folder
    report = json.loads((folder / "run.json").read_text())
    report["models"]["jin2025_os"]["sha256"] = "0"
    (folder / "run.json").write_text(json.dumps(report))
    assert remarks_on(folder) == [
        "model jin2025_os: the installed file is not the one of this night"
    ]


def test_status_tells_age_size_and_what_is_next(export: Path, night: RunNight, out: Path) -> None:
    warehouse = out / "warehouse.duckdb"
    now = datetime.now(UTC)
    assert list(status_of(out, warehouse, Settings(), now).problems()) == [
        "no night was published yet"
    ]
    night(export)
    fresh = status_of(out, warehouse, Settings(), now)
    assert (fresh.last_night, fresh.patients, fresh.nights) == (str(AS_OF), 2, 1)
    assert fresh.bytes_of_nights > 0 < fresh.bytes_of_warehouse
    assert not list(fresh.problems())
    assert datetime.fromisoformat(fresh.next_due).hour == 2
    old = status_of(out, warehouse, Settings(), now + timedelta(hours=40))
    assert list(old.problems()) == ["the last good night ended 40 hours ago"]


def test_only_a_living_process_holds_a_lock(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    script = (
        "import os, sys; from pathlib import Path; from flows.lock import held\n"
        f"with held(Path({str(path)!r}), holder='night of 2026-06-30'):\n"
        "    print('held', flush=True); sys.stdin.read(); os._exit(9)"
    )
    with process(script) as holder:
        with pytest.raises(NightRunning, match=f"process {holder.pid}, night of"):
            held(path, holder="me").__enter__()
        assert f"process {holder.pid}" in str(holder_of(path))
        holder.kill()
    assert path.read_text() != ""
    assert holder_of(path) is None
    with held(path, holder="me"):
        assert "me" in path.read_text()


def test_a_warehouse_open_elsewhere_is_busy_not_broken(
    export: Path, night: RunNight, out: Path
) -> None:
    night(export)
    script = (
        "import duckdb, sys\n"
        f"db = duckdb.connect({str(out / 'warehouse.duckdb')!r}, read_only=True)\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    with process(script) as reader:
        with pytest.raises(NightRunning, match=f"open in process {reader.pid}"):
            night(export)
        copied = back_up(out / "warehouse.duckdb", out, out.parent / "copy")
        assert copied == 1


@pytest.mark.parametrize("name", ["copy", "copy.tar"])
def test_a_backup_is_a_warehouse_to_go_on_with(
    export: Path, night: RunNight, out: Path, tmp_path: Path, name: str
) -> None:
    first = night(export, as_of=BEFORE)
    before = (first.folder / "patient_risk.parquet").read_bytes()
    copy = tmp_path / name
    assert back_up(out / "warehouse.duckdb", out, copy) == 1
    made = [copy, *copy.rglob("*")]
    assert {stat.S_IMODE(p.stat().st_mode) for p in made if p.is_dir()} <= {0o700}
    assert {stat.S_IMODE(p.stat().st_mode) for p in made if p.is_file()} == {0o600}
    with pytest.raises(UsageError, match="never replaces"):
        back_up(out / "warehouse.duckdb", out, copy)
    night(export)
    shutil.rmtree(out / f"run_date={AS_OF}")
    shutil.rmtree(out / "warehouse.duckdb.raw")
    (out / "warehouse.duckdb").unlink()
    if copy.is_dir():
        shutil.copytree(copy, out, dirs_exist_ok=True)
    else:
        shutil.unpack_archive(copy, out, filter="data")
    assert (night(None, as_of=BEFORE).folder / "patient_risk.parquet").read_bytes() == before
    with held(out / ".lock", holder="a night"), pytest.raises(NightRunning):
        back_up(out / "warehouse.duckdb", out, tmp_path / "other")
    assert not list(tmp_path.glob(".*"))


def test_a_backup_of_damaged_text_is_none(
    export: Path, night: RunNight, out: Path, tmp_path: Path
) -> None:
    night(export)
    (part,) = (out / "warehouse.duckdb.raw" / "imaging").rglob("0*.parquet")
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(NightError, match="not as they were written, imaging/plain/"):
        back_up(out / "warehouse.duckdb", out, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_old_nights_and_history_go_when_the_settings_say_so(
    export: Path, night: RunNight, out: Path
) -> None:
    labs = export / "labs.csv"
    for number in range(4):
        header = labs.read_text().splitlines()[0]
        labs.write_text(f"{header}\nL{number},A,2020-06-12,Tg,=,{number},ng/mL,yes\n")
        day = date(2026, 6, 1 + number)
        night(export, as_of=day, keep_nights=3, keep_history=2)
    assert [folder.name for folder in nights(out)] == [f"run_date=2026-06-0{n}" for n in (2, 3, 4)]
    assert (out / "latest").readlink() == Path("run_date=2026-06-04")
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
        kept = db.execute("SELECT lab_id FROM raw.labs ORDER BY lab_id").fetchall()
    assert kept == [("L2",), ("L3",)]
    before = (out / "run_date=2026-06-03" / "features.parquet").read_bytes()
    again = night(None, as_of=date(2026, 6, 3))
    assert (again.folder / "features.parquet").read_bytes() == before
    with pytest.raises(NightRefused, match="no longer has the rows of 2026-06-02"):
        night(None, as_of=date(2026, 6, 2))


def test_a_night_is_not_compared_with_one_that_is_gone_or_damaged(
    export: Path, night: RunNight, out: Path
) -> None:
    first = night(export, as_of=BEFORE)
    (first.folder / "patient_risk.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(NightRefused, match="thyrisk verify"):
        night(export)
    (first.folder / "run.json").unlink()
    with pytest.raises(NightRefused, match="is gone or not whole"):
        night(export)
    assert nights(out) == []


def test_a_warehouse_of_the_first_layout_is_brought_up_to_date(
    night: RunNight, out: Path, tmp_path: Path
) -> None:
    out.mkdir()
    unpack_warehouse(1, out)
    again = night(None, as_of=BEFORE)
    assert again.patients == 2
    registry = Registry().usual("A", 62).metastasis("A", "lung").usual("B").usual("C").usual("D")
    result = night(registry.write(tmp_path / "export"), as_of=AS_OF + timedelta(days=1))
    assert result.patients == 4
    assert result.new_versions["surgeries"] == 1
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
        layout = db.execute("SELECT max(version) FROM ops.layout").fetchall()
        runs = db.execute("SELECT seq, history_kept FROM ops.runs ORDER BY seq").fetchall()
    assert layout == [(migrations.CURRENT,)]
    assert runs == [(1, True), (2, True), (3, True)]


def test_a_warehouse_of_the_second_layout_keeps_its_rows_and_their_history(
    night: RunNight, out: Path
) -> None:
    out.mkdir()
    unpack_warehouse(2, out)
    old = "SELECT * EXCLUDE (row_hash, loaded_at) FROM raw.{} ORDER BY ALL"
    before = {table: query(out, old.format(table)) for table in TABLES}
    first = night(None, as_of=BEFORE)
    assert first.patients == 2
    # What came into the contract since is empty in them.
    new = {"metastases": ", found", "events": ", found"}
    same = old.replace("loaded_at", "loaded_at{}")
    after = {table: query(out, same.format(new.get(table, ""), table)) for table in TABLES}
    assert after == before
    (original,) = read_table(first.folder / "quarantine.parquet", NO_KEYS)["original"]
    assert "2031-02-31" in original
    second = night(None, as_of=AS_OF)
    features = read_table(second.folder / "features.parquet", NO_KEYS)
    assert features["patient_id"].to_list() == ["A", "B", "C"]
    assert features["stg_ng_ml"][0] == 650


def test_the_same_export_again_adds_nothing_to_a_warehouse_brought_up_to_date(
    night: RunNight, out: Path, tmp_path: Path
) -> None:
    out.mkdir()
    unpack_warehouse(2, out)
    export = tmp_path / "export"
    export.mkdir()
    for table in TABLES:
        # Those columns that the contract had then, too.
        cells = f"COLUMNS(lambda c: c IN {tuple(TABLES[table].columns)})"
        latest = f"SELECT {cells} FROM raw.{table} WHERE seen_until IS NULL"
        with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as db:
            db.sql(latest).write_csv(str(export / f"{table}.csv"))
    result = night(export, as_of=AS_OF + timedelta(days=1))
    assert sum(result.new_versions.values()) == 0


def test_a_warehouse_of_a_newer_version_is_left_alone(
    export: Path, night: RunNight, out: Path
) -> None:
    night(export)
    with duckdb.connect(str(out / "warehouse.duckdb")) as db:
        db.execute("INSERT INTO ops.layout VALUES (999)")
    with pytest.raises(NightRefused, match="layout 999"):
        night(export)


def test_the_clock_may_not_go_back_unnoticed(export: Path, out: Path) -> None:
    from flows.job import Job
    from flows.night import run_night
    from transforms.reading.mapping import Mapping

    def run(as_of: date, *, by_clock: bool) -> None:
        warehouse = out / "warehouse.duckdb"
        run_night(Job(export, out, as_of, warehouse, Mapping(), Settings(), as_of_clock=by_clock))

    run(AS_OF, by_clock=True)
    with pytest.raises(NightRefused, match="has the clock gone back"):
        run(BEFORE, by_clock=True)
    run(BEFORE, by_clock=False)


def test_new_files_and_folders_are_their_owners_alone(
    export: Path, night: RunNight, out: Path
) -> None:
    night(export)
    made = [out, *(path for path in out.rglob("*") if not path.is_symlink())]
    assert {stat.S_IMODE(p.stat().st_mode) for p in made if p.is_dir()} == {0o700}
    assert {stat.S_IMODE(p.stat().st_mode) for p in made if p.is_file()} == {0o600}
    shared = night(export, as_of=AS_OF + timedelta(days=1), umask="027").folder
    assert stat.S_IMODE(shared.stat().st_mode) == 0o750


def test_pseudonyms_are_the_same_every_night_and_the_registry_s_are_nowhere(
    export: Path, night: RunNight, out: Path, tmp_path: Path
) -> None:
    plain = night(export, to=tmp_path / "plain").folder
    folders = [night(export, as_of=day, keys=KEYS).folder for day in (BEFORE, AS_OF)]
    first, second = (read_table(f / "patient_risk.parquet", KEYS) for f in folders)
    assert first["patient_id"].to_list() == second["patient_id"].to_list()
    assert first["patient_id"].is_sorted()
    expected = sorted(KEYS.pseudonyms(pl.Series(["A", "B"])))
    assert first["patient_id"].to_list() == expected
    assert second["changed_since_last"].list.len().sum() == 0
    rows = [f"{letter}{n}" for letter in "DSIM" for n in (1, 2, 3)]
    for path in folders[1].glob("*.parquet"):
        table = read_table(path, KEYS)
        cells = {cell for column in table.select(pl.col(pl.String)) for cell in column}
        assert not cells & {"A", "B", *rows}, path.name
        assert table.height == pl.read_parquet(plain / path.name).height
    quarantine = read_table(folders[1] / "quarantine.parquet", KEYS)
    assert quarantine["patient_id"].to_list() == KEYS.pseudonyms(pl.Series(["B"])).to_list()
    assert quarantine["original"].to_list() == [None]


def test_nights_under_one_name_are_never_mixed_with_nights_under_another(
    export: Path, night: RunNight
) -> None:
    night(export, as_of=BEFORE, keys=KEYS)
    with pytest.raises(UsageError, match="other pseudonyms"):
        night(export)
    with pytest.raises(UsageError, match="other pseudonyms"):
        night(None, as_of=BEFORE)


def test_under_an_encryption_key_no_published_file_can_be_read_without_it(
    export: Path, night: RunNight, out: Path
) -> None:
    keys = Keys(encryption=KEYS.encryption)
    folder = night(export, keys=keys).folder
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(["run.json", *(f"{name}.parquet" for name in PUBLISHED)])
    for path in folder.glob("*.parquet"):
        assert path.read_bytes().startswith(b"PARE")
        with pytest.raises(NightRefused, match="encrypted"):
            read_table(path, NO_KEYS)
        read_table(path, keys)
    found = query_nights("SELECT patient_id FROM features WHERE patient_id = 'A'", out, keys)
    assert found["patient_id"].to_list() == ["A"]
    assert problems_of(folder, keys) == []
    assert any("to count its rows" in problem for problem in problems_of(folder, NO_KEYS))


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("THYRISK_PSEUDONYM_KEY", "sesame", "too short"),
        ("THYRISK_ENCRYPTION_KEY", "not base64!", "base64"),
        ("THYRISK_PSEUDONYM_KEY_FILE", "/nowhere/key", "cannot read"),
    ],
)
def test_a_key_that_is_none_is_said_so(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, complaint: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=complaint) as raised:
        load_keys()
    assert value.startswith("/") or value not in str(raised.value)
