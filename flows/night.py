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

from flows.errors import NightRefused, UsageError, told
from flows.export import Export, open_export
from flows.intake import Irregular
from flows.job import Job
from flows.load import Night, load_table
from flows.lock import LOCK, held
from flows.outputs import VERSION, Outputs, Result, summarise, write_outputs, write_run
from flows.pseudonyms import pseudonymised
from flows.publish import (
    GONE,
    STAGING,
    night_folder,
    nights,
    publish,
    read_run,
    read_table,
    remove_nights,
)
from flows.reviewed import reviews_of
from flows.settings import Settings
from flows.warehouse import Run, Warehouse
from models.engine import score
from models.spec import library
from schemas.published import Quarantine, columns_of
from schemas.registry import TABLES
from transforms.courses import courses_of
from transforms.features import features
from transforms.flags import patient_risk
from transforms.measures import PATHWAY, completeness, measure
from transforms.story import story
from transforms.worklist import worklist

_PSEUDONYMS = "pseudonyms"
_OTHER_PSEUDONYMS = "other pseudonyms or none: give the key that it was published with"


STEPS = (
    "check the export",
    *(f"load {table}" for table in TABLES),
    "quarantine",
    "look up reviews",
    "derive variables",
    "score",
    "flag",
    "measure",
    "tell the stories",
    "write",
    "report",
    "publish",
)
"""The steps of a night, in order."""


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
        _settle_unfinished(job, warehouse)
        past = _past_night(job, warehouse)
        if past is None:
            night = _new_night(job, started_at, scratch, warehouse, stage)
        else:
            night = _night_again(job, started_at, scratch, warehouse, past)
        last = _read_last(job, night)
        for table in TABLES:
            stage(f"load {table}", _load, night, warehouse, table)
        _compare_with_manifest(night)
        quarantine = stage("quarantine", _quarantine, night, warehouse)
        reviews = stage("look up reviews", reviews_of, job, night, last)
        derived = stage("derive variables", _features, night)
        scores = stage("score", _scores, derived)
        risk = stage("flag", patient_risk, derived, scores, last, reviews)
        review = worklist(risk, job.settings.worklist_cap)
        measured = stage("measure", _measures, night, derived, risk)
        timeline = stage("tell the stories", _stories, night, review)
        night.tables.clear()
        outputs = Outputs(derived, scores, risk, review, quarantine, measured, timeline)
        stage("write", write_outputs, outputs, staged, night)
        result = summarise(outputs, night, night_folder(job.out, job.as_of), stage.seconds)
        if job.settings.report and job.keys.encryption is None:
            stage("report", _report, job, staged, result)
        write_run(staged, night, result)
        stage("publish", publish, staged, result.folder)
        if past is None:
            warehouse.finish_run(
                night.seq, datetime.now(UTC), night.previous, night.mapping, outputs.mart
            )
            warehouse.forget_history(job.settings.keep_history)
            remove_nights(job.out, job.settings.keep_nights)
    return result


def _settle_unfinished(job: Job, warehouse: Warehouse) -> None:
    """Keep a night that was killed after it was published; forget one killed before.

    A night of tonight's own date is forgotten either way: it is being run again.
    """
    for run in warehouse.unfinished():
        report = read_run(night_folder(job.out, run.as_of))
        if run.as_of != job.as_of and report and report["run_id"] == run.run_id:
            warehouse.mark_published(run.seq, datetime.now(UTC), report["previous"])
    warehouse.forget_unfinished()


def _new_night(
    job: Job, started_at: datetime, scratch: Path, warehouse: Warehouse, stage: _timed
) -> Night:
    export = stage("check the export", open_export, job.export)
    run_id = _identity(job, export)
    used = job.settings.model_dump(mode="json")
    kept = used | {_PSEUDONYMS: job.keys.fingerprint}
    seq = warehouse.start_run(run_id, job.as_of, started_at, job.mapping, kept)
    night = Night(run_id, job.as_of, job.mapping, job.settings, seq, started_at, scratch, job.keys)
    night.export = export
    night.previous = _night_before(job)
    if export.ignored:
        night.warnings.append(
            f"{len(export.ignored)} files of the export are no table and were left aside"
        )
    return night


