"""The way of one record: its cells, its fate by each rule, the rows that it became."""

import json
import tempfile
from datetime import date
from pathlib import Path

import polars as pl
from rich.console import Console

from flows.errors import UsageError
from flows.mapped.check import tried
from flows.mapped.opening import open_mapped
from flows.mapped.relations import load_relations, locked, selected
from flows.outputs import Outputs
from flows.settings import Settings
from transforms.mapping.cells import literal
from transforms.mapping.cells import name as quoted
from transforms.mapping.sources import BAD, FILE, RECORD, TEXT
from transforms.reading.mapping import Mapping


def show_record(
    record: str,
    mapping: Mapping,
    export: Path,
    settings: Settings,
    as_of: date | None,
    console: Console,
) -> None:
    """Print the way of a record, named FILE:RECORD. Raises UsageError when there is none."""
    file, _, number = record.rpartition(":")
    if not file or not number.isdecimal():
        raise UsageError(f"{record!r}: want FILE:RECORD, as radiation.txt:8")
    for source, cells in cells_of_record(mapping, export, settings, file, int(number)):
        console.print(f"{record}, source {source}", style="bold", markup=False)
        for name, cell in cells.items():
            console.print(f"  {name}: {cell}", markup=False, soft_wrap=True)
    with tried(mapping, export, settings, as_of) as (_, outputs):
        _show_way(outputs, file, int(number), console)


def cells_of_record(
    mapping: Mapping, export: Path, settings: Settings, file: str, number: int
) -> list[tuple[str, dict[str, str]]]:
    """Return the sources that have a record, with its filled cells. Raises UsageError."""
    opened = open_mapped(export, mapping)
    named = {
        name: tuple(one for one in files if one.name == file)
        for name, files in opened.sources.items()
    }
    sources = {name: mapping.sources[name] for name, files in named.items() if files}
    if not sources:
        raise UsageError(f"{file}: no source has it; see [sources] in the mapping")
    found: list[tuple[str, dict[str, str]]] = []
    with tempfile.TemporaryDirectory(prefix="thyrisk-") as scratch:
        relations = load_relations(named, sources, Path(scratch), settings)
        with locked(relations, settings.duckdb_memory) as db:
            for name in sources:
                where = f"{FILE} = {literal(file)} AND {RECORD} = {number}"
                rows = selected(db, f"SELECT * FROM {quoted(name)} WHERE {where}", name).pl()
                found += [(name, _filled(row)) for row in rows.to_dicts()]
        bad = relations.bad.filter(pl.col(FILE) == file, pl.col(RECORD) == number)
        found += [(row["source"], {row[BAD]: row[TEXT]}) for row in bad.to_dicts()]
    if not found:
        raise UsageError(f"{file}: no record {number}")
    return found


def _filled(row: dict[str, str | None]) -> dict[str, str]:
    return {name: cell for name, cell in row.items() if cell is not None and name[0] != "_"}


def _show_way(outputs: Outputs, file: str, number: int, console: Console) -> None:
    """Print what became of a record by each rule, and of its rows."""
    of_record = outputs.ledger.filter(pl.col("file") == file, pl.col("record") == number)
    for row in of_record.to_dicts():
        rule = f"{row['table']}, rule {row['rule']}: " if row["table"] else ""
        why = f": {row['reason']}" if row["reason"] else ""
        into = f" -> {row['into_file']}:{row['into_record']}" if row["into_file"] else ""
        console.print(f"{rule}{row['fate']}{why}{into}", style="bold", markup=False)
        if row["rows"]:
            console.print(
                f"  {row['rows']} rows: {row['rows_loaded']} loaded, {row['rows_quarantined']} "
                f"quarantined, {row['rows_duplicate']} duplicate; {', '.join(row['row_keys'])}",
                markup=False,
            )
    aside = outputs.quarantine.filter(pl.col("file") == file, pl.col("line") == number)
    for row in aside.to_dicts():
        what = f"cell {row['cell']} set aside" if row["cell"] else "row quarantined"
        console.print(
            f"{row['table']} {row['row_key'] or ''}: {what}: {'; '.join(row['reasons'])}",
            markup=False,
        )
        console.print(f"  {_cells(row['original'])}", markup=False, soft_wrap=True)


def _cells(original: str | None) -> str:
    """Return the filled cells of a row as it was received."""
    try:
        cells = json.loads(original or "{}")
    except ValueError:
        return original or ""
    return json.dumps({k: v for k, v in cells.items() if v is not None}, ensure_ascii=False)
