"""A connection to the warehouse's file: statements run to their end, frames shown as tables."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.errors import NightRefused, is_out_of_space

_DAMAGED = (duckdb.IOException, duckdb.SerializationException, duckdb.FatalException)


def cannot_be_read(path: Path, error: Exception) -> str:
    """Say that a warehouse cannot be read, and what to put in its place."""
    return (
        f"warehouse {path}: cannot be read ({type(error).__name__}): it is no DuckDB file of this "
        f"version, not whole, or not writable. If it is damaged, `thyrisk rebuild --out OUT` makes "
        f"it anew: from the newest backup (--backup), from the exports of the published nights "
        f"(--export), or both. docs/operations.md says what that takes."
    )


class Database:
    """An open DuckDB file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._db, self._path = connection, path

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what happens inside durable as one, or not at all."""
        self.run("BEGIN")
        try:
            yield
        except BaseException:
            # A disk that is full has closed the transaction already.
            with suppress(duckdb.Error):
                self.run("ROLLBACK")
            raise
        self.run("COMMIT")

    def run(self, statement: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement to its end: an unfinished result would hold the connection.

        Raises NightRefused when the file turns out to be damaged.
        """
        with self._readable():
            return self._db.execute(statement, parameters or []).fetchall()

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGED as error:
            if is_out_of_space(error):
                raise
            raise NightRefused(cannot_be_read(self._path, error)) from error

    def scalar(self, query: str, parameters: list[Any] | None = None) -> Any:
        """Return the one value that a query finds; None when it finds none."""
        rows = self.run(query, parameters)
        return rows[0][0] if rows else None

    def frame(self, query: str) -> pl.DataFrame:
        """Return what a query finds."""
        with self._readable():
            found: pl.DataFrame = self._db.sql(query).pl()
        return found

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        """Append a frame's rows to a table, column by column of the same name."""
        if frame.height:
            with self.shown(incoming=frame):
                self.run(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")

    @contextmanager
    def shown(self, **frames: pl.DataFrame) -> Iterator[None]:
        """Let statements see frames as tables."""
        for name, frame in frames.items():
            self._db.register(name, frame.to_arrow())
        try:
            yield
        finally:
            for name in frames:
                self._db.unregister(name)