def _night_again(
    job: Job, started_at: datetime, scratch: Path, warehouse: Warehouse, past: Run
) -> Night:
    if not past.history_kept:
        raise NightRefused(
            f"the warehouse no longer has the rows of {job.as_of}: keep_history let them go"
        )
    used = dict(past.settings)
    if used.pop(_PSEUDONYMS, None) != job.keys.fingerprint:
        raise UsageError(f"the night of {job.as_of} had {_OTHER_PSEUDONYMS}")
    settings = Settings(**used)
    night = Night(
        past.run_id, job.as_of, past.mapping, settings, past.seq, started_at, scratch, job.keys
    )
    night.replayed = True
    night.previous = warehouse.previous_of(past.seq)
    ignored = "; the export given was not loaded" if job.export else ""
    night.warnings.append(
        f"{job.as_of} is before the last night: it was run again from the warehouse, with the "
        f"data and settings of that night{ignored}"
    )
    return night


def _load(night: Night, warehouse: Warehouse, table: str) -> None:
    try:
        with warehouse.transaction():
            load_table(night, warehouse, table)
    except Irregular as irregular:
        # A line too short beside one too long: only reading shows it. Once a file, then again.
        night.careful.add(irregular.file.path)
        _load(night, warehouse, table)


def _past_night(job: Job, warehouse: Warehouse) -> Run | None:
    """Return the published night to run again, when that is what the job means.

    A date before the last night is history: it is read from the warehouse as that night saw
    it, whatever export is given. The last night's own date can be corrected by an export.
    """
    past = warehouse.night_of(job.as_of)
    latest = warehouse.latest_as_of()
    if job.as_of_clock and latest is not None and job.as_of < latest:
        raise NightRefused(
            f"the clock says {job.as_of}, but the last night was of {latest}: has the clock gone "
            f"back? Set it right, or give --as-of."
        )
    if job.export is None and past is None:
        raise UsageError(
            f"no night of {job.as_of} in {job.warehouse}; give --export to run a new one"
        )
    is_history = latest is not None and job.as_of < latest
    return past if job.export is None or is_history else None


def _identity(job: Job, export: Export) -> str:
    """Return the night's identity: the same inputs, settings and version give the same."""
    inputs = {
        "as_of": str(job.as_of),
        "files": sorted(
            (f.table, f.path.name, f.sha256) for fs in export.files.values() for f in fs
        ),
        "mapping": job.mapping.model_dump(mode="json"),
        "windows": job.settings.windows.model_dump(mode="json"),
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


def _night_before(job: Job) -> str | None:
    earlier = [f.name for f in nights(job.out) if f.name < night_folder(job.out, job.as_of).name]
    return earlier[-1] if earlier else None


def _read_last(job: Job, night: Night) -> pl.DataFrame | None:
    """Return patient_risk of the night that this one is compared with; None when there is none.

    Raises NightRefused when it is gone or damaged: everybody would look newly flagged.
    """
    if night.previous is None:
        return None
    folder = job.out / night.previous
    report = read_run(folder)
    if report is None:
        raise NightRefused(
            f"{folder}, with which the night of {job.as_of} is compared, is gone or not whole"
        )
    if report.get(_PSEUDONYMS) != job.keys.fingerprint:
        raise UsageError(f"{night.previous} has {_OTHER_PSEUDONYMS}, or publish elsewhere (--out)")
    return read_table(folder / "patient_risk.parquet", job.keys)


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
    known = night.tables["i131_treatments"].filter(pl.col("treatment_date") <= night.as_of)
    courses = courses_of(known, patients, night.settings.windows)
    measures = [*PATHWAY, *completeness(library().values())]
    smallest = night.settings.smallest_cell
    return measure(measures, patients, courses, night.as_of, smallest)


def _stories(night: Night, review: pl.DataFrame) -> pl.DataFrame:
    shown = review.head(night.settings.report_patients).select("patient_id")
    tables = {
        name: frame.filter(pl.col(TABLES[name].date or "") <= night.as_of)
        if TABLES[name].date
        else frame.with_columns(
            death_date=pl.when(pl.col("death_date") <= night.as_of).then("death_date")
        )
        for name, frame in night.tables.items()
    }
    told = story(tables, _names(night).join(shown, on="patient_id"))
    return pseudonymised(told, night.keys, but=("patient_id",))


def _report(job: Job, staged: Path, result: Result) -> None:
    from flows.report.page import page  # its libraries take a while to import

    past = [f for f in nights(job.out) if f.name < night_folder(job.out, job.as_of).name]
    made = page(staged, asdict(result), past, job.settings, job.keys)
    (staged / "report.html").write_text(made, "utf-8")


def _scores(derived: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {name: score(derived, model) for name, model in library().items()}


def _sweep(out: Path) -> None:
    """Remove what a night that was killed left behind; the lock says that none is running."""
    for left in (*out.glob(f"{STAGING}*"), *out.glob(f"{GONE}*")):
        shutil.rmtree(left, ignore_errors=True)
