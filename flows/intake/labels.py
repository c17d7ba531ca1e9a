"""What to call files where their names, which may hold an identifier, must not be shown."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from flows.intake.names import table_of


def labels_of(files: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return file name -> label, from tables and names: `labs`, or `labs part 2` of several."""
    by_table: dict[str, set[str]] = {}
    for table, name in files:
        by_table.setdefault(table, set()).add(name)
    return {
        name: table if len(names) == 1 else f"{table} part {part}"
        for table, names in by_table.items()
        for part, name in enumerate(sorted(names), 1)
    }


def without_names(text: str, export: Path | None) -> str:
    """Return a message without the path of the export and the names of what lies in it."""
    if export is None:
        return text
    names = sorted((p.name for p in export.iterdir()), key=len) if export.is_dir() else []
    tables = labels_of((table, name) for name in names if (table := table_of(name)))
    instead: Mapping[str, str] = dict.fromkeys(names, "a file") | tables
    text = text.replace(str(export), "the export")
    for name in reversed(names):
        text = text.replace(repr(name), instead[name]).replace(name, instead[name])
    return text
