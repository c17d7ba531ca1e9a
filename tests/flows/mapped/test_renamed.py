"""A rule that only renames reads its file as if it were the table's own."""

import csv
from pathlib import Path

import polars as pl
import pytest

from flows.errors import NightRefused, UsageError
from flows.mapped.opening import open_mapped
from flows.mapped.prepare import needed_sources
from flows.settings import load_mapping
from schemas.registry import TABLES
from tests.flows.conftest import RunNight
from tests.registry import COLLECTED, Registry
from transforms.reading.mapping import Mapping


@pytest.fixture
def export(tmp_path: Path) -> Path:
    registry = Registry()
    for number in range(12):
        registry.usual(f"p{number}", 50 + number)
    registry.metastasis("p3", "lung")
    folder = registry.write(tmp_path / "export")
    with (folder / "patients.csv").open("a") as stream:
        stream.write("p99,too,few\n")
    return folder


def renaming(export: Path) -> tuple[Path, Mapping]:
    """Return the same export under the hospital's own names, and its mapping."""
    theirs = export.with_name("theirs")
    theirs.mkdir()
    sources, tables = {}, {}
    for path in sorted(export.iterdir()):
        table = path.stem
        lines = path.read_text().splitlines()
        head = next(csv.reader(lines[:1]))
        named = [f"X_{name}" for name in head]
        (theirs / f"hospital_{table}.txt").write_text("\n".join([",".join(named), *lines[1:]]))
        sources[table] = {"files": [f"hospital_{table}.txt"]}
        known = {name: f"X_{name}" for name in head if name in TABLES[table].columns}
        tables[table] = {"from": [{"source": table, "columns": known}]}
    said = {"sources": sources, "tables": tables, "coverage": COLLECTED.coverage.model_dump()}
    return theirs, Mapping.model_validate(said)


def test_names_alone_change_nothing_that_is_published(
    night: RunNight, export: Path, tmp_path: Path
) -> None:
    theirs, mapping = renaming(export)
    assert needed_sources(mapping) == []
    plain, named = night(export), night(theirs, mapping=mapping, to=tmp_path / "named")
    for name in ("patient_risk", "features", "worklist", "metastases"):
        one, other = (r.folder / f"{name}.parquet" for r in (plain, named))
        if one.exists():
            assert pl.read_parquet(one).equals(pl.read_parquet(other))
    ledger = pl.read_parquet(named.folder / "ledger.parquet")
    assert pl.read_parquet(plain.folder / "ledger.parquet").is_empty()
    assert ledger["rows"].sum() == sum(file.rows_read for file in plain.files)
    bad = ledger.filter(fate="rejected").to_dicts()
    assert [(one["file"], one["record"], one["text"]) for one in bad] == [
        ("hospital_patients.txt", 14, "p99,too,few")
    ]
    assert bad[0]["reason"].startswith("row: 3 fields")


def test_a_column_of_the_same_name_is_not_read_unless_a_rule_says_so(export: Path) -> None:
    columns = {"patient_id": "patient_id"}
    coverage = {f"patients.{name}": "not_collected" for name in ("sex", "birth_date", "centre")}
    coverage |= {
        f"patients.{name}": "not_collected" for name in ("death_date", "last_contact_date")
    }
    mapping = Mapping(
        sources={"p": {"files": ["patients.csv"]}},
        tables={"patients": {"from": [{"source": "p", "columns": columns}]}},
        coverage=coverage,
    )
    opened = open_mapped(export, mapping)
    assert [file.name for file in opened.files["patients"]] == ["patients.csv"]
    assert mapping.of("patients").columns["sex"] != "sex"


def test_a_source_outside_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('[sources.x]\nfiles = "../secret.csv"\n')
    with pytest.raises(UsageError, match="want the name of a file in the folder"):
        load_mapping(tmp_path / "m.toml")


def test_a_dictionary_that_decides_what_a_box_means_must_be_a_source(tmp_path: Path) -> None:
    (tmp_path / "records.csv").write_text("record_id\n1\n")
    (tmp_path / "dd.csv").write_text("Variable / Field Name\nrecord_id\n")
    said = {"files": ["records.csv"], "format": "redcap", "options": {"dictionary": "dd.csv"}}
    lacking = dict.fromkeys(TABLES, "not_collected")
    with pytest.raises(NightRefused, match=r"add \[sources.records_dictionary\]"):
        open_mapped(tmp_path, Mapping(sources={"records": said}, coverage=lacking))
    sources = {"records": said, "dictionary": {"files": ["dd.csv"]}}
    opened = open_mapped(tmp_path, Mapping(sources=sources, coverage=lacking))
    assert [file.name for file in opened.sources["dictionary"]] == ["dd.csv"]
