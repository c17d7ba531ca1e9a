"""The night, from top to bottom: export -> raw -> valid -> features -> scores -> published."""

import hashlib
import json
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import polars as pl

from flows.errors import NightError, NightRefused, UsageError
from flows.export import Export, manifest_rows, open_export
from flows.intake import Irregular
from flows.load import FileCount, Night, load_table
from flows.lock import held
from flows.publish import (
    json_ready,
    night_folder,
    nights,
    publish,
    sha256,
    write_csv,
    write_parquet,
)
from flows.settings import Settings
from flows.warehouse import Warehouse
from models.engine import score
from models.spec import Model, library
from schemas.features import Features
from schemas.published import (
    PatientRisk,
    Quarantine,
    Worklist,
    columns_of,
    descriptions_of,
)
from schemas.registry import TABLES
from schemas.scores import ModelScores
from transforms.features import features
from transforms.flags import patient_risk
from transforms.mapping import Mapping
from transforms.worklist import worklist

VERSION = version("thyrisk")
MART = (
    "patient_id",
    "as_of",
    "index_date",
    "rrdtc_status",
    "rrdtc_flag",
    "rrdtc_points_lower",
    "rrdtc_points_upper",
    "rrdtc_met",
    "os_status",
    "os_risk_group",
    "pfs_status",
    "pfs_risk_group",
    "review_priority",
)
"""The columns of patient_risk that the warehouse keeps for SQL; the parquet has all."""


@dataclass(frozen=True)
class Job:
    """What a night is asked to do. Without an export, a past night is run again."""

    export: Path | None
    out: Path
    as_of: date
    warehouse: Path
    mapping: Mapping
    settings: Settings


@dataclass
class Result:
    """What a night did: counts and places, no patient."""

    run_id: str
    as_of: date
    folder: Path
    files: list[FileCount]
    patients: int
    by_model: dict[str, dict[str, int]]
    flags: dict[str, dict[str, int]]
    newly_flagged: int
    to_review: int
    new_versions: dict[str, int] = field(default_factory=dict)
    previous: str | None = None
    replayed: bool = False
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


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
        if past is None:
            export = stage("check the export", open_export, job.export)
            run_id = _identity(job, export)
            night = Night(job.as_of, job.mapping, job.settings, 0, started_at, scratch)
            night.export = export
            night.warnings += _about(export)
            previous = _night_before(job)
        else:
            run_id, previous = past.run_id, warehouse.previous_of(past.seq)
            settings = Settings(**past.settings)
            night = Night(job.as_of, past.mapping, settings, 0, started_at, scratch, past.seq)
            night.warnings.append(f"the night of {job.as_of} was run again from the warehouse")
        warehouse.forget_unfinished()
        if past is None:
            settings_used = night.settings.model_dump(mode="json")
            night.seq = warehouse.start_run(
                run_id, job.as_of, started_at, night.mapping, settings_used
            )
        for table in TABLES:
            stage(f"load {table}", _load, night, warehouse, table)
        _compare_with_manifest(night)
        quarantine = stage("quarantine", _quarantine, night, warehouse)
        derived = stage("derive variables", _features, night)
        scores = stage("score", _scores, derived)
        last = _read_last(job.out, previous)
        risk = stage("flag", patient_risk, derived, scores, last)
        review = worklist(risk)
        stage("write", _write, staged, derived, scores, risk, review, quarantine, night, run_id)
        result = _result(
            job, night, run_id, risk, review, scores, previous, past is not None, stage
        )
        _write_run(staged, job, night, result, started_at)
        stage("publish", publish, staged, result.folder)
        if past is None:
            finished = datetime.now(UTC)
            mart = risk.select(MART)
            warehouse.finish_run(night.seq, finished, previous, night.mapping, mart)
    return result


def _load(night: Night, warehouse: Warehouse, table: str) -> None:
    try:
        with warehouse.transaction():
            load_table(night, warehouse, table)
    except Irregular as irregular:
        # A line too short beside one too long: only reading shows it. Once a file, then again.
        night.careful.add(irregular.file.path)
        _load(night, warehouse, table)


def _past_night(job: Job, warehouse: Warehouse) -> Any:
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


