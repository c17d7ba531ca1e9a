"""The commands of `thyrisk` that ask whether predictions hold: validate."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from flows.errors import UsageError

validation_app = typer.Typer()
out_console = Console()


@validation_app.command()
def validate(
    predictions: Annotated[
        Path,
        typer.Option(
            help="Parquet or CSV: time, event (0 censored, 1 event, 2 competing event) and risk, "
            "linear_predictor or both; or y (0, 1) and p. Also: horizon, score, group, "
            "risk_lower and risk_upper.",
            show_default=False,
        ),
    ],
    to: Annotated[
        Path, typer.Option(help="Folder to write validation.parquet and validation.json to.")
    ] = Path(),
    horizon: Annotated[
        list[float] | None,
        typer.Option(help="By when the risk is, in the unit of time; else the column horizon."),
    ] = None,
    by: Annotated[
        str, typer.Option(help="Columns of subgroups, as centre,sex; with a summary over them.")
    ] = "",
    column: Annotated[
        list[str] | None, typer.Option(help="ours=theirs, for a column of another name.")
    ] = None,
    cutoff: Annotated[
        float | None, typer.Option(help="Cut-off on score, else on the prediction.")
    ] = None,
    above: Annotated[
        bool, typer.Option("--above", help="High is above the cut-off, not at it.")
    ] = False,
    minimum_events: Annotated[
        int, typer.Option(min=0, help="Below so many events no figure is given.")
    ] = 100,
    repeats: Annotated[
        int, typer.Option(min=0, help="Bootstrap samples behind the interval of ICI, E50, E90.")
    ] = 200,
    settings: Annotated[
        Path | None, typer.Option(help="Settings (TOML): smallest_cell and umask are used.")
    ] = None,
) -> None:
    """Say whether predictions hold: discrimination, calibration, accuracy, usefulness.

    Example: thyrisk validate --predictions scored.csv --horizon 5 --by centre --to validation
    """
    if find_spec("scipy") is None:
        raise UsageError("this needs scipy: pip install 'thyrisk[validation]'")
    from flows import validation as flow
    from flows.settings import load_settings
    from models.performance.evaluation import Options

    chosen = load_settings(settings)
    options = Options(
        minimum_events=minimum_events,
        cutoff=cutoff,
        side=">" if above else ">=",
        repeats=repeats,
    )
    asked = flow.Asked(
        by=tuple(name.strip() for name in by.split(",") if name.strip()),
        horizons=tuple(horizon or ()),
        options=options,
        smallest_cell=chosen.smallest_cell,
    )
    frame = flow.read_predictions(predictions, _renamed(column or []))
    made = flow.validate(frame, asked)
    written = flow.write(made, to, chosen.umask)
    out_console.print(_table(made.figures.filter(made.figures["by"].is_null())))
    for path in written:
        out_console.print(str(path), soft_wrap=True)


def _renamed(pairs: list[str]) -> dict[str, str]:
    """Return their column names with ours."""
    renamed = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise UsageError(f"--column {pair}: want ours=theirs")
        renamed[theirs] = ours
    return renamed


def _table(figures: object) -> Table:
    import polars as pl

    assert isinstance(figures, pl.DataFrame)  # noqa: S101
    table = Table("measure", "horizon", "figure", "95 % interval", "definition", box=None)
    for row in figures.iter_rows(named=True):
        estimate, lower, upper = row["estimate"], row["lower"], row["upper"]
        table.add_row(
            row["measure"],
            "" if row["horizon"] is None else f"{row['horizon']:g}",
            "" if estimate is None else f"{estimate:.4g}",
            "" if lower is None else f"{lower:.4g} to {upper:.4g}",
            row["note"] or row["definition"],
        )
    return table
