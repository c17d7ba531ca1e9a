"""The commands of `thyrisk` for whoever runs it: verify, status, backup, rebuild, accept, ..."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.errors import UsageError

operator = typer.Typer()
out_console = Console()
Out = Annotated[Path, typer.Option(help="Folder of the published nights.", show_default=False)]


@operator.command()
def verify(
    night: Annotated[
        Path, typer.Argument(help="Folder of a night, OUT/run_date=...", show_default=False)
    ],
    export: Annotated[
        Path | None, typer.Option(help="Folder of that night's export, to compare its files too.")
    ] = None,
    warehouse: Annotated[
        Path | None, typer.Option(help="DuckDB file. Default: the one beside the night, if any.")
    ] = None,
) -> None:
    """Check a published night: every byte, every count and flag anew. Exit 1 if not whole.

    Example: thyrisk verify /data/thyrisk/latest
    """
    from flows.published.verify import problems_of, remarks_on
    from flows.secrets import load_keys

    keys = load_keys()
    file = warehouse or night.resolve().parent / "warehouse.duckdb"
    problems = problems_of(night, keys, export, file)
    for remark in remarks_on(night, keys, file):
        out_console.print(f"note: {remark}", markup=False)
    for problem in problems:
        out_console.print(f"differs: {problem}", style="red", markup=False, soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    out_console.print(f"{night} is whole", markup=False, soft_wrap=True)


@operator.command()
def status(
    out: Out,
    warehouse: Annotated[
        Path | None, typer.Option(help="DuckDB file. Default: OUT/warehouse.duckdb.")
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings of the nights (TOML).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a monitor.")] = False,
) -> None:
    """Say how the nights stand: last good night, age, sizes, warnings, what is running and next.

    Exit 1 when there is no night, or the last is older than stale_after_hours.
    """
    from flows.published import status as nights
    from flows.settings import load_settings

    file = warehouse or out / "warehouse.duckdb"
    found = nights.status_of(out, file, load_settings(settings), datetime.now(UTC))
    if as_json:
        print(json.dumps(nights.as_json(found), indent=2))  # noqa: T201 - to be piped
    else:
        nights.show_status(found, out_console)
    if any(found.problems()):
        raise typer.Exit(1)


@operator.command()
def withdraw(
    day: Annotated[
        str, typer.Argument(metavar="DATE", help="Date of the newest night.", show_default=False)
    ],
    out: Out,
    why: Annotated[str, typer.Option(help="Why, for those who come after.", show_default=False)],
    warehouse: Annotated[
        Path | None, typer.Option(help="DuckDB file. Default: OUT/warehouse.duckdb.")
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings of the nights (TOML).")] = None,
) -> None:
    """Take the newest night back: outputs aside, warehouse and `latest` as before it.

    Reviews stay. The files are kept in OUT/.withdrawn, with the why. Exit 4 while a night runs.
    Example: thyrisk withdraw 2062-06-30 --out /data/thyrisk --why "a slip of the date"
    """
    from flows.night import private
    from flows.published.withdraw import withdraw as take_back
    from flows.secrets import load_keys
    from flows.settings import load_settings

    used = load_settings(settings)
    with private(used.umask):
        file = warehouse or out / "warehouse.duckdb"
        kept = take_back(out, file, day, why, used.duckdb_memory, load_keys())
    out_console.print(f"{day} is withdrawn; its files are in {kept}", soft_wrap=True, markup=False)


@operator.command()
def backup(
    out: Out,
    to: Annotated[Path, typer.Option(help="Folder to make, or file (.tar); it must not exist.")],
    warehouse: Annotated[
        Path | None, typer.Option(help="DuckDB file. Default: OUT/warehouse.duckdb.")
    ] = None,
) -> None:
    """Copy the warehouse, whole and checked, while readers read. Exit 4 while a night runs."""
    from flows.warehouse.backup import back_up

    count = back_up(warehouse or out / "warehouse.duckdb", out, to)
    out_console.print(f"{count} nights in {to}", soft_wrap=True)


@operator.command()
def rebuild(
    out: Out,
    backup: Annotated[
        Path | None, typer.Option(help="Folder or file (.tar) of `thyrisk backup` to start from.")
    ] = None,
    export: Annotated[
        list[str] | None,
        typer.Option(
            help="An export of a night, or a folder of exports: which is of which night, their "
            "bytes tell. DATE=FOLDER where OUT has no night of it. May be given again."
        ),
    ] = None,
    warehouse: Annotated[
        Path | None, typer.Option(help="DuckDB file. Default: OUT/warehouse.duckdb.")
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(help="Mapping (TOML), where run.json has none: under pseudonyms, DATE=."),
    ] = None,
    settings: Annotated[Path | None, typer.Option(help="Settings (TOML), for DATE=FOLDER.")] = None,
) -> None:
    """Make a damaged warehouse anew, from a backup, exports and run.json; swapped in when whole.

    Says what it used and what could not be had. Exit 4 while a night runs.
    Example: thyrisk rebuild --out /data/thyrisk --backup /backup/2026-06-28 --export /data/exports
    """
    from flows.job import job_of
    from flows.night import private
    from flows.rebuild.rebuild import rebuild as make_anew

    job = job_of(None, out, None, warehouse, mapping, settings)
    with private(job.settings.umask):
        done = make_anew(job, backup, export or ())
    out_console.print(f"{job.warehouse} is made anew: {done.damage}", markup=False, soft_wrap=True)
    for line in done.used:
        out_console.print(f"used: {line}", markup=False, soft_wrap=True)
    for line in done.lacking:
        out_console.print(f"not to be had: {line}", style="red", markup=False, soft_wrap=True)
    if done.kept is not None:
        out_console.print(f"the damaged file: {done.kept}", markup=False, soft_wrap=True)


@operator.command()
def accept(
    day: Annotated[str, typer.Argument(help="Date of the refused night.", show_default=False)],
    out: Out,
    why: Annotated[str, typer.Option(help="Why it is right; kept in run.json. Name no patient.")],
    settings: Annotated[Path | None, typer.Option(help="Settings of the nights (TOML).")] = None,
) -> None:
    """Let a night through that was too different from those before; then run it again.

    Example: thyrisk accept 2026-06-30 --out /data/thyrisk --why "two centres have left"
    """
    from flows.acceptance import accept as let_through
    from flows.night import private
    from flows.settings import load_settings

    try:
        of = date.fromisoformat(day)
    except ValueError as error:
        raise UsageError("want a date as YYYY-MM-DD") from error
    with private(load_settings(settings).umask):
        run_id = let_through(out, of, why)
    out_console.print(f"run {run_id} of {of} may be published: run that night again")


@operator.command()
def pseudonym(
    patient: Annotated[str, typer.Argument(help="patient_id", show_default=False)],
) -> None:
    """Print the pseudonym of a patient; the key comes from THYRISK_PSEUDONYM_KEY_FILE."""
    import polars as pl

    from flows.secrets import load_keys

    keys = load_keys()
    if keys.pseudonym is None:
        raise UsageError("no key: set THYRISK_PSEUDONYM_KEY_FILE")
    print(keys.pseudonyms(pl.Series([patient]))[0])  # noqa: T201 - to be piped
