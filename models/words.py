"""Lists of words per row, from a few conditions: fast, because few combinations occur."""

from collections.abc import Sequence

import polars as pl

Condition = tuple[pl.Expr, str]
"""An expression that is true where the words apply, and the words."""


def with_words(frame: pl.DataFrame, column: str, conditions: Sequence[Condition]) -> pl.DataFrame:
    """Add `column`: the list of the words whose conditions are true, in the order given.

    >>> frame = pl.DataFrame({"x": [1, 5]})
    >>> conditions = [(pl.col("x") > 0, "some"), (pl.col("x") > 3, "many")]
    >>> with_words(frame, "said", conditions)["said"].to_list()
    [['some'], ['some', 'many']]
    """
    mask = pl.lit(0, dtype=pl.UInt64)
    for position, (condition, _) in enumerate(conditions):
        mask = mask + condition.fill_null(False).cast(pl.UInt64) * (1 << position)
    marked = frame.with_columns(mask.alias("_mask"))
    present = marked["_mask"].unique().sort()
    words = [
        [text for position, (_, text) in enumerate(conditions) if combination >> position & 1]
        for combination in present
    ]
    said = pl.DataFrame(
        {"_mask": present, column: words}, schema_overrides={column: pl.List(pl.String)}
    )
    return marked.join(said, on="_mask", how="left", maintain_order="left").drop("_mask")
