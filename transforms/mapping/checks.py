"""What is wrong with a rule, as far as the mapping alone tells it."""

from collections.abc import Iterator, Mapping

import polars as pl

from schemas.registry import TABLES
from transforms.mapping.rules import Cell, From
from transforms.mapping.sources import Pattern, Source


def problem_of(
    rule: From, table: str, sources: Mapping[str, Source], patterns: Mapping[str, Pattern]
) -> str | None:
    """Return the first problem of a rule, with its key before a colon; None where there is none."""
    return next(_problems(rule, table, sources, patterns), None)


def _problems(
    rule: From, table: str, sources: Mapping[str, Source], patterns: Mapping[str, Pattern]
) -> Iterator[str]:
    known = ", ".join(sources) or "none; declare it as [sources.NAME]"
    if rule.source not in sources:
        yield f"source: no source {rule.source!r}; known: {known}"
    for alias, join in rule.join.items():
        if join.source not in sources:
            yield f"join.{alias}.source: no source {join.source!r}; known: {known}"
    if rule.sql is None:
        for needed in sorted(TABLES[table].identifies - rule.columns.keys()):
            yield f"columns: none for {needed}, without which no row can be used"
    for column, cell in rule.columns.items():
        if column not in TABLES[table].columns:
            yield f"columns.{column}: no such column of {table}"
            continue
        yield from (f"columns.{column}.{said}" for said in _of_cell(cell, table, column, patterns))


def _of_cell(cell: Cell, table: str, column: str, patterns: Mapping[str, Pattern]) -> Iterator[str]:
    if cell.constant is not None and not cell.assumption and column != TABLES[table].says_what:
        yield "assumption: a constant wants one: what is taken for granted, in words"
    if cell.pattern is not None and cell.pattern not in patterns:
        yield f"pattern: no pattern {cell.pattern!r}; declare it as [patterns.{cell.pattern}]"
    elif cell.pattern is not None and cell.take not in patterns[cell.pattern].groups:
        takes = ", ".join(sorted(patterns[cell.pattern].groups)) or "nothing"
        yield f"take: the pattern {cell.pattern} takes {takes}, not {cell.take}"
    dtype = TABLES[table].schema.columns[column].dtype.type
    if isinstance(dtype, pl.Enum):
        codes = set(dtype.categories)
        for theirs, ours in cell.codes.items():
            if ours and ours not in codes:
                yield f"codes.{theirs}: no code {ours!r}; known: {', '.join(dtype.categories)}"
        if cell.constant is not None and cell.constant not in codes:
            yield f"constant: no code {cell.constant!r}; known: {', '.join(dtype.categories)}"
