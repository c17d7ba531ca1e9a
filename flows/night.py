"""The night, from top to bottom: export -> raw -> valid -> features -> scores -> published."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import polars as pl

from flows.errors import NightRefused, told
from flows.history import (
    PSEUDONYMS,
    night_again,
    night_before,
    past_night,
    read_last,
    reviews_of,
    settle_unfinished,
)
from flows.intake.export import Export, open_export
from flows.intake.rows import Irregular
from flows.job import Job
from flows.load import Night, load_table
from flows.lock import LOCK, held
from flows.outputs import VERSION, Outputs, Result, summarise, write_outputs, write_run
from flows.pseudonyms import pseudonymised
from flows.published.nights import GONE, STAGING, night_folder, nights
from flows.published.write import publish, remove_nights
from flows.warehouse.warehouse import Warehouse
from models.engine import score
from models.spec import digests, library
from schemas.published import Quarantine, columns_of
from schemas.registry import TABLES
from transforms.measures.courses import courses_of
from transforms.measures.measures import PATHWAY, completeness, measure
from transforms.review.flags import patient_risk
from transforms.review.timeline import story
from transforms.review.worklist import worklist
from transforms.variables.features import features

STEPS = (
    "check the export",
    *(f"load {table}" for table in TABLES),
    "quarantine",
    "look up reviews",
    "derive variables",
    "score",
    "flag",
    "tell the stories",
    "measure",
    "write",
    "report",
    "publish",
)
"""The steps of a night, in order."""

SHAPES_OUTPUT = {"windows", "worklist_cap", "report", "report_patients", "smallest_cell"}
"""The settings that what is published depends on; the others decide whether it is."""


class Stage(Protocol):
    """Runs one named step of the night: directly, or as a Prefect task."""

    def __call__(self, name: str, step: Callable[..., Any], *args: Any) -> Any:
        """Run `step(*args)` under a name."""


def directly(name: str, step: Callable[..., Any], *args: Any) -> Any:
    """Run a step in this process, without a server."""
    return step(*args)


def run_night(job: Job, stage: Stage = directly) -> Result:
    """Run one night and publish it. Raises NightError; then nothing is published."""
    started_at = datetime.now(UTC)
    locks = (job.out / LOCK, job.warehouse.with_name(job.warehouse.name + ".lock"))
    holder = f"night of {job.as_of}, since {started_at:%Y-%m-%dT%H:%M:%SZ}"
    with told(job.out), private(job.settings.umask):
        job.out.mkdir(parents=True, exist_ok=True)
        with held(*locks, holder=holder):
            _sweep(job.out)
            with tempfile.TemporaryDirectory(
                prefix=STAGING, dir=job.out, ignore_cleanup_errors=True
            ) as staging:
                return _run(job, started_at, Path(staging), _timed(stage))


@contextmanager
def private(umask: str) -> Iterator[None]:
    """Keep the files that are made inside from everybody whom the umask leaves out."""
    before = os.umask(int(umask, 8))
    try:
        yield
    finally:
        os.umask(before)


class _timed:  # noqa: N801
    """A stage that remembers how long each step took."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.seconds: dict[str, float] = {}

    def __call__(self, name: str, step: Callable[..., Any], *args: Any) -> Any:
        start = monotonic()
        try:
            return self.stage(name, step, *args)
        finally:
            self.seconds[name] = round(monotonic() - start, 3)


def _run(job: Job, started_at: datetime, staging: Path, stage: _timed) -> Result:
    scratch, staged = staging / "scratch", staging / "night"
    scratch.mkdir()
    staged.mkdir()
    with Warehouse(job.warehouse, job.settings.duckdb_memory, scratch) as warehouse:
        settle_unfinished(job, warehouse)
        past = past_night(job, warehouse)
        if past is None:
            night = _new_night(job, started_at, scratch, warehouse, stage)
        else:
            night = night_again(job, started_at, scratch, warehouse, past)
        last = read_last(job, night)
        for table in TABLES:
            stage(f"load {table}", _load, night, warehouse, table)
        _compare_with_manifest(night)
        quarantine = stage("quarantine", _quarantine, night, warehouse)
        reviews = stage("look up reviews", reviews_of, job, night, last)
        derived = stage("derive variables", _features, night)
        scores = stage("score", _scores, derived)
        risk = stage("flag", patient_risk, derived, scores, last, reviews)
        review = worklist(risk, night.settings.worklist_cap)
        timeline = stage("tell the stories", _stories, night, review)
        measured = stage("measure", _measures, night, derived, risk)
        outputs = Outputs(derived, scores, risk, review, quarantine, measured, timeline)
        stage("write", write_outputs, outputs, staged, night)
        result = summarise(outputs, night, night_folder(job.out, job.as_of), stage.seconds)
        if night.settings.report and job.keys.encryption is None:
            stage("report", _report, job, night, staged, result)
        write_run(staged, night, result)
        stage("publish", publish, staged, result.folder)
        if past is None:
            warehouse.finish_run(
                night.seq, datetime.now(UTC), night.previous, night.mapping, outputs.mart
            )
            warehouse.forget_history(job.settings.keep_history)
            remove_nights(job.out, job.settings.keep_nights)
    return result


