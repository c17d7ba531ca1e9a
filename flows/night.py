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

from flows.acceptance import Verdict, judge_night
from flows.errors import told
from flows.job import Job, Tonight
from flows.load import load_table
from flows.lock import LOCK, held
from flows.opening import open_night
from flows.outputs import Outputs, Result, summarise, write_outputs, write_run
from flows.published.nights import GONE, STAGING, night_folder, nights
from flows.published.write import publish, refuse_unless_link, remove_nights
from flows.read import Read
from flows.report.aside import write_report
from flows.results import results_of
from flows.reviews.union import with_every_review
from flows.warehouse.warehouse import Warehouse
from schemas.registry import TABLES

STEPS = (
    "check the export",
    "map the sources",
    *(f"load {table}" for table in TABLES),
    "quarantine",
    "look up reviews",
    "derive variables",
    "score",
    "flag",
    "review",
    "tell the stories",
    "list corrections",
    "measure",
    "watch",
    "compare",
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
        outputs = results_of(tonight, read_tables(tonight, warehouse, stage), stage)
        verdict = stage("compare", _compare, tonight, warehouse, outputs)
        return _hand_over(tonight, outputs, verdict, staged, warehouse, stage)


def read_tables(tonight: Tonight, warehouse: Warehouse, stage: Stage) -> Read:
    """Read every table of tonight into the warehouse. Raises NightRefused."""
    read = Read()
    for table in TABLES:
        read = stage(f"load {table}", load_table, tonight, warehouse, read, table)
    return with_every_review(tonight, warehouse, read)


def _compare(tonight: Tonight, warehouse: Warehouse, outputs: Outputs) -> Verdict:
    files = outputs.counts.files
    return judge_night(tonight, warehouse, outputs.profile, outputs.risk, files)


def _hand_over(
    tonight: Tonight,
    outputs: Outputs,
    verdict: Verdict,
    staged: Path,
    warehouse: Warehouse,
    stage: _timed,
) -> Result:
    """Write and publish the outputs; then the warehouse may count the night as published."""
    job = tonight.job
    rows = stage("write", write_outputs, outputs, staged, tonight)
    folder = night_folder(job.out, job.as_of)
    result = summarise(outputs, verdict, tonight, folder, stage.seconds)
    result.rows = rows
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
    told = (tonight.settings, tonight.keys, tonight.extracted_on)
    why = write_report(staged, result, past, *told)
    if why is not None:
        result.warnings.append(
            f"report.html could not be made ({why}): the night is published without it. Run the "
            f"date again to make it, or set report = false."
        )


def _sweep(out: Path) -> None:
    """Remove what a night that was killed left behind; the lock says that none is running."""
    for left in (*out.glob(f"{STAGING}*"), *out.glob(f"{GONE}*")):
        shutil.rmtree(left, ignore_errors=True)
