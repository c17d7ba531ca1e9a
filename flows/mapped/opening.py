"""The export of a hospital whose files are not shaped like tables: which file is which source."""

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from flows.errors import NightRefused
from flows.intake.export import (
    Export,
    SourceFile,
    numbered,
    open_export,
    refuse_unless_as_said,
    source_file,
)
from flows.intake.manifest import MANIFEST, read_manifest
from flows.intake.names import table_of
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping

OWN_FILE = "its own file"
"""The rule of a table that is read from a file named after it."""


def open_any(folder: Path, mapping: Mapping, require_manifest: bool = False) -> Export:
    """Open the export of a hospital, whatever its mapping says of sources. Raises NightRefused."""
    if mapping.sources:
        return open_mapped(folder, mapping, require_manifest)
    return open_export(folder, require_manifest, mapping.coverage.absent_tables)


def open_mapped(folder: Path, mapping: Mapping, require_manifest: bool = False) -> Export:
    """Find the files of each source, and those of tables without rules. Raises NightRefused.

    `files` has the tables that are read from a file as it is; the others come from `prepared`.
    """
    if not folder.is_dir():
        raise NightRefused(f"export: {folder} is not a folder; give the folder of tonight's export")
    paths = [path for path in sorted(folder.iterdir()) if path.name != MANIFEST]
    seen: dict[Path, SourceFile] = {}
    sources = {
        name: tuple(_of_source(name, mapping, paths, seen, folder)) for name in mapping.sources
    }
    _refuse_unnamed(mapping, seen)
    files = {
        name: numbered(list(_of_table(name, mapping, sources, paths, folder, seen)))
        for name in TABLES
    }
    _refuse_missing(folder, mapping, files)
    manifest = read_manifest(folder, required=require_manifest)
    refuse_unless_as_said(folder, {**files, **sources}, manifest, is_mapped=True)
    promised = {entry.file: entry.rows for entry in manifest.entries if entry.rows is not None}
    warnings = tuple(manifest.warnings())
    return Export(
        folder,
        files,
        tuple(path.name for path in paths if path not in seen),
        manifest.extracted_at,
        promised,
        manifest.extracted_on,
        warnings,
        warnings,
        sources,
    )


def _of_source(
    name: str, mapping: Mapping, paths: list[Path], seen: dict[Path, SourceFile], folder: Path
) -> Iterator[SourceFile]:
    """Yield the files of a source. Raises NightRefused when one that must be there is not."""
    source = mapping.sources[name]
    found = [p for p in paths if any(fnmatchcase(p.name, files) for files in source.files)]
    if not found and not source.optional:
        raise NightRefused(
            f"export {folder}: no file {' or '.join(source.files)} for the source {name}; if it "
            f"may be absent, say optional = true"
        )
    for path in found:
        if path not in seen:
            seen[path] = source_file(name, path, folder.resolve())
        yield replace(seen[path], table="", source=name)


def _refuse_unnamed(mapping: Mapping, seen: dict[Path, SourceFile]) -> None:
    """Raise NightRefused for a dictionary that is no source: the night would not know its bytes."""
    there = {path.name for path in seen}
    for name, source in mapping.sources.items():
        file = source.options.get("dictionary")
        if file is not None and file not in there:
            raise NightRefused(
                f"mapping: sources.{name}.options.dictionary: {file} is in no source; add "
                f'[sources.{name}_dictionary] with files = "{file}", so that its bytes are known'
            )


def _of_table(
    table: str,
    mapping: Mapping,
    sources: dict[str, tuple[SourceFile, ...]],
    paths: list[Path],
    folder: Path,
    seen: dict[Path, SourceFile],
) -> Iterator[SourceFile]:
    """Yield the files that are read as they are: by a rule that only renames, or without one."""
    rules = mapping.rules_of(table)
    if mapping.only_renames(table):
        rule = rules[0].source
        called = mapping.rule_names(table)[0]
        yield from (replace(file, table=table, rule=called) for file in sources[rule])
    elif not rules:
        taken = {file.path for files in sources.values() for file in files}
        for path in paths:
            if path not in taken and table_of(path.name) == table:
                seen[path] = source_file(table, path, folder.resolve())
                yield replace(seen[path], source=table, rule=OWN_FILE)


def _refuse_missing(
    folder: Path, mapping: Mapping, files: dict[str, tuple[SourceFile, ...]]
) -> None:
    """Raise NightRefused for a table that nothing says anything of."""
    for table, of_table in files.items():
        rules = mapping.rules_of(table)
        may_lack = mapping.coverage.absent_tables
        if TABLES[table].required and not of_table and not rules and table not in may_lack:
            raise NightRefused(
                f"export {folder}: nothing becomes {table}: no [[tables.{table}.from]] in the "
                f"mapping and no {table}.csv. If it is not collected: [coverage] {table} = "
                f'"not_collected"'
            )
