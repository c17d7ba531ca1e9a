"""The night, from top to bottom: export -> raw -> valid -> features -> scores -> published."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

import polars as pl

from flows.errors import told
from flows.history import reviews_of
from flows.job import Job, Tonight
from flows.load import Read, load_table
from flows.lock import LOCK, held
from flows.opening import open_night
from flows.outputs import Outputs, Result, summarise, write_outputs, write_run
from flows.pseudonyms import pseudonymised
from flows.published.nights import GONE, STAGING, night_folder, nights
from flows.published.write import publish, refuse_unless_link, remove_nights
from flows.report.aside import write_report
from flows.warehouse.warehouse import Warehouse
from models.engine import score
from models.spec import library
from schemas.published import Quarantine, columns_of
from schemas.registry import TABLES
from transforms.measures.courses import courses_of
from transforms.measures.measures import PATHWAY, completeness, measure
from transforms.review.criteria import criteria
from transforms.review.flags import patient_risk
from transforms.review.needs import needs, with_needs
from transforms.review.on_file import on_file
from transforms.review.timeline import story
from transforms.review.worklist import worklist
from transforms.variables.as_of import known_as_of
from transforms.variables.evidence import Record
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
            refuse_unless_link(job.out)
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
    """Open everything, do the night, hand it over: three stretches, and none goes back."""
    scratch, staged = staging / "scratch", staging / "night"
    scratch.mkdir()
    staged.mkdir()
    memory = job.settings.duckdb_memory
    with Warehouse(job.warehouse, memory, scratch, job.keys) as warehouse:
        tonight = open_night(job, started_at, scratch, warehouse, stage)
        outputs = _outputs(tonight, _read(tonight, warehouse, stage), stage)
        return _hand_over(tonight, outputs, staged, warehouse, stage)


def _read(tonight: Tonight, warehouse: Warehouse, stage: _timed) -> Read:
    read = Read()
    for table in TABLES:
        read = stage(f"load {table}", load_table, tonight, warehouse, read, table)
    return read


def _outputs(tonight: Tonight, read: Read, stage: _timed) -> Outputs:
    """Return what tonight's rows come to."""
    quarantine = stage("quarantine", _quarantine, tonight, read)
    known = known_as_of(
        read.rows,
        read.set_aside.lazy(),
        tonight.as_of,
        tonight.mapping.coverage.with_found(read.empty),
        tonight.extracted_on,
    )
    names = pseudonymised(read.names, tonight.keys)
    reviews = stage(
        "look up reviews", reviews_of, tonight, known.tables["reviews"].collect(), read.names
    )
    derived = stage("derive variables", _features, tonight, known, read.set_aside, names)
    scores = stage("score", _scores, derived, tonight.settings.windows.model_dump())
    risk = stage("flag", patient_risk, derived, scores, tonight.last, reviews)
    windows = tonight.settings.windows
    settled_by = needs(derived, scores, windows)
    risk = with_needs(risk, settled_by)
    review = worklist(risk, tonight.settings.worklist_cap)
    timeline = stage("tell the stories", _stories, tonight, known, names, review)
    measured = stage("measure", _measures, tonight, known, derived, risk)
    return Outputs(
        counts=read.counts,
        derived=derived,
        scores=scores,
        risk=risk,
        review=review,
        quarantine=quarantine,
        measures=measured,
        timeline=timeline,
        criteria=_published(tonight, criteria(derived, windows)),
        needs=settled_by,
        on_file=_published(tonight, on_file(known, derived, windows)),
    )


def _published(tonight: Tonight, table: pl.DataFrame) -> pl.DataFrame:
    """Return a table of patients by their published names, without the registry's row names."""
    return pseudonymised(table, tonight.keys, but=("patient_id",))


def _quarantine(tonight: Tonight, read: Read) -> pl.DataFrame:
    """Return the rejected rows with their original text: one row per rejected row."""
    kept = tonight.kept_quarantine
    if kept is None:
        kept = read.quarantine
    kept = kept.sort("table", "file", "line")
    if tonight.keys.pseudonym is not None:
        kept = kept.with_columns(pl.col("file").replace(tonight.labels))
    return pseudonymised(kept, tonight.keys).select(
        pl.col(name).cast(dtype) for name, dtype in columns_of(Quarantine).items()
    )


def _features(
    tonight: Tonight,
    known: Record,
    set_aside: pl.DataFrame,
    names: pl.DataFrame,
) -> pl.DataFrame:
    """Return the variables: one row per patient, in the order in which they are published."""
    derived = features(known, set_aside.lazy(), tonight.settings.windows)
    named = names.join(derived, on="patient_no", maintain_order="left")
    return pseudonymised(named, tonight.keys, but=("patient_id",))


def _scores(derived: pl.DataFrame, windows: dict[str, Any]) -> dict[str, pl.DataFrame]:
    return {name: score(derived, model, windows) for name, model in library().items()}


def _stories(
    tonight: Tonight, known: Record, names: pl.DataFrame, review: pl.DataFrame
) -> pl.DataFrame:
    shown = review.head(tonight.settings.report_patients).select("patient_id")
    who = names.join(shown, on="patient_id")
    theirs = pl.col("patient_no").is_in(who["patient_no"].implode())
    rows = pl.collect_all([table.filter(theirs) for table in known.tables.values()])
    told = story(dict(zip(known.tables, rows, strict=True)), who)
    return pseudonymised(told, tonight.keys, but=("patient_id",))


def _measures(
    tonight: Tonight, known: Record, derived: pl.DataFrame, risk: pl.DataFrame
) -> pl.DataFrame:
    more = risk.select("patient_no", "rrdtc_status", "os_status", "pfs_status", "reviewed_at")
    patients = derived.join(more, on="patient_no")
    courses = courses_of(known, patients, tonight.settings.windows)
    measures = [*PATHWAY, *completeness(library().values())]
    smallest, round_to = tonight.settings.smallest_cell, tonight.settings.round_counts
    return measure(measures, patients, courses, tonight.as_of, smallest, round_to)


def _hand_over(
    tonight: Tonight, outputs: Outputs, staged: Path, warehouse: Warehouse, stage: _timed
) -> Result:
    """Write and publish the outputs; then the warehouse may count the night as published."""
    job = tonight.job
    stage("write", write_outputs, outputs, staged, tonight)
    result = summarise(outputs, tonight, night_folder(job.out, job.as_of), stage.seconds)
    if tonight.settings.report and job.keys.encryption is None:
        stage("report", _report, tonight, staged, result)
    write_run(staged, tonight, result)
    stage("publish", publish, staged, result.folder)
    if not tonight.replayed:
        now, keep = datetime.now(UTC), job.settings.keep_history
        warehouse.finish_run(tonight.seq, now, tonight.previous, outputs.mart, keep)
        remove_nights(job.out, job.settings.keep_nights)
    return result


def _report(tonight: Tonight, staged: Path, result: Result) -> None:
    """Make the page; a night that has none says so."""
    past = nights(tonight.job.out, before=tonight.as_of)
    why = write_report(staged, result, past, tonight.settings, tonight.keys)
    if why is not None:
        result.warnings.append(
            f"report.html could not be made ({why}): the night is published without it. Run the "
            f"date again to make it, or set report = false."
        )


def _sweep(out: Path) -> None:
    """Remove what a night that was killed left behind; the lock says that none is running."""
    for left in (*out.glob(f"{STAGING}*"), *out.glob(f"{GONE}*")):
        shutil.rmtree(left, ignore_errors=True)
