"""What is wrong with a rule, as far as the mapping alone tells it."""

import re
from collections.abc import Iterator, Mapping

import polars as pl

from schemas.registry import TABLES
from transforms.mapping.rules import Cell, From, cells_of
from transforms.mapping.sources import Pattern, Source

_IMPURE = re.compile(
    r"(?i)\b(now|today|current_date|current_time|current_timestamp|localtime|localtimestamp"
    r"|get_current_time|get_current_timestamp|transaction_timestamp|random|setseed|uuid|uuidv4"
    r"|uuidv7|gen_random_uuid|nextval|getenv|using\s+sample|tablesample)\b"
)


def sql_of(rule: From) -> Iterator[tuple[str, str]]:
    """Yield the SQL of a rule that a person wrote, each with its key."""
    if rule.sql is not None:
        yield "sql", rule.sql
    for part, conditions in (("where", rule.where), ("leave_out", rule.leave_out)):
        yield from ((f"{part}.{name}", text) for name, text in conditions.items())
    for column, cell in rule.columns.items():
        inside = (one.sql for one in cells_of(cell))
        yield from ((f"columns.{column}.sql", text) for text in inside if text is not None)


def problem_of(
    rule: From, table: str, sources: Mapping[str, Source], patterns: Mapping[str, Pattern]
) -> str | None:
    """Return the first problem of a rule, with its key before a colon; None where there is none."""
    return next(_problems(rule, table, sources, patterns), None)


def is_renaming(rule: From, source: Source) -> bool:
    """Tell whether a rule does no more than rename, from a file that reads like an export's."""
    if rule.sql is not None:
        return False
    plain = Source(files=source.files, format=source.format, optional=source.optional)
    renames = all(
        cell.column is not None and cell == Cell(column=cell.column)
        for cell in rule.columns.values()
    )
    bare = From(source=rule.source, name=rule.name, columns=rule.columns)
    is_parquet = {file.endswith(".parquet") for file in source.files}
    as_named = is_parquet == {source.format == "parquet"}
    is_read_so = source.format in ("csv", "parquet") and as_named and source == plain
    return is_read_so and renames and rule == bare


def _problems(
    rule: From, table: str, sources: Mapping[str, Source], patterns: Mapping[str, Pattern]
) -> Iterator[str]:
    known = ", ".join(sources) or "none; declare it as [sources.NAME]"
    if rule.source not in sources:
        yield f"source: no source {rule.source!r}; known: {known}"
    for key, text in sql_of(rule):
        if found := _IMPURE.search(text):
            yield f"{key}: {found.group()!r} is another in every night; rows must not be"
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
