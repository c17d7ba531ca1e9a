"""What a night says of the records that it read: its ledger, and their number by fate."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from flows.counts import FileCount
from flows.job import Tonight
from flows.mapped.ledger import ledger, summary
from flows.published.nights import night_folder, read_table
from flows.read import Read
from schemas.codes import FATE
from schemas.published import Ledger, columns_of


def ledger_of(tonight: Tonight, read: Read, files: Iterable[FileCount]) -> pl.DataFrame:
    """Return the ledger as it is published; of a past night, the one that it had."""
    columns = columns_of(Ledger)
    if tonight.export is None:
        path = night_folder(tonight.job.out, tonight.as_of) / "ledger.parquet"
        if not path.is_file():
            return pl.DataFrame(schema=columns)
        return read_table(path, tonight.keys, [*columns]).cast(pl.Schema(columns))
    if not tonight.export.sources:
        return pl.DataFrame(schema=columns)
    traced = [one.traced for one in read.tables.values() if one.traced is not None]
    found = ledger(tonight.made, traced, files)
    if tonight.keys.pseudonym is None:
        return found
    # The order of a file's records, beside the keys, would give the registry's away.
    return found.with_columns(
        pl.col("file", "into_file").replace(tonight.labels),
        row_keys=pl.lit([], dtype=pl.List(pl.String)),
        text=pl.lit(None, dtype=pl.String),
    )


def sources_told(found: pl.DataFrame, tonight: Tonight) -> list[dict[str, Any]]:
    """Return, for each file of the sources, its sha256 and its records by fate."""
    if tonight.export is None or not tonight.export.sources:
        return []
    shown = tonight.labels if tonight.keys.pseudonym is not None else {}
    every = (*tonight.export.sources.values(), *tonight.export.files.values())
    counted = {(one["source"], one["file"]): one for one in summary(found)}
    files = {(f.source, shown.get(f.name, f.name)): f.sha256 for fs in every for f in fs}
    nothing = dict.fromkeys(("records", *FATE), 0)
    return [
        {"source": source, "file": file, "sha256": digest}
        | {what: counted.get((source, file), nothing)[what] for what in nothing}
        for (source, file), digest in sorted(files.items())
    ]
