"""The sources of an export as tables of a DuckDB file that nothing else can be reached from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl

from flows.errors import NightRefused, UsageError
from flows.intake.export import SourceFile, refuse_if_changed, unpacked
from flows.intake.sources import READERS
from flows.intake.sources.given import Given
from flows.settings import Settings
from transforms.mapping.cells import MACROS
from transforms.mapping.cells import name as quoted
from transforms.mapping.sources import BAD, FILE, OF_A_RECORD, RECORD, TEXT, Source

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_ABOUT_THE_SQL = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)
"""Errors that are found before a row is read: their words quote the SQL and no cell."""


@dataclass(frozen=True)
class Relations:
    """The records of all sources."""

    path: Path
    """A DuckDB file with a table for each source: those of its records that can be read."""
    columns: dict[str, list[str]]
    """Source -> its columns, in the order in which they were found."""
    bad: pl.DataFrame
    """One row per record that cannot be read: source, FILE, RECORD, BAD, TEXT."""
    records: dict[tuple[str, str], int] = field(default_factory=dict)
    """Source and file -> how many records it has, those that cannot be read included."""
    warnings: tuple[str, ...] = ()


def load_relations(
    files: dict[str, tuple[SourceFile, ...]],
    sources: dict[str, Source],
    scratch: Path,
    settings: Settings,
) -> Relations:
    """Read the files of sources into `scratch`. Raises NightRefused."""
    path = scratch / "sources.duckdb"
    columns: dict[str, list[str]] = {}
    counts: dict[tuple[str, str], int] = {}
    told: dict[str, None] = {}
    schema = {"source": pl.String(), FILE: pl.String(), RECORD: pl.UInt32()}
    schema |= {BAD: pl.String(), TEXT: pl.String()}
    bad = [pl.DataFrame(schema=schema)]
    with duckdb.connect(str(path), config=_CONFIG | {"memory_limit": settings.duckdb_memory}) as db:
        for macro, stands_for in MACROS.items():
            db.execute(f"CREATE MACRO {macro} AS {stands_for}")
        for name, source in sources.items():
            found = columns[name] = []
            db.execute(f"CREATE TABLE {quoted(name)} ({FILE} VARCHAR, {RECORD} UINTEGER)")
            for file in files[name]:
                counts[name, file.name] = 0
                given = _given(file, source, scratch, settings, told)
                for batch in READERS[source.format](given):
                    counts[name, file.name] += batch.height
                    text = _tidy(batch, source, file.name)
                    _insert(db, name, text.filter(pl.col(BAD).is_null()), found)
                    bad.append(_unreadable(text, name))
                if given.lines.total:
                    given.lines.check(file.name)
                refuse_if_changed(file)
    return Relations(path, columns, pl.concat(bad), counts, tuple(told))


def _given(
    file: SourceFile, source: Source, scratch: Path, settings: Settings, told: dict[str, None]
) -> Given:
    if source.format not in READERS:
        raise UsageError(f"sources.{file.source}.format: {source.format} cannot be read here")
    aside = scratch / "reading"
    aside.mkdir(exist_ok=True)
    path = unpacked(file, aside, settings.max_unpack_ratio)
    return Given(path, file.name, source, aside, settings, tell=told.setdefault)


def _tidy(batch: pl.DataFrame, source: Source, file: str) -> pl.DataFrame:
    """Trim the cells, empty those that say nothing, and say which file they are from."""
    cells = [name for name in batch.columns if name not in OF_A_RECORD]
    nothing = ["", *(text.strip() for text in source.null)]
    return batch.with_columns(
        *(_filled(pl.col(name).str.strip_chars(), nothing).alias(name) for name in cells),
        pl.lit(file).alias(FILE),
    )


def _filled(text: pl.Expr, nothing: list[str]) -> pl.Expr:
    return pl.when(~text.is_in(nothing)).then(text)


def _insert(
    db: duckdb.DuckDBPyConnection, name: str, batch: pl.DataFrame, columns: list[str]
) -> None:
    """Append records; columns that no file before had are added."""
    known = {column.casefold(): column for column in columns}
    called = {
        column: known.get(column.casefold(), column)
        for column in batch.columns
        if column not in OF_A_RECORD
    }
    for column in called.values():
        if column.casefold() not in known:
            db.execute(f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column)} VARCHAR")
            columns.append(column)
    if batch.height:
        db.register("incoming", batch.drop(BAD, TEXT).rename(called).to_arrow())
        db.execute(f"INSERT INTO {quoted(name)} BY NAME SELECT * FROM incoming")
        db.unregister("incoming")


def _unreadable(batch: pl.DataFrame, name: str) -> pl.DataFrame:
    bad = batch.filter(pl.col(BAD).is_not_null())
    return bad.select(pl.lit(name).alias("source"), FILE, RECORD, BAD, TEXT)


@contextmanager
def locked(relations: Relations, memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the sources for SELECTs that reach nothing else: no file, no setting, no extension."""
    spill = relations.path.with_name("spilled")
    config = _CONFIG | {"memory_limit": memory, "temp_directory": str(spill)}
    with duckdb.connect(str(relations.path), read_only=True, config=config) as db:
        db.execute("SET python_enable_replacements = false")
        db.execute("SET enable_external_access = false")
        db.execute("SET lock_configuration = true")
        yield db


def selected(db: duckdb.DuckDBPyConnection, sql: str, what: str) -> duckdb.DuckDBPyRelation:
    """Return what one SELECT finds. Raises UsageError, which names the rule and quotes no cell."""
    try:
        kinds = [statement.type for statement in duckdb.extract_statements(sql)]
        if kinds != [duckdb.StatementType.SELECT]:
            raise UsageError(f"{what}: want one SELECT, and nothing else")
        found = db.sql(sql)
    except _ABOUT_THE_SQL as error:
        raise UsageError(f"{what}: {str(error).splitlines()[0]}") from None
    except duckdb.PermissionException:
        raise UsageError(
            f"{what}: a SELECT over the sources reaches no file and no setting"
        ) from None
    except duckdb.Error as error:
        raise NightRefused(f"{what}: {type(error).__name__} while it ran") from None
    if found is None:
        raise UsageError(f"{what}: want one SELECT, and nothing else")
    return found
