"""What tonight brings of one table: what the warehouse has not seen yet is kept, and no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime

import polars as pl

from flows.intake.export import SourceFile
from flows.warehouse.database import Database
from flows.warehouse.originals import originals
from flows.warehouse.parts import Parts
from schemas.registry import TABLES
from transforms.reading.quarantine import without_repeated

PART_ROWS = 500_000
"""About so many rows of text are held before they are written as a part."""

_NO_HASHES = pl.DataFrame(schema={"row_hash": pl.UInt64})


class Arrival:
    """A table while a night reads it; `arriving` makes what it keeps durable as one."""

    def __init__(self, db: Database, parts: Parts, table: str, seq: int) -> None:
        self.table, self.seq = table, seq
        self.new_versions = 0
        self._db, self._parts = db, parts
        self._known = self._open(f"ops.{table}_versions")
        self._known_valid = self._open(f"valid.{table}_versions")
        self._seen = self._seen_valid = _NO_HASHES["row_hash"]
        self._text: list[pl.DataFrame] = []
        self._file_no = self._parts_of_file = 0

    def _open(self, versions: str) -> pl.DataFrame:
        return self._db.frame(f"SELECT row_hash FROM {versions} WHERE seen_until IS NULL")

    @contextmanager
    def file(self, file: SourceFile, loaded_at: datetime) -> Iterator[int]:
        """Record a file of the export; its number."""
        self._file_no = int(self._db.scalar("SELECT coalesce(max(file_no), 0) + 1 FROM ops.files"))
        self._parts_of_file = 0
        self._db.run(
            "INSERT INTO ops.files (file_no, seq, table_name, file, sha256, bytes, loaded_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                *(self._file_no, self.seq, self.table, file.path.name),
                *(file.sha256, file.bytes, loaded_at),
            ],
        )
        yield self._file_no
        self._write_text()

    def distinct(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Keep the text of rows as received; return those that are no duplicate of earlier ones."""
        rows = without_repeated(batch, self._seen)
        self._seen = pl.concat([self._seen, rows["row_hash"]])
        rows = rows.with_columns(file_no=pl.lit(self._file_no, dtype=pl.UInt32))
        new = rows.join(self._known, on="row_hash", how="anti", maintain_order="left")
        if new.height:
            self.new_versions += new.height
            self._db.insert(f"ops.{self.table}_versions", self._from_tonight(new, ()))
            self._text.append(new)
        if sum(text.height for text in self._text) >= PART_ROWS:
            self._write_text()
        return rows

    def _from_tonight(self, rows: pl.DataFrame, cells: tuple[str, ...]) -> pl.DataFrame:
        seen_from = pl.lit(self.seq, dtype=pl.UInt32).alias("seen_from")
        return rows.select(*cells, "file_no", "line", "row_hash", seen_from)

    def _write_text(self) -> None:
        if not self._text:
            return
        name = f"{self.seq:06}-{self._file_no}-{self._parts_of_file}"
        part = self._parts.write(self.table, name, self._file_no, pl.concat(self._text))
        self._db.insert("ops.parts", pl.DataFrame([asdict(part)]))
        self._parts_of_file += 1
        self._text = []

    def add_valid(self, valid: pl.DataFrame) -> None:
        """Keep typed rows that passed validation: all columns of the contract, and provenance."""
        # The same text may read otherwise: by another mapping, or beside another birth date.
        if self._known_valid.height:
            self._close_changed(valid)
        new = valid.join(self._known_valid, on="row_hash", how="anti", maintain_order="left")
        columns = TABLES[self.table].columns
        self._db.insert(f"valid.{self.table}_versions", self._from_tonight(new, columns))
        self._seen_valid = pl.concat([self._seen_valid, valid["row_hash"]])

    def _close_changed(self, valid: pl.DataFrame) -> None:
        """Close the versions that tonight's mapping or version reads as something else."""
        differs = " OR ".join(
            f'v."{name}" IS DISTINCT FROM t."{name}"' for name in TABLES[self.table].columns
        )
        with self._db.shown(tonight=valid):
            changed = self._db.frame(
                f"SELECT row_hash FROM valid.{self.table}_versions AS v "
                f"JOIN tonight AS t USING (row_hash) WHERE v.seen_until IS NULL AND ({differs})"
            )
        self._close("valid", changed)
        self._known_valid = self._known_valid.join(changed, on="row_hash", how="anti")

    def end(self, conflicting: pl.Series) -> None:
        """Close what tonight's export no longer has; take back valid rows that are in conflict."""
        self._close("ops", self._known.filter(~pl.col("row_hash").is_in(self._seen.implode())))
        fit = self._seen_valid.filter(~self._seen_valid.is_in(conflicting.implode()))
        self._close("valid", self._known_valid.filter(~pl.col("row_hash").is_in(fit.implode())))
        if conflicting.len():
            with self._db.shown(conflicting=conflicting.to_frame("row_hash")):
                self._db.run(
                    f"DELETE FROM valid.{self.table}_versions WHERE seen_from = ? "
                    f"AND row_hash IN (SELECT row_hash FROM conflicting)",
                    [self.seq],
                )

    def _close(self, schema: str, gone: pl.DataFrame) -> None:
        if gone.height:
            with self._db.shown(gone=gone):
                self._db.run(
                    f"UPDATE {schema}.{self.table}_versions SET seen_until = ? "
                    f"WHERE seen_until IS NULL AND seen_from < ? "
                    f"AND row_hash IN (SELECT row_hash FROM gone)",
                    [self.seq, self.seq],
                )

    def originals(self, hashes: pl.Series) -> pl.DataFrame:
        """Return the received text of rows, as `originals` does."""
        return originals(self._db, self._parts, self.table, hashes)

    # -- what was said -----------------------------------------------------------------------

    def count_file(self, file_no: int, **counts: int) -> None:
        """Record the counts of a file: rows_read, rows_loaded, rows_quarantined, duplicates."""
        said = ", ".join(f"{name} = ?" for name in counts)
        values = [*counts.values(), file_no]
        self._db.run(f"UPDATE ops.files SET {said} WHERE file_no = ?", values)

    def add_quarantine(self, rows: pl.DataFrame) -> None:
        """Keep the rejected rows of a table; their text only where it is not kept encrypted."""
        rows = rows.with_columns(seq=pl.lit(self.seq, dtype=pl.UInt32))
        if self._parts.are_encrypted:
            rows = rows.drop("original")
        self._db.insert("ops.quarantine", rows)
