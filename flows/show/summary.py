"""The summary of a night that a person reads in the terminal."""

from rich.console import Console
from rich.table import Table

from flows.outputs import Result


def show(result: Result, console: Console) -> None:
    """Print what a night read, scored and flagged, and where it is."""
    console.print(f"\nNight of {result.as_of}, run {result.run_id}", style="bold")
    if result.files:
        console.print(_rows(result))
    console.print(_models(result))
    console.print(_flags(result))
    compared = f"compared with {result.previous}" if result.previous else "the first night"
    console.print(
        f"{result.patients} patients; {result.newly_flagged} newly flagged ({compared}); "
        f"{result.to_review} on the worklist{_cut(result)}."
    )
    if result.compared_with:
        console.print(_compared(result))
    if result.accepted:
        console.print(
            f"accepted on {result.accepted['at']}: {result.accepted['why']}", markup=False
        )
    for warning in result.warnings:
        console.print(f"warning: {warning}", style="yellow", markup=False)
    for signal in result.signals:
        console.print(f"does it hold here? {signal}", style="yellow", markup=False)
    console.print(f"Published in {result.folder}", soft_wrap=True)


def _compared(result: Result) -> str:
    verdicts = [one["verdict"] for one in result.comparisons]
    return (
        f"{len(verdicts)} comparisons with {len(result.compared_with)} nights: "
        f"{verdicts.count('warned')} warn, {verdicts.count('refused')} refused and accepted."
    )


def _cut(result: Result) -> str:
    cut = result.cut_from_worklist
    return f"; {cut} more wait, cut off by worklist_cap" if cut else ""


def _rows(result: Result) -> Table:
    table = Table("table", title="Rows", title_justify="left")
    columns = ("read", "loaded", "quarantined", "duplicate", "new to the warehouse")
    for column in columns:
        table.add_column(column, justify="right")
    for name in dict.fromkeys(file.table for file in result.files):
        of_table = [file for file in result.files if file.table == name]
        sums = [
            sum(getattr(file, what) for file in of_table)
            for what in ("rows_read", "rows_loaded", "rows_quarantined", "duplicates")
        ]
        new = result.new_versions.get(name, 0)
        table.add_row(name, *(f"{count:,}" for count in (*sums, new)))
    return table


def _models(result: Result) -> Table:
    statuses = ("scored", "bounded", "insufficient", "ineligible")
    table = Table("model", title="Patients per model and status", title_justify="left")
    for status in statuses:
        table.add_column(status, justify="right")
    for name, counts in result.by_model.items():
        table.add_row(name, *(f"{counts.get(status, 0):,}" for status in statuses))
    return table


def _flags(result: Result) -> Table:
    risks = ("high", "low", "indeterminate", "not_applicable")
    table = Table("flag", title="Patients per flag", title_justify="left")
    for risk in risks:
        table.add_column(risk, justify="right")
    for name, counts in result.flags.items():
        table.add_row(name, *(f"{counts.get(risk, 0):,}" for risk in risks))
    return table
