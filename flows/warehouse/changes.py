"""What the rows of a table say now that they did not say in an earlier night."""

from collections.abc import Iterator

from flows.warehouse.database import Database
from schemas.registry import TABLES, Table

RENEWED = frozenset({"last_contact_date"})
"""Columns that are there to be brought up to date."""


def changed_cells(db: Database, earlier: int, tonight: int) -> Iterator[tuple[str, str, int, int]]:
    """Yield of each column how many old values are others in the row of the same key tonight.

    (table, column, changed, values that the earlier night had). A value that is empty now, or was,
    has not become another. Only versions that came or went are joined.
    """
    for table in TABLES.values():
        if table.key is None:
            continue
        left_out = {table.key, *RENEWED}
        columns = [name for name in table.columns if name not in left_out]
        counts = zip(
            columns,
            _changed(db, table, columns, earlier, tonight),
            _values(db, table, columns, earlier),
            strict=True,
        )
        yield from ((table.name, column, *count) for column, *count in counts)  # type: ignore[misc]


def _changed(
    db: Database, table: Table, columns: list[str], earlier: int, tonight: int
) -> tuple[int, ...]:
    counts = ", ".join(f'count(*) FILTER (o."{name}" <> n."{name}")' for name in columns)
    versions = f"valid.{table.name}_versions"
    (found,) = db.run(
        f"SELECT {counts} "
        f"FROM (FROM {versions} WHERE {_seen(earlier)} AND seen_until <= {int(tonight)}) AS o "
        f"JOIN (FROM {versions} WHERE {_seen(tonight)} AND seen_from > {int(earlier)}) AS n "
        f"USING ({table.key})"
    )
    return found


def _values(db: Database, table: Table, columns: list[str], earlier: int) -> tuple[int, ...]:
    counts = ", ".join(f'count("{name}")' for name in columns)
    (found,) = db.run(f"SELECT {counts} FROM valid.{table.name}_versions WHERE {_seen(earlier)}")
    return found


def _seen(night: int) -> str:
    return f"seen_from <= {int(night)} AND (seen_until IS NULL OR seen_until > {int(night)})"
