"""The commands `thyrisk map`: what a mapping says, and what it makes of an export."""

from datetime import date
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

map_app = typer.Typer(no_args_is_help=True, help="From a hospital's files to a mapping that fits.")
out_console = Console()

_Mapping = Annotated[
    Path, typer.Argument(help="The mapping: a TOML file, or a folder of them.", show_default=False)
]
_Export = Annotated[Path, typer.Option(help="Folder with the hospital's files.")]
_Settings = Annotated[Path | None, typer.Option(help="Windows and thresholds (TOML).")]
_AsOf = Annotated[
    str | None, typer.Option(help="Date of the night, YYYY-MM-DD. Default: today (UTC).")
]


@map_app.command()
def schema() -> None:
    """Print the JSON Schema of a mapping file, for editors and programs."""
    import json

    from transforms.mapping.schema import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # noqa: T201 - asked for


@map_app.command()
def explain(
    mapping: _Mapping,
    export: Annotated[
        Path | None,
        typer.Option(help="Folder with the files, so that columns are known and checked."),
    ] = None,
    table: Annotated[str | None, typer.Option(help="This table alone.")] = None,
) -> None:
    """Show the SQL that each rule is compiled to, and what it takes for granted.

    Example: thyrisk map explain hospital.toml --export /data/export --table labs
    """
    from flows.mapped.explain import explained
    from flows.settings import load_mapping

    for line in explained(load_mapping(mapping), export, table):
        out_console.print(line, markup=False, highlight=False, soft_wrap=True)


@map_app.command()
def check(
    mapping: _Mapping,
    export: _Export,
    as_of: _AsOf = None,
    settings: _Settings = None,
    html: Annotated[Path | None, typer.Option(help="Write what is shown to a page, too.")] = None,
) -> None:
    """Try a mapping: rows in and out, values not covered, coverage, models for how many patients.

    Nothing is published or kept. This prints cells of the export; nothing is written to a log.
    Example: thyrisk map check hospital.toml --export /data/export
    """
    from flows.mapped.check import checked
    from flows.mapped.report import show
    from flows.night import private
    from flows.settings import load_mapping, load_settings

    used = load_settings(settings)
    found = checked(load_mapping(mapping), export, used, _day(as_of))
    if html is not None:
        page = Console(record=True, width=140, file=StringIO())
        show(found, page)
        with private(used.umask):
            page.save_html(str(html))
    show(found, out_console)


@map_app.command()
def trace(
    record: Annotated[
        str, typer.Argument(help="FILE:RECORD, as radiation.txt:8.", show_default=False)
    ],
    mapping: Annotated[Path, typer.Option(help="The mapping (TOML).")],
    export: _Export,
    as_of: _AsOf = None,
    settings: _Settings = None,
) -> None:
    """Show the way of one record: its cells, its fate by each rule, its rows, what is set aside.

    This prints cells of the export; nothing is written to a log.
    Example: thyrisk map trace radiation.txt:8 --mapping hospital.toml --export /data/export
    """
    from flows.mapped.trace import show_record
    from flows.settings import load_mapping, load_settings

    used = load_settings(settings)
    show_record(record, load_mapping(mapping), export, used, _day(as_of), out_console)


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("want a date as YYYY-MM-DD") from error
