"""The commands `thyrisk review`: taking what reviewers decided."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.cli.operator import Out

if TYPE_CHECKING:
    from flows.reviews.importing import Desk, Imported

review_app = typer.Typer(no_args_is_help=True, help="Take the decisions of reviewers.")
out_console = Console()

_Warehouse = Annotated[
    Path | None, typer.Option(help="DuckDB file. Default: OUT/warehouse.duckdb.")
]
_Mapping = Annotated[
    Path | None, typer.Option(help="How the files name columns and codes of reviews (TOML).")
]
_Settings = Annotated[Path | None, typer.Option(help="Settings of the nights (TOML).")]
_SHOWN = 20


class DateOrder(StrEnum):
    """What comes first in local dates."""

    dmy = "dmy"
    mdy = "mdy"


_Dates = Annotated[
    DateOrder | None,
    typer.Option(help="Order of dates like 03/04/2026; 31.12.2026 and ISO dates need none."),
]


@review_app.command(name="import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV files.", show_default=False)],
    out: Out,
    warehouse: _Warehouse = None,
    mapping: _Mapping = None,
    dates: _Dates = None,
    settings: _Settings = None,
) -> None:
    """Take the decisions that the page downloads; the next night knows them.

    Says what was taken and refused, by file and line. A file imported twice changes nothing.
    Exit 3 when something was refused; what was taken stays.
    Example: thyrisk review import decisions-2026-06-30.csv --out /data/thyrisk
    """
    from flows.night import private
    from flows.reviews.importing import take
    from flows.settings import load_settings

    with private(load_settings(settings).umask):
        desk = _desk(out, warehouse, mapping, dates)
        found = take(desk, files)
    _show(found)
    if found.refused:
        raise typer.Exit(3)


def _desk(out: Path, warehouse: Path | None, mapping: Path | None, dates: str | None) -> "Desk":
    from flows.reviews.importing import Desk
    from flows.secrets import load_keys
    from flows.settings import load_mapping

    file = warehouse or out / "warehouse.duckdb"
    return Desk(out, file, load_keys(), load_mapping(mapping), dates)  # type: ignore[arg-type]


@review_app.command()
def serve(
    out: Out,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0: any that is free. A browser keeps by port.")
    ] = 8423,
    warehouse: _Warehouse = None,
    settings: _Settings = None,
) -> None:
    """Serve the newest report on this machine alone, and take what is decided on it.

    Prints the address, with a token that holds until the command ends. Ctrl-C ends it.
    Example: thyrisk review serve --out /data/thyrisk
    """
    from flows.night import private
    from flows.reviews.serving import serving
    from flows.settings import load_settings

    with (
        private(load_settings(settings).umask),
        serving(_desk(out, warehouse, None, None), port) as server,
    ):
        print(server.address, flush=True)  # noqa: T201 - to be opened
        server.serve_forever()


def _show(found: "Imported") -> None:
    words = f"{found.taken} taken, {found.known} known before, {found.refused} refused"
    out_console.print(words, highlight=False)
    for refusal in found.refusals[:_SHOWN]:
        at = "" if refusal.line is None else f" line {refusal.line}"
        what = "refused" if refusal.cell is None else "taken without this cell"
        line = f"{refusal.file}{at}: {what}: {refusal.why}"
        out_console.print(line, markup=False, highlight=False, soft_wrap=True)
    if len(found.refusals) > _SHOWN:
        out_console.print(f"and {len(found.refusals) - _SHOWN} more")
