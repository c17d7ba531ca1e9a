"""The DuckDB warehouse: every row as it was received, which night saw it, and what was said.

- raw: `<table>_versions` keeps each version of each row as text, with the nights that saw it
  (`seen_from` <= night < `seen_until`); the view `<table>` shows it with file and load time.
- valid: `<table>`, the rows of the last night that passed validation, in their types.
- marts: `patient_risk` of the last night.
- ops: `runs`, `files` with sha256 and counts, `quarantine`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from flows.intake.export import SourceFile
from flows.warehouse.layout import valid_view
from flows.warehouse.migrations import opened
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping


@dataclass(frozen=True)
class Run:
    """A night as the warehouse knows it."""

    seq: int
    run_id: str
    as_of: date
    mapping: Mapping
    settings: dict[str, Any]
    history_kept: bool = True
    """Whether the rows that it saw are still there, so that it can be run again."""


class Warehouse:
    """An open warehouse file.

    A night is there once `finish_run` has said so. What an unfinished one left behind is seen by
    no view, and `forget_unfinished` removes it. Each table is a transaction of its own: DuckDB
    holds what a transaction added in memory, whatever its limit, until the commit.
    """

    def __init__(self, path: Path, memory: str, scratch: Path) -> None:
        self._db = opened(path, memory, scratch)

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._db.close()

    def __enter__(self) -> "Warehouse":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what happens inside durable as one, or not at all."""
        self._do("BEGIN")
        try:
            yield
        except BaseException:
            # A disk that is full has closed the transaction already.
            with suppress(duckdb.Error):
                self._do("ROLLBACK")
            raise
        self._do("COMMIT")

    def _do(self, statement: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement to its end: an unfinished result would hold the connection."""
        return self._db.execute(statement, parameters or []).fetchall()

    def _scalar(self, query: str, parameters: list[Any] | None = None) -> Any:
        rows = self._do(query, parameters)
        return rows[0][0] if rows else None

    def _frame(self, query: str) -> pl.DataFrame:
        rows: pl.DataFrame = self._db.sql(query).pl()
        return rows

    def _insert(self, table: str, frame: pl.DataFrame) -> None:
        if frame.height:
            with self._shown(frame, "incoming"):
                self._do(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")

    @contextmanager
    def _shown(self, frame: pl.DataFrame, name: str) -> Iterator[None]:
        """Let statements see a frame as a table."""
        self._db.register(name, frame.to_arrow())
        try:
            yield
        finally:
            self._db.unregister(name)

    # -- nights ------------------------------------------------------------------------------

    def start_run(
        self,
        run_id: str,
        as_of: date,
        started_at: datetime,
        mapping: Mapping,
        settings: dict[str, Any],
    ) -> int:
        """Record that a night started; return its number."""
        seq = int(self._scalar("SELECT coalesce(max(seq), 0) + 1 FROM ops.runs"))
        self._do(
            "INSERT INTO ops.runs (seq, run_id, as_of, started_at, mapping, settings) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [seq, run_id, as_of, started_at, mapping.model_dump_json(), json.dumps(settings)],
        )
        return seq

    def forget_unfinished(self) -> None:
        """Undo what nights that were killed or refused had begun."""
        unfinished = "(SELECT seq FROM ops.runs WHERE published_at IS NULL)"
        if not self._do(f"SELECT 1 FROM {unfinished} LIMIT 1"):
            return
        with self.transaction():
            for table in TABLES:
                versions = f"raw.{table}_versions"
                self._do(f"DELETE FROM {versions} WHERE seen_from IN {unfinished}")
                self._do(
                    f"UPDATE {versions} SET seen_until = NULL WHERE seen_until IN {unfinished}"
                )
            for kept in ("files", "quarantine", "runs"):
                self._do(f"DELETE FROM ops.{kept} WHERE seq IN {unfinished}")

    def finish_run(
        self, seq: int, at: datetime, previous: str | None, mapping: Mapping, mart: pl.DataFrame
    ) -> None:
        """Make a published night the current one: its views, its mart, what it followed."""
        with self.transaction():
            for table in TABLES:
                self._do(valid_view(table, seq, mapping))
            with self._shown(mart, "incoming"):
                self._do("CREATE OR REPLACE TABLE marts.patient_risk AS SELECT * FROM incoming")
            self.mark_published(seq, at, previous)

    def mark_published(self, seq: int, at: datetime, previous: str | None) -> None:
        """Record that a night was published."""
        self._do(
            "UPDATE ops.runs SET published_at = ?, previous = ? WHERE seq = ?", [at, previous, seq]
        )

    def unfinished(self) -> list[Run]:
        """Return the nights that started and never said that they were published."""
        return self._runs("published_at IS NULL", [])

    def night_of(self, as_of: date) -> Run | None:
        """Return the last published night of a date."""
        runs = self._runs("as_of = ? AND published_at IS NOT NULL", [as_of])
        return runs[-1] if runs else None

    def _runs(self, condition: str, parameters: list[Any]) -> list[Run]:
        rows = self._do(
            f"SELECT seq, run_id, as_of, mapping, settings, history_kept FROM ops.runs "
            f"WHERE {condition} ORDER BY seq",
            parameters,
        )
        return [
            Run(seq, run_id, as_of, Mapping.model_validate_json(mapping), json.loads(used), kept)
            for seq, run_id, as_of, mapping, used, kept in rows
        ]

    def forget_history(self, keep: int) -> None:
        """Forget what only nights before the newest `keep` saw (0 keeps all)."""
        oldest = self._scalar(
            "SELECT min(seq) FROM (SELECT seq FROM ops.runs WHERE published_at IS NOT NULL "
            "ORDER BY seq DESC LIMIT ?)",
            [keep],
        )
        if not keep or oldest is None:
            return
        with self.transaction():
            for table in TABLES:
                self._do(f"DELETE FROM raw.{table}_versions WHERE seen_until <= ?", [oldest])
            self._do("DELETE FROM ops.quarantine WHERE seq < ?", [oldest])
            self._do("UPDATE ops.runs SET history_kept = false WHERE seq < ?", [oldest])

    def previous_of(self, seq: int) -> str | None:
        """Return the folder of the night that a night was compared with."""
        previous = self._scalar("SELECT previous FROM ops.runs WHERE seq = ?", [seq])
        return None if previous is None else str(previous)

    def latest_as_of(self) -> date | None:
        """Return the latest date of which a night was published."""
        latest = self._scalar("SELECT max(as_of) FROM ops.runs WHERE published_at IS NOT NULL")
        return latest if isinstance(latest, date) else None

    # -- raw ---------------------------------------------------------------------------------

    def add_file(self, seq: int, file: SourceFile, loaded_at: datetime) -> int:
        """Record a file of the export; return its number."""
        file_no = int(self._scalar("SELECT coalesce(max(file_no), 0) + 1 FROM ops.files"))
        self._do(
            "INSERT INTO ops.files (file_no, seq, table_name, file, sha256, bytes, loaded_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [file_no, seq, file.table, file.path.name, file.sha256, file.bytes, loaded_at],
        )
        return file_no

    def count_file(self, file_no: int, **counts: int) -> None:
        """Record the counts of a file: rows_read, rows_loaded, rows_quarantined, duplicates."""
        for name, count in counts.items():
            self._do(f"UPDATE ops.files SET {name} = ? WHERE file_no = ?", [count, file_no])

    def current_hashes(self, table: str) -> pl.DataFrame:
        """Return the row_hash of each current version of a table."""
        return self._frame(f"SELECT row_hash FROM raw.{table}_versions WHERE seen_until IS NULL")

    def add_rows(self, table: str, seq: int, file_no: int, rows: pl.DataFrame) -> None:
        """Append new versions: text columns, extra, unreadable, line and row_hash."""
        self._insert(
            f"raw.{table}_versions",
            rows.with_columns(
                file_no=pl.lit(file_no, dtype=pl.UInt32),
                seen_from=pl.lit(seq, dtype=pl.UInt32),
                seen_until=pl.lit(None, dtype=pl.UInt32),
            ),
        )

    def end_versions(self, table: str, seq: int, gone: pl.DataFrame) -> None:
        """Close the versions that tonight's export no longer has."""
        if gone.height:
            with self._shown(gone, "gone"):
                self._do(
                    f"UPDATE raw.{table}_versions SET seen_until = ? WHERE seen_until IS NULL "
                    f"AND row_hash IN (SELECT row_hash FROM gone)",
                    [seq],
                )

    def versions_seen(self, table: str, seq: int, batch_rows: int) -> Iterator[pl.DataFrame]:
        """Read the rows that a night saw, as text, in batches."""
        reader = self._db.sql(
            f"SELECT * EXCLUDE (seen_from, seen_until) FROM raw.{table}_versions "
            f"WHERE seen_from <= {int(seq)} AND (seen_until IS NULL OR seen_until > {int(seq)})"
        ).to_arrow_reader(batch_rows)
        for batch in reader:
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)  # noqa: S101
            yield frame

    def originals(self, table: str, hashes: pl.DataFrame) -> pl.DataFrame:
        """Return the received text of rows by row_hash: one row per hash, `original` as JSON.

        A line that is no row of its table is returned as it was.
        """
        cells = ", ".join(f'"{name}" := "{name}"' for name in TABLES[table].columns)
        any_cell = " OR ".join(f'"{name}" IS NOT NULL' for name in TABLES[table].columns)
        with self._shown(hashes, "wanted"):
            return self._frame(
                f"SELECT v.row_hash, any_value(CASE WHEN {any_cell} "
                f"THEN to_json(struct_pack({cells}))::VARCHAR ELSE extra END) AS original "
                f"FROM raw.{table}_versions AS v "
                f"WHERE v.row_hash IN (SELECT row_hash FROM wanted) GROUP BY v.row_hash"
            )

    # -- what was said -----------------------------------------------------------------------

    def add_quarantine(self, seq: int, rows: pl.DataFrame) -> None:
        """Keep the rejected rows of a night."""
        self._insert("ops.quarantine", rows.with_columns(seq=pl.lit(seq, dtype=pl.UInt32)))

    def quarantine_of(self, seq: int) -> pl.DataFrame:
        """Return the rejected rows of a night as they were kept."""
        return self._frame(f"SELECT * EXCLUDE (seq) FROM ops.quarantine WHERE seq = {int(seq)}")

    def files_of(self, seq: int) -> pl.DataFrame:
        """Return the files of a night with their counts: one row per file."""
        return self._frame(f"SELECT * FROM ops.files WHERE seq = {int(seq)} ORDER BY file_no")

    def rows_of_last_night(self, table: str, before: int) -> int | None:
        """Return how many rows of a table the last published night read."""
        rows = self._scalar(
            "SELECT sum(rows_read) FROM ops.files WHERE table_name = ? AND seq = "
            "(SELECT max(seq) FROM ops.runs WHERE published_at IS NOT NULL AND seq < ?)",
            [table, before],
        )
        return None if rows is None else int(rows)
