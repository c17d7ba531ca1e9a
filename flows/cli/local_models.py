"""The commands of `thyrisk` that make local models: update, develop."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from flows.cli.validation import listed, need_scipy, renamed
from flows.errors import UsageError

if TYPE_CHECKING:
    from flows.local.updating import AskedUpdate, Update

local_models_app = typer.Typer()
out_console = Console()
_LESS = {
    "none": "nothing",
    "intercept": "only the intercept or baseline",
    "slope": "only that and the slope",
}


class Clock(StrEnum):
    """From when patients are watched, and what may be known of them."""

    landmark = "landmark"
    paper = "paper"


Out = Annotated[
    Path | None, typer.Option(help="Folder of the published nights.", show_default=False)
]
WarehouseFile = Annotated[
    Path | None, typer.Option(help="DuckDB file. Default: OUT/warehouse.duckdb.")
]
Watched = Annotated[
    Clock,
    typer.Option(help="From the second assessed course (RR-DTC: the first 131I), or as the paper."),
]


@local_models_app.command()
def update(
    model: Annotated[
        str | None,
        typer.Argument(help="Published model, on the nights of --out.", show_default=False),
    ] = None,
    out: Out = None,
    warehouse: WarehouseFile = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the local model. Default: MODEL_local.")
    ] = None,
    clock: Watched = Clock.landmark,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Or any table, parquet or CSV: time, event and risk, or y and p; and the "
            "predictors (numbers).",
            show_default=False,
        ),
    ] = None,
    predictors: Annotated[
        str, typer.Option(help="Columns of the predictors, as age,nodule.", show_default=False)
    ] = "",
    to: Annotated[
        Path, typer.Option(help="Folder to write NAME.toml (of a table, none) and update.json to.")
    ] = Path(),
    horizon: Annotated[
        float | None,
        typer.Option(help="By when the risk is, in the unit of time; RR-DTC on nights: 5 years."),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="ours=theirs, for a column of another name.")
    ] = None,
    minimum_events: Annotated[
        int, typer.Option(min=1, help="With fewer events nothing is updated.")
    ] = 100,
    settings: Annotated[
        Path | None, typer.Option(help="Settings (TOML): smallest_cell and umask are used.")
    ] = None,
) -> None:
    """Update a model on local data by closed testing: no more than the data ask for.

    What comes of a published model is a local model file, to be put into the folder that the
    setting local_models names: scored in every night, beside the original and never instead of it.

    Example: thyrisk update jin2025_pfs --out /data/thyrisk --to local
    Example: thyrisk update --predictions scored.csv --predictors age,nodule --horizon 5
    """
    need_scipy()
    from flows.local.updating import HORIZON, AskedUpdate
    from flows.local.writing import as_json, write_files
    from flows.settings import load_settings

    if (model is None) == (predictions is None) or (model is None) != (out is None):
        raise UsageError("give a MODEL and --out, or --predictions and --predictors")
    chosen = load_settings(settings)
    if predictions is not None:
        made = _of_table(predictions, column or [], predictors, horizon, minimum_events)
        _say(made)
        paths = write_files({"update.json": as_json(made)}, to, chosen.umask)
    else:
        asked = AskedUpdate(
            name=name or f"{model}_local",
            clock=clock.value,
            horizon=horizon or HORIZON,
            minimum_events=minimum_events,
            smallest_cell=chosen.smallest_cell,
        )
        done = _on_nights(str(model), Path(str(out)), warehouse, settings, asked)
        _say(done.content | {"events": done.content["origin"]["events"]})
        if done.toml is None:
            out_console.print(f"{model} is left as it is: no model file is written")
        files = {"update.json": as_json(done.content)}
        files |= {} if done.toml is None else {f"{done.name}.toml": done.toml}
        paths = write_files(files, to, chosen.umask)
    for path in paths:
        out_console.print(str(path), soft_wrap=True)


def _say(made: dict[str, Any]) -> None:
    out_console.print(f"changed: {made['change']} ({made['events']} events)")
    for test in made["tests"]:
        out_console.print(f"  change {_LESS[test['keeps']]}, or refit: p = {test['p_value']:.3g}")
    for warning in made.get("origin", {}).get("warnings", ()):
        out_console.print(f"  {warning}", style="yellow", markup=False)


def _of_table(
    predictions: Path, column: list[str], predictors: str, horizon: float | None, minimum: int
) -> dict[str, Any]:
    from flows import updating as flow
    from flows.predictions import read_predictions

    if not predictors:
        raise UsageError("--predictors: name the columns of the predictors, as age,nodule")
    frame = read_predictions(predictions, renamed(column))
    return flow.update(frame, listed(predictors), horizon, minimum)


def _on_nights(
    name: str, out: Path, warehouse: Path | None, settings: Path | None, asked: "AskedUpdate"
) -> "Update":
    from flows.job import job_of
    from flows.landmarks import model_of
    from flows.local.updating import update_on_nights
    from flows.replayed import last_night

    job = job_of(None, out, None, warehouse, None, settings)
    with last_night(job) as registry:
        return update_on_nights(model_of(name), registry, out, asked)


@local_models_app.command()
def develop(
    name: Annotated[str, typer.Argument(help="Name of the local model.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Folder of the published nights.", show_default=False)],
    outcome: Annotated[str, typer.Option(help="os, pfs or rrdtc.", show_default=False)],
    predictors: Annotated[
        str,
        typer.Option(
            help="Candidates, as published models name them: age_55,stg_500.", show_default=False
        ),
    ],
    like: Annotated[
        str | None,
        typer.Option(
            help="Published model whose patients are asked about. Default: the outcome's."
        ),
    ] = None,
    warehouse: WarehouseFile = None,
    clock: Watched = Clock.landmark,
    horizon: Annotated[float, typer.Option(help="RR-DTC: by when, in years.")] = 5.0,
    minimum_events: Annotated[
        int, typer.Option(min=1, help="With fewer events nothing is developed.")
    ] = 100,
    repeats: Annotated[
        int, typer.Option(min=1, help="Samples of the bootstrap; each repeats the development.")
    ] = 200,
    to: Annotated[
        Path, typer.Option(help="Folder to write NAME.toml, NAME.html and NAME.json to.")
    ] = Path(),
    settings: Annotated[
        Path | None, typer.Option(help="Settings (TOML): smallest_cell and umask are used.")
    ] = None,
) -> None:
    """Develop a model as the papers did, on the registry's own outcomes; with its report.

    Univariable then stepwise regression, ridge beside it, proportional hazards, nomogram, cut-off,
    and what the bootstrap takes from it. The model file runs beside the published ones.

    Example: thyrisk develop pfs_here --outcome pfs --predictors age_55,uptake_category
    --out /data/thyrisk --to local
    """
    need_scipy()
    from flows.job import job_of
    from flows.local.developing import AskedDevelopment
    from flows.local.developing import develop as flow
    from flows.local.page import page
    from flows.local.writing import as_json, write_files
    from flows.replayed import last_night
    from flows.settings import load_settings
    from flows.show.nomogram_chart import as_svg, draw
    from models.nomogram import nomogram

    chosen = load_settings(settings)
    asked = AskedDevelopment(
        name=name,
        outcome=outcome,
        predictors=listed(predictors),
        like=like,
        clock=clock.value,
        horizon=horizon,
        minimum_events=minimum_events,
        repeats=repeats,
        smallest_cell=chosen.smallest_cell,
    )
    with last_night(job_of(None, out, None, warehouse, None, settings)) as registry:
        made = flow(registry, out, asked)
    drawn = as_svg(draw(nomogram(made.model), "local model"))
    files = {
        f"{name}.toml": made.toml,
        f"{name}.json": as_json(made.content),
        f"{name}.html": page(made.model, made.content, drawn),
    }
    for finding in made.model.performance:
        out_console.print(f"{finding.what}: {finding.says}", markup=False)
    for warning in made.content["origin"]["warnings"]:
        out_console.print(f"  {warning}", style="yellow", markup=False)
    for path in write_files(files, to, chosen.umask):
        out_console.print(str(path), soft_wrap=True)
