"""The night as a Prefect flow: the same steps, each a task, with retries on I/O.

Results are not persisted, artifacts hold counts only, and messages name no file, so that no
patient identifier reaches Prefect. A deployment's own parameters, paths and a date, are kept.
"""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.blocks.core import Block
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from prefect.states import Failed

from flows.errors import NightError, Unexpected, is_failure, is_out_of_space
from flows.intake.labels import labels_of, without_names
from flows.job import Job, job_of
from flows.night import STEPS, run_night
from flows.outputs import Result
from flows.report.aside import PAGE
from flows.settings import load_settings
from transforms.measures.disclosure import shown

RETRIES = 2
RETRY_DELAY_SECONDS = 10
Hide = Callable[[str], str]


def _is_io(task: Any, run: Any, state: Any) -> bool:
    """Retry what the disk or the network may do better next time, and nothing else."""
    try:
        state.result()
    except OSError:
        return True
    except BaseException:
        return False
    return False


class Progress:
    """A stage that runs each step as a task, and shows how far the night is."""

    def __init__(self, hide: Hide) -> None:
        self.hide = hide
        artifact = create_progress_artifact(0.0, key="thyrisk-progress")
        assert isinstance(artifact, UUID)  # noqa: S101
        self.artifact = artifact

    def __call__(self, name: str, step: Callable[..., Any], *args: Any) -> Any:
        """Run a step; then move the progress on."""
        result = as_task(name, step, *args, hide=self.hide)
        done = (STEPS.index(name) + 1) / len(STEPS) * 100
        update_progress_artifact(self.artifact, done, description=f"done: {name}")
        return result


def tell_of_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Notify through the Prefect block that `notify_block` names, when a night did not publish.

    What is told is the night's own message, which holds no patient data.
    """
    asked = flow_run.parameters.get("settings")
    place = _place(Path(asked) if asked else None, "SETTINGS")
    _notify(load_settings(place).notify_block, flow_run, state)


def _notify(block: str | None, flow_run: Any, state: Any) -> None:
    if block is None:
        return
    told: Any = Block.load(block)
    words = str(state.message or "it ended without a word")
    told.notify(subject=f"thyrisk: {flow_run.name} was not published", body=words)


def as_task(name: str, step: Callable[..., Any], *args: Any, hide: Hide = str) -> Any:
    """Run a step of the night as a named Prefect task.

    What refuses the night ends the task as failed, with its message and no traceback; `hide`
    leaves names out of what Prefect keeps.
    """
    refused: list[NightError] = []

    @task(
        name=name,
        task_run_name=name,
        retries=RETRIES if name in ("check the export", "publish") else 0,
        retry_delay_seconds=RETRY_DELAY_SECONDS,
        retry_condition_fn=_is_io,
        cache_policy=NO_CACHE,
        persist_result=False,
        log_prints=False,
    )
    def run() -> Any:
        try:
            return step(*args)
        except NightError as error:
            refused.append(error)
        except BaseException as error:
            if not is_failure(error) or isinstance(error, OSError) or is_out_of_space(error):
                raise
            # Prefect keeps what an exception says.
            refused.append(Unexpected(error))
        return Failed(message=hide(str(refused[-1])))

    state = run(return_state=True)
    if refused:
        raise refused[-1]
    return state.result()


def _publish(job: Job, refused: list[NightError]) -> Any:
    """Run the night inside a flow; a refused one is a failed run with its message."""

    def hide(message: str) -> str:
        return without_names(message, job.export)

    try:
        result = run_night(job, Progress(hide))
    except NightError as error:
        refused.append(error)
        return Failed(message=hide(str(error)))
    _leave_artifacts(result, job.settings.smallest_cell, hide)
    return result


def run_with_prefect(job: Job) -> Result:
    """Run a night as a flow that keeps none of the job's paths. Raises NightError."""
    refused: list[NightError] = []

    def tell(flow: Any, flow_run: Any, state: Any) -> None:
        _notify(job.settings.notify_block, flow_run, state)

    @flow(
        name="nightly",
        flow_run_name="nightly-{as_of}",
        persist_result=False,
        log_prints=False,
        on_failure=[tell],
        on_crashed=[tell],
    )
    def night(as_of: date) -> Any:
        return _publish(job, refused)

    state: Any = night(job.as_of, return_state=True)
    if refused:
        raise refused[-1]
    result: Result = state.result()
    return result


