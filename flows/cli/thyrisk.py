"""The command `thyrisk`."""

import os
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from flows.cli.calculator import calculating
from flows.cli.local_models import local_models_app
from flows.cli.mapping import map_app
from flows.cli.mapping_aids import mount
from flows.cli.models import drawing, models_app
from flows.cli.operator import Out, operator
from flows.cli.reviews import review_app
from flows.cli.showcase import showcase
from flows.cli.validation import validation_app
from flows.errors import NightError, Unexpected, UsageError, is_failure
from flows.stopping import stop_in_order, wish

app = typer.Typer(
    name="thyrisk",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Score a thyroid-cancer registry: RR-DTC risk, overall and progression-free survival.",
    epilog="Exit status: 0 done; 2 wrong usage or settings; 3 input refused, nothing published; "
    "4 another night is running; 130 stopped by Ctrl-C, 143 by SIGTERM: the last good night stays; "
    "1 anything unexpected.",
)
_KINDS = {1: "failed", 2: "usage", 3: "refused", 4: "busy"}
out_console = Console()
err_console = Console(stderr=True)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("want a date as YYYY-MM-DD") from error


@app.command()
def nightly(
    out: Out,
    export: Annotated[
        Path | None,
        typer.Option(
            help="Folder of tonight's export, or a zip or tar of it. Without it, the night of "
            "--as-of is run again from the warehouse.",
            show_default=False,
        ),
    ] = None,
    as_of: Annotated[
        date | None,
        typer.Option(parser=_day, help="Rows dated later do not exist. Default: today (UTC)."),
    ] = None,
    warehouse: Annotated[
        Path | None, typer.Option(help="DuckDB file. Default: OUT/warehouse.duckdb.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="How this hospital names columns, codes and units (TOML).")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(help="Windows and thresholds (TOML); see `thyrisk settings`.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="A date after tomorrow is meant, and no slip.")
    ] = False,
    no_server: Annotated[
        bool, typer.Option("--no-server", help="Run in this process alone, without Prefect.")
    ] = False,
) -> None:
    """Run the night: load, validate, derive, score, publish OUT/run_date=YYYY-MM-DD.

    Example: thyrisk nightly --export /data/registry/today --out /data/thyrisk --no-server
    """
    from flows.job import job_of
    from flows.night import run_night
    from flows.show.summary import show

    asked: dict[str, Any] = {
        "export": export,
        "out": out,
        "as_of": as_of,
        "warehouse": warehouse,
        "mapping": mapping,
        "settings": settings,
        "allow_future": yes,
    }
    if no_server:
        with _progress() as progress:
            result = run_night(job_of(**asked), _Shown(progress))
    else:
        from flows.prefect_flow import run_with_prefect

        result = run_with_prefect(job_of(**asked))
    show(result, out_console)


class _Shown:
    """A stage that shows what the night is doing."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.task = progress.add_task("starting")

    def __call__(self, name: str, step: Any, *args: Any) -> Any:
        self.progress.update(self.task, description=name)
        return step(*args)


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=err_console,
        transient=True,
    )


@app.command()
def explain(
    patient: Annotated[str, typer.Argument(help="patient_id", show_default=False)],
    out: Out,
    run_date: Annotated[
        str | None, typer.Option(help="Night to explain, YYYY-MM-DD. Default: the latest.")
    ] = None,
) -> None:
    """Say why a patient has these flags: predictors, source rows, points, what is missing.

    This prints data of the patient; nothing is written to a log.
    """
    from flows.show.explain import explain as explain_patient

    explain_patient(patient, out, run_date, out_console)


class RowFormat(StrEnum):
    """How the rows of a query are printed."""

    table = "table"
    csv = "csv"
    json = "json"


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="SQL of DuckDB.", show_default=False)],
    out: Out,
    row_format: Annotated[
        RowFormat, typer.Option("--format", help="How to print the rows.")
    ] = RowFormat.table,
) -> None:
    """Run SQL over all published nights. Views: patient_risk, worklist, ...; latest.patient_risk.

    Example: thyrisk query "FROM latest.worklist LIMIT 5" --out /data/thyrisk
    """
    import polars as pl

    from flows.published.query import query as run
    from flows.secrets import load_keys

    rows = run(sql, out, load_keys())
    if row_format is RowFormat.table:
        with pl.Config(tbl_rows=50, tbl_cols=20, tbl_hide_dataframe_shape=False):
            print(rows)  # noqa: T201 - asked for
    else:
        text = rows.write_json() if row_format is RowFormat.json else rows.write_csv()
        print(text, end="")  # noqa: T201 - asked for


app.add_typer(showcase)
app.add_typer(operator)
app.add_typer(models_app, name="models")
app.add_typer(calculating)
app.add_typer(drawing)
app.add_typer(validation_app)
app.add_typer(local_models_app)
app.add_typer(review_app, name="review")
mount(map_app)
app.add_typer(map_app, name="map")


@app.command()
def schema() -> None:
    """Print the data dictionary: every column of the export and of what is published."""
    from flows.show.dictionary import show_schema

    show_schema(out_console)


@app.command()
def measures() -> None:
    """List the quality-improvement measures: question, exclusions, direction, source."""
    from flows.show.dictionary import show_measures

    show_measures(out_console)


@app.command()
def settings() -> None:
    """Print every setting with its default, as TOML to start from."""
    from flows.show.dictionary import show_settings

    show_settings(out_console)


def _told(error: BaseException) -> NightError:
    """Return what ended the command, with its words where they cannot quote a cell."""
    from models.spec import BadModelFile

    if isinstance(error, BadModelFile):
        return UsageError(str(error))
    return error if isinstance(error, NightError) else Unexpected(error)


def main() -> None:
    """Run the command; turn what ends it into a message and an exit status."""
    # Prefect reads these at import: nothing phones home, nothing is sent anywhere.
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    # The first start makes a database: on a busy machine that takes more than Prefect's 20 s.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    stop_in_order()
    try:
        app()
    except BaseException as error:
        if stopped := wish():
            err_console.print(
                f"thyrisk: {stopped}; nothing is left half done, the last good night is as it was",
                markup=False,
                soft_wrap=True,
            )
            sys.exit(stopped.exit_status)
        if not is_failure(error):
            raise
        if os.environ.get("THYRISK_DEBUG") and (
            not isinstance(error, NightError) or isinstance(error, Unexpected)
        ):
            raise
        told = _told(error)
        err_console.print(
            f"thyrisk: {_KINDS[told.exit_status]}: {told}",
            markup=False,
            style="red",
            soft_wrap=True,
        )
        sys.exit(told.exit_status)


if __name__ == "__main__":
    main()
