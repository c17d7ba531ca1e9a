"""Rebuilding a damaged warehouse: the nights in their order, into a new file, swapped in whole.

A backup has the nights up to it; of every other published night the export is loaded again, with
the mapping and the settings that its run.json has. A night of which the export cannot be had
stays recorded without its rows, so that it cannot be run again. Reviews are read from what is left
of the damaged warehouse too: what people decided stays.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from flows.errors import NightRefused, UsageError, told
from flows.history import settle_unfinished
from flows.job import Job, Tonight
from flows.load import load_table
from flows.local.files import local_models
from flows.lock import LOCK, held
from flows.mapped.opening import open_any
from flows.mapped.prepare import prepared, with_rows
from flows.opening import identity, start_run
from flows.published.nights import STAGING, nights, report_of
from flows.published.verify import differs_from_warehouse
from flows.published.withdraw import WITHDRAWN, mart_of
from flows.read import Read
from flows.rebuild.sources import Given, Past, copy_backup, export_of, given, past_nights
from flows.reviews.store import count
from flows.warehouse.parts import COLUMNS, Parts, folder_of
from flows.warehouse.swap import damage_of, finish_swap, kept_of, put_in_place
from flows.warehouse.taking_back import KEPT
from flows.warehouse.warehouse import Warehouse
from models.local import LocalModels
from schemas.registry import TABLES
from transforms.reading.row_hash import with_row_hash

_WHY = "reviews of the damaged warehouse that no export has"


@dataclass
class Rebuilt:
    """What a warehouse was made from."""

    damage: str
    """What was wrong with the old one."""
    used: list[str] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    """What could not be had, and why."""
    kept: Path | None = None
    """Where the damaged file is."""


def rebuild(job: Job, backup: Path | None, exports: Sequence[str]) -> Rebuilt:
    """Make the warehouse of a job anew and put it in its place. Raises NightError.

    The mapping and settings of `job` are for exports of dates that OUT has no night of; `exports`
    are folders, as `sources.given` takes them. Killed at any instant, the old file is there, or
    the new one.
    """
    warehouse = job.warehouse
    locks = (job.out / LOCK, warehouse.with_name(warehouse.name + ".lock"))
    with told(job.out), held(*locks, holder="a rebuild of the warehouse"):
        finish_swap(warehouse)
        damage = damage_of(warehouse)
        if damage is None:
            raise UsageError(
                f"{warehouse} is whole: there is nothing to rebuild. To begin anew all the same, "
                f"move it and {folder_of(warehouse).name} away first"
            )
        for left in warehouse.parent.glob(f"{STAGING}rebuild-*"):
            shutil.rmtree(left)
        done = Rebuilt(damage)
        with tempfile.TemporaryDirectory(
            prefix=f"{STAGING}rebuild-", dir=warehouse.parent
        ) as aside:
            made = Path(aside) / warehouse.name
            _make(replace(job, warehouse=made), backup, given(exports), warehouse, done)
            put_in_place(made, warehouse)
        done.kept = kept_of(warehouse) if kept_of(warehouse).exists() else None
        with _opened(job) as whole:
            whole.forget_unfinished()  # its views show the parts where they are now
    return done


def _opened(job: Job) -> Warehouse:
    scratch = job.warehouse.parent
    return Warehouse(job.warehouse, job.settings.duckdb_memory, scratch, job.keys)


def _make(job: Job, backup: Path | None, sources: Given, damaged: Path, done: Rebuilt) -> None:
    """Make a warehouse from what there is, and say what that was."""
    past = past_nights(job.out, job.keys)
    extra = sorted(sources.of_date.keys() - {night.report.as_of for night in past})
    if backup is not None:
        copy_backup(backup, job.warehouse)
    with _opened(job) as warehouse:
        if backup is not None:
            settle_unfinished(job.out, warehouse)
            _withdraw_again(job, warehouse)
            done.used += [f"{run.as_of}: the backup" for run in warehouse.published()]
        had = {(run.as_of, run.run_id) for run in warehouse.published()}
        todo: list[Past | None] = [*past, *(None for _ in extra)]
        days = [*(night.report.as_of for night in past), *extra]
        for day, night in sorted(zip(days, todo, strict=True), key=lambda one: one[0]):
            if night is None:
                done.used.append(_load_new(replace(job, as_of=day), warehouse, sources))
            elif (day, night.report.run_id) not in had:
                _bring(replace(job, as_of=day), warehouse, night, sources, done)
        if not done.used:
            raise UsageError(
                f"none of what was given is the export of a night in {job.out}: there is nothing "
                f"to rebuild from. " + " ".join(sources.unread)
            )
        _keep_reviews(warehouse, damaged, job, done)
        runs = warehouse.published()
        keep = past[-1].settings().keep_history if past else job.settings.keep_history
        warehouse.finish_rebuilt(mart_of(job.out, runs, job.keys), keep)
    done.lacking += sources.unread
    done.lacking += _otherwise(job)


def _withdraw_again(job: Job, warehouse: Warehouse) -> None:
    """Take back what the backup has and was withdrawn after it."""
    for path in sorted(job.out.glob(f"{WITHDRAWN}/*/withdrawn.json")):
        said = json.loads(path.read_text("utf-8"))
        report = report_of(path.parent / said["folder"])
        runs = warehouse.published()
        theirs = [
            run.seq
            for run in runs
            if run.seq in said["seqs"] and report is not None and run.as_of == report.as_of
        ]
        if theirs:
            left = [run for run in runs if run.seq not in theirs]
            at = datetime.fromisoformat(said["at"])
            warehouse.withdraw(theirs, at, said["why"], mart_of(job.out, left, job.keys))


# -- nights ------------------------------------------------------------------------------------


def _bring(job: Job, warehouse: Warehouse, night: Past, sources: Given, done: Rebuilt) -> None:
    """Load a published night again, or record that it was."""
    try:
        job = replace(job, mapping=night.mapping(job.mapping, job.keys), settings=night.settings())
        folder = export_of(night, sources, job)
        if folder is None:
            raise NightRefused("its export was not given")
        report = night.report
        ends = (report.finished_at, report.previous)
        _load(
            replace(job, export=folder),
            warehouse,
            report.run_id,
            night.imports,
            night.local,
            night.started_at,
            *ends,
        )
        done.used.append(f"{job.as_of}: {folder}")
    except NightRefused as refused:
        warehouse.forget_unfinished()
        warehouse.remember(night.gone)
        done.lacking.append(f"{job.as_of}: its rows, so it cannot be run again: {refused}")


def _load_new(job: Job, warehouse: Warehouse, sources: Given) -> str:
    """Load the export of a date that OUT has no night of; how it is called."""
    folder = sources.of_date[job.as_of]
    job = replace(job, export=folder)
    now = datetime.now(UTC)
    export = open_any(folder, job.mapping)
    imports = count(job.warehouse)
    local = local_models(job.settings)
    run_id = identity(job, export, imports, local)
    before = nights(job.out, before=job.as_of)
    _load(job, warehouse, run_id, imports, local, now, now, before[-1].name if before else None)
    return f"{job.as_of}: {folder}, of which nothing is published"


def _load(
    job: Job,
    warehouse: Warehouse,
    run_id: str,
    imports: int,
    local: LocalModels,
    started_at: datetime,
    finished_at: datetime,
    previous: str | None,
) -> None:
    """Let the warehouse see an export as a night did. Raises NightRefused."""
    assert job.export is not None  # noqa: S101
    export = open_any(job.export, job.mapping)
    seq = start_run(job, warehouse, export, run_id, imports, started_at, local)
    with tempfile.TemporaryDirectory(dir=job.warehouse.parent) as scratch:
        made = prepared(export, job.mapping, Path(scratch), job.settings)
        night = Tonight(
            job=job,
            run_id=run_id,
            mapping=job.mapping,
            settings=job.settings,
            seq=seq,
            started_at=started_at,
            scratch=Path(scratch),
            export=with_rows(export, made),
            previous=previous,
            last=None,
            extracted_on=export.extracted_on,
            imports=imports,
            local=local,
        )
        read = Read()
        for table in TABLES:
            read = load_table(night, warehouse, read, table)
    warehouse.mark_published(seq, finished_at, previous)


def _otherwise(job: Job) -> Iterator[str]:
    """Yield where the new warehouse is not what the published nights say."""
    for folder in nights(job.out):
        report = report_of(folder)
        assert report is not None  # noqa: S101
        for problem in differs_from_warehouse(job.warehouse, report):
            yield f"{report.as_of}: {problem} (was it published by another version?)"


# -- reviews -----------------------------------------------------------------------------------


def _keep_reviews(warehouse: Warehouse, damaged: Path, job: Job, done: Rebuilt) -> None:
    """Read the reviews in the raw text of the damaged warehouse, and keep those that are new."""
    found, unread = [], 0
    parts = Parts(damaged, job.keys)
    for path in sorted((parts.folder / KEPT).glob("*/*.parquet")):
        if path.name == COLUMNS:
            continue
        try:
            rows = parts.read(str(path.relative_to(parts.folder)), KEPT).collect()
        except (PolarsError, PanicException, NightRefused, OSError):
            unread += 1
            continue
        columns = [name for name in TABLES[KEPT].columns if name in rows.columns]
        same = with_row_hash(rows, columns)["row_hash"] == rows["row_hash"]
        unread += int(not same.all())
        found.append(rows.filter(same))
    if unread:
        done.lacking.append(f"{unread} files of reviews of the damaged warehouse cannot be read")
    kept = warehouse.keep_reviews(pl.concat(found), datetime.now(UTC), _WHY) if found else 0
    if kept:
        done.used.append(f"{kept} reviews: the raw text of the damaged warehouse")
