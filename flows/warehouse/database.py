"""A connection to the warehouse's file: statements run to their end, frames shown as tables."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import duckdb
import polars as pl


class Database:
    """An open DuckDB file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._db = connection

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
        """Run a statement to its end: an unfinished result would hold the connection."""
        return self._db.execute(statement, parameters or []).fetchall()

    def scalar(self, query: str, parameters: list[Any] | None = None) -> Any:
        """Return the one value that a query finds; None when it finds none."""
        rows = self.run(query, parameters)
        return rows[0][0] if rows else None

    def frame(self, query: str) -> pl.DataFrame:
        """Return what a query finds."""
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
