"""Proof of a night: whether what is on disk is what its run.json says, and what comes of it."""

import hmac
from collections.abc import Iterator
from pathlib import Path

import duckdb

from flows.disk import sha256
from flows.errors import UsageError
from flows.published.nights import LATEST, RUN, night_folder, read_run, report_of
from flows.published.recompute import recomputed
from flows.published.run_report import FileReport, RunReport, parsed
from flows.published.seal import sha256_of_run, signature
from flows.secrets import NO_KEYS, Keys
from models.spec import digests, library


def problems_of(
    folder: Path, keys: Keys, export: Path | None = None, warehouse: Path | None = None
) -> list[str]:
    """Return what differs from run.json, in words; nothing when the night is whole.

    Compared are the bytes of every output, its identity, the counts and flags that the tables
    give when computed anew, the conservation of rows, the night before, the signature; with
    `export`, the bytes of the input files; with `warehouse`, what it knows of the night where
    it can be opened. Raises UsageError.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not the folder of a published night")
    try:
        report = parsed((folder / RUN).read_bytes())
    except OSError:
        return [f"{RUN}: missing or not whole"]
    except ValueError as error:
        return [f"{RUN}: {error}"]
    return [
        *_place(folder, report),
        *_outputs(folder, report.outputs),
        *recomputed(folder, report, keys),
        *_conservation(report.files),
        *_before(folder, report),
        *_signature(folder, report, keys),
        *(_inputs(export, report.files) if export else ()),
        *(_warehouse(warehouse, report)[0] if warehouse else ()),
    ]


def remarks_on(folder: Path, keys: Keys = NO_KEYS, warehouse: Path | None = None) -> list[str]:
    """Return what is no fault but good to know: other models, what could not be compared."""
    report = report_of(folder)
    if report is None:
        return []
    installed = dict(zip(library(), digests(), strict=True))
    used = {name: model.sha256 for name, model in report.models.items() if not model.local}
    remarks = [
        f"model {name}: the installed file is not the one of this night"
        for name in sorted(installed.keys() | used.keys())
        if installed.get(name) != used.get(name)
    ]
    if report.signature and keys.pseudonym is None:
        remarks.append("signed; set THYRISK_PSEUDONYM_KEY_FILE to check the signature")
    if _was_run_again(folder, report):
        remarks.append(f"{report.previous} was run again after this night")
    return [*remarks, *(_warehouse(warehouse, report)[1] if warehouse else ())]


def _place(folder: Path, report: RunReport) -> Iterator[str]:
    name = (folder.resolve() if folder.name == LATEST else folder).name
    wanted = night_folder(folder, report.as_of).name
    if not name == wanted == report.folder:
        yield f"{RUN}: the night of {report.as_of}, in the folder {name}"


def _outputs(folder: Path, promised: dict[str, str]) -> Iterator[str]:
    there = {path.name for path in folder.iterdir()}
    for name in sorted(promised.keys() - there):
        yield f"{name}: missing"
    for name in sorted(there - promised.keys() - {RUN}):
        yield f"{name}: not a file of this night"
    for name in sorted(promised.keys() & there):
        if not (folder / name).is_file():
            yield f"{name}: not a file"
        elif sha256(folder / name) != promised[name]:
            yield f"{name}: its sha256 is not that of {RUN}"


def _conservation(files: list[FileReport]) -> Iterator[str]:
    for file in files:
        became = file.rows_loaded + file.rows_quarantined + file.duplicates
        if file.rows_read != became:
            yield f"{file.file}: {file.rows_read} rows read, {became} accounted for"
        if file.lines is not None and file.lines < file.rows_read:
            yield f"{file.file}: {file.rows_read} rows read of {file.lines} lines"
        if min(file.rows_read, file.rows_loaded, file.rows_quarantined, file.duplicates) < 0:
            yield f"{file.file}: less than no rows"


def _before(folder: Path, report: RunReport) -> Iterator[str]:
    """Compare run.json of the night before with its hash when this night was published."""
    found = sha256_of_run(folder.resolve().parent, report.previous)
    if report.previous_sha256 is None or found is None or _was_run_again(folder, report):
        return
    if found != report.previous_sha256:
        yield f"{report.previous}: its {RUN} is not the one that this night was compared with"


def _was_run_again(folder: Path, report: RunReport) -> bool:
    """Tell whether the night before was run again since: its run.json is new, and says so."""
    if report.previous is None or report.previous_sha256 is None:
        return False
    out = folder.resolve().parent
    before = report_of(out / report.previous)
    changed = sha256_of_run(out, report.previous) != report.previous_sha256
    return changed and before is not None and before.replayed


def _signature(folder: Path, report: RunReport, keys: Keys) -> Iterator[str]:
    if keys.pseudonym is None:
        return
    said = read_run(folder) or {}
    wanted = signature(said, keys)
    if report.signature is None:
        yield f"{RUN}: not signed"
    elif not hmac.compare_digest(report.signature, wanted or ""):
        yield f"{RUN}: its signature is not that of this key: it was changed, or has another key"


def _inputs(export: Path, files: list[FileReport]) -> Iterator[str]:
    """Compare the bytes of the export's files, by name; a file without its name by its bytes."""
    there = {sha256(path) for path in export.iterdir() if path.is_file()}
    for file in files:
        path = export / file.file
        if file.sha256 in there:
            continue
        if path.is_file():
            yield f"input {file.file}: not the bytes that this night read"
        else:
            yield f"input {file.file}: not in {export}"


def differs_from_warehouse(warehouse: Path, report: RunReport) -> list[str]:
    """Return what a warehouse knows otherwise of a night, where it can be opened."""
    return _warehouse(warehouse, report)[0]


def _warehouse(warehouse: Path, report: RunReport) -> tuple[list[str], list[str]]:
    """Return what the warehouse knows otherwise, and why it could not be asked."""
    if not warehouse.is_file():
        return [], []
    try:
        with duckdb.connect(str(warehouse), read_only=True) as db:
            runs = db.execute(
                "SELECT seq, run_id FROM ops.runs WHERE as_of = ? AND published_at IS NOT NULL "
                "ORDER BY seq",
                [report.as_of],
            ).fetchall()
            files = db.execute(
                "SELECT table_name, sha256, rows_read, rows_loaded, rows_quarantined, duplicates "
                "FROM ops.files WHERE seq = ?",
                [runs[-1][0] if runs else None],
            ).fetchall()
    except duckdb.Error as error:
        return [], [f"the warehouse was not compared: it cannot be opened ({type(error).__name__})"]
    if not runs:
        return [f"the warehouse knows no published night of {report.as_of}"], []
    if runs[-1][1] != report.run_id:
        return [f"the warehouse knows another run of {report.as_of}: {runs[-1][1]}"], []
    said = [
        (f.table, f.sha256, f.rows_read, f.rows_loaded, f.rows_quarantined, f.duplicates)
        for f in report.files
    ]
    if not report.replayed and sorted(said) != sorted(files):
        return ["the warehouse counted the rows of the input files otherwise"], []
    return [], []
