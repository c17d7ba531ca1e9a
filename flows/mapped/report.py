"""What `thyrisk map check` shows."""

import polars as pl
from rich.console import Console
from rich.table import Table

from flows.mapped.check import Checked

_MOST_VALUES = 40
_FATES = ("records", "emitted", "merged", "rejected", "left_out")


def show(found: Checked, console: Console) -> None:
    """Print what a mapping makes of an export."""
    if found.sources:
        console.print(_table("Records by what became of them", found.sources, ("source", "file")))
    if found.rules.height:
        told = found.rules.with_columns(pl.col("table", "rule", "reason").fill_null(""))
        console.print(_frame("By rule", told))
    console.print(_frame("Rows", found.tables))
    _show_values(found, console)
    for one in found.assumptions:
        place = f"{one['table']}.{one['column']} ({one['rule']})"
        console.print(f"taken for granted: {place}: {one['assumption']}", markup=False)
    for name, said in found.coverage.items():
        console.print(f"coverage: {name}: {said}", markup=False)
    console.print(f"\n{found.patients} patients", style="bold")
    console.print(_frame("Patients by model and status", found.models))
    _show_predictors(found, console)
    for warning in found.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)


def _show_values(found: Checked, console: Console) -> None:
    values = found.uncovered.with_columns(pl.col("value").fill_null("(empty)"))
    if values.is_empty():
        console.print("No cell was set aside.")
        return
    console.print(_frame("Cells set aside, by what was received", values.head(_MOST_VALUES)))
    if values.height > _MOST_VALUES:
        rest = values[_MOST_VALUES:]
        console.print(f"and {rest.height} other values in {rest['cells'].sum()} cells")


def _show_predictors(found: Checked, console: Console) -> None:
    shown = found.predictors.select("model", "label", "known", "unknown", "would_complete")
    console.print(_frame("Predictors of the patients whom a model is for", shown))
    best = found.predictors.filter(pl.col("would_complete") > 0).head(1).to_dicts()
    most = found.predictors.filter(pl.col("unknown") > 0).head(1).to_dicts()
    if best:
        console.print(
            f"Most would be unlocked by: {best[0]['label']} ({best[0]['model']}): it is all that "
            f"lacks for {best[0]['would_complete']} patients.",
            markup=False,
        )
    elif most:
        console.print(
            f"No single addition completes a score; most often unknown is {most[0]['label']} "
            f"({most[0]['model']}, {most[0]['unknown']} patients).",
            markup=False,
        )


def _table(title: str, rows: list[dict[str, object]], names: tuple[str, ...]) -> Table:
    return _frame(title, pl.DataFrame(rows).select(*names, *_FATES))


def _frame(title: str, frame: pl.DataFrame) -> Table:
    table = Table(title=title, title_justify="left")
    for name, dtype in frame.schema.items():
        is_number = dtype.is_numeric()
        table.add_column(
            name.replace("_", " "), justify="right" if is_number else "left", overflow="fold"
        )
    for row in frame.iter_rows():
        table.add_row(*(_shown(cell) for cell in row))
    return table


def _shown(cell: object) -> str:
    text = "" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell)
    return text.replace("[", "\\[")
