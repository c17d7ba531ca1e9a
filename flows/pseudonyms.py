"""Pseudonyms in what is published: the same patient has the same one in every night."""

import polars as pl

from flows.secrets import Keys


def pseudonymised(frame: pl.DataFrame, keys: Keys, but: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return a table without the registry's identifiers; without a key, as it is.

    patient_id and the identifiers of rows become pseudonyms, the received text of rejected rows
    is left out, and the order is that of the pseudonyms: the registry's would give it away.
    Columns in `but` have them already.
    """
    if keys.pseudonym is None:
        return frame
    named = ["patient_id", *(name for name in frame.columns if _is_row(name))]
    named = [name for name in named if name not in but]
    replaced = frame.with_columns(keys.pseudonyms(frame[name]).alias(name) for name in named)
    if "likely_same_as" in frame.columns and "likely_same_as" not in but:
        replaced = replaced.with_columns(likely_same_as=_each(frame["likely_same_as"], keys))
    if "original" in frame.columns:
        replaced = replaced.with_columns(original=pl.lit(None, dtype=pl.String))
    return replaced.sort("patient_id", maintain_order=True)


def _each(lists: pl.Series, keys: Keys) -> pl.Series:
    """Return lists of identifiers as lists of pseudonyms, sorted by them."""
    ids = lists.explode().drop_nulls().unique()
    pseudonyms = pl.element().replace_strict(ids, keys.pseudonyms(ids), return_dtype=pl.String)
    return lists.list.eval(pseudonyms.sort())


def _is_row(name: str) -> bool:
    return name.endswith("_row") or name == "row_key"
