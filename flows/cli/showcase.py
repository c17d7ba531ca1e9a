"""The commands of `thyrisk` that make registries which do not exist: synth, demo."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from flows.cli.operator import Out

showcase = typer.Typer()
out_console = Console()
err_console = Console(stderr=True)
Seed = Annotated[int, typer.Option(help="The same seed gives the same files.")]


@showcase.command()
def synth(
    patients: Annotated[int, typer.Option(min=1, help="Number of patients.")],
    out: Annotated[Path, typer.Option(help="Folder to write the export to.")],
    seed: Seed = 1,
    dirt: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of each table's rows to soil.")
    ] = 0.0,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Labs gzipped and imaging as parquet, the rest CSV.")
    ] = False,
    stress: Annotated[
        bool,
        typer.Option("--stress", help="Extremes in every variable, to try the product."),
    ] = False,
) -> None:
    """Make a synthetic export as registries are, with the planted truth in OUT/truth.

    About 20 events a patient; one in four has metastases, one in twenty RR-DTC. With --stress
    about 12 events, and seven in ten have metastases.
    """
    from flows.synth import synthesise
    from flows.synth.files import write_export

    with err_console.status(f"making {patients} patients"):
        registry = synthesise(patients, seed, dirt, stress=stress)
        rows = write_export(registry, out, mixed=mixed)
    out_console.print(f"{rows} rows of {patients} synthetic patients in {out}")


@showcase.command()
def demo(
    out: Out,
    patients: Annotated[
        int | None, typer.Option(min=100, help="Number of patients. Default: 2000.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another registry than the default.")] = None,
) -> None:
    """Run twenty nights of a synthetic registry, with reviews between them, and eight stories.

    Twelve nights a week apart, then eight daily ones up to 2026-06-30; one late, one refused
    because its export broke off. What is there already is not run again.
    """
    from flows.synth.history import PATIENTS, SEED, Told, run_history
    from flows.synth.stories import STORIES

    def tell(told: Told) -> None:
        out_console.print(f"{told.day}  {told.words}", highlight=False)

    folder = run_history(out, patients or PATIENTS, SEED if seed is None else seed, tell)
    places = Table("patient to look for", "list", "story", box=None, padding=(0, 2, 0, 0))
    for story in STORIES:
        places.add_row(story.patient_id, story.place, story.title)
    out_console.print(places)
    out_console.print(f"\nlook at {folder / 'report.html'}", soft_wrap=True, highlight=False)
