"""Tables of predictions as a command gets them."""

from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from flows.errors import NightRefused, UsageError


def read_predictions(path: Path, renamed: dict[str, str]) -> pl.DataFrame:
    """Return a table of predictions, its columns renamed (theirs to ours).

    Raises NightRefused when it cannot be read, UsageError when a column to rename is not there.
    """
    if not path.is_file():
        raise NightRefused(f"{path}: no such file")
    try:
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
        else:
            separator = "\t" if path.suffix == ".tsv" else ","
            frame = pl.read_csv(
                path, separator=separator, null_values=["", "NA"], infer_schema_length=None
            )
    except (PolarsError, OSError) as error:
        raise NightRefused(f"{path} cannot be read: {type(error).__name__}") from None
    absent = [theirs for theirs in renamed if theirs not in frame.columns]
    if absent:
        raise UsageError(f"{path} has no column {', '.join(absent)}")
    if frame.is_empty():
        raise NightRefused(f"{path} has no rows")
    return frame.rename(renamed)