def _dated() -> str:
    """Name a run of the deployment by its date."""
    return f"nightly-{flow_run.parameters.get('as_of') or datetime.now(UTC).date()}"


@flow(
    name="nightly",
    flow_run_name=_dated,
    persist_result=False,
    log_prints=False,
    on_failure=[tell_of_failure],
    on_crashed=[tell_of_failure],
)
def nightly(
    out: Path | None = None,
    export: Path | None = None,
    as_of: date | None = None,
    warehouse: Path | None = None,
    mapping: Path | None = None,
    settings: Path | None = None,
    allow_future: bool = False,
) -> Any:
    """Score the registry: load, validate, derive, score and publish OUT/run_date=YYYY-MM-DD.

    For a deployment, whose parameters Prefect keeps. Where out, export, mapping and settings are
    not among them, THYRISK_OUT and so on say so where the worker runs. `as_of` defaults to today
    (UTC), `warehouse` to OUT/warehouse.duckdb.
    """
    out, mapping = _place(out, "OUT"), _place(mapping, "MAPPING")
    settings = _place(settings, "SETTINGS")
    export = _place(export, "EXPORT")
    unsaid = [name for name, place in (("out", out), ("export", export or as_of)) if not place]
    if out is None or unsaid:
        words = " and ".join(f"{name} (THYRISK_{name.upper()})" for name in unsaid)
        return Failed(
            message=f"the night was not told {words}: give the deployment these parameters, or "
            f"set the variables where its worker runs"
        )
    try:
        job = job_of(export, out, as_of, warehouse, mapping, settings, allow_future)
    except NightError as error:
        return Failed(message=str(error))
    return _publish(job, [])


def _place(given: Path | None, name: str) -> Path | None:
    """Return a path that was given, or that the environment says."""
    said = os.environ.get(f"THYRISK_{name}")
    return given or (Path(said) if said else None)


def _leave_artifacts(result: Result, smallest: int, hide: Hide) -> None:
    """Leave the counts of the night where Prefect shows them."""
    day = str(result.as_of)
    labels = labels_of((file.table, file.file) for file in result.files)
    rows = [
        {
            "file": labels[file.file],
            "read": file.rows_read,
            "loaded": file.rows_loaded,
            "quarantined": file.rows_quarantined,
            "duplicates": file.duplicates,
        }
        for file in result.files
    ]
    create_table_artifact(key="thyrisk-rows", table=rows, description=f"Rows, night of {day}")
    flags = [{"flag": name, **_few(counts, smallest)} for name, counts in result.flags.items()]
    create_table_artifact(key="thyrisk-flags", table=flags, description=f"Flags, night of {day}")
    seen = "".join(f"\n- {hide(signal)}" for signal in result.signals)
    create_markdown_artifact(
        key="thyrisk-surveillance",
        markdown=f"# Does it hold here? Night of {day}\n\n" + (seen or "No signal.") + "\n",
        description=f"Signals of surveillance, night of {day}: reasons to look",
    )
    cut = f" {result.cut_from_worklist} more wait." if result.cut_from_worklist else ""
    warnings = "".join(f"\n- warning: {hide(warning)}" for warning in result.warnings)
    page = result.folder / PAGE
    place = f"The report: `{page.parent.name}/{page.name}`.\n" if page.is_file() else ""
    create_markdown_artifact(
        key="thyrisk-night",
        markdown=(
            f"# Night of {day}\n\n{result.patients} patients, {result.newly_flagged} newly "
            f"flagged, {result.to_review} on the worklist.{cut}\n\n"
            f"{place}{warnings}\n"
        ),
        description=f"Summary, night of {day}",
    )


def _few(counts: dict[str, int], smallest: int) -> dict[str, int | str]:
    return {name: "few" if n is None else n for name, n in shown(counts, smallest).items()}
