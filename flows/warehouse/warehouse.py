"""The warehouse: every row as it was received, which night saw it, and what was said.

- raw: the view `<table>` has each version of each row as text, with file, line, load time and the
  nights that saw it (`seen_from` <= night < `seen_until`). The text lies in parquet parts in the
  folder `<warehouse>.raw`; which night saw what, in `ops.<table>_versions`.
- valid: `<table>_versions`, each version that passed validation, typed; the view `<table>`, those
  of the last night.
- marts: `patient_risk` of the last night.
- ops: `runs`, those withdrawn too, `files` with sha256 and counts, `quarantine`, `parts`.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from flows.secrets import Keys
from flows.warehouse.arrival import Arrival
from flows.warehouse.changes import changed_cells
from flows.warehouse.migrations import opened
from flows.warehouse.originals import originals
from flows.warehouse.remembering import Gone, keep_reviews, remember
from flows.warehouse.retention import forget
from flows.warehouse.taking_back import take_back
from schemas.registry import TABLES
from transforms.reading.mapping import Mapping

_UNFINISHED = "published_at IS NULL AND withdrawn_at IS NULL"


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
    previous: str | None = None
    """The folder of the night that it was compared with."""


class Warehouse:
    """An open warehouse.

    A night is there once `finish_run` has said so. What an unfinished one left behind is seen by
    no view of `valid`, and `forget_unfinished` removes it. Each table is a transaction of its own:
    DuckDB holds what a transaction added in memory, whatever its limit, until the commit.
    """

    def __init__(self, path: Path, memory: str, scratch: Path, keys: Keys) -> None:
        self._db, self._parts = opened(path, memory, scratch, keys)

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._db.close()

    def __enter__(self) -> "Warehouse":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        seq = int(self._db.scalar("SELECT coalesce(max(seq), 0) + 1 FROM ops.runs"))
        self._db.run(
            "INSERT INTO ops.runs (seq, run_id, as_of, started_at, mapping, settings) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [seq, run_id, as_of, started_at, mapping.model_dump_json(), json.dumps(settings)],
        )
        return seq

    def forget_unfinished(self) -> None:
        """Undo what nights that were killed or refused had begun; show the raw rows."""
        unfinished = f"(SELECT seq FROM ops.runs WHERE {_UNFINISHED})"
        if self._db.run(f"SELECT 1 FROM {unfinished} LIMIT 1"):
            with self._db.transaction():
                for versions in (f"{s}.{t}_versions" for t in TABLES for s in ("ops", "valid")):
                    self._db.run(f"DELETE FROM {versions} WHERE seen_from IN {unfinished}")
                    self._db.run(
                        f"UPDATE {versions} SET seen_until = NULL WHERE seen_until IN {unfinished}"
                    )
                self._db.run(
                    f"DELETE FROM ops.parts WHERE file_no IN "
                    f"(SELECT file_no FROM ops.files WHERE seq IN {unfinished})"
                )
                for kept in ("files", "quarantine", "runs"):
                    self._db.run(f"DELETE FROM ops.{kept} WHERE seq IN {unfinished}")
        self._show_raw()

    def _show_raw(self) -> None:
        """Leave in the folder what is referred to, and let raw.<table> show it."""
        self._parts.sweep({part for (part,) in self._db.run("SELECT part FROM ops.parts")})
        with self._db.transaction():
            self._parts.show(self._db)

    def finish_run(
        self, seq: int, at: datetime, previous: str | None, mart: pl.DataFrame, keep_history: int
    ) -> None:
        """Make a published night the current one; forget what only older nights saw.

        Of the nights before the newest `keep_history` no row is kept; 0 keeps all.
        """
        with self._db.transaction():
            self._show_mart(mart)
            self.mark_published(seq, at, previous)
        with self._db.transaction():
            forget(self._db, self._parts, keep_history)
        self._show_raw()

    def mark_published(self, seq: int, at: datetime, previous: str | None) -> None:
        """Record that a night was published."""
        self._db.run(
            "UPDATE ops.runs SET published_at = ?, previous = ? WHERE seq = ?", [at, previous, seq]
        )

    def withdraw(self, seqs: Sequence[int], at: datetime, why: str, mart: pl.DataFrame) -> None:
        """Take published nights back; `mart` is what the last one left then said of its patients.

        Without a night left, it has no columns.
        """
        with self._db.transaction():
            for seq in sorted(seqs, reverse=True):
                take_back(self._db, seq, at, why)
            self._show_mart(mart)
        self._show_raw()

    def _show_mart(self, mart: pl.DataFrame) -> None:
        if mart.columns:
            with self._db.shown(incoming=mart):
                self._db.run("CREATE OR REPLACE TABLE marts.patient_risk AS FROM incoming")
        else:
            self._db.run("DROP TABLE IF EXISTS marts.patient_risk")

    # -- rebuilt -----------------------------------------------------------------------------

    def remember(self, night: Gone) -> None:
        """Record a published night of which the rows are gone."""
        with self._db.transaction():
            remember(self._db, night)

    def keep_reviews(self, rows: pl.DataFrame, at: datetime, why: str) -> int:
        """Keep reviews that no night here saw; return how many."""
        with self._db.transaction():
            return keep_reviews(self._db, self._parts, rows, at, why)

    def finish_rebuilt(self, mart: pl.DataFrame, keep_history: int) -> None:
        """Show what the last night said of its patients; forget what only older nights saw."""
        with self._db.transaction():
            self._show_mart(mart)
            forget(self._db, self._parts, keep_history)
        self._show_raw()

    def unfinished(self) -> list[Run]:
        """Return the nights that started and never said that they were published."""
        return self._runs(_UNFINISHED)

    def published(self) -> list[Run]:
        """Return the published nights, in the order in which they were run."""
        return self._runs("published_at IS NOT NULL")

    def _runs(self, condition: str) -> list[Run]:
        rows = self._db.run(
            f"SELECT seq, run_id, as_of, mapping, settings, history_kept, previous "
            f"FROM ops.runs WHERE {condition} ORDER BY seq"
        )
        return [
            Run(seq, run_id, as_of, Mapping.model_validate_json(mapping), json.loads(used), *more)
            for seq, run_id, as_of, mapping, used, *more in rows
        ]

    # -- rows --------------------------------------------------------------------------------

    @contextmanager
    def arriving(self, table: str, seq: int) -> Iterator[Arrival]:
        """Take in tonight's rows of a table, durable as one or not at all."""
        with self._db.transaction():
            yield Arrival(self._db, self._parts, table, seq)

    def rows_seen(self, table: str, seq: int, batch_rows: int) -> Iterator[pl.DataFrame]:
        """Read the rows that a night saw, as text, in batches."""
        seen = self._db.frame(
            f"SELECT file_no, row_hash FROM ops.{table}_versions "
            f"WHERE seen_from <= {int(seq)} AND (seen_until IS NULL OR seen_until > {int(seq)})"
        )
        files = pl.Series(seen["file_no"].unique())
        parts = self._db.run(
            "SELECT part, file_no FROM ops.parts WHERE table_name = ? ORDER BY part", [table]
        )
        held: list[pl.DataFrame] = []
        for part, file_no in parts:
            if file_no in files:
                rows = self._parts.read(part, table).collect()
                held.append(rows.join(seen, on=["file_no", "row_hash"], how="semi"))
            if sum(rows.height for rows in held) >= batch_rows:
                yield pl.concat(held)
                held = []
        if held:
            yield pl.concat(held)

    def reviews_seen(self, seq: int) -> pl.DataFrame:
        """Return the valid reviews that a night and all before it saw: one row per row, typed.

        Of a row that was read in more ways than one, the last one counts.
        """
        return self._db.frame(
            f"SELECT DISTINCT patient_id, reviewed_at, reviewer, decision, reason, "
            f"deferred_until, note FROM valid.reviews_versions WHERE seen_from <= {int(seq)} "
            f"QUALIFY row_number() OVER (PARTITION BY row_hash ORDER BY seen_from DESC) = 1"
        )

    def reviews_gone(self, seq: int) -> int:
        """Return how many valid reviews are not in a night's export, and were in the last's."""
        return int(
            self._db.scalar(
                "SELECT count(DISTINCT row_hash) FROM ops.reviews_versions AS gone "
                f"JOIN valid.reviews_versions USING (row_hash) WHERE gone.seen_until = {int(seq)}"
            )
        )

    # -- what was said -----------------------------------------------------------------------

    def quarantine_of(self, seq: int) -> pl.DataFrame:
        """Return the rejected rows of a night, with the text that they had."""
        kept = self._db.frame(f"SELECT * EXCLUDE (seq) FROM ops.quarantine WHERE seq = {int(seq)}")
        done = [kept.filter(pl.col("original").is_not_null())]
        for (table,), rows in kept.filter(pl.col("original").is_null()).group_by("table"):
            text = originals(self._db, self._parts, str(table), rows["row_hash"])
            found = rows.drop("original").join(text, on="row_hash", how="left")
            done.append(found.select(kept.columns))
        return pl.concat(done)

    def changed_cells(self, earlier: int, tonight: int) -> Iterator[tuple[str, str, int, int]]:
        """Yield (table, column, values that are others tonight, values that a night had)."""
        return changed_cells(self._db, earlier, tonight)

    def files_of(self, seq: int) -> list[tuple[str, str]]:
        """Return the table and name of each file that a night read."""
        return [
            (table, file)
            for table, file in self._db.run(
                "SELECT table_name, file FROM ops.files WHERE seq = ?", [seq]
            )
        ]

    def rows_read(self, seq: int) -> dict[str, int]:
        """Return how many rows of each table a night read."""
        return dict(
            self._db.run(
                "SELECT table_name, sum(rows_read)::BIGINT FROM ops.files WHERE seq = ? "
                "GROUP BY table_name",
                [seq],
            )
        )
