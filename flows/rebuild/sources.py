"""What a warehouse can be made anew from: the published nights, their exports, a backup."""

import hmac
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.errors import NightRefused, UsageError
from flows.history import GONE_SETTINGS, IMPORTS, PSEUDONYMS
from flows.intake.export import Export, open_export
from flows.job import Job
from flows.local.files import LOCAL, of_night, texts_of
from flows.mapped.opening import open_mapped
from flows.opening import identity
from flows.outputs import MAPPING_DIGEST, mapping_digest
from flows.published.nights import nights, read_run, report_of
from flows.published.run_report import RunReport
from flows.secrets import Keys
from flows.settings import Settings
from flows.warehouse.parts import folder_of
from flows.warehouse.remembering import Gone
from models.local import LocalModels
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping

_EVERY_TABLE = frozenset(TABLES)


@dataclass(frozen=True)
class Past:
    """A published night, as its run.json has it."""

    report: RunReport
    run: dict[str, Any]
    local: LocalModels
    """The local models that it was scored with."""

    @property
    def started_at(self) -> datetime:
        """When it started, or when it was run again."""
        return datetime.fromisoformat(self.run["started_at"])

    @property
    def imports(self) -> int:
        """How many imports of reviews it saw."""
        return int(self.run.get(IMPORTS, 0))

    @property
    def gone(self) -> Gone:
        """What is kept of it where its rows cannot be had."""
        files = tuple(file.model_dump() for file in self.report.files)
        when = (self.started_at, self.report.finished_at)
        used = {**self.run["settings"], PSEUDONYMS: self.report.pseudonyms}
        used |= {IMPORTS: self.imports}
        used |= {LOCAL: texts_of(self.local)} if self.local else {}
        at = (self.report.run_id, self.report.as_of, *when)
        return Gone(*at, self.report.previous, used, files)

    def settings(self) -> Settings:
        """Return the settings that it had. Raises NightRefused."""
        used = {k: v for k, v in self.run["settings"].items() if k not in GONE_SETTINGS}
        try:
            return Settings(**used)
        except ValidationError:
            raise NightRefused("its settings are of another version of thyrisk") from None

    def mapping(self, given: Mapping, keys: Keys) -> Mapping:
        """Return the mapping that it had; under pseudonyms the one given. Raises NightRefused."""
        digest = self.run["mapping"].get(MAPPING_DIGEST)
        if digest is None:
            return Mapping.model_validate(self.run["mapping"])
        if keys.pseudonym is None or not hmac.compare_digest(
            digest, mapping_digest(given, keys.pseudonym)
        ):
            raise NightRefused("its mapping is kept as a digest: give the same with --mapping")
        return given


def past_nights(out: Path, keys: Keys) -> list[Past]:
    """Return the published nights, oldest first. Raises UsageError with another key."""
    found = []
    for folder in nights(out):
        report, run = report_of(folder), read_run(folder)
        assert report is not None and run is not None  # noqa: S101
        if report.pseudonyms != keys.fingerprint:
            raise UsageError(f"{folder} has other pseudonyms or none: give the key it had")
        found.append(Past(report, run, of_night(folder)))
    return found


# -- exports -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """Exports to choose from, and those said to be of a date."""

    any: tuple[Export, ...]
    of_date: dict[date, Path]
    unread: tuple[str, ...]
    """What is no export, with the reason."""
    folders: tuple[Path, ...] = ()
    """Every folder that was looked at: the export of a mapping's own files is one of them."""


def given(texts: Sequence[str]) -> Given:
    """Look at folders: an export, or a folder of exports; as DATE=FOLDER the export of a date."""
    exports: list[Export] = []
    folders: list[Path] = []
    unread: list[str] = []
    of_date: dict[date, Path] = {}
    for text in texts:
        day, _, rest = text.partition("=")
        try:
            of_date[date.fromisoformat(day)] = Path(rest)
            continue
        except ValueError:
            pass
        if not Path(text).is_dir():
            raise UsageError(f"--export {text}: no such folder")
        for folder in (Path(text), *sorted(p for p in Path(text).iterdir() if p.is_dir())):
            folders.append(folder)
            try:
                export = open_export(folder, left_out=_EVERY_TABLE)
            except NightRefused as error:
                unread.append(str(error))
                continue
            if any(export.files.values()):
                exports.append(export)
    return Given(tuple(exports), of_date, tuple(unread), tuple(folders))


def export_of(past: Past, sources: Given, job: Job) -> Path | None:
    """Return the folder with the files that a night read, told by their bytes; None without.

    A night that was run again says no more which files it read: there its identity tells.
    """
    said = sources.of_date.get(past.report.as_of)
    for export in _candidates(said, sources, job):
        if past.report.replayed:
            fits = identity(job, export, past.imports, past.local) == past.report.run_id
        else:
            bytes_said = _bytes_of_sources(past.run) or _bytes_said(past.report)
            fits = _bytes_of(export) == bytes_said
            fits &= past.run.get("extracted_at") == export.extracted_at
        if fits:
            return export.folder
    if said:
        raise NightRefused(f"{said} is not what that night read")
    return None


def _candidates(said: Path | None, sources: Given, job: Job) -> Iterator[Export]:
    """Yield the exports among which that of a night may be."""
    if not job.mapping.sources:
        yield from [open_export(said, left_out=_EVERY_TABLE)] if said else sources.any
        return
    for folder in [said] if said else sources.folders:
        try:
            yield open_mapped(folder, job.mapping)
        except NightRefused:
            continue  # without one of the files it is not the export of that night


def _bytes_of_sources(run: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((file["source"], file["sha256"]) for file in run.get("sources", ()))


def _bytes_of(export: Export) -> list[tuple[str, str]]:
    if export.sources:
        every = (*export.sources.values(), *export.files.values())
        found = {(f.source, f.name): (f.source, f.sha256) for files in every for f in files}
        return sorted(found.values())
    return sorted((f.table, f.sha256) for files in export.files.values() for f in files)


def _bytes_said(report: RunReport) -> list[tuple[str, str]]:
    return sorted((file.table, file.sha256) for file in report.files)


# -- backups -----------------------------------------------------------------------------------


def copy_backup(backup: Path, warehouse: Path) -> None:
    """Copy a backup, a folder or a .tar file, to where a warehouse is made. Raises UsageError."""
    unpacked = warehouse.parent / "backup"
    unpacked.mkdir()
    if backup.is_file() and tarfile.is_tarfile(backup):
        with tarfile.open(backup) as packed:
            packed.extractall(unpacked, filter="data")
    elif backup.is_dir():
        shutil.copytree(backup, unpacked, dirs_exist_ok=True, copy_function=shutil.copyfile)
    else:
        raise UsageError(f"--backup {backup}: want a folder or a .tar file of `thyrisk backup`")
    files = list(_files(unpacked))
    if len(files) != 1:
        raise UsageError(f"--backup {backup}: want one warehouse in it, found {len(files)}")
    files[0].rename(warehouse)
    log = files[0].with_name(files[0].name + ".wal")
    if log.exists():
        log.rename(warehouse.with_name(warehouse.name + ".wal"))
    if folder_of(files[0]).is_dir():
        folder_of(files[0]).rename(folder_of(warehouse))
    shutil.rmtree(unpacked)


def _files(folder: Path) -> Iterator[Path]:
    return (p for p in folder.iterdir() if p.is_file() and p.suffix == ".duckdb")
