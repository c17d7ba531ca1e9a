"""One table of the night: read, kept in the warehouse, validated; what is bad, set aside."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from flows.counts import Counting, counts_of, refuse_if_anybodys, refuse_if_too_bad
from flows.errors import NightRefused
from flows.intake.rows import Irregular, batches
from flows.job import Tonight
from flows.mapped.ledger import seen_of, trace
from flows.read import Loaded, Read
from flows.warehouse.arrival import Arrival
from flows.warehouse.warehouse import Warehouse
from schemas.contracts import EARLIEST, LATEST
from schemas.registry import TABLES
from transforms.reading.cells import typed
from transforms.reading.patients import spine, with_first_diagnosis
from transforms.reading.quarantine import (
    CELL_ASIDE,
    PROVENANCE,
    REJECTED,
    conflicting_keys,
    kept_columns,
    nothing_rejected,
    rejected,
    unattributed,
    validate,
    with_context,
)
from transforms.reading.unusual import unusual

_NUMBERS = {"patient_no": pl.UInt32, **{name: REJECTED[name] for name in PROVENANCE}}


def load_table(tonight: Tonight, warehouse: Warehouse, read: Read, table: str) -> Read:
    """Load one table; return what is read with it. Raises NightRefused when it is too bad."""
    if tonight.replayed:
        seen = warehouse.rows_seen(table, tonight.seq, tonight.settings.batch_rows)
        valid, bad, rare = _judge(tonight, read, table, seen, lambda _: None)
        loaded = Loaded(valid, bad, bad, unusual=rare)
    else:
        loaded = _load(tonight, warehouse, read, table, frozenset())
    patients = _spine_with(read.patients, table, loaded)
    rows = loaded.rows.drop(PROVENANCE)
    if table == "patients":
        numbers = patients.select("patient_id", "patient_no")
        rows = numbers.join(rows, on="patient_id", how="left", maintain_order="left")
    else:
        rows = rows.drop("patient_id")
    return Read(patients, {**read.tables, table: replace(loaded, rows=rows)})


def _load(
    tonight: Tonight, warehouse: Warehouse, read: Read, table: str, careful: frozenset[Path]
) -> Loaded:
    """Read the files of a table into the warehouse; those in `careful` record by record."""
    counted: dict[int, Counting] = {}
    try:
        with warehouse.arriving(table, tonight.seq) as arrival:
            source = _from_files(tonight, arrival, counted, careful)
            valid, bad, rare = _judge(tonight, read, table, source, arrival.add_valid)
            arrival.end(bad.filter(pl.col("cell").is_null())["row_hash"])
            files = counts_of(counted, valid, bad)
            refuse_if_too_bad(tonight, table, tuple(files.values()), bad)
            if read.patients.height:
                refuse_if_anybodys(
                    tonight,
                    table,
                    tuple(files.values()),
                    unattributed(bad, read.patients["patient_id"]),
                )
            quarantine = _with_text(bad, arrival, counted)
            arrival.add_quarantine(quarantine.drop("file_no", "earliest", "latest"))
            for file_no, file in files.items():
                arrival.count_file(
                    file_no,
                    rows_read=file.rows_read,
                    rows_loaded=file.rows_loaded,
                    rows_quarantined=file.rows_quarantined,
                    duplicates=file.duplicates,
                )
    except Irregular as irregular:
        # A line too short beside one too long: only reading shows it. Once a file, then again.
        return _load(tonight, warehouse, read, table, careful | {irregular.file.path})
    traced = trace(table, counted, valid, bad) if _is_mapped(tonight) else None
    brought = arrival.new_versions
    return Loaded(valid, bad, quarantine, tuple(files.values()), rare, traced, brought)


def _is_mapped(tonight: Tonight) -> bool:
    return tonight.export is not None and bool(tonight.export.sources)


def _from_files(
    tonight: Tonight, arrival: Arrival, counted: dict[int, Counting], careful: frozenset[Path]
) -> Iterator[pl.DataFrame]:
    """Read the export's files of a table, and bring the warehouse up to them.

    Yields the distinct rows; an exact duplicate of an earlier row is counted and left out.
    """
    assert tonight.export is not None  # noqa: S101
    for file in tonight.export.files[arrival.table]:
        with arrival.file(file, tonight.started_at) as file_no:
            count = counted[file_no] = Counting(file)
            for batch in batches(
                file,
                tonight.mapping,
                tonight.scratch,
                tonight.settings,
                careful=file.path in careful,
                lines=count.lines,
            ):
                rows = arrival.distinct(batch)
                if tonight.export.sources:
                    count.seen.append(seen_of(batch))
                count.rows += batch.height
                count.duplicates += batch.height - rows.height
                yield rows


def _judge(
    tonight: Tonight,
    read: Read,
    table: str,
    source: Iterable[pl.DataFrame],
    keep: Callable[[pl.DataFrame], None],
) -> tuple[pl.DataFrame, pl.DataFrame, Mapping[str, int]]:
    """Validate the rows of a table; return (valid, set aside, unusual values by their words).

    `keep` gets the valid rows with all their columns.
    """
    rare: Counter[str] = Counter()
    valid_parts, rejected_parts = [_no_rows(table)], [nothing_rejected()]
    context = None if table == "patients" else read.patients
    for batch in source:
        rows = batch
        if batch["unreadable"].null_count() < batch.height:
            is_row = pl.col("unreadable").is_null()
            why = pl.concat_list("unreadable")
            rejected_parts.append(rejected(batch.filter(~is_row), table, why))
            rows = batch.filter(is_row)
        rows = _named(typed(rows, table, tonight.mapping), table, tonight, read)
        rows = with_context(rows, table, context)
        valid, bad = validate(rows, table, tonight.as_of)
        keep(valid)
        rare.update(unusual(valid, table))
        valid_parts.append(valid.select(*kept_columns(table), *PROVENANCE))
        rejected_parts.append(bad)
    valid, conflicts = conflicting_keys(pl.concat(valid_parts), table)
    return valid, pl.concat([*rejected_parts, conflicts]), rare


def _named(rows: pl.DataFrame, table: str, tonight: Tonight, read: Read) -> pl.DataFrame:
    """Give reviewers' patients their registry identifiers, where the worklist has pseudonyms."""
    if table != "reviews" or tonight.keys.pseudonym is None:
        return rows
    ids = read.patients["patient_id"]
    real = pl.col("patient_id").replace(tonight.keys.pseudonyms(ids), ids)
    return rows.with_columns(patient_id=real)


