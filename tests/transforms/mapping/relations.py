"""Rules run on records in a DuckDB of their own, without files."""

from typing import Any

import duckdb
import polars as pl

from transforms.mapping.cells import MACROS
from transforms.mapping.compile import Compiled, compiled
from transforms.mapping.deciding import Known
from transforms.mapping.rules import From
from transforms.mapping.sources import FILE, RECORD, Pattern, Source

Records = dict[str, list[dict[str, str | None]]]


def run(
    rule: dict[str, Any],
    table: str,
    records: Records,
    patterns: dict[str, Any] | None = None,
    **source: Any,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows and the fates that a rule makes of records; the first source is its own."""
    with duckdb.connect() as db:
        for macro, stands_for in MACROS.items():
            db.execute(f"CREATE MACRO {macro} AS {stands_for}")
        for name, rows in records.items():
            frame = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String()))
            at = pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(RECORD)
            db.register("incoming", frame.with_columns(at, pl.lit(name).alias(FILE)).to_arrow())
            db.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
        made = compile_rule(rule, table, records, patterns, **source)
        return db.sql(made.rows).pl().to_dicts(), db.sql(made.fates).pl().to_dicts()


def compile_rule(
    rule: dict[str, Any],
    table: str,
    records: Records,
    patterns: dict[str, Any] | None = None,
    **source: Any,
) -> Compiled:
    known = Known(
        {name: Source(files=[name], **source) for name in records},
        {name: list(rows[0]) for name, rows in records.items()},
        {name: Pattern(**one) for name, one in (patterns or {}).items()},
    )
    return compiled(From(**{"source": next(iter(records)), **rule}), table, known)
