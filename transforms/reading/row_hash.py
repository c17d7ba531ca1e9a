"""The identity of a row's version: a hash of what was received, cell by cell.

It covers the cells that are not empty, each with its name: a new column changes no row that has
nothing in it, and neither does the order of the columns, nor that a column which was outside the
contract became part of it.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import reduce
from operator import add

import polars as pl
import polars_hash as plh  # noqa: F401 - registers nchash

_NO_ROW = ""
"""The name under which the text of a line that is no row counts."""


def with_row_hash(rows: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """Add row_hash to rows as received: `columns` as text, `extra` and `unreadable`.

    `extra` has the columns outside the contract as JSON, the same ones in every row; of a line
    that is no row of its table it has the text.
    """
    is_row = pl.col("unreadable").is_null()
    extra = rows.select(pl.when(is_row).then("extra")).to_series()
    cells = {name: rows[name] for name in columns}
    for name, cell in _columns_of(extra).items():
        cells[f"extra.{name}" if name in cells else name] = cell
    cells[_NO_ROW] = rows.select(pl.when(~is_row).then("extra")).to_series()
    # A sum of hashes, each seeded with the cell's name, is four times as fast as one of the text.
    numbered = pl.DataFrame([cell.alias(str(n)) for n, cell in enumerate(cells.values())])
    hashes = [_hash(str(n), name) for n, name in enumerate(cells)]
    row_hash = numbered.select(reduce(add, hashes).alias("row_hash"))
    return rows.with_columns(row_hash["row_hash"])


def _columns_of(extra: pl.Series) -> dict[str, pl.Series]:
    """Return the columns outside the contract, decoded once however many there are."""
    first = extra.drop_nulls().head(1)
    names = list(json.loads(first.item())) if len(first) else []
    if not names:
        return {}
    decoded = extra.str.json_decode(pl.Struct(dict.fromkeys(names, pl.String())))
    return {name: decoded.struct.field(name) for name in names}


def _hash(cell: str, name: str) -> pl.Expr:
    """Return the hash of the cells in a column, seeded with the name that counts."""
    seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
    nothing = pl.lit(0, dtype=pl.UInt64)
    hashed = pl.col(cell).nchash.xxhash64(seed=seed)  # type: ignore[attr-defined]
    return pl.when(pl.col(cell) != "").then(hashed).otherwise(nothing)
