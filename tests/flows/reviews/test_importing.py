"""Reviews are taken from files: by real processes, whole or not at all, and for ever."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from flows.errors import NightRefused
from flows.reviews import store
from flows.secrets import NO_KEYS, Keys
from flows.warehouse.backup import back_up
from tests.flows.reviews.conftest import HEADER, KEY, Desk, environment, listed
from tests.flows.reviews.workbook import write_workbook
from tests.registry import AS_OF

DAY = timedelta(days=1)


def test_a_decision_taken_from_a_file_is_back_in_the_next_night_and_stays(desk: Desk) -> None:
    file = desk.file(f"A,{AS_OF}T09:00:00,MK,dismissed,remnant_only,,seen on the scan")
    assert desk.take(file) == (0, "1 taken, 0 known before, 0 refused\n")
    assert {path.stat().st_mode & 0o77 for path in (*desk.kept(), desk.kept()[0].parent)} == {0}
    assert listed(desk.night(AS_OF + DAY)) == ["C"]
    assert desk.take(file) == (0, "0 taken, 1 known before, 0 refused\n")
    assert len(desk.kept()) == 1
    assert listed(desk.night(AS_OF + 2 * DAY)) == ["C"]
    assert desk.take(desk.file(f"A,{AS_OF + 2 * DAY},MK,reopened,,,"))[0] == 0
    assert sorted(listed(desk.night(AS_OF + 3 * DAY))) == ["A", "C"]


def test_a_past_night_knows_only_the_reviews_that_it_saw(desk: Desk) -> None:
    second = desk.night(AS_OF + DAY)
    before = (second.folder / "patient_risk.parquet").read_bytes()
    desk.take(desk.file(f"A,{AS_OF},MK,confirmed,,,"))
    desk.night(AS_OF + 2 * DAY)
    desk.again(AS_OF + DAY)
    assert (second.folder / "patient_risk.parquet").read_bytes() == before


def test_what_excel_makes_of_the_file_is_read(desk: Desk) -> None:
    path = desk.out.parent / "excel.csv"
    header = HEADER.replace(",", ";")
    lines = [
        header,
        "A;30.06.2026 09:15;MK;Confirmed;;;",
        'C;30.6.2026;MK;deferred;;1.9.2026;"PET; awaited"',
    ]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*lines, ""]).encode())
    status, said = desk.take(path)
    assert (status, said.splitlines()[0]) == (3, "1 taken, 0 known before, 1 refused")
    assert "excel.csv line 2: refused: decision: not one of confirmed, dismissed" in said
    kept = store.read(desk.warehouse, NO_KEYS).row(0, named=True)
    assert (kept["patient_id"], kept["note"]) == ("C", "PET; awaited")
    assert str(kept["deferred_until"]) == "2026-09-01"


def test_every_refusal_has_its_line_and_reason_and_no_cell(desk: Desk) -> None:
    file = desk.file(
        f"A,{AS_OF},MK,confirmed,,,",
        f"NOBODY-17,{AS_OF},MK,confirmed,,,",
        "C,03/04/2026,MK,confirmed,,,",
        f"C,{AS_OF},MK,deferred,,,",
        f"C,{AS_OF},MK,confirmed",
        "C,2999-01-01,MK,confirmed,,,",
        f"C,{AS_OF},MK,confirmed,remnant_only,,",
    )
    status, said = desk.take(file, desk.out.parent / "gone.csv")
    assert status == 3
    assert said.splitlines()[0] == "2 taken, 0 known before, 6 refused"
    for wanted in (
        "decisions.csv line 3: refused: patient_id: not in the newest night",
        "line 4: refused: reviewed_at or deferred_until: day or month first? Say which with",
        "line 5: refused: deferred_until: empty for a deferred patient",
        "line 6: refused: ",
        "line 7: refused: reviewed_at: after the as-of date",
        "line 8: taken without this cell: reason: only a dismissal has one",
        "gone.csv: refused: no such file",
    ):
        assert wanted in said
    assert "NOBODY" not in said
    assert desk.take(file, dates="mdy")[1].startswith("1 taken, 2 known before, 4 refused")


def test_the_first_sheet_of_a_workbook_is_read_as_a_file_is(desk: Desk) -> None:
    later = AS_OF + timedelta(days=14)
    workbook = write_workbook(
        desk.out.parent / "decisions.xlsx",
        [
            [*HEADER.split(",")],
            ["A", AS_OF, "MK", "deferred", "", later, "waits for a CT"],
            ["NOBODY", AS_OF, "MK", "confirmed"],
            ["C", f"{AS_OF:%d.%m.%Y}", "MK", "confirmed"],
        ],
    )
    status, said = desk.take(workbook)
    assert status == 3
    assert "decisions.xlsx line 3: refused: patient_id: not in the newest night" in said
    kept = store.read(desk.warehouse, NO_KEYS).sort("patient_id")
    assert kept.select("patient_id", "reviewed_at", "deferred_until", "note").rows() == [
        ("A", AS_OF, later, "waits for a CT"),
        ("C", AS_OF, None, None),
    ]
    assert kept["reviewed_time"].null_count() == 2, "a cell that is a day has no time"


def test_a_damaged_workbook_and_a_file_that_is_no_list_of_decisions_are_refused_by_name(
    desk: Desk,
) -> None:
    workbook = desk.out.parent / "decisions.xlsx"
    workbook.write_bytes(b"PK")
    other = desk.file("1,2", name="other.csv", header="a,b")
    status, said = desk.take(workbook, other)
    assert status == 3
    assert "decisions.xlsx: refused: cannot be read as a workbook (" in said
    assert "other.csv: refused: line 1 has none of the columns of reviews" in said
    assert desk.kept() == []


def test_without_a_night_there_is_nothing_to_review(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "out")
    (tmp_path / "out").mkdir()
    status, said = desk.take(desk.file(f"A,{AS_OF},MK,confirmed,,,"))
    assert status == 2
    assert "no published night" in said


def test_under_pseudonyms_what_is_kept_names_nobody_and_finds_the_patient(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "out", KEY.encode())
    shown = sorted(listed(desk.night(AS_OF)))
    seen = desk.file(f"{shown[0]},{AS_OF},MK,confirmed,,,")
    assert desk.take(seen)[0] == 0, "whoever has the page alone has no key"
    hospital_s = desk.file(f"A,{AS_OF},MK,confirmed,,,", f"C,{AS_OF},MK,confirmed,,,", name="A.csv")
    status, said = desk.take(hospital_s)
    assert (status, "file 1 line 2: refused" in said, "A.csv" in said) == (3, True, False)
    assert desk.take(hospital_s, key=KEY)[1].startswith("1 taken, 1 known before")
    assert sorted(store.read(desk.warehouse, NO_KEYS)["patient_id"]) == shown
    assert listed(desk.night(AS_OF + DAY)) == []


def test_reviews_under_other_pseudonyms_are_told_and_not_guessed(desk: Desk) -> None:
    assert desk.take(desk.file(f"A,{AS_OF},MK,confirmed,,,"))[0] == 0
    kept = store.read(desk.warehouse, NO_KEYS).with_columns(pseudonyms=pl.lit("0123456789ab"))
    store.append(desk.warehouse, kept.with_columns(patient_id=pl.lit("C")), NO_KEYS)
    result = desk.night(AS_OF + DAY)
    assert listed(result) == ["C"]
    assert any(
        "1 that were imported name patients by other pseudonyms" in w for w in result.warnings
    )


def test_under_an_encryption_key_no_decision_lies_in_the_clear(desk: Desk) -> None:
    keys = Keys(encryption=b"0123456789abcdef")
    given = pl.DataFrame(
        [{"patient_id": "A", "reviewed_at": AS_OF, "decision": "confirmed", "note": "told"}]
    )
    lacking = [name for name in store.KEPT if name not in given.columns]
    rows = given.with_columns(pl.lit(None).alias(name) for name in lacking)
    assert store.append(desk.warehouse, rows, keys) == 1
    assert b"told" not in desk.kept()[0].read_bytes()
    assert store.read(desk.warehouse, keys)["note"].to_list() == ["told"]
    with pytest.raises(NightRefused, match="encrypted"):
        store.read(desk.warehouse, NO_KEYS)
    (part,) = desk.kept()
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(NightRefused, match="cannot be read; put the folder back from a backup"):
        store.read(desk.warehouse, keys)


def test_a_night_that_saw_more_reviews_than_are_left_is_refused(desk: Desk) -> None:
    desk.take(desk.file(f"A,{AS_OF},MK,confirmed,,,"))
    desk.take(desk.file(f"C,{AS_OF},MK,confirmed,,,"))
    desk.night(AS_OF + DAY)
    desk.kept()[-1].unlink()
    with pytest.raises(NightRefused, match="1 imports of reviews, but the last night saw 2"):
        desk.night(AS_OF + 2 * DAY)
    desk.take(desk.file(f"C,{AS_OF},MK,dismissed,,,"))
    desk.kept()[0].unlink()
    with pytest.raises(NightRefused, match="files are missing"):
        desk.night(AS_OF + 2 * DAY)


def test_a_backup_has_the_reviews(desk: Desk, tmp_path: Path) -> None:
    desk.take(desk.file(f"A,{AS_OF},MK,confirmed,,,"))
    back_up(desk.warehouse, desk.out, tmp_path / "copy")
    assert store.read(tmp_path / "copy" / "warehouse.duckdb", NO_KEYS).height == 1


def test_files_of_two_imports_at_once_are_both_kept(desk: Desk) -> None:
    files = [desk.file(f"{who},{AS_OF},MK,confirmed,,,", name=f"{who}.csv") for who in "AC"]
    command = [sys.executable, "-m", "flows.cli.thyrisk", "review", "import", "--out"]
    running = [
        subprocess.Popen([*command, str(desk.out), str(file)], env=environment()) for file in files
    ]
    assert [process.wait() for process in running] == [0, 0]
    assert sorted(store.read(desk.warehouse, NO_KEYS)["patient_id"]) == ["A", "C"]


_DIES = """
import os, signal, sys
from flows.cli.thyrisk import app
at, seen = int(sys.argv.pop(1)), 0
def profile(frame, event, argument):
    global seen
    file = frame.f_code.co_filename
    ours = "flows/reviews/store" in file or "flows/disk" in file
    if ours and event in ("call", "return", "c_call", "c_return"):
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(profile)
try:
    app(sys.argv[1:])
