"""The export folder: which file holds which table, and whether it is what its manifest says."""

import gzip
import json
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import NightRefused
from flows.publish import sha256
from schemas.registry import TABLES

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
MANIFEST = "manifest.json"
_CHUNK = 1 << 22


@dataclass(frozen=True)
class SourceFile:
    """A file of the export that holds rows of one table."""

    table: str
    path: Path
    sha256: str
    bytes: int

    @property
    def is_parquet(self) -> bool:
        """Whether the file is parquet (else it is delimited text)."""
        return self.path.name.endswith(".parquet")

    @property
    def is_gzip(self) -> bool:
        """Whether the file is gzipped text."""
        return self.path.name.endswith(".gz")


@dataclass(frozen=True)
class Export:
    """An export: its files by table, sorted by name, and the names that were left aside."""

    folder: Path
    files: Mapping[str, tuple[SourceFile, ...]]
    ignored: tuple[str, ...]
    extracted_at: str | None
    promised_rows: Mapping[str, int]
    """File name -> the number of rows that the manifest promises."""


def table_of(name: str) -> str | None:
    """Return the table that a file name stands for: `labs.csv`, or in parts, `labs-2024.csv`."""
    suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if name.endswith(s)), None)
    if suffix is None:
        return None
    stem = name[: -len(suffix)]
    return next((t for t in TABLES if stem == t or stem.startswith(f"{t}-")), None)


def open_export(folder: Path) -> Export:
    """Find the files of an export and check its manifest. Raises NightRefused."""
    if not folder.is_dir():
        raise NightRefused(f"export: {folder} is not a folder; give the folder of tonight's export")
    found: dict[str, list[SourceFile]] = {name: [] for name in TABLES}
    ignored = []
    for path in sorted(folder.iterdir()):
        table = table_of(path.name)
        if table and path.is_file():
            found[table].append(SourceFile(table, path, _sha256(path), path.stat().st_size))
        elif path.name != MANIFEST and path.is_file():
            ignored.append(path.name)
    missing = [name for name, files in found.items() if not files]
    if missing:
        raise NightRefused(
            f"export {folder}: no file for {', '.join(missing)}. A table without rows needs a file "
            f"with its header all the same: an absent file may be a failed export."
        )
    manifest = _read_manifest(folder / MANIFEST)
    files = {name: tuple(of_table) for name, of_table in found.items()}
    _compare(files, manifest)
    promised = {
        str(entry["file"]): int(entry["rows"])
        for entry in manifest.get("files", [])
        if "rows" in entry
    }
    return Export(folder, files, tuple(ignored), manifest.get("extracted_at"), promised)


def unpacked(file: SourceFile, scratch: Path) -> Path:
    """Return the path of the file's text, unpacked into `scratch` when it is gzipped."""
    if not file.is_gzip:
        return file.path
    target = scratch / file.path.name.removesuffix(".gz")
    try:
        with gzip.open(file.path) as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, _CHUNK)
    except (OSError, EOFError, zlib.error) as error:
        raise NightRefused(
            f"{file.path.name}: not whole gzip ({error}); export the file again"
        ) from error
    return target


def _sha256(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise NightRefused(f"{path.name}: cannot be read: {error.strerror}") from error


def _read_manifest(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NightRefused(f"{MANIFEST}: not readable as JSON: {error}") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files", []), list):
        raise NightRefused(f"{MANIFEST}: want an object with a list `files`")
    return manifest


def _compare(files: dict[str, tuple[SourceFile, ...]], manifest: dict[str, Any]) -> None:
    there = {file.path.name: file for of_table in files.values() for file in of_table}
    for entry in manifest.get("files", []):
        name = str(entry.get("file"))
        if table_of(name) is None:
            continue
        if name not in there:
            raise NightRefused(f"{MANIFEST} names {name}, which is not in the export")
        if "sha256" in entry and entry["sha256"] != there[name].sha256:
            raise NightRefused(
                f"{name}: its sha256 is not that of {MANIFEST}; the file is incomplete or was "
                f"changed after the export. Copy or export it again."
            )
