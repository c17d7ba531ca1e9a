"""Files are looked into as they come, and nothing of a patient is told."""

import gzip
import json
from collections.abc import Callable
from datetime import date as day
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from flows.errors import UsageError
from flows.inspection import reading
from flows.inspection.looking import inspect
from flows.inspection.page import page
from flows.inspection.telling import as_json, show
from models.spec import library
from tests.flows.inspection import files
from tests.flows.reviews.workbook import write_workbook
from transforms.inspection.drafting import as_dict, toml
from transforms.inspection.found import Inspection
from transforms.inspection.needs import lacking
from transforms.inspection.proposals import propose

Write = Callable[[Path], list[Path]]


def everything_told(found: Inspection) -> str:
    """Return all that a person or a program can see of an inspection and its draft."""
    console = Console(record=True, width=400, quiet=True)
    show(found, console)
    draft = propose(found.tables)
    missing = lacking(draft.found, library())
    said = json.dumps([as_json(found), as_dict(draft, missing)], ensure_ascii=False)
    text = toml(draft, missing, accept=0.5)
    return console.export_text() + said + page(found, text) + toml(draft, missing)


def test_a_german_export_is_read_as_it_is_written(tmp_path: Path) -> None:
    patients, labs = inspect(files.german(tmp_path), 5).tables
    assert patients.reading == {
        "files": "patienten.csv",
        "format": "csv",
        "encoding": "cp1252",
        "null": ["k.A."],
        "decimal": ",",
        "dates": "dmy",
    }
    assert (patients.records, labs.records) == (60, 300)
    kinds = {one.name: one.kind for one in (*patients.columns, *labs.columns)}
    assert kinds["Nachname"] == "personal" and kinds["Bemerkung"] == "text"
    assert kinds["Geb.-Datum"] == kinds["Abnahmedatum"] == "date"
    assert kinds["Aktivität (MBq)"] == kinds["Wert"] == "number"
    assert [code.text for code in labs.column("Parameter").codes] != []


def test_what_links_files_and_who_the_patients_are_is_found(tmp_path: Path) -> None:
    found = inspect(files.german(tmp_path), 5)
    link = found.links[0]
    assert {link.one, link.other} == {("labor.csv", "PatNr"), ("patienten.csv", "PatNr")}
    assert [looked.patient and looked.patient[0] for looked in found.tables] == ["PatNr", "PatNr"]


def test_three_header_lines_are_told_from_records(tmp_path: Path) -> None:
    (looked,) = inspect(files.three_headers(tmp_path), 5).tables
    assert looked.records == 60
    assert (looked.reading["skip"], looked.reading["delimiter"]) == ([2, 3], "\t")
    assert looked.column("birth_days_to").labels == ("days_to_birth", "CDE_ID:2")
    assert looked.column("birth_days_to").kind == "days"


def test_a_file_without_a_header_names_no_column_after_a_record(tmp_path: Path) -> None:
    path = tmp_path / "labs.csv"
    path.write_text("".join(f"Q{at},2014-03-{at:02d},{at}.5\n" for at in range(10, 29)))
    (looked,) = inspect([path], 5).tables
    assert [one.name for one in looked.columns] == ["column_1", "column_2", "column_3"]
    assert (looked.records, looked.reading["header"]) == (19, 0)


def test_repeated_columns_are_found_together(tmp_path: Path) -> None:
    (looked,) = inspect(files.form(tmp_path), 5).tables
    (group,) = looked.groups
    assert group.stems == ("rai_date_{n}", "rai_dose_{n}", "tg_{n}", "tg_date_{n}")
    assert group.numbers == ("1", "2", "3")


def test_chinese_that_is_not_utf_8_is_read(tmp_path: Path) -> None:
    (looked,) = inspect(files.chinese(tmp_path), 5).tables
    assert looked.reading["encoding"] == "gb18030"
    assert {code.text for code in looked.column("性别").codes} == {"男", "女"}


