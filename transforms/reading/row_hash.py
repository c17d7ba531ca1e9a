"""The identity of a row's version: a hash of what was received, cell by cell.

It covers the cells that are not empty, each with its name: a new column changes no row that has
nothing in it, and neither does the order of the columns, nor that a column which was outside the
contract became part of it.
"""

import hashlib
import json
from collections.abc import Iterable

import polars as pl
import polars_hash as plh  # noqa: F401 - registers nchash

_NO_ROW = ""
"""The name under which the text of a line that is no row counts."""


def with_row_hash(rows: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """Add row_hash to rows as received: `columns` as text, `extra` and `unreadable`.

    `extra` has the columns outside the contract as JSON, the same ones in every row; of a line
    that is no row of its table it has the text.
    """
    cells = {name: pl.col(name) for name in columns}
    is_row = pl.col("unreadable").is_null()
    extra = pl.when(is_row).then("extra")
    first = rows.select(extra.drop_nulls().first()).item()
    names = [] if first is None else list(json.loads(first))
    decoded = extra.str.json_decode(pl.Struct(dict.fromkeys(names, pl.String())))
    for name in names:
        cells[f"extra.{name}" if name in cells else name] = decoded.struct.field(name)
    cells[_NO_ROW] = pl.when(~is_row).then("extra")
    # A sum of hashes, each seeded with the cell's name, is four times as fast as one of the text.
    row_hash = pl.lit(0, dtype=pl.UInt64)
    for name, cell in cells.items():
        row_hash = row_hash + _hash(cell, name)
    return rows.with_columns(row_hash=row_hash)


def _hash(cell: pl.Expr, name: str) -> pl.Expr:
    seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
    nothing = pl.lit(0, dtype=pl.UInt64)
    hashed = cell.nchash.xxhash64(seed=seed)  # type: ignore[attr-defined]
    return pl.when(cell != "").then(hashed).otherwise(nothing)
