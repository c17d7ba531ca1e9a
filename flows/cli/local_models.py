"""The commands of `thyrisk` that make local models: update, develop."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from flows.cli.validation import listed, need_scipy, renamed

local_models_app = typer.Typer()
out_console = Console()
_LESS = {
    "none": "nothing",
    "intercept": "only the intercept or baseline",
    "slope": "only that and the slope",
}


@local_models_app.command()
def update(
    predictions: Annotated[
        Path,
        typer.Option(
            help="Parquet or CSV: time, event and risk, or y and p; and the predictors (numbers).",
            show_default=False,
        ),
    ],
    predictors: Annotated[
        str, typer.Option(help="Columns of the predictors, as age,nodule.", show_default=False)
    ],
    to: Annotated[Path, typer.Option(help="Folder to write update.json to.")] = Path(),
    horizon: Annotated[
        float | None, typer.Option(help="By when the risk is, in the unit of time.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="ours=theirs, for a column of another name.")
    ] = None,
    minimum_events: Annotated[
        int, typer.Option(min=1, help="With fewer events nothing is updated.")
    ] = 100,
    settings: Annotated[Path | None, typer.Option(help="Settings (TOML): umask is used.")] = None,
) -> None:
    """Update a model on local data by closed testing: no more than the data ask for.

    Example: thyrisk update --predictions scored.csv --predictors age,nodule --horizon 5
    """
    need_scipy()
    from flows import updating as flow
    from flows.predictions import read_predictions
    from flows.settings import load_settings

    frame = read_predictions(predictions, renamed(column or []))
    made = flow.update(frame, listed(predictors), horizon, minimum_events)
    out_console.print(f"changed: {made['change']} ({made['events']} events)")
    for test in made["tests"]:
        out_console.print(f"  change {_LESS[test['keeps']]}, or refit: p = {test['p_value']:.3g}")
    path = flow.write_update(made, to, load_settings(settings).umask)
    out_console.print(str(path), soft_wrap=True)
