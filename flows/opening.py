"""The opening of a night: export, warehouse and the nights before, before any row is read."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from flows.errors import NightRefused
from flows.history import (
    EXTRACTED,
    IMPORTS,
    PSEUDONYMS,
    night_again,
    night_before,
    past_night,
    read_last,
    refuse_future,
    settle_unfinished,
)
from flows.intake.archive import opened_archive
from flows.intake.export import Export
from flows.intake.labels import labels_of
from flows.job import Job, Tonight
from flows.mapped.opening import open_any
from flows.mapped.prepare import Prepared, prepared, with_rows
from flows.memory import refuse_if_too_little
from flows.outputs import VERSION
from flows.published.withdraw import settle_withdrawals
from flows.reviews.store import count, folder_of
from flows.warehouse.warehouse import Run, Warehouse
from models.spec import digests, library
from models.windows import modified_windows

SHAPES_OUTPUT = {"windows", "listing", "worklist_cap", "report", "report_patients"}
SHAPES_OUTPUT |= {"smallest_cell", "round_counts", "targets"}
"""The settings that what is published depends on; the others decide whether it is."""


def open_night(
    job: Job,
    started_at: datetime,
    scratch: Path,
    warehouse: Warehouse,
    stage: Callable[..., Any],
) -> Tonight:
    """Return what is known before the first row is read. Raises NightError.

    `stage` runs a named step.
    """
    refuse_future(job, started_at.date())
    settle_unfinished(job.out, warehouse, again=job.as_of)
    settle_withdrawals(job.out, warehouse, job.keys)
    runs = warehouse.published()
    if past := past_night(job, runs):
        return night_again(job, started_at, scratch, warehouse, past)
    required = job.settings.require_manifest
    folder = job.export and opened_archive(job.export, scratch, job.settings.max_unpack_ratio)
    export = stage("check the export", open_any, folder, job.mapping, required)
    refuse_if_too_little(export, job.settings.memory)
    previous = night_before(job, runs)
    last = read_last(job, previous)
    imports = _imports(job, runs)
    run_id = identity(job, export, imports)
    used = job.settings.model_dump(mode="json") | {PSEUDONYMS: job.keys.fingerprint}
    used |= {EXTRACTED: str(export.extracted_on or ""), IMPORTS: imports}
    seq = warehouse.start_run(run_id, job.as_of, started_at, job.mapping, used)
    made = stage("map the sources", prepared, export, job.mapping, scratch, job.settings)
    export = with_rows(export, made)
    return Tonight(
        job=job,
        run_id=run_id,
        mapping=job.mapping,
        settings=job.settings,
        seq=seq,
        started_at=started_at,
        scratch=scratch,
        export=export,
        extracted_on=export.extracted_on,
        imports=imports,
        made=made,
        previous=previous,
        last=last,
        rows_before=warehouse.rows_read(runs[-1].seq) if runs else {},
        warnings=(*_warnings(job, export), *_of_readers(job, made, export)),
        labels=_labels(export),
    )


def _warnings(job: Job, export: Export) -> Iterator[str]:
    if export.ignored:
        yield f"{len(export.ignored)} files of the export are no table and were left aside"
    yield from export.warnings if job.keys.fingerprint is None else export.unnamed_warnings
    windows = job.settings.windows.model_dump()
    for name, model in library().items():
        for window, (paper, used) in modified_windows(model, windows).items():
            yield f"{name} is modified: {window} is {used:g}, the paper's is {paper:g}"
    if job.keys.encryption is not None:
        yield (
            "the typed tables of the warehouse are not encrypted: keep it on an encrypted volume"
        )


def _of_readers(job: Job, made: Prepared, export: Export) -> Iterator[str]:
    """Yield what readers of files said; under pseudonyms without the names of files."""
    labels = _labels(export) if job.keys.fingerprint is not None else {}
    for warning in made.warnings:
        words = warning
        for name in sorted(labels, key=len, reverse=True):
            words = words.replace(name, labels[name])
        yield words


def _labels(export: Export) -> dict[str, str]:
    """Return what files are called where their names must not be shown."""
    of_sources = ((f.source, f.name) for files in export.sources.values() for f in files)
    of_tables = [(f.table, f.name) for files in export.files.values() for f in files]
    return labels_of(of_sources) | labels_of(of_tables)


def _imports(job: Job, runs: list[Run]) -> int:
    """Return how many imports of reviews there are. Raises NightRefused when there were more."""
    there = count(job.warehouse)
    before = max((int(run.settings.get(IMPORTS, 0)) for run in runs), default=0)
    if there < before:
        raise NightRefused(
            f"{folder_of(job.warehouse)}: {there} imports of reviews, but the last night saw "
            f"{before}; put the folder back from a backup: without it reviewed patients return"
        )
    return there


def identity(job: Job, export: Export, imports: int) -> str:
    """Return the night's identity: the same inputs, settings and version give the same."""
    parts = {
        "as_of": str(job.as_of),
        "files": sorted(
            (f.table or f.source, f.name, f.sha256)
            for fs in (*export.files.values(), *export.sources.values())
            for f in fs
        ),
        "mapping": job.mapping.model_dump(mode="json"),
        "settings": job.settings.model_dump(mode="json", include=SHAPES_OUTPUT),
        "models": digests(),
        "pseudonyms": job.keys.fingerprint,
        **({"review_imports": imports} if imports else {}),
        "version": VERSION,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
