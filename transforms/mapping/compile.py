"""A rule compiled to SQL: one SELECT for the rows that it makes, one for what became of records.

Each source is a table of text named as in the mapping, with FILE and RECORD. The order of steps:
join, leave_out and where, latest, unpivot, columns. Everything here is text and touches nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.registry import TABLES
from transforms.mapping.cells import BadRule, Record, cell_sql, literal, name
from transforms.mapping.deciding import Known, decided
from transforms.mapping.rules import (
    NAME,
    RESERVED,
    ROW,
    VALUE,
    From,
    Unpivot,
    columns_of,
)
from transforms.mapping.sources import FILE, RECORD

EXTRA, UNREADABLE = "extra", "unreadable"
"""Of a row: the cells of its record that the rule reads, as JSON; why it cannot be a row."""
NOTHING_IN_IT = "unpivot: nothing in it"


@dataclass(frozen=True)
class Compiled:
    """One rule as SQL over the sources."""

    rows: str
    """One row per row of the table: the contract's columns, FILE, RECORD, EXTRA, UNREADABLE."""
    fates: str
    """One row per record of the source that is no row: FILE, RECORD, fate, reason, into_*."""
    joined: Mapping[str, tuple[str, str]]
    """Alias -> its source, and a SELECT of its records that were joined: FILE, RECORD, into_*."""


def compiled(rule: From, table: str, known: Known) -> Compiled:
    """Compile a rule. Raises BadRule, whose message begins with the key."""
    if rule.sql is not None:
        raise BadRule("sql: is a SELECT already; use of_select")
    record = _record(rule, known)
    steps = [f"decided AS (\n{decided(rule, record, known)}\n)"]
    steps.append(f"opened AS (\n{_opened(rule.unpivot, record)}\n)")
    within = f"WITH {', '.join(steps)}"
    return Compiled(
        rows=f"{within}\nSELECT\n    {_lines(_cells(rule, table, record))}\nFROM opened\n"
        f"ORDER BY {FILE}, {RECORD}, {ROW}",
        fates=_fates(within if rule.unpivot else f"WITH {steps[0]}", bool(rule.unpivot)),
        joined={
            alias: (join.source, _joined_records(steps[0], name(alias)))
            for alias, join in rule.join.items()
        },
    )


def _joined_records(step: str, alias: str) -> str:
    """Return the SELECT of the records that were joined, each with the first that it went into."""
    return (
        f"WITH {step}\nSELECT {alias}.{FILE} AS {FILE}, {alias}.{RECORD} AS {RECORD}, "
        f"min({FILE}) AS into_file, arg_min({RECORD}, ({FILE}, {RECORD})) AS into_record\n"
        f"FROM decided WHERE {alias} IS NOT NULL AND coalesce(_fate, 'rejected') = 'rejected'\n"
        f"GROUP BY {alias}.{FILE}, {alias}.{RECORD}"
    )


def _fates(within: str, may_be_empty: bool) -> str:
    """Return the SELECT of the records that are no rows."""
    told = (
        f"{within}\nSELECT {FILE}, {RECORD}, _fate AS fate, _why AS reason, "
        f"_into_file AS into_file, _into_record AS into_record\nFROM decided "
        f"WHERE _fate IS NOT NULL AND _fate <> 'rejected'"
    )
    if not may_be_empty:
        return told
    return (
        f"{told}\nUNION ALL SELECT d.{FILE}, d.{RECORD}, 'left_out', {literal(NOTHING_IN_IT)}, "
        f"NULL, NULL FROM decided AS d ANTI JOIN opened AS o "
        f"ON o.{FILE} = d.{FILE} AND o.{RECORD} = d.{RECORD} WHERE d._fate IS NULL"
    )


def of_select(rule: From, table: str, columns: Sequence[str], known: Known) -> Compiled:
    """Wrap the SELECT of a rule, which has these columns. Raises BadRule."""
    described = TABLES[table]
    lacking = {FILE, RECORD, *described.identifies} - set(columns)
    if lacking:
        raise BadRule(f"sql: the SELECT has no column {', '.join(sorted(lacking))}")
    if foreign := set(columns) - {*described.columns, *RESERVED}:
        raise BadRule(f"sql: {table} has no column {', '.join(sorted(foreign))}")
    within = f"WITH found AS (\n{rule.sql}\n)"
    source = name(rule.source)
    cells = [
        f"CAST(found.{name(c)} AS VARCHAR) AS {name(c)}"
        if c in columns
        else f"{_unsaid(table, c)} AS {name(c)}"
        for c in described.columns
    ]
    evidence = ", ".join(f"{name(c)} := s.{name(c)}" for c in known.columns[rule.source])
    extra = f"CAST(to_json(struct_pack({evidence})) AS VARCHAR) AS {EXTRA}"
    return Compiled(
        rows=f"{within}\nSELECT {', '.join(cells)}, found.{FILE} AS {FILE}, "
        f"CAST(found.{RECORD} AS UINTEGER) AS {RECORD}, {extra}, "
        f"CASE WHEN s.{RECORD} IS NULL THEN 'row: of no record' END AS {UNREADABLE}\n"
        f"FROM found LEFT JOIN {source} AS s ON s.{FILE} = found.{FILE} "
        f"AND s.{RECORD} = found.{RECORD}\nORDER BY ALL",
        fates=f"{within}\nSELECT s.{FILE}, s.{RECORD}, 'left_out' AS fate, "
        f"'sql: no row of it' AS reason, CAST(NULL AS VARCHAR) AS into_file, "
        f"CAST(NULL AS UINTEGER) AS into_record\nFROM {source} AS s ANTI JOIN found "
        f"ON s.{FILE} = found.{FILE} AND s.{RECORD} = found.{RECORD}",
        joined={},
    )


