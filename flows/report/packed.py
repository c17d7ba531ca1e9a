"""Published tables as the page carries them: the columns' names once, then values alone."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import polars.selectors as cs

_DIGITS = 6
Packed = dict[str, Any]
"""`columns` and `rows`: one row per patient, or one list of rows per patient."""


def one_each(table: pl.DataFrame, columns: Sequence[str], who: pl.DataFrame) -> Packed:
    """Return one row per patient of `who`, in that order; columns that are not there are left out.

    `who` has patient_id, each once, and so has `table`.
    """
    theirs = who.join(table, on="patient_id", how="left", maintain_order="left")
    ready = _ready(theirs, columns)
    return {"columns": ready.columns, "rows": [list(row) for row in ready.iter_rows()]}


def many_each(table: pl.DataFrame, columns: Sequence[str], who: pl.DataFrame) -> Packed:
    """Return a list of rows per patient of `who`, in the order of `table`."""
    theirs = table.join(who.with_row_index("_place"), on="patient_id", maintain_order="left")
    ready = _ready(theirs, columns)
    rows: list[list[list[Any]]] = [[] for _ in range(who.height)]
    for place, row in zip(theirs["_place"], ready.iter_rows(), strict=True):
        rows[place].append(list(row))
    return {"columns": ready.columns, "rows": rows}


def _ready(table: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return the columns that are there as JSON can hold them: days as text, numbers finite."""
    numbers = cs.float()
    return table.select(cs.by_name(*columns, require_all=False)).with_columns(
        cs.date().dt.to_string("%Y-%m-%d"),
        cs.enum().cast(pl.String),
        pl.when(numbers.is_finite()).then(numbers.round_sig_figs(_DIGITS)),
    )
