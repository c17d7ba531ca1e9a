"""The text of every row as it was received: parquet files beside the warehouse, written once.

`<warehouse>.raw/<table>/plain/*.parquet`, or `encrypted/` where the night had a key. A part is
there only once the warehouse refers to it (`ops.parts`); what a night that was killed left
behind is swept when the next one opens the warehouse.
"""

import base64
import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.disk import full_disk_said, sha256, sync
from flows.errors import NightRefused
from flows.secrets import Keys
from flows.warehouse.database import Database
from schemas.registry import TABLES

KEY = "thyrisk"
"""The name under which DuckDB knows the key of encrypted parts."""

COLUMNS = "columns.parquet"
"""A part without rows: it tells readers of a table's contract, and that there is a folder."""

_KINDS = ("plain", "encrypted")
_BESIDE: dict[str, pl.DataType] = {
    "extra": pl.String(),
    "unreadable": pl.String(),
    "file_no": pl.UInt32(),
    "line": pl.UInt32(),
    "row_hash": pl.UInt64(),
}


@dataclass(frozen=True)
class Part:
    """One file of raw text: rows of one file of one export."""

    part: str
    """Its path, seen from the folder of the parts."""
    table_name: str
    file_no: int
    rows: int
    sha256: str


def folder_of(warehouse: Path) -> Path:
    """Return the folder in which a warehouse keeps the text of its rows."""
    return warehouse.with_name(warehouse.name + ".raw")


def schema_of(table: str) -> pl.Schema:
    """Return the columns of a part: the contract's as text, and where the row was."""
    cells: dict[str, pl.DataType] = dict.fromkeys(TABLES[table].columns, pl.String())
    return pl.Schema(cells | _BESIDE)


class Parts:
    """The parts of a warehouse, read and written with the keys of a night."""

    def __init__(self, warehouse: Path, keys: Keys) -> None:
        self.folder = folder_of(warehouse)
        self._keys = keys

    @property
    def are_encrypted(self) -> bool:
        """Whether what is written tonight is."""
        return self._keys.encryption is not None

    def write(self, table: str, name: str, file_no: int, rows: pl.DataFrame) -> Part:
        """Write a part and wait until it is on the disk. The caller then refers to it."""
        kind = _KINDS[self.are_encrypted]
        path = self.folder / table / kind / f"{name}.parquet"
        self._put(rows.select(*_order(rows, table)), path, self._keys)
        place = str(path.relative_to(self.folder))
        return Part(place, table, file_no, rows.height, sha256(path))

    def _put(self, rows: pl.DataFrame, path: Path, keys: Keys) -> None:
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True)
            for folder in (path.parent, path.parent.parent, self.folder, self.folder.parent):
                sync(folder)
        aside = path.with_suffix(".new")
        with full_disk_said(path.parent):
            rows.write_parquet(aside, compression="zstd", encryption=keys.writing)
        sync(aside)
        aside.rename(path)
        sync(path.parent)

    def read(self, part: str, table: str) -> pl.LazyFrame:
        """Return the rows of a part, with the columns of today's contract.

        Raises NightRefused when it is encrypted and this night has no key.
        """
        encrypted = f"/{_KINDS[True]}/" in part
        if encrypted and self._keys.encryption is None:
            raise NightRefused(f"{self.folder} is encrypted; set THYRISK_ENCRYPTION_KEY_FILE")
        rows = pl.scan_parquet(
            self.folder / part,
            glob=False,
            hive_partitioning=False,
            schema=schema_of(table),
            missing_columns="insert",
            extra_columns="ignore",
            decryption=self._keys.reading if encrypted else None,
        )
        if encrypted:
            return rows
        # A part from before a column came into the contract: absent, as in its export.
        lacking = TABLES[table].absent.keys() - set(_schema_of_file(self.folder / part))
        return rows.with_columns(
            pl.lit(TABLES[table].absent[name] or None, dtype=pl.String).alias(name)
            for name in sorted(lacking)
        )

    def sweep(self, kept: set[str]) -> None:
        """Remove what no night refers to. Raises NightRefused when a part that one does is gone."""
        there = {
            str(path.relative_to(self.folder)): path
            for path in self.folder.glob("*/*/*")
            if path.name != COLUMNS
        }
        if lost := len(kept - there.keys()):
            raise NightRefused(
                f"{lost} files of raw text are gone from {self.folder}: it belongs beside the "
                f"warehouse, and moves with it. If it is lost, `thyrisk rebuild` makes both anew "
                f"from a backup, from exports, or both."
            )
        for name in there.keys() - kept:
            there[name].unlink()

    def show(self, db: Database) -> None:
        """Make the views raw.<table>, where contract, folder or encryption are not as they were."""
        if self._keys.encryption is not None:
            key = base64.b64encode(self._keys.encryption).decode()
            db.run(f"PRAGMA add_parquet_key('{KEY}', '{key}')")
        shown = dict(db.run("SELECT view, made_by FROM ops.views"))
        for table in TABLES:
            self._mark(table)
            sql = self._view(table)
            if shown.get(table) != sql:
                db.run(sql)
                db.run("DELETE FROM ops.views WHERE view = ?", [table])
                db.run("INSERT INTO ops.views VALUES (?, ?)", [table, sql])

    def _mark(self, table: str) -> None:
        path = self.folder / table / _KINDS[False] / COLUMNS
        schema = schema_of(table)
        if not path.exists() or _schema_of_file(path) != schema:
            self._put(pl.DataFrame(schema=schema), path, Keys())

    def _view(self, table: str) -> str:
        cells = ", ".join(f'p."{name}"' for name in TABLES[table].columns)
        return f"""
            CREATE OR REPLACE VIEW raw.{table} AS
            SELECT f.file, p.line, f.loaded_at, r.run_id, v.row_hash,
                   v.seen_from, v.seen_until, {cells}, p.extra, p.unreadable
            FROM ops.{table}_versions AS v
            JOIN ({" UNION ALL BY NAME ".join(self._scans(table))}) AS p USING (file_no, row_hash)
            JOIN ops.files AS f USING (file_no) JOIN ops.runs AS r ON r.seq = f.seq"""

    def _scans(self, table: str) -> Iterator[str]:
        for kind in _KINDS:
            if any((self.folder / table / kind).glob("*.parquet")):
                place = glob.escape(str(self.folder.absolute() / table / kind)) + "/*.parquet"
                place = place.replace("'", "''")
                how = "hive_partitioning = false, union_by_name = true"
                if kind == _KINDS[False]:
                    yield f"SELECT * FROM read_parquet('{place}', {how})"
                else:
                    # DuckDB 2.0 fails to skip pages of encrypted parquet: OFFSET keeps filters out.
                    how += f", encryption_config = {{footer_key: '{KEY}'}}"
                    yield f"(SELECT * FROM read_parquet('{place}', {how}) OFFSET 0)"


def _schema_of_file(path: Path) -> pl.Schema:
    return pl.scan_parquet(path, glob=False, hive_partitioning=False).collect_schema()


def _order(rows: pl.DataFrame, table: str) -> Sequence[str]:
    return [name for name in schema_of(table) if name in rows.columns]
