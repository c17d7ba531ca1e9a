"""How an older warehouse becomes one of this version: one numbered step after the other."""

FIRST = 1
"""The layout that `warehouse_views.LAYOUT` makes; everything later is a migration."""

MIGRATIONS = {
    2: "ALTER TABLE ops.runs ADD COLUMN history_kept BOOLEAN DEFAULT true",
}
"""Number of the layout that a step leads to -> its SQL. A released step never changes."""

CURRENT = max(MIGRATIONS)


def steps(version: int | None) -> list[tuple[int, str]]:
    """Return the layouts still to be reached from a version (None: a new file), with their SQL."""
    first = [(FIRST, "")] if version is None else []
    return first + [(number, sql) for number, sql in MIGRATIONS.items() if number > (version or 0)]
