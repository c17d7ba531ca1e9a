"""The export folder: which file holds which table, and whether it is what its manifest says."""

import gzip
import stat
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from flows.disk import sha256
from flows.errors import NightRefused, is_out_of_space
from flows.intake.manifest import MANIFEST, Manifest, read_manifest
from flows.intake.names import meant, table_of
from schemas.registry import TABLES

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
    part: int | None = None
    """Its number among the files of its table, by name; None where it is the only one."""
    rows_at: Path | None = None
    """Where its records lie as rows of the table, when a mapping's rule made them."""
    source: str = ""
    """The source of the mapping that the file is of."""
    rule: str = ""
    """The rule that makes rows of its records."""

    @property
    def name(self) -> str:
        """Its name in the export."""
        return self.path.name

    @property
    def label(self) -> str:
        """What to call it where its name, which may hold an identifier, must not be shown."""
        return self.table if self.part is None else f"{self.table} part {self.part}"

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
    extracted_on: date | None = None
    """The day of `extracted_at`, as the manifest writes it."""
    warnings: tuple[str, ...] = ()
    """What to tell about it; names of files are in there."""
    unnamed_warnings: tuple[str, ...] = ()
    """The same, without a name."""
    sources: Mapping[str, tuple[SourceFile, ...]] = field(default_factory=dict)
    """Source of the mapping -> its files; none where the files are the tables."""


def open_export(
    folder: Path, require_manifest: bool = False, left_out: frozenset[str] = frozenset()
) -> Export:
    """Find the files of an export and check its manifest. Raises NightRefused.

    `left_out` are the tables that the registry does not collect: they need no file.
    """
    if not folder.is_dir():
        raise NightRefused(f"export: {folder} is not a folder; give the folder of tonight's export")
    found: dict[str, list[SourceFile]] = {name: [] for name in TABLES}
    ignored: list[str] = []
    folders: list[str] = []
    for path in sorted(folder.iterdir()):
        if table := table_of(path.name):
            found[table].append(source_file(table, path, folder.resolve()))
        elif path.name != MANIFEST:
            (folders if path.is_dir() else ignored).append(path.name)
    manifest = read_manifest(folder, required=require_manifest)
    _refuse_missing(folder, found, [*ignored, *folders], left_out)
    files = {name: numbered(of_table) for name, of_table in found.items()}
    refuse_unless_as_said(folder, files, manifest)
    misnamed = [(name, says) for name in [*ignored, *folders] if (says := meant(name))]
    of_manifest = tuple(manifest.warnings())
    return Export(
        folder,
        files,
        tuple(ignored),
        manifest.extracted_at,
        {entry.file: entry.rows for entry in manifest.entries if entry.rows is not None},
        manifest.extracted_on,
        (*(f"{name} is left aside, {says}" for name, says in misnamed), *of_manifest),
        (*(misnamed_said(misnamed)), *of_manifest),
    )


def misnamed_said(found: list[tuple[str, str]]) -> list[str]:
    """Return what to tell of names that are nearly those of tables, without the names."""
    if not found:
        return []
    return [f"{len(found)} files are left aside although they are named almost like tables"]


def numbered(files: list[SourceFile]) -> tuple[SourceFile, ...]:
    """Number the files of a table, where it has several."""
    if len(files) == 1:
        return tuple(files)
    return tuple(replace(file, part=part) for part, file in enumerate(files, 1))


def _refuse_missing(
    folder: Path,
    found: Mapping[str, list[SourceFile]],
    others: list[str],
    left_out: frozenset[str],
) -> None:
    required = [name for name in found if TABLES[name].required and name not in left_out]
    missing = [name for name in required if not found[name]]
    if not missing:
        return
    nearly = [f"{name}: {says}" for name in others if (says := meant(name, missing))]
    raise NightRefused(
        f"export {folder}: no file for {', '.join(missing)}. A table without rows needs a file "
        f"with its header all the same: an absent file may be a failed export."
        + "".join(f" {hint}" for hint in nearly)
    )


def source_file(table: str, path: Path, folder: Path) -> SourceFile:
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


def refuse_unless_as_said(
    folder: Path,
    files: Mapping[str, tuple[SourceFile, ...]],
    manifest: Manifest,
    is_mapped: bool = False,
) -> None:
    """Raise NightRefused when the manifest and the folder do not have the same files."""
    there = {file.path.name: file for of_table in files.values() for file in of_table}
    for entry in manifest.entries:
        if entry.file not in there:
            _refuse_absent(folder, entry.file, is_mapped)
        elif entry.sha256 not in (None, there[entry.file].sha256):
            raise NightRefused(
                f"{entry.file}: its sha256 is not that of {MANIFEST}; the file is incomplete or "
                f"was changed after the export. Copy or export it again."
            )
    if manifest.files is not None:
        # Reviews come from those who reviewed, not from the registry's extraction.
        extracted = {name for name, file in there.items() if file.table != "reviews"}
        for name in sorted(extracted - {entry.file for entry in manifest.entries}):
            raise NightRefused(
                f"{name}: not in {MANIFEST}; is it left from an older export? Remove it, or write "
                f"the manifest again"
            )


def _refuse_absent(folder: Path, name: str, is_mapped: bool) -> None:
    """Raise NightRefused unless a file that the manifest names is there and no table."""
    if not is_mapped and (says := meant(name)):
        raise NightRefused(f"{MANIFEST} names {name!r}, which is no file of a table; {says}")
    if table_of(name) or not (folder / name).is_file():
        raise NightRefused(
            f"{MANIFEST} names {name!r}, which is not in the export; export it again"
        )