def _about(export: Export) -> list[str]:
    if not export.ignored:
        return []
    return [f"files that are no table of the registry were left aside: {len(export.ignored)}"]


def _compare_with_manifest(night: Night) -> None:
    if night.export is None:
        return
    promised = manifest_rows(night.export)
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
    if night.replayed is not None:
        kept = warehouse.quarantine_of(night.replayed)
    else:
        files = warehouse.files_of(night.seq).select("file_no", "file")
        parts = []
        for table in TABLES:
            rejected = pl.concat(night.rejected_of(table)).join(files, on="file_no", how="left")
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


def _write(
    staged: Path,
    derived: pl.DataFrame,
    scores: dict[str, pl.DataFrame],
    risk: pl.DataFrame,
    review: pl.DataFrame,
    quarantine: pl.DataFrame,
    night: Night,
    run_id: str,
) -> None:
    identity = {"thyrisk_run_id": run_id, "thyrisk_as_of": str(night.as_of)}
    identity["thyrisk_version"] = VERSION
    for name, frame, model in (
        ("patient_risk", risk, PatientRisk),
        ("features", derived, Features),
        ("quarantine", quarantine, Quarantine),
        ("worklist", review, Worklist),
    ):
        write_parquet(frame, staged / f"{name}.parquet", descriptions_of(model), identity)
    together = pl.concat(scores.values(), how="diagonal_relaxed")
    write_parquet(
        together, staged / "model_scores.parquet", _score_descriptions(library()), identity
    )
    write_csv(review, staged / "worklist.csv")


def _score_descriptions(models: dict[str, Model]) -> dict[str, str]:
    described = descriptions_of(ModelScores)
    for model in models.values():
        for predictor in model.predictors:
            described[predictor.name] = f"{predictor.label}: value"
            described[f"{predictor.name}_points"] = f"{predictor.label}: points"
    return described


def _result(
    job: Job,
    night: Night,
    run_id: str,
    risk: pl.DataFrame,
    review: pl.DataFrame,
    scores: dict[str, pl.DataFrame],
    previous: str | None,
    replayed: bool,
    stage: _timed,
) -> Result:
    if risk.height != night.patients.height:
        raise NightError(f"{night.patients.height} patients in, {risk.height} out")
    flags = {
        name: _counts(risk[name]) for name in ("rrdtc_flag", "os_risk_group", "pfs_risk_group")
    }
    return Result(
        run_id=run_id,
        as_of=job.as_of,
        folder=night_folder(job.out, job.as_of),
        files=night.files,
        patients=risk.height,
        by_model={name: _counts(frame["status"]) for name, frame in scores.items()},
        flags=flags,
        newly_flagged=risk.filter(pl.col("review_priority").is_in([1, 2, 3])).height,
        to_review=review.height,
        new_versions=dict(night.new_versions),
        previous=previous,
        replayed=replayed,
        warnings=night.warnings,
        seconds=stage.seconds,
    )


def _counts(values: pl.Series) -> dict[str, int]:
    counted = values.cast(pl.String).fill_null("none").value_counts().sort(values.name)
    return dict(counted.iter_rows())


def _write_run(staged: Path, job: Job, night: Night, result: Result, started_at: datetime) -> None:
    """Write run.json: the only file of a night that knows the clock."""
    outputs = {path.name: sha256(path) for path in sorted(staged.iterdir())}
    report = asdict(result) | {
        "folder": result.folder.name,
        "started_at": started_at.isoformat(timespec="seconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "extracted_at": night.export.extracted_at if night.export else None,
        "outputs": outputs,
        "settings": night.settings.model_dump(mode="json"),
        "mapping": night.mapping.model_dump(mode="json"),
        "models": {name: model.doi for name, model in library().items()},
        "versions": {
            "python": platform.python_version(),
            **{
                name: version(name)
                for name in ("thyrisk", "polars", "duckdb", "pandera", "prefect")
            },
        },
    }
    text = json.dumps(json_ready(report), indent=2, ensure_ascii=False)
    (staged / "run.json").write_text(text + "\n", "utf-8")


def _sweep(out: Path) -> None:
    """Remove what a night that was killed left behind; the lock says that none is running."""
    for left in out.glob(".staging-*"):
        shutil.rmtree(left, ignore_errors=True)
