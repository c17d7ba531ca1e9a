"""The export folder: which file holds which table, and whether it is what its manifest says."""

import gzip
import os
import stat
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from flows.disk import sha256
from flows.errors import NightRefused, is_out_of_space
from schemas.registry import TABLES

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
MANIFEST = "manifest.json"
_CHUNK = 1 << 22
_ALWAYS_UNPACKED = 1 << 26


@dataclass(frozen=True)
class SourceFile:
    """A file of the export that holds rows of one table."""

    table: str
    path: Path
    sha256: str
    bytes: int
    state: tuple[int, ...] = ()
    """Its inode, size and times when its sha256 was taken."""

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
        if table := table_of(path.name):
            found[table].append(_source_file(table, path, folder.resolve()))
        elif path.name != MANIFEST and path.is_file():
            ignored.append(path.name)
    missing = [name for name, files in found.items() if TABLES[name].required and not files]
    if missing:
        raise NightRefused(
            f"export {folder}: no file for {', '.join(missing)}. A table without rows needs a file "
            f"with its header all the same: an absent file may be a failed export."
        )
    manifest = _read_manifest(folder / MANIFEST)
    files = {name: tuple(of_table) for name, of_table in found.items()}
    _compare(files, manifest)
    promised = {e.file: e.rows for e in manifest.files if e.rows is not None}
    return Export(folder, files, tuple(ignored), manifest.extracted_at, promised)


def _source_file(table: str, path: Path, folder: Path) -> SourceFile:
    """Look at a file that is named like a table. Raises NightRefused."""
    if not path.name.isprintable():
        raise NightRefused(
            f"a file of the table {table} has control characters in its name: {path.name!r}; "
            f"rename it"
        )
    try:
        if not path.resolve().is_relative_to(folder):
            raise NightRefused(
                f"{path.name}: a link that leads out of the export; copy the file in"
            )
        if not path.is_file():
            raise NightRefused(f"{path.name}: not a file; export the table as a file")
        before = state_of(path)
        source = SourceFile(table, path, sha256(path), path.stat().st_size, before)
    except RuntimeError as error:
        raise NightRefused(f"{path.name}: a link to itself; copy the file in") from error
    except OSError as error:
        raise NightRefused(f"{path.name}: cannot be read: {error.strerror}") from error
    refuse_if_changed(source)
    return source


def state_of(path: Path) -> tuple[int, ...]:
    """Return what changes when somebody writes a file or puts another in its place."""
    seen = path.stat()
    return stat.S_IFMT(seen.st_mode), seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def refuse_if_changed(file: SourceFile) -> None:
    """Raise NightRefused when a file is no longer as it was when the night first saw it."""
    try:
        same = not file.state or state_of(file.path) == file.state
    except OSError as error:
        raise NightRefused(
            f"{file.path.name}: gone while it was being read ({error.strerror}); is the export "
            f"still being written? Run the night when it is complete."
        ) from None
    if not same:
        raise NightRefused(
            f"{file.path.name}: changed while it was being read; run the night when the export "
            f"is complete"
        )


def unpacked(file: SourceFile, scratch: Path, max_ratio: int) -> Path:
    """Return the path of the file's text, unpacked into `scratch` when it is gzipped.

    Raises NightRefused when it is no whole gzip, or grows more than `max_ratio` times.
    """
    if not file.is_gzip:
        return file.path
    target = scratch / file.path.name.removesuffix(".gz")
    most = max(max_ratio * file.bytes, _ALWAYS_UNPACKED)
    written = 0
    try:
        with gzip.open(file.path) as packed, target.open("wb") as plain:
            while chunk := packed.read(_CHUNK):
                written += plain.write(chunk)
                if written > most:
                    raise NightRefused(
                        f"{file.path.name}: unpacks to more than {max_ratio} times its size; if "
                        f"that is right, raise max_unpack_ratio in the settings"
                    )
    except (OSError, EOFError, zlib.error) as error:
        if is_out_of_space(error):
            raise
        raise NightRefused(f"{file.path.name}: not whole gzip; export the file again") from error
    return target


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    file: str
    sha256: str | None = None
    rows: NonNegativeInt | None = None


class Manifest(BaseModel):
    """What an export says about itself."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    files: tuple[_Entry, ...] = ()
    extracted_at: str | None = None


def _read_manifest(path: Path) -> Manifest:
    if not os.path.lexists(path):
        return Manifest()
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise NightRefused(f"{MANIFEST}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise NightRefused(
            f"{MANIFEST}: {where}: {first['msg']}; want an object with a list `files` of objects "
            f"with `file`, and if you like `sha256` and `rows`"
        ) from None


def _compare(files: dict[str, tuple[SourceFile, ...]], manifest: Manifest) -> None:
    there = {file.path.name: file for of_table in files.values() for file in of_table}
    for entry in manifest.files:
        if table_of(entry.file) is None:
            continue
        if entry.file not in there:
            raise NightRefused(f"{MANIFEST} names {entry.file!r}, which is not in the export")
        if entry.sha256 not in (None, there[entry.file].sha256):
            raise NightRefused(
                f"{entry.file}: its sha256 is not that of {MANIFEST}; the file is incomplete or "
                f"was changed after the export. Copy or export it again."
            )
