"""The commands of `thyrisk` for whoever runs it: verify, status, backup, pseudonym."""

import json
from datetime import UTC, datetime
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
) -> None:
    """Check a published night against its run.json: every byte, every count. Exit 1 if not whole.

    Example: thyrisk verify /data/thyrisk/latest
    """
    from flows.published.verify import problems_of, remarks_on
    from flows.secrets import load_keys

    problems = problems_of(night, load_keys(), export)
    for remark in remarks_on(night):
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