finally:
    sys.setprofile(None)
    print("calls", seen)
"""


def _killed(desk: Desk, file: Path, at: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _DIES, str(at), "review", "import", str(file), "--out"]
        + [str(desk.out)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )


KILLS = int(os.environ.get("THYRISK_IMPORT_KILLS", "3"))


def test_an_import_that_is_killed_is_whole_or_not_there(desk: Desk, tmp_path: Path) -> None:
    assert desk.take(desk.file(f"A,{AS_OF},MK,dismissed,,,"))[0] == 0
    file = desk.file(f"A,{AS_OF},MK,confirmed,,,", f"C,{AS_OF},MK,confirmed,,,", name="two.csv")
    trial = Desk(tmp_path / "trial")
    shutil.copytree(desk.out, trial.out, symlinks=True)
    calls = int(_killed(trial, file, 0).stdout.rsplit("calls", 1)[1])
    left = set()
    for number in range(KILLS):
        at = 1 + number * (calls - 1) // max(KILLS - 1, 1)
        shutil.rmtree(trial.out)
        shutil.copytree(desk.out, trial.out, symlinks=True)
        assert _killed(trial, file, at).returncode == -signal.SIGKILL
        there = store.read(trial.warehouse, NO_KEYS).height
        left.add(there)
        assert trial.take(file)[0] == 0
        assert store.read(trial.warehouse, NO_KEYS).height == 3
        assert len(trial.kept()) == 2
        assert not list(store.folder_of(trial.warehouse).glob("*.unfinished"))
    assert left == {1, 3}, "some kills came before the decisions were there, some after"
