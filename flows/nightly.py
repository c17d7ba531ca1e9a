"""The night as a Prefect flow: the same steps, each a task, with retries on I/O.

Parameters are paths and a date; results are not persisted and artifacts hold counts only, so
that no patient identifier reaches Prefect.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.errors import NightError, Unexpected, is_failure, is_out_of_space
from flows.job import job_of
from flows.night import run_night
from flows.outputs import Result

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


@flow(name="nightly", flow_run_name="nightly-{as_of}", persist_result=False, log_prints=False)
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
    result = run_night(job, as_task)
    _leave_artifacts(result)
    return result


def _leave_artifacts(result: Result) -> None:
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
    flags = [{"flag": name, **counts} for name, counts in result.flags.items()]
    create_table_artifact(key="thyrisk-flags", table=flags, description=f"Flags, night of {day}")
    create_markdown_artifact(
        key="thyrisk-night",
        markdown=(
            f"# Night of {day}\n\n{result.patients} patients, {result.newly_flagged} newly "
            f"flagged, {result.to_review} on the worklist.\n"
        ),
        description=f"Summary, night of {day}",
    )
