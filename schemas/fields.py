"""How a column is declared: its nullability, its codes, and the description that users read.

A description names a window or a threshold as {fdg_days}: what users read is the one in force.
"""

from typing import Any

import pandera.polars as pa
import polars as pl


def of(description: str, *, nullable: bool = True) -> Any:
    """Declare a column of a plain type."""
    return pa.Field(nullable=nullable, description=description)


def code(values: tuple[str, ...], description: str, *, nullable: bool = True) -> Any:
    """Declare a column of codes; they are part of its description."""
    return pa.Field(
        nullable=nullable,
        description=f"{description} ({', '.join(values)})",
        dtype_kwargs={"categories": list(values)},
    )


def words(description: str, *, nullable: bool = True) -> Any:
    """Declare a column of lists of words."""
    return pa.Field(nullable=nullable, description=description, dtype_kwargs={"inner": pl.String})


def numbers(description: str, *, nullable: bool = True) -> Any:
    """Declare a column of lists of numbers."""
    return pa.Field(nullable=nullable, description=description, dtype_kwargs={"inner": pl.Float64})
