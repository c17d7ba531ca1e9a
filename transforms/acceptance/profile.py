"""The figures of a night by which the next ones are judged: counts, shares and quantiles.

No figure is of a single patient: where a patient alone has a unit, its quantiles are left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from schemas.contracts import EARLIEST
from schemas.published import Profile, columns_of
from schemas.registry import TABLES, Table

QUANTILES = {"quantile_10": 0.1, "quantile_50": 0.5, "quantile_90": 0.9}
FEWEST_VALUES = 5
"""Quantiles of fewer values are no figure of a night, but of its patients."""


def profile(tables: Mapping[str, pl.DataFrame], rejected: pl.DataFrame) -> pl.DataFrame:
    """Return the figures of a night: one row per figure, as schemas.published.Profile.

    `tables` are the valid rows with the days of their dates, `rejected` what was set aside.
    """
    figures = [
        figure
        for name, rows in tables.items()
        if TABLES[name].key is not None
        for figure in _of_table(TABLES[name], rows, rejected.filter(pl.col("table") == name))
    ]
    schema = columns_of(Profile)
    return pl.DataFrame(figures, schema=schema, orient="row").sort("what", "where")


Figure = tuple[str, str, float, int]


def _of_table(table: Table, rows: pl.DataFrame, rejected: pl.DataFrame) -> Iterator[Figure]:
    whole = rejected.filter(pl.col("cell").is_null())
    later = whole.filter("not_yet").height
    bad = whole.height - later
    # A patient whose own row is quarantined is there all the same.
    there = rows.height if table.date is None else rows.height + whole.height
    yield "rows", table.name, there, there
    if not there:
        return
    yield "rows_aside", table.name, bad / there, there
    yield "rows_later", table.name, later / there, there
    if not rows.height:
        return
    yield from _filled(table, rows)
    yield from _newest(table, rows)
    for column, unit in _numbers(table).items():
        if column in rows.columns:
            yield from _of_values(table, rows, column, unit)


def _filled(table: Table, rows: pl.DataFrame) -> Iterator[Figure]:
    named = {"patient_id", "patient_no", table.key}
    columns = [name for name in table.needed if name in rows.columns and name not in named]
    partial = {name: EARLIEST + name for name in columns if EARLIEST + name in rows.columns}
    shares = rows.select(
        pl.col(partial.get(name, name)).is_not_null().mean().alias(name) for name in columns
    ).row(0, named=True)
    for name, share in shares.items():
        yield "filled", f"{table.name}.{name}", share, rows.height


def _newest(table: Table, rows: pl.DataFrame) -> Iterator[Figure]:
    for name in (table.date, "last_contact_date"):
        if name is None or EARLIEST + name not in rows.columns:
            continue
        days = rows[EARLIEST + name].drop_nulls()
        if days.len():
            newest = days.cast(pl.Int32).max()
            assert isinstance(newest, int)  # noqa: S101
            yield "newest", f"{table.name}.{name}", newest, days.len()


def _numbers(table: Table) -> dict[str, str | None]:
    """Return the columns of measurements, each with the column of its unit."""
    columns = table.schema.columns.items()
    numbers = {name: column for name, column in columns if column.dtype.type == pl.Float64}
    return {name: (column.metadata or {}).get("unit") for name, column in numbers.items()}


def _of_values(table: Table, rows: pl.DataFrame, column: str, unit: str | None) -> Iterator[Figure]:
    place = pl.lit(f"{table.name}.{column}")
    if "analyte" in table.columns:
        place = place + " " + pl.col("analyte").cast(pl.String)
    in_unit = pl.lit("") if unit is None else " in " + pl.col(unit).cast(pl.String)
    values = rows.filter(pl.col(column).is_not_null()).select(
        place=place, where=place + in_unit, value=column
    )
    quantiles: dict[str, Any] = {
        name: pl.col("value").quantile(q, "linear") for name, q in QUANTILES.items()
    }
    found = (
        values.with_columns(of=pl.len().over("place"))
        .group_by("where", "of")
        .agg(n=pl.len(), **quantiles)
        .drop_nulls("where")
    )
    for one in found.iter_rows(named=True):
        if unit is not None:
            yield "unit", one["where"], one["n"] / one["of"], one["of"]
        if one["n"] >= FEWEST_VALUES:
            for name in QUANTILES:
                yield name, one["where"], one[name], one["n"]
