"""The export folder: what is left aside is named, and the manifest is taken at its word."""

import hashlib
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.errors import NightRefused
from flows.intake.export import SourceFile, open_export
from flows.intake.manifest import MANIFEST
from flows.intake.names import meant, table_of
from flows.intake.rows import batches
from flows.settings import Settings
from tests.flows.conftest import RunNight
from tests.registry import Registry
from transforms.reading.mapping import Mapping


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return Registry().usual("A").write(tmp_path / "export")


def entries(export: Path) -> list[dict[str, Any]]:
    return [
        {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in sorted(export.iterdir())
        if table_of(path.name)
    ]


def manifest(export: Path, **content: Any) -> None:
    (export / MANIFEST).write_text(json.dumps({"files": entries(export)} | content))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("labs_2024.csv", "did you mean labs-2024.csv?"),
        ("Labs.csv", "did you mean labs.csv?"),
        ("labs (1).csv", "did you mean labs-1.csv?"),
        ("labs.CSV", "did you mean labs.csv?"),
        ("labs.txt", "did you mean labs.csv?"),
        ("lab.csv", "did you mean labs.csv?"),
        ("LABS 2024.TSV.GZ", "did you mean labs-2024.tsv.gz?"),
        ("labs.xlsx", "export the table as labs.csv if it holds rows"),
        ("labs_old.csv.zip", "unpack it to labs-old.csv if it holds rows"),
        ("labs", "did you mean labs.csv?"),
    ],
)
def test_a_file_that_is_nearly_named_like_a_table_is_named(
    export: Path, name: str, says: str
) -> None:
    (export / "labs.csv").rename(export / "labs-0.csv")
    (export / name).write_text("x\n")
    opened = open_export(export)
    assert opened.warnings == (f"{name} is left aside, {says}",)
    assert name not in "".join(opened.unnamed_warnings)
    assert len(opened.unnamed_warnings) == 1
    (export / "labs-0.csv").unlink()
    with pytest.raises(NightRefused, match="no file for labs") as refused:
        open_export(export)
    assert f"{name}: {says}" in str(refused.value)


@pytest.mark.parametrize("name", ["labs.csv", "labs-2024.tsv.gz", "readme.txt", "laboratory.csv"])
def test_other_names_are_not_remarked_upon(name: str) -> None:
    assert meant(name) is None


def test_a_folder_named_like_a_table_is_named(export: Path) -> None:
    (export / "labs_parts").mkdir()
    assert open_export(export).warnings == (
        "labs_parts is left aside, did you mean labs-parts.csv?",
    )


def test_the_night_tells_what_was_left_aside(night: RunNight, export: Path) -> None:
    (export / "labs_2024.csv").write_bytes((export / "labs.csv").read_bytes())
    assert any("did you mean labs-2024.csv?" in warning for warning in night(export).warnings)


def test_a_file_has_a_label_that_is_not_its_name(export: Path) -> None:
    (export / "labs-MUELLER.csv").write_bytes((export / "labs.csv").read_bytes())
    opened = open_export(export)
    assert [file.label for file in opened.files["labs"]] == ["labs part 1", "labs part 2"]
    assert opened.files["events"][0].label == "events"


def test_a_manifest_may_write_paths_and_digests_in_its_own_way(export: Path) -> None:
    manifest(
        export,
        extracted_at="2026-06-30T02:00:00+02:00",
        files=[
            {"file": "./" + entry["file"], "sha256": entry["sha256"].upper(), "rows": 1}
            for entry in entries(export)
        ],
    )
    opened = open_export(export)
    assert opened.promised_rows["labs.csv"] == 1
    assert opened.extracted_at == "2026-06-30T02:00:00+02:00"
    assert opened.extracted_on == date(2026, 6, 30)
    assert opened.warnings == ()


def test_unknown_keys_of_a_manifest_are_named(export: Path) -> None:
    files = [entry | {"row": 3} for entry in entries(export)]
    manifest(export, files=files, extract_at="2026-06-30")
    assert open_export(export).warnings == (
        "manifest.json: unknown keys, which are not read: extract_at, files.row",
    )


