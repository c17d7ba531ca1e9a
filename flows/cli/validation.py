"""The command of `thyrisk` that asks whether predictions hold: validate."""

from dataclasses import replace
from importlib import metadata as importlib_metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from flows.errors import UsageError

if TYPE_CHECKING:
    from flows.subgroups import Asked
    from flows.validation import Validation

validation_app = typer.Typer()
out_console = Console()


@validation_app.command()
def validate(
    model: Annotated[
        str | None,
        typer.Argument(help="Published model, on the nights of --out.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the published nights.", show_default=False)
    ] = None,
    warehouse: Annotated[
        Path | None, typer.Option(help="DuckDB file. Default: OUT/warehouse.duckdb.")
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Or any table, parquet or CSV: time, event (0 censored, 1 event, 2 competing "
            "event) and risk, linear_predictor or both; or y (0, 1) and p. Also: horizon, score, "
            "group, risk_lower and risk_upper.",
            show_default=False,
        ),
    ] = None,
    landmark: Annotated[
        str | None,
        typer.Option(
            help="When the clock starts: second-course, first-131i, paper, or years after the "
            "first 131I. Default: the model's landmark, and the paper's way beside it.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write to. Default: OUT/validation/MODEL, or here.", show_default=False
        ),
    ] = None,
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
    events_per_year: Annotated[
        float | None, typer.Option(help="Pace of events, to say when there will be enough.")
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=0, help="Bootstrap samples behind the interval of ICI, E50, E90.")
    ] = 200,
    settings: Annotated[
        Path | None, typer.Option(help="Settings (TOML): smallest_cell and umask are used.")
    ] = None,
) -> None:
    """Say whether predictions hold: discrimination, calibration, accuracy, usefulness.

    Example: thyrisk validate --predictions scored.csv --horizon 5 --by centre --to validation
    Example: thyrisk validate jin2025_os --out /data/thyrisk --by centre,sex,age,period
    Example: thyrisk validate jin2025_os --out /data/thyrisk --landmark 2
    """
    need_scipy()
    from flows import validation as flow
    from flows.predictions import read_predictions
    from flows.settings import load_settings
    from flows.subgroups import Asked
    from models.performance.evaluation import Options

    if (model is None) == (predictions is None) or (model is None) != (out is None):
        raise UsageError("give a MODEL and --out, or --predictions")
    if landmark is not None and model is None:
        raise UsageError("--landmark is of a MODEL on the nights of --out")
    chosen = load_settings(settings)
    options = Options(
        minimum_events=minimum_events,
        events_per_year=events_per_year,
        cutoff=cutoff,
        side=">" if above else ">=",
        repeats=repeats,
    )
    asked = Asked(
        by=listed(by),
        horizons=tuple(horizon or ()),
        options=options,
        smallest_cell=chosen.smallest_cell,
    )
    if predictions is not None:
        frame = read_predictions(predictions, renamed(column or []))
        made = flow.validate(frame, asked)
    else:
        made = _of_nights(str(model), Path(str(out)), warehouse, settings, asked, landmark)
    folder = to or (Path() if out is None else out / "validation" / str(model))
    written = flow.write(made, folder, chosen.umask)
    out_console.print(_table(made.figures))
    for path in written:
        out_console.print(str(path), soft_wrap=True)


def need_scipy() -> None:
    """Raise UsageError where scipy is not installed."""
    if find_spec("scipy") is None:
        raise UsageError("this needs scipy, which a night does not: pip install scipy")


def listed(names: str) -> tuple[str, ...]:
    """Return the names of a list with commas."""
    return tuple(name.strip() for name in names.split(",") if name.strip())


def _of_nights(
    name: str,
    out: Path,
    warehouse: Path | None,
    settings: Path | None,
    asked: "Asked",
    landmark: str | None,
) -> "Validation":
    """Return the figures of a published model on the registry's own outcomes."""
    from flows.checklist import facts_of, inferred_of
    from flows.job import job_of
    from flows.landmarks import cutoff_of, model_of, ways
    from flows.replayed import last_night
    from flows.validation import REMARK, validate_ways

    model = model_of(name)
    cutoff = cutoff_of(model)
    if asked.options.cutoff is None and cutoff is not None:
        cut = replace(asked.options, cutoff=cutoff.points.value, side=cutoff.high)
        asked = replace(asked, options=cut)
    job = job_of(None, out, None, warehouse, None, settings)
    with last_night(job) as registry:
        found = list(ways(model, registry, out, job.keys, landmark))
        facts = facts_of(model, registry, found, asked, registry.extracted_on)
    inferred = inferred_of(model)
    made = validate_ways(found, asked, REMARK.format(inferred) if inferred else "")
    version = {"version": importlib_metadata.version("thyrisk")}
    return replace(made, about=made.about | {"facts": facts | version})


def renamed(pairs: list[str]) -> dict[str, str]:
    """Return their column names with ours, of ours=theirs. Raises UsageError."""
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
    table = Table(
        "landmark", "measure", "horizon", "figure", "95 % interval", "definition", box=None
    )
    shown = figures.filter(pl.col("by").is_null(), pl.col("patients") == "complete")
    for row in shown.iter_rows(named=True):
        estimate, lower, upper = row["estimate"], row["lower"], row["upper"]
        table.add_row(
            row["landmark"] or "",
            row["measure"],
            "" if row["horizon"] is None else f"{row['horizon']:g}",
            "" if estimate is None else f"{estimate:.4g}",
            "" if lower is None else f"{lower:.4g} to {upper:.4g}",
            row["note"] or row["definition"],
        )
    return table
