"""The commands of `thyrisk` about the published models: list, show, export, draw."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flows.errors import UsageError

if TYPE_CHECKING:
    from models.local import LocalModels
    from models.parts import Model

drawing = typer.Typer()
out_console = Console()
models_app = typer.Typer(
    no_args_is_help=False,
    invoke_without_command=True,
    help="The models: their numbers, cards, and the same models for other systems.",
)
ModelName = Annotated[
    str,
    typer.Argument(
        help="Name of a model, as `thyrisk models` lists them, or a local model's file."
    ),
]
Chosen = Annotated[
    Path | None, typer.Option("--settings", help="Settings (TOML): its local_models count too.")
]


class Format(StrEnum):
    """What a model can be exported as."""

    json = "json"
    sql = "sql"
    r = "r"


@models_app.callback()
def models(context: typer.Context, settings: Chosen = None) -> None:
    """List the models, their numbers, and where each number comes from."""
    from flows.show.dictionary import show_models

    if context.invoked_subcommand is None:
        show_models(out_console, _local(settings))


def _local(settings: Path | None) -> "LocalModels":
    from flows.local.files import local_models
    from flows.settings import load_settings

    return local_models(load_settings(settings))


def found(name: str, settings: Path | None) -> tuple["Model", "LocalModels"]:
    """Return a model by its name or its file, and the local models. Raises NightError."""
    from flows.local.files import of_file
    from flows.show.dictionary import model_named

    local = _local(settings)
    if name.endswith(".toml"):
        ((name, own),) = of_file(Path(name)).items()
        local = {**local, name: own}
    return model_named(name, local), local


@models_app.command("show")
def show_model(name: ModelName, settings: Chosen = None) -> None:
    """Print the model card: use, population, equation, provenance, contradictions, example.

    A local model and the published one that it was made from stand beside each other.
    """
    from models.cards import card
    from models.local import beside

    model, local = found(name, settings)
    print(card(model, beside(model.name, local)), end="")  # noqa: T201 - markdown, to be piped


@models_app.command("export")
def export_model(
    name: ModelName,
    as_format: Annotated[
        Format, typer.Option("--format", help="json, DuckDB macros (sql), or an R function (r).")
    ] = Format.json,
    settings: Chosen = None,
) -> None:
    """Print the model for another system; it gives the same scores as thyrisk."""
    from models.interchange import to_json, to_r, to_sql

    written = {Format.json: to_json, Format.sql: to_sql, Format.r: to_r}[as_format]
    print(written(found(name, settings)[0]))  # noqa: T201 - a file, to be piped


@drawing.command()
def nomogram(
    name: ModelName,
    picture: Annotated[
        Path | None, typer.Option(help="Path without suffix. Default: NAME in this folder.")
    ] = None,
    patient: Annotated[
        str | None, typer.Option(help="Draw this patient on it; needs --out.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the published nights.")] = None,
    run_date: Annotated[
        str | None, typer.Option(help="Night of the patient, YYYY-MM-DD. Default: the latest.")
    ] = None,
    settings: Chosen = None,
) -> None:
    """Draw a model's nomogram as SVG and PNG, with a patient's values on it when asked.

    A diamond marks a known value, a bar the range of one that is missing.
    """
    from flows.show.explain import scores_of
    from flows.show.nomogram_chart import draw, save
    from models.nomogram import nomogram as lay_out

    model, _ = found(name, settings)
    if patient is not None and out is None:
        raise UsageError("--patient needs --out, the folder of the published nights")
    scores = scores_of(patient, model.name, out, run_date) if patient is not None and out else None
    stem = picture or Path(f"{model.name}-patient" if patient else model.name)
    subtitle = f"status: {scores['status']}" if scores else model.doi or "local model"
    for path in save(draw(lay_out(model, scores), subtitle), stem):
        out_console.print(str(path), soft_wrap=True)
