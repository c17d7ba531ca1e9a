"""The rules of a mapping as SQL, for a person to read."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from flows.errors import UsageError
from flows.mapped.opening import open_mapped
from flows.mapped.prepare import compile_rule, needed_sources
from flows.mapped.relations import load_relations, locked
from flows.settings import Settings
from schemas.registry import TABLES
from transforms.mapping.cells import BadRule
from transforms.mapping.compile import compiled
from transforms.mapping.deciding import Known
from transforms.mapping.rules import From, columns_of
from transforms.reading.mapping import Mapping, assumptions


def explained(mapping: Mapping, export: Path | None, table: str | None) -> Iterator[str]:
    """Yield the lines. Raises UsageError for a rule that does not fit its source."""
    if table is not None and table not in TABLES:
        raise UsageError(f"--table {table}: no such table; known: {', '.join(TABLES)}")
    if not mapping.sources:
        yield "This mapping has no sources: each table is read from the file named after it."
        return
    shown = [name for name in TABLES if table in (None, name) and mapping.rules_of(name)]
    if export is None:
        columns = {name: sorted(_named(mapping, name)) for name in mapping.sources}
        known = Known(mapping.sources, columns, mapping.patterns)
        yield from _lines(mapping, shown, known)
    else:
        yield from _against(mapping, export, shown)
    for one in assumptions(mapping):
        if one["table"] in shown:
            yield (
                f"-- {one['rule']}: {one['table']}.{one['column']} takes for granted: "
                f"{one['assumption']}"
            )


def _against(mapping: Mapping, export: Path, shown: list[str]) -> Iterator[str]:
    """Yield the SQL with the columns that the files have, and check that it runs."""
    settings = Settings()
    opened = open_mapped(export, mapping)
    sources = {name: mapping.sources[name] for name in needed_sources(mapping)}
    with tempfile.TemporaryDirectory() as scratch:
        relations = load_relations(dict(opened.sources), sources, Path(scratch), settings)
        known = Known(mapping.sources, relations.columns, mapping.patterns)
        with locked(relations, settings.duckdb_memory) as db:
            for table in shown:
                if mapping.only_renames(table):
                    yield from _renames(mapping, table)
                    continue
                for at, rule in enumerate(mapping.rules_of(table)):
                    made = compile_rule(db, rule, table, known, f"tables.{table}.from.{at}")
                    yield f"\n-- {table}: {mapping.rule_names(table)[at]}\n{made.rows};"


def _lines(mapping: Mapping, shown: list[str], known: Known) -> Iterator[str]:
    for table in shown:
        if mapping.only_renames(table):
            yield from _renames(mapping, table)
            continue
        for name, rule in zip(mapping.rule_names(table), mapping.rules_of(table), strict=True):
            yield f"\n-- {table}: {name}"
            try:
                yield f"{rule.sql or compiled(rule, table, known).rows};"
            except BadRule as error:
                raise UsageError(f"mapping: {table}, rule {name}: {error}") from None


def _renames(mapping: Mapping, table: str) -> Iterator[str]:
    yield f"\n-- {table}: {mapping.rule_names(table)[0]} only renames: its file is read as it is"


def _named(mapping: Mapping, source: str) -> set[str]:
    """Return the columns of a source that the mapping names: without files, all that is known."""
    found: set[str] = set()
    for table in mapping.tables:
        for rule in mapping.rules_of(table):
            found |= _named_by(rule, source)
    return found


def _named_by(rule: From, source: str) -> set[str]:
    named = {one for cell in rule.columns.values() for one in columns_of(cell)}
    found: set[str] = set()
    for alias, join in rule.join.items():
        if join.source == source:
            found |= {*join.on.values(), *join.latest}
            found |= {n.partition(".")[2] for n in named if n.startswith(f"{alias}.")}
    if rule.source == source:
        aliases = tuple(f"{alias}." for alias in rule.join)
        found |= {n for n in named if not (aliases and n.startswith(aliases))}
        found |= {ours for join in rule.join.values() for ours in join.on}
        if rule.latest:
            found |= {*rule.latest.per, *rule.latest.by}
        if rule.unpivot:
            found -= set(rule.unpivot.groups)
            found |= {*rule.unpivot.columns}
            found |= {rule.unpivot.split} - {None}  # type: ignore[arg-type]
            found |= {
                column.replace("{n}", n)
                for column in rule.unpivot.groups.values()
                for n in rule.unpivot.n
            }
    return {name for name in found if not name.startswith("_")}