def test_a_file_that_the_manifest_does_not_name_is_refused(export: Path) -> None:
    manifest(export)
    (export / "labs-2023.csv").write_bytes((export / "labs.csv").read_bytes())
    with pytest.raises(NightRefused, match=r"labs-2023\.csv: not in manifest\.json"):
        open_export(export)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("labs-9.csv", "'labs-9.csv', which is not in the export"),
        ("notes.pdf", "'notes.pdf', which is not in the export"),
        ("labs_9.csv", "did you mean labs-9.csv"),
        ("../labs.csv", "not the name of a file in the folder of the export"),
        ("/labs.csv", "not the name of a file in the folder of the export"),
        ("parts\\labs.csv", "not the name of a file in the folder of the export"),
        ("", "not the name of a file in the folder of the export"),
        ("./labs.csv", "a file is named twice"),
    ],
)
def test_a_name_in_the_manifest_without_a_file_of_a_table_is_refused(
    export: Path, name: str, says: str
) -> None:
    manifest(export, files=[*entries(export), {"file": name}])
    with pytest.raises(NightRefused) as refused:
        open_export(export)
    assert says in str(refused.value)
    assert str(refused.value).startswith("manifest.json")


def test_the_manifest_may_name_other_files_that_are_there(export: Path) -> None:
    (export / "readme.txt").write_text("hello")
    manifest(export, files=[*entries(export), {"file": "readme.txt"}])
    assert open_export(export).ignored == ("readme.txt",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"extracted_at": "yesterday"}, "extracted_at: Value error, not a date or time"),
        ({"extracted_at": "30.06.2026"}, "extracted_at: Value error, not a date or time"),
        ({"files": [{"file": "labs.csv", "sha256": "abc"}]}, "files.0.sha256: Value error"),
    ],
)
def test_a_manifest_that_cannot_be_read_says_where(
    export: Path, content: dict[str, Any], says: str
) -> None:
    manifest(export, **content)
    with pytest.raises(NightRefused) as refused:
        open_export(export)
    assert f"manifest.json: {says}" in str(refused.value)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link out", "link to itself", "too large"])
def test_a_manifest_that_is_no_plain_file_is_refused(
    export: Path, tmp_path: Path, kind: str
) -> None:
    path = export / MANIFEST
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link out":
        (tmp_path / "other.json").write_text("{}")
        path.symlink_to(tmp_path / "other.json")
    elif kind == "link to itself":
        path.symlink_to(path)
    else:
        path.write_bytes(b" " * (1 << 24) + b"{}")
    with pytest.raises(NightRefused, match=r"manifest\.json: .*; (copy|export)|link to itself"):
        open_export(export)


def test_a_setting_requires_a_manifest_that_lists_the_files(night: RunNight, export: Path) -> None:
    with pytest.raises(NightRefused, match=r"no manifest\.json, and the settings require one"):
        night(export, require_manifest=True)
    (export / MANIFEST).write_text('{"extracted_at": "2026-06-30"}')
    assert open_export(export).extracted_on == date(2026, 6, 30)
    with pytest.raises(NightRefused, match=r"no list `files`, and the settings require one"):
        night(export, require_manifest=True)
    manifest(export)
    assert night(export, require_manifest=True).patients == 1


def test_a_damaged_page_of_parquet_is_refused(tmp_path: Path) -> None:
    columns = ["surgery_id", "patient_id", "surgery_date", "procedure"]
    table = pa.table({name: [f"{name} {at}" for at in range(500)] for name in columns})
    path = tmp_path / "surgeries.parquet"
    pq.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=True)
    content = path.read_bytes()
    file = SourceFile("surgeries", path, "", len(content))
    assert sum(b.height for b in batches(file, Mapping(), tmp_path, Settings())) == 500
    path.write_bytes(content.replace(b"patient_id 7", b"patient_id 8", 1))
    assert pq.read_table(path)["patient_id"][7].as_py() == "patient_id 8"
    with pytest.raises(NightRefused, match=r"surgeries\.parquet: cannot be read as parquet"):
        list(batches(file, Mapping(), tmp_path, Settings()))