def _record(rule: From, known: Known) -> Record:
    """Return what the rule sees of a record. Raises BadRule."""
    own = set(known.columns[rule.source])
    for alias, join in rule.join.items():
        if alias in own or not alias.isidentifier():
            raise BadRule(f"join.{alias}: want a word that is no column of {rule.source}")
        if missing := set(join.on) - own:
            raise BadRule(f"join.{alias}.on: no column {missing.pop()!r} in {rule.source}")
        theirs = {*join.on.values(), *join.latest} - set(known.columns[join.source])
        if theirs:
            raise BadRule(f"join.{alias}: no column {theirs.pop()!r} in {join.source}")
    groups = set(rule.unpivot.groups) if rule.unpivot else set()
    if clash := groups & own:
        raise BadRule(f"unpivot.groups.{clash.pop()}: is a column of {rule.source} already")
    return Record(
        frozenset(own | groups),
        {alias: frozenset(known.columns[join.source]) for alias, join in rule.join.items()},
        known.sources[rule.source],
        known.patterns,
    )


# -- unpivot, columns ----------------------------------------------------------------------------


def _opened(unpivot: Unpivot | None, record: Record) -> str:
    """Return one row per row of the table: records, or what they are unpivoted to."""
    groups = list(unpivot.groups) if unpivot else []
    none = "".join(f", CAST(NULL AS VARCHAR) AS {name(one)}" for one in (NAME, VALUE, *groups))
    alone = f"SELECT *, CAST(1 AS UINTEGER) AS {ROW}{none} FROM decided"
    if unpivot is None:
        return f"{alone} WHERE _fate IS NULL OR _fate = 'rejected'"
    filled = "" if unpivot.keep_empty else f" WHERE {_filled(unpivot)}"
    return (
        f"SELECT * FROM (SELECT *, unnest({_items(unpivot, record)}, max_depth := 2) "
        f"FROM decided WHERE _fate IS NULL){filled}\n"
        f"UNION ALL BY NAME {alone} WHERE _fate = 'rejected'"
    )


def _filled(unpivot: Unpivot) -> str:
    return " OR ".join(f"{name(one)} IS NOT NULL" for one in (unpivot.groups or [VALUE]))


def _items(unpivot: Unpivot, record: Record) -> str:
    """Return a list of structs, one for each row of a record. Raises BadRule."""
    if unpivot.split is not None:
        column = record.column(unpivot.split)
        parts = f"string_split({column}, {literal(unpivot.separator)})"
        return (
            f"list_transform({parts}, lambda item, place: struct_pack({NAME} := "
            f"CAST(place AS VARCHAR), {VALUE} := nullif(trim(item), ''), "
            f"{ROW} := CAST(place AS UINTEGER)))"
        )
    items = []
    if unpivot.columns:
        for at, column in enumerate(unpivot.columns, 1):
            items.append(_struct(column, at, {VALUE: record.column(column)}))
    for at, number in enumerate(unpivot.n, 1):
        cells = {
            one: record.column(column.replace("{n}", number))
            for one, column in unpivot.groups.items()
        }
        items.append(_struct(number, at, cells))
    return f"[{', '.join(items)}]"


def _struct(what: str, at: int, cells: Mapping[str, str]) -> str:
    packed = "".join(f", {name(one)} := {sql}" for one, sql in cells.items())
    value = "" if VALUE in cells else f", {VALUE} := CAST(NULL AS VARCHAR)"
    return f"struct_pack({NAME} := {literal(what)}{packed}{value}, {ROW} := CAST({at} AS UINTEGER))"


def _cells(rule: From, table: str, record: Record) -> Iterator[str]:
    """Yield what is selected: the contract's columns, where from, and as what it was received."""
    for column in TABLES[table].columns:
        if column not in rule.columns:
            yield f"{_unsaid(table, column)} AS {name(column)}"
            continue
        try:
            yield f"{cell_sql(rule.columns[column], table, column, record)} AS {name(column)}"
        except BadRule as error:
            raise BadRule(f"columns.{column}: {error}") from None
    yield from (FILE, RECORD, ROW)
    evidence = ", ".join(
        f"{literal(column)}, {record.column(column)}" for column in _read(rule, record)
    )
    yield f"CAST(json_object({evidence}) AS VARCHAR) AS {EXTRA}"
    yield f"CASE WHEN _fate = 'rejected' THEN 'row: ' || _why END AS {UNREADABLE}"


def _unsaid(table: str, column: str) -> str:
    """Return what a column says of which a rule says nothing."""
    word = TABLES[table].absent.get(column)
    return literal(word) if word else "CAST(NULL AS VARCHAR)"


def _read(rule: From, record: Record) -> list[str]:
    """Return the columns that a rule reads: those that it names, and those in its SQL."""
    named = {one for cell in rule.columns.values() for one in columns_of(cell)}
    texts = [*rule.where.values(), *rule.leave_out.values()]
    texts += [cell.sql for cell in rule.columns.values() if cell.sql]
    if rule.unpivot and rule.unpivot.split:
        named.add(rule.unpivot.split)
    words = {word for text in texts for word in re.findall(r'"[^"]+"|\w+', text)}
    bare = {word.strip('"').casefold() for word in words}
    named |= {column for column in record.columns if column.casefold() in bare}
    return sorted(named - {FILE, RECORD, ROW})


def _lines(cells: Iterator[str]) -> str:
    return ",\n    ".join(cells)