def _new_night(
    job: Job, started_at: datetime, scratch: Path, warehouse: Warehouse, stage: _timed
) -> Night:
    manifest = job.settings.require_manifest
    export = stage("check the export", open_export, job.export, manifest)
    run_id = _identity(job, export)
    used = job.settings.model_dump(mode="json")
    kept = used | {PSEUDONYMS: job.keys.fingerprint}
    seq = warehouse.start_run(run_id, job.as_of, started_at, job.mapping, kept)
    night = Night(run_id, job.as_of, job.mapping, job.settings, seq, started_at, scratch, job.keys)
    night.export = export
    night.previous = night_before(job)
    is_open = job.keys.fingerprint is None
    night.warnings += export.warnings if is_open else export.unnamed_warnings
    if export.ignored:
        night.warnings.append(
            f"{len(export.ignored)} files of the export are no table and were left aside"
        )
    if job.keys.encryption is not None:
        night.warnings.append("the warehouse is not encrypted: keep it on an encrypted volume")
    return night


def _load(night: Night, warehouse: Warehouse, table: str) -> None:
    try:
        with warehouse.transaction():
            load_table(night, warehouse, table)
    except Irregular as irregular:
        # A line too short beside one too long: only reading shows it. Once a file, then again.
        night.careful.add(irregular.file.path)
        _load(night, warehouse, table)


def _identity(job: Job, export: Export) -> str:
    """Return the night's identity: the same inputs, settings and version give the same."""
    inputs = {
        "as_of": str(job.as_of),
        "files": sorted(
            (f.table, f.path.name, f.sha256) for fs in export.files.values() for f in fs
        ),
        "mapping": job.mapping.model_dump(mode="json"),
        "settings": job.settings.model_dump(mode="json", include=SHAPES_OUTPUT),
        "models": digests(),
        "pseudonyms": job.keys.fingerprint,
        "version": VERSION,
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


def _compare_with_manifest(night: Night) -> None:
    if night.export is None:
        return
    promised = night.export.promised_rows
    for file in night.files:
        if promised.get(file.file, file.rows_read) != file.rows_read:
            raise NightRefused(
                f"{file.file}: {file.rows_read} rows read, its manifest says "
                f"{promised[file.file]}; export it again"
            )


def _quarantine(night: Night, warehouse: Warehouse) -> pl.DataFrame:
    """Return the rejected rows with their original text: one row per rejected row."""
    if night.replayed:
        kept = warehouse.quarantine_of(night.seq)
    else:
        files = warehouse.files_of(night.seq).select("file_no", "file")
        parts = []
        for table in TABLES:
            rejected = night.rejected[table].join(files, on="file_no", how="left")
            originals = warehouse.originals(table, rejected.select("row_hash"))
            parts.append(rejected.join(originals, on="row_hash", how="left"))
        kept = pl.concat(parts).drop("file_no", "row_date")
        warehouse.add_quarantine(night.seq, kept)
    return pseudonymised(kept.sort("table", "file", "line"), night.keys).select(
        pl.col(name).cast(dtype) for name, dtype in columns_of(Quarantine).items()
    )


def _features(night: Night) -> pl.DataFrame:
    tables = {name: frame.lazy() for name, frame in night.tables.items()}
    set_aside = night.set_aside.lazy()
    derived = features(tables, set_aside, night.as_of, night.settings.windows)
    return pseudonymised(derived.with_columns(night.patients["patient_id"]), night.keys)


def _names(night: Night) -> pl.DataFrame:
    """Return the number and the published name of each patient."""
    named = night.patients.select("patient_no", "patient_id")
    return pseudonymised(named, night.keys)


def _measures(night: Night, derived: pl.DataFrame, risk: pl.DataFrame) -> pl.DataFrame:
    more = risk.select("rrdtc_status", "os_status", "pfs_status", "reviewed_at")
    patients = derived.hstack(more).hstack(_names(night).select("patient_no"))
    courses = night.tables["i131_treatments"]
    night.tables.clear()  # the measures need memory, and no other table
    known = courses.filter(pl.col("treatment_date") <= night.as_of)
    courses = courses_of(known, patients, night.settings.windows)
    measures = [*PATHWAY, *completeness(library().values())]
    smallest = night.settings.smallest_cell
    return measure(measures, patients, courses, night.as_of, smallest)


def _stories(night: Night, review: pl.DataFrame) -> pl.DataFrame:
    shown = review.head(night.settings.report_patients).select("patient_id")
    who = _names(night).join(shown, on="patient_id")
    known = pl.col("patient_id").is_in(who["patient_no"].implode())
    tables = {}
    for name, frame in night.tables.items():
        when = TABLES[name].date
        tables[name] = frame.filter(known, pl.col(when) <= night.as_of if when else True)
    died = pl.when(pl.col("death_date") <= night.as_of).then("death_date")
    tables["patients"] = tables["patients"].with_columns(death_date=died)
    return pseudonymised(story(tables, who), night.keys, but=("patient_id",))


def _report(job: Job, night: Night, staged: Path, result: Result) -> None:
    from flows.report.page import page  # its libraries take a while to import

    past = nights(job.out, before=job.as_of)
    made = page(staged, asdict(result), past, night.settings, job.keys)
    (staged / "report.html").write_text(made, "utf-8")


def _scores(derived: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {name: score(derived, model) for name, model in library().items()}


def _sweep(out: Path) -> None:
    """Remove what a night that was killed left behind; the lock says that none is running."""
    for left in (*out.glob(f"{STAGING}*"), *out.glob(f"{GONE}*")):
        shutil.rmtree(left, ignore_errors=True)