def _no_rows(table: str) -> pl.DataFrame:
    columns = TABLES[table].schema.columns

    def dtype_of(name: str) -> Any:
        if name in columns:
            return columns[name].dtype.type
        if name.startswith(CELL_ASIDE):
            return pl.Boolean
        return pl.Date if name.startswith((EARLIEST, LATEST)) else _NUMBERS[name]

    names = (*kept_columns(table), *PROVENANCE)
    return pl.DataFrame(schema={name: dtype_of(name) for name in names})


def _spine_with(patients: pl.DataFrame, table: str, loaded: Loaded) -> pl.DataFrame:
    """Return the spine with what later tables are validated against."""
    if table == "patients":
        found = spine(loaded.rows, loaded.rejected)
        if found.is_empty():
            raise NightRefused("patients: no patient in the export; is it complete?")
        return found
    return with_first_diagnosis(patients, loaded.rows) if table == "diagnoses" else patients


def _with_text(
    bad: pl.DataFrame, arrival: Arrival, counted: Mapping[int, Counting]
) -> pl.DataFrame:
    """Add to rejected rows the name of their file and their received text."""
    names = {file_no: count.file.name for file_no, count in counted.items()}
    file = pl.col("file_no").replace_strict(names, default=None, return_dtype=pl.String)
    originals = arrival.originals(bad["row_hash"])
    return bad.with_columns(file=file).join(originals, on="row_hash", how="left")
