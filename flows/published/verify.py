"""Proof of a night: whether what is on disk is what its run.json says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PanicException, PolarsError

from flows.disk import sha256
from flows.errors import UsageError
from flows.published.nights import RUN, is_encrypted, read_run
from flows.secrets import Keys
from models.spec import digests, library


def problems_of(folder: Path, keys: Keys, export: Path | None = None) -> list[str]:
    """Return what differs from run.json, in words; nothing when the night is whole.

    Compared are the bytes of every output, the rows of every table, the conservation of rows and
    patients, and, with `export`, the bytes of the input files. Raises UsageError.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not the folder of a published night")
    report = read_run(folder)
    if report is None:
        return [f"{RUN}: missing or not whole"]
    try:
        return [
            *_outputs(folder, report["outputs"]),
            *_rows(folder, report, keys),
            *_conservation(report["files"]),
            *(_inputs(export, report["files"]) if export else ()),
        ]
    except (KeyError, TypeError) as error:
        return [f"{RUN}: not the report of a night ({type(error).__name__})"]


def remarks_on(folder: Path) -> list[str]:
    """Return what is no fault but good to know: models that are not the installed ones."""
    report = read_run(folder) or {}
    installed = dict(zip(library(), digests(), strict=True))
    used = {name: model["sha256"] for name, model in report.get("models", {}).items()}
    return [
        f"model {name}: the installed file is not the one of this night"
        for name in sorted(installed.keys() | used.keys())
        if installed.get(name) != used.get(name)
    ]


def _outputs(folder: Path, promised: dict[str, str]) -> Iterator[str]:
    there = {path.name for path in folder.iterdir()}
    for name in sorted(promised.keys() - there):
        yield f"{name}: missing"
    for name in sorted(there - promised.keys() - {RUN}):
        yield f"{name}: not a file of this night"
    for name in sorted(promised.keys() & there):
        if sha256(folder / name) != promised[name]:
            yield f"{name}: its sha256 is not that of {RUN}"


def _rows(folder: Path, report: dict[str, Any], keys: Keys) -> Iterator[str]:
    patients = report["patients"]
    wanted = {
        "patient_risk": patients,
        "features": patients,
        "model_scores": patients * len(report["models"]),
        "worklist": report["to_review"],
    }
    if not report["replayed"]:
        wanted["quarantine"] = sum(
            file["rows_quarantined"] + file["cells_set_aside"] for file in report["files"]
        )
    for name, rows in wanted.items():
        path = folder / f"{name}.parquet"
        if not path.is_file():
            continue
        if is_encrypted(path) and keys.encryption is None:
            yield f"{path.name}: encrypted; set THYRISK_ENCRYPTION_KEY_FILE to count its rows"
            continue
        found = _height(path, keys)
        if found != rows:
            yield f"{path.name}: {'unreadable' if found is None else found} rows, not {rows}"


def _height(path: Path, keys: Keys) -> int | None:
    decryption = keys.reading if is_encrypted(path) else None
    try:
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False, decryption=decryption)
        return int(scan.select(pl.len()).collect().item())
    except (PolarsError, PanicException, OSError):
        return None


def _conservation(files: list[dict[str, Any]]) -> Iterator[str]:
    for file in files:
        became = file["rows_loaded"] + file["rows_quarantined"] + file["duplicates"]
        if file["rows_read"] != became:
            yield f"{file['file']}: {file['rows_read']} rows read, {became} accounted for"


def _inputs(export: Path, files: list[dict[str, Any]]) -> Iterator[str]:
    for file in files:
        path = export / file["file"]
        if not path.is_file():
            yield f"input {file['file']}: not in {export}"
        elif sha256(path) != file["sha256"]:
            yield f"input {file['file']}: not the bytes that this night read"