def test_every_format_says_the_same(tmp_path: Path) -> None:
    rows = pl.DataFrame({"sex": ["F", "M"] * 20, "dose": [float(n) for n in range(40)]})
    rows.write_csv(tmp_path / "a.csv")
    rows.write_csv(tmp_path / "b.tsv", separator="\t")
    rows.write_parquet(tmp_path / "c.parquet")
    rows.write_ndjson(tmp_path / "d.ndjson")
    rows.write_json(tmp_path / "e.json")
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    found = inspect([tmp_path], 5)
    assert len(found.tables) == 6
    for looked in found.tables:
        assert looked.records == 40
        sex, dose = looked.columns
        assert {code.text: code.cells for code in sex.codes} == {"F": 20, "M": 20}
        assert (dose.kind, dose.low, dose.high) == ("number", "0", "39")


def test_a_workbook_is_read_below_its_title(tmp_path: Path) -> None:
    rows = [[f"Q{at}", day(2014, 3, at), "FM"[at % 2]] for at in range(10, 30)]
    path = write_workbook(
        tmp_path / "list.xlsx", [["Thyroid list"], ["PatNr", "OP-Datum", "Sex"], *rows]
    )
    (looked,) = inspect([path], 5).tables
    assert [one.name for one in looked.columns] == ["PatNr", "OP-Datum", "Sex"]
    assert (looked.records, looked.reading["format"], looked.reading["header"]) == (20, "xlsx", 2)
    assert looked.column("OP-Datum").convention == "iso"
    assert any("colours" in remark for remark in looked.remarks)


def test_a_large_file_is_read_a_few_columns_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = files.german(tmp_path)
    at_once = inspect(given, 5)
    monkeypatch.setattr(reading, "_BUDGET", 1)
    assert as_json(inspect(given, 5)) == as_json(at_once)


def test_quotes_that_do_not_pair_up_are_told_and_read_as_letters(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text('sex,size\nF,5"\n' + "F,6\nM,7\n" * 20)
    (looked,) = inspect([path], 5).tables
    assert looked.records == 41
    assert looked.reading["options"] == {"quotes": False}


def test_a_sample_is_said(tmp_path: Path) -> None:
    (_, labs) = inspect(files.german(tmp_path), 5, sample=50).tables
    assert (labs.records, labs.sampled) == (50, 50)


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    given = files.form(tmp_path)
    (tmp_path / "scan.pdf").write_bytes(b"%PDF")
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    found = inspect([*given, tmp_path / "scan.pdf", tmp_path / "bad.parquet"], 5)
    assert len(found.tables) == 1 and len(found.unread) == 2
    with pytest.raises(UsageError, match=r"bad\.parquet: cannot be read"):
        inspect([tmp_path / "bad.parquet"], 5)
    with pytest.raises(UsageError, match="no such file"):
        inspect([tmp_path / "nowhere"], 5)


@pytest.mark.parametrize("write", files.ALL)
def test_no_identifier_name_or_text_is_told(write: Write, tmp_path: Path) -> None:
    found = inspect(write(tmp_path), 5)
    told = everything_told(found)
    for canary in (*files.NAMES, "rief am"):
        assert canary not in told
    for looked in found.tables:
        for one in looked.columns:
            if one.kind in ("identifier", "personal", "text"):
                assert not one.codes and not one.low


_CANARY = st.text("KXQZ7", min_size=6, max_size=8)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    people=st.lists(_CANARY, min_size=6, max_size=12, unique=True),
    rows=st.integers(1, 40),
    header=st.sampled_from(["PatNr", "spalte", "Name", "x"]),
    numbered=st.booleans(),
)
def test_no_patient_is_told_however_the_column_is_called(
    people: list[str], rows: int, header: str, numbered: bool, tmp_path: Path
) -> None:
    path = tmp_path / "labs.csv"
    lines = [f"{header},{'lab_id' if numbered else 'pat_id'},sex"]
    for at in range(rows * len(people)):
        who = at % len(people)
        lines.append(f"{people[who]},{9_000_000 + (at if numbered else who)},{'FM'[at % 2]}")
    path.write_text("\n".join(lines))
    told = everything_told(inspect([path], 5))
    assert not any(who in told for who in people)
    assert "9000000" not in told


def test_what_comes_from_a_file_is_escaped_on_the_page(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("<script>alert(1)</script>,sex\n" + "<b>,F\n<b>,M\n" * 20)
    found = inspect([path], 5)
    text = page(found, toml(propose(found.tables), []))
    assert "<script>" not in text and "<b>" not in text
    assert "&lt;script&gt;" in text
