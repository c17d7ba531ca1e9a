"""The night as a Prefect flow: the same steps, each a task, with retries on I/O.

Parameters are paths and a date; results are not persisted and artifacts hold counts only, so
that no patient identifier reaches Prefect.
"""

from collections.abc import Callable
from datetime import date
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

from flows.errors import NightError, Unexpected, is_failure, is_out_of_space
from flows.job import job_of
from flows.night import STEPS, run_night
from flows.outputs import Result
from flows.settings import load_settings
from transforms.measures.disclosure import shown

RETRIES = 2
RETRY_DELAY_SECONDS = 10


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

    def __init__(self) -> None:
        artifact = create_progress_artifact(0.0, key="thyrisk-progress")
        assert isinstance(artifact, UUID)  # noqa: S101
        self.artifact = artifact

    def __call__(self, name: str, step: Callable[..., Any], *args: Any) -> Any:
        """Run a step; then move the progress on."""
        result = as_task(name, step, *args)
        done = (STEPS.index(name) + 1) / len(STEPS) * 100
        update_progress_artifact(self.artifact, done, description=f"done: {name}")
        return result


def tell_of_failure(flow: Any, flow_run: Any, state: Any) -> None:
    """Notify through the Prefect block that `notify_block` names, when a night did not publish.

    What is told is the night's own message, which holds no patient data.
    """
    asked = flow_run.parameters.get("settings")
    block = load_settings(Path(asked) if asked else None).notify_block
    if block is None:
        return
    # Prefect says "Flow run encountered an exception: NightRefused: " and then the message.
    words = str(state.message or "").split(": ", 2)[-1]
    told: Any = Block.load(block)
    told.notify(subject=f"thyrisk: {flow_run.name} was not published", body=words)


def as_task(name: str, step: Callable[..., Any], *args: Any) -> Any:
    """Run a step of the night as a named Prefect task."""

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
        except BaseException as error:
            known = isinstance(error, NightError | OSError) or is_out_of_space(error)
            if known or not is_failure(error):
                raise
            # Prefect keeps what an exception says.
            raise Unexpected(error) from None

    return run()


@flow(
    name="nightly",
    flow_run_name="nightly-{as_of}",
    persist_result=False,
    log_prints=False,
    on_failure=[tell_of_failure],
    on_crashed=[tell_of_failure],
)
def nightly(
    out: Path,
    export: Path | None = None,
    as_of: date | None = None,
    warehouse: Path | None = None,
    mapping: Path | None = None,
    settings: Path | None = None,
) -> Result:
    """Score the registry: load, validate, derive, score and publish OUT/run_date=YYYY-MM-DD.

    `as_of` defaults to today (UTC), `warehouse` to OUT/warehouse.duckdb.
    """
    job = job_of(export, out, as_of, warehouse, mapping, settings)
    result = run_night(job, Progress())
    _leave_artifacts(result, job.settings.smallest_cell)
    return result


def _leave_artifacts(result: Result, smallest: int) -> None:
    """Leave the counts of the night where Prefect shows them."""
    day = str(result.as_of)
    rows = [
        {
            "file": file.file,
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
    cut = f" {result.cut_from_worklist} more wait." if result.cut_from_worklist else ""
    warnings = "".join(f"\n- warning: {warning}" for warning in result.warnings)
    create_markdown_artifact(
        key="thyrisk-night",
        markdown=(
            f"# Night of {day}\n\n{result.patients} patients, {result.newly_flagged} newly "
            f"flagged, {result.to_review} on the worklist.{cut}\n\n"
            f"The report: `{result.folder.name}/report.html`.\n{warnings}\n"
        ),
        description=f"Summary, night of {day}",
    )


def _few(counts: dict[str, int], smallest: int) -> dict[str, int | str]:
    return {name: "few" if n is None else n for name, n in shown(counts, smallest).items()}
