"""The commands of `thyrisk` for one patient at a time: score, calculator."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.cli.models import Chosen, found
from flows.errors import UsageError, told

calculating = typer.Typer()
out_console = Console()
Named = Annotated[
    str, typer.Option("--model", help="Name of a model, or a local model's file (.toml).")
]


@calculating.command("score")
def score_one(
    model: Named,
    given: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PREDICTOR=VALUE...", help="What is known; what is left out is unknown."
        ),
    ] = None,
    settings: Chosen = None,
) -> None:
    """Score one patient, as a night would; what is unknown widens the bounds.

    Example: thyrisk score --model liu2022_score fdg_uptake=positive age_48=no
    """
    from flows.show.calculator import one_patient, show

    chosen, _ = found(model, settings)
    values = {}
    for pair in given or []:
        name, equals, value = pair.partition("=")
        if not equals or not value:
            raise UsageError(f"{pair}: want PREDICTOR=VALUE; leave out what is unknown")
        values[name] = value
    show(chosen, one_patient(chosen, values), out_console)


@calculating.command()
def calculator(
    model: Named,
    to: Annotated[
        Path | None, typer.Option(help="File to write. Default: MODEL.html in this folder.")
    ] = None,
    settings: Chosen = None,
) -> None:
    """Write a page that computes a model for one patient in any browser, without a network.

    Example: thyrisk calculator --model jin2025_os
    """
    from flows.show.calculator import page

    chosen, _ = found(model, settings)
    path = to or Path(f"{chosen.name}.html")
    with told(path):
        path.write_text(page(chosen), "utf-8")
    out_console.print(str(path), soft_wrap=True)
