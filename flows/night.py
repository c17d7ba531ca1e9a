"""The night, from top to bottom: export -> raw -> valid -> features -> scores -> published."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import polars as pl

from flows.errors import NightRefused, UsageError
from flows.export import Export, open_export
from flows.intake import Irregular
from flows.load import Night, load_table
from flows.lock import held
from flows.outputs import VERSION, Outputs, Result, summarise, write_outputs, write_run
from flows.publish import night_folder, nights, publish
from flows.settings import Settings
from flows.warehouse import Run, Warehouse
from models.engine import score
from models.spec import library
from schemas.published import Quarantine, columns_of
from schemas.registry import TABLES
from transforms.features import features
from transforms.flags import patient_risk
from transforms.mapping import Mapping
from transforms.worklist import worklist


@dataclass(frozen=True)
class Job:
    """What a night is asked to do. Without an export, a past night is run again."""

    export: Path | None
    out: Path
    as_of: date
    warehouse: Path
    mapping: Mapping
    settings: Settings


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
    job.out.mkdir(parents=True, exist_ok=True)
    locks = (job.out / ".lock", job.warehouse.with_name(job.warehouse.name + ".lock"))
    with held(*locks, holder=f"night of {job.as_of}, since {started_at:%Y-%m-%dT%H:%M:%SZ}"):
        _sweep(job.out)
        with tempfile.TemporaryDirectory(prefix=".staging-", dir=job.out) as staging:
            return _run(job, started_at, Path(staging), _timed(stage))


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
        past = _past_night(job, warehouse)
        warehouse.forget_unfinished()
        if past is None:
            night = _new_night(job, started_at, scratch, warehouse, stage)
        else:
            night = _night_again(job, started_at, scratch, warehouse, past)
        for table in TABLES:
            stage(f"load {table}", _load, night, warehouse, table)
        _compare_with_manifest(night)
        quarantine = stage("quarantine", _quarantine, night, warehouse)
        derived = stage("derive variables", _features, night)
        scores = stage("score", _scores, derived)
        last = _read_last(job.out, night.previous)
        risk = stage("flag", patient_risk, derived, scores, last)
        outputs = Outputs(derived, scores, risk, worklist(risk), quarantine)
        stage("write", write_outputs, outputs, staged, night)
        result = summarise(outputs, night, night_folder(job.out, job.as_of), stage.seconds)
        write_run(staged, night, result)
        stage("publish", publish, staged, result.folder)
        if past is None:
            warehouse.finish_run(
                night.seq, datetime.now(UTC), night.previous, night.mapping, outputs.mart
            )
    return result


def _new_night(
    job: Job, started_at: datetime, scratch: Path, warehouse: Warehouse, stage: _timed
) -> Night:
    export = stage("check the export", open_export, job.export)
    run_id = _identity(job, export)
    used = job.settings.model_dump(mode="json")
    seq = warehouse.start_run(run_id, job.as_of, started_at, job.mapping, used)
    night = Night(run_id, job.as_of, job.mapping, job.settings, seq, started_at, scratch)
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
    settings = Settings(**past.settings)
    night = Night(past.run_id, job.as_of, past.mapping, settings, past.seq, started_at, scratch)
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


def _read_last(out: Path, previous: str | None) -> pl.DataFrame | None:
    path = out / (previous or "") / "patient_risk.parquet"
    if previous is None or not path.is_file():
        return None
    return pl.read_parquet(path, hive_partitioning=False)


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
    return kept.sort("table", "file", "line").select(
        pl.col(name).cast(dtype) for name, dtype in columns_of(Quarantine).items()
    )


def _features(night: Night) -> pl.DataFrame:
    tables = {name: frame.lazy() for name, frame in night.tables.items()}
    set_aside = night.set_aside.lazy()
    derived = features(tables, set_aside, night.as_of, night.settings.windows)
    night.tables.clear()
    return derived.with_columns(night.patients["patient_id"])


def _scores(derived: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {name: score(derived, model) for name, model in library().items()}


def _sweep(out: Path) -> None:
    """Remove what a night that was killed left behind; the lock says that none is running."""
    for left in out.glob(".staging-*"):
        shutil.rmtree(left, ignore_errors=True)
