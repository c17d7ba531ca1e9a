"""From records to rows: each rule's SELECT, written as the files that a night then reads.

A file of rows has the records of one source's file as rows of one table by one rule: the
contract's columns as text, `line` (the record), `extra` (the cells that the rule read, as JSON)
and `unreadable` (why a record cannot be a row). Every record has a row, or a fate.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq

from flows.errors import NightRefused, UsageError
from flows.intake.export import Export, SourceFile
from flows.mapped.relations import Relations, load_relations, locked, selected
from flows.settings import Settings
from schemas.registry import TABLES
from transforms.mapping.cells import BadRule
from transforms.mapping.cells import name as quoted
from transforms.mapping.checks import sql_of
from transforms.mapping.compile import EXTRA, UNREADABLE, Compiled, compiled, of_select
from transforms.mapping.deciding import Known
from transforms.mapping.rules import From
from transforms.mapping.sources import BAD, FILE, RECORD, TEXT
from transforms.reading.mapping import Mapping

FATES = pl.Schema(
    {
        "source": pl.String(),
        "file": pl.String(),
        "record": pl.UInt32(),
        "table": pl.String(),
        "rule": pl.String(),
        "fate": pl.String(),
        "reason": pl.String(),
        "into_file": pl.String(),
        "into_record": pl.UInt32(),
    }
)
"""One row per record and rule by which it became no row."""


JOINED = "joined"
"""Why a record is merged that a rule of another source joined."""


@dataclass(frozen=True)
class Prepared:
    """What the rules of a mapping made."""

    files: dict[str, tuple[SourceFile, ...]] = field(default_factory=dict)
    """Table -> its files of rows; only of tables with rules that do more than rename."""
    fates: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FATES))
    records: pl.DataFrame = field(default_factory=pl.DataFrame)
    """One row per record of the sources that were read here: source, file, record."""
    leads: dict[tuple[str, str], str] = field(default_factory=dict)
    """Table and rule -> the source of which each record has a fate by it."""
    looked_up: frozenset[str] = frozenset()
    """Sources that rules look something up in: their records need not be used."""
    warnings: tuple[str, ...] = ()


def needed_sources(mapping: Mapping) -> list[str]:
    """Return the sources that have to be read as records: not those that are only renamed."""
    renamed = {
        mapping.rules_of(table)[0].source for table in mapping.tables if mapping.only_renames(table)
    }
    others = {
        name
        for table in mapping.tables
        if not mapping.only_renames(table)
        for rule in mapping.rules_of(table)
        for name in (rule.source, *(join.source for join in rule.join.values()))
    }
    return [name for name in mapping.sources if name in others or name not in renamed]


def prepared(export: Export, mapping: Mapping, scratch: Path, settings: Settings) -> Prepared:
    """Read the sources of an export and make the rows of its tables. Raises NightError."""
    names = needed_sources(mapping)
    if not names:
        return Prepared()
    folder = scratch / "mapped"
    folder.mkdir()
    sources = {name: mapping.sources[name] for name in names}
    relations = load_relations(dict(export.sources), sources, folder, settings)
    _refuse_if_not_as_promised(export, relations)
    known = Known(mapping.sources, relations.columns, mapping.patterns)
    files: dict[str, list[SourceFile]] = {}
    fates = [pl.DataFrame(schema=FATES)]
    leads: dict[tuple[str, str], str] = {}
    with locked(relations, settings.duckdb_memory) as db:
        for table, at, rule in rules_to_run(mapping):
            what, called = f"tables.{table}.from.{at}", mapping.rule_names(table)[at]
            made = compile_rule(db, rule, table, known, what)
            of_source = export.sources[rule.source]
            rows = _Rows(table, called, folder / f"{table}-{at}", of_source, relations)
            files.setdefault(table, []).extend(rows.written(db, made, what, settings.batch_rows))
            leads[table, called] = rule.source
            fates += _fates(db, made, rule.source, table, called, what)
        records = _records(db, relations)
    relations.path.unlink()
    return Prepared(
        {table: numbered_once(of_table) for table, of_table in files.items()},
        pl.concat(fates),
        records,
        leads,
        frozenset(_looked_up(mapping)),
        relations.warnings,
    )


def _looked_up(mapping: Mapping) -> Iterator[str]:
    """Yield the sources that rules join, or that their SQL names."""
    for _, _, rule in rules_to_run(mapping):
        yield from (join.source for join in rule.join.values())
        words = set(re.findall(r"\w+", " ".join(text for _, text in sql_of(rule))))
        yield from (name for name in mapping.sources if name in words)


def with_rows(export: Export, made: Prepared) -> Export:
    """Return an export with the rows that rules made of its records."""
    return replace(export, files={**export.files, **made.files})


def numbered_once(files: list[SourceFile]) -> tuple[SourceFile, ...]:
    """Number the files of a table; one that several rules read keeps its number."""
    parts = {name: part for part, name in enumerate(sorted({file.name for file in files}), 1)}
    if len(parts) == 1:
        return tuple(files)
    return tuple(replace(file, part=parts[file.name]) for file in files)


def rules_to_run(mapping: Mapping) -> Iterator[tuple[str, int, From]]:
    """Yield the table, number and rule of each that does more than rename."""
    for table in TABLES:
        if not mapping.only_renames(table):
            yield from ((table, at, rule) for at, rule in enumerate(mapping.rules_of(table)))


def compile_rule(
    db: duckdb.DuckDBPyConnection, rule: From, table: str, known: Known, what: str
) -> Compiled:
    """Return a rule as SQL over the sources. Raises UsageError with its key."""
    try:
        if rule.sql is None:
            return compiled(rule, table, known)
        return of_select(rule, table, selected(db, rule.sql, f"{what}.sql").columns, known)
    except BadRule as error:
        raise UsageError(f"mapping: {what}.{error}") from None


def _refuse_if_not_as_promised(export: Export, relations: Relations) -> None:
    """Raise NightRefused where the manifest promises another number of records."""
    for (_, file), count in relations.records.items():
        promised = export.promised_rows.get(file, count)
        if promised != count:
            raise NightRefused(
                f"{file}: {count} records read, its manifest says {promised}; export it again"
            )


class _Rows:
    """Writes what a rule makes of each file of its source."""

    def __init__(
        self,
        table: str,
        rule: str,
        place: Path,
        files: tuple[SourceFile, ...],
        relations: Relations,
    ) -> None:
        self.table, self.columns = table, TABLES[table].columns
        self._bad = relations.bad
        self._files = {
            file.name: replace(
                file,
                table=table,
                rule=rule,
                rows_at=place.with_name(f"{place.name}-{at}.parquet"),
            )
            for at, file in enumerate(files)
        }

    def written(
        self, db: duckdb.DuckDBPyConnection, made: Compiled, what: str, batch_rows: int
    ) -> list[SourceFile]:
        """Run the SELECT; return the files with their rows. Raises NightError."""
        writers: dict[str, pq.ParquetWriter] = {}
        try:
            for batch in frames(db, made.rows, what, batch_rows):
                if foreign := set(batch[FILE].unique()) - self._files.keys():
                    raise UsageError(f"{what}: {len(foreign)} files of no source in {FILE}")
                for (name,), rows in batch.partition_by(FILE, as_dict=True).items():
                    self._write(writers, str(name), self._as_rows(rows))
            for name, file in self._files.items():
                of_file = self._bad.filter(pl.col("source") == file.source, pl.col(FILE) == name)
                self._write(writers, name, self._as_bad_rows(of_file))
        finally:
            for writer in writers.values():
                writer.close()
        return list(self._files.values())

    def _write(self, writers: dict[str, pq.ParquetWriter], name: str, rows: pl.DataFrame) -> None:
        arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        if name not in writers:
            writers[name] = pq.ParquetWriter(
                self._files[name].rows_at, arrow.schema, compression="lz4"
            )
        writers[name].write_table(arrow)

    def _as_rows(self, rows: pl.DataFrame) -> pl.DataFrame:
        if rows[RECORD].null_count():
            raise UsageError(f"tables.{self.table}.from: the SELECT has rows without {RECORD}")
        return rows.select(
            *self.columns, pl.col(RECORD).alias("line"), pl.col(EXTRA), pl.col(UNREADABLE)
        )

    def _as_bad_rows(self, bad: pl.DataFrame) -> pl.DataFrame:
        """A record that cannot be read may be a row of each table that its source feeds."""
        nothing = pl.lit(None, dtype=pl.String)
        return bad.select(
            *(nothing.alias(name) for name in self.columns),
            pl.col(RECORD).alias("line"),
            pl.col(TEXT).alias(EXTRA),
            pl.col(BAD).alias(UNREADABLE),
        )


def frames(
    db: duckdb.DuckDBPyConnection, sql: str, what: str, batch_rows: int
) -> Iterator[pl.DataFrame]:
    """Yield what one SELECT finds, in batches. Raises NightError, which quotes no cell."""
    try:
        for batch in selected(db, sql, what).to_arrow_reader(batch_rows):
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)  # noqa: S101
            yield frame
    except duckdb.Error as error:
        # Its words may quote a cell.
        raise NightRefused(
            f"{what}: {type(error).__name__} while it ran: can each cell be converted? try_cast "
            f"makes null of one that cannot. `thyrisk map explain` shows the SQL"
        ) from None


def _fates(
    db: duckdb.DuckDBPyConnection, made: Compiled, source: str, table: str, rule: str, what: str
) -> Iterator[pl.DataFrame]:
    """Yield the fates of records that are no rows, also of those that were joined."""

    def of(found: pl.DataFrame, of_source: str) -> pl.DataFrame:
        named = found.rename({FILE: "file", RECORD: "record"}).with_columns(
            source=pl.lit(of_source), table=pl.lit(table), rule=pl.lit(rule)
        )
        return named.select(FATES.names()).cast(FATES)

    yield of(selected(db, made.fates, what).pl(), source)
    for other, sql in made.joined.values():
        found = selected(db, sql, what).pl()
        yield of(found.with_columns(fate=pl.lit("merged"), reason=pl.lit(JOINED)), other)


def _records(db: duckdb.DuckDBPyConnection, relations: Relations) -> pl.DataFrame:
    """Return every record of the sources, those that cannot be read included."""
    bad = relations.bad.select("source", file=FILE, record=RECORD)
    found = [
        selected(db, f"SELECT {FILE} AS file, {RECORD} AS record FROM {quoted(name)}", name)
        .pl()
        .select(pl.lit(name).alias("source"), "file", "record")
        for name in relations.columns
    ]
    every: pl.DataFrame = pl.concat([bad, *found])
    return every.sort("source", "file", "record")
