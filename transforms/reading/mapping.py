"""A hospital's dialect: how its columns and codes become those of the contract.

A mapping is declared in one TOML file; a new hospital needs nothing else.

    decimal_comma = true

    [tables.labs]
    columns = { value = "ERGEBNIS", unit = "EINHEIT" }   # ours = theirs
    units = { largest_lung_nodule_unit = "mm" }          # a unit the export leaves unsaid
    [tables.labs.codes.stimulated]
    J = "yes"                                            # theirs = ours
    "" = "unknown"                                       # an empty cell, declared

    [coverage]
    labs = "not_collected"                               # so that no lab does not mean none

Where the files are not shaped like the tables, `[sources.X]` says which they are and
`[[tables.T.from]]` how their records become rows (transforms.mapping).
"""

from collections.abc import Iterator
from typing import Any

import polars as pl
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from schemas.registry import TABLES
from transforms.mapping.checks import is_renaming, problem_of
from transforms.mapping.rules import From, cells_of
from transforms.mapping.sources import Pattern, Source, Strict
from transforms.reading.coverage import Coverage

_NO_COLUMN = "\x00"
"""What begins the name of a column that no file has."""


class _Declared(Strict):
    """What is not said is not written down: a mapping is the same before and after a new key."""

    @model_serializer(mode="wrap")
    def _without_what_is_unsaid(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        named = {name.removesuffix("_"): said for name, said in written.items()}
        later = ("sources", "patterns", "from")
        return {name: said for name, said in named.items() if said or name not in later}


class TableMapping(_Declared):
    """How one table of a hospital reads."""

    from_: list[From] = Field(default=[], alias="from")
    """Where its rows come from, where no file is shaped like it: a rule for each source."""
    columns: dict[str, str] = Field({})
    """Column of the contract -> column of the export, where its name differs."""
    units: dict[str, str] = Field({})
    """Unit column of the contract -> the unit that every row has, declared by the hospital."""
    codes: dict[str, dict[str, str]] = Field({})
    """Column of the contract -> code of the export -> code of the contract; "" is an empty cell."""


class Mapping(_Declared):
    """How a hospital's export reads. The empty mapping is the contract's own dialect."""

    sources: dict[str, Source] = Field({})
    """Name -> files of the hospital that are not shaped like tables, and how they read."""
    patterns: dict[str, Pattern] = Field({})
    """Name -> how a cell of free text is taken apart."""
    decimal_comma: bool = False
    """Whether numbers are written with a comma, as in 5,55."""
    tables: dict[str, TableMapping] = Field({})
    """Table of the contract -> how it reads, where it differs from the contract."""
    coverage: Coverage = Coverage()
    """Table, `table.column` or `table.column.code` -> whether the registry collects it."""

    @model_validator(mode="after")
    def _names_exist(self) -> "Mapping":
        for name, mapped in self.tables.items():
            if name not in TABLES:
                raise ValueError(f"tables.{name}: no such table; known: {', '.join(TABLES)}")
            known = TABLES[name].columns
            for part in ("columns", "units", "codes"):
                for column in getattr(mapped, part):
                    if column not in known:
                        raise ValueError(f"tables.{name}.{part}.{column}: no such column")
            if mapped.from_ and mapped.columns:
                raise ValueError(
                    f"tables.{name}.columns: its columns are in [[tables.{name}.from]]"
                )
            for at, rule in enumerate(mapped.from_):
                if problem := problem_of(rule, name, self.sources, self.patterns):
                    raise ValueError(f"tables.{name}.from.{at}.{problem}")
            if lacking := self._unsaid(name):
                raise ValueError(
                    f"tables.{name}.from: no rule says {', '.join(lacking)}. If it is not "
                    f'collected: [coverage] "{name}.{lacking[0]}" = "not_collected"'
                )
        return self

    def _unsaid(self, table: str) -> list[str]:
        """Return the columns that are needed of a table with rules, and that no rule speaks of."""
        mapped, described = self.tables[table], TABLES[table]
        if not mapped.from_ or any(rule.sql for rule in mapped.from_):
            return []
        said = {column for rule in mapped.from_ for column in rule.columns}
        said |= {*mapped.units, *described.absent, *self.coverage.absent_columns(table)}
        return [name for name in described.needed if name not in said]

    def of(self, table: str) -> TableMapping:
        """Return the mapping of one table; of one whose rule only renames, with its names."""
        mapped = self.tables.get(table, TableMapping())
        if not self.only_renames(table):
            return mapped
        renamed = {ours: cell.column or "" for ours, cell in mapped.from_[0].columns.items()}
        others = {name: f"{_NO_COLUMN}{name}" for name in TABLES[table].columns}
        return mapped.model_copy(update={"columns": others | renamed, "from_": []})

    def rules_of(self, table: str) -> list[From]:
        """Return the rules that make the rows of a table; none where a file has them."""
        return self.tables.get(table, TableMapping()).from_

    def only_renames(self, table: str) -> bool:
        """Tell whether a table's rows are the lines of a file, under other names of columns.

        Such a file is read as if it were the table's own.
        """
        rules = self.rules_of(table)
        return len(rules) == 1 and is_renaming(rules[0], self.sources[rules[0].source])

    def rule_names(self, table: str) -> list[str]:
        """Return what the rules of a table are called, each once."""
        rules = self.rules_of(table)
        names = [rule.name or f"{table}.{at}" for at, rule in enumerate(rules, 1)]
        return [
            one if names.count(one) == 1 else f"{one} ({at})" for at, one in enumerate(names, 1)
        ]


def assumptions(mapping: Mapping) -> Iterator[dict[str, str]]:
    """Yield what the rules take for granted: table, rule, column, assumption."""
    for table in mapping.tables:
        for rule, called in zip(mapping.rules_of(table), mapping.rule_names(table), strict=True):
            for column, cell in rule.columns.items():
                for one in cells_of(cell):
                    if one.assumption:
                        yield {
                            "table": table,
                            "rule": called,
                            "column": column,
                            "assumption": one.assumption,
                        }


def received_names(mapping: Mapping, table: str) -> dict[str, str]:
    """Return, for each column of the contract, the name that it has in the export.

    Columns whose unit is declared once for all rows need not be there.
    """
    mapped = mapping.of(table)
    return {column: mapped.columns.get(column, column) for column in TABLES[table].columns}


def mapped_text(mapping: Mapping, table: str, column: str) -> pl.Expr:
    """Return a cell's text in the contract's dialect: trimmed, decoded, null when empty."""
    mapped = mapping.of(table)
    text = pl.col(column).str.strip_chars()
    if column in mapped.codes:
        decoded = dict(mapped.codes[column])
        empty = decoded.pop("", None)
        if decoded:
            text = text.replace(decoded)
        if empty is not None:
            text = pl.when(text.is_null() | (text == "")).then(pl.lit(empty)).otherwise(text)
    if column in mapped.units:
        text = pl.coalesce(text.replace("", None), pl.lit(mapped.units[column]))
    return text.replace("", None).alias(column)
