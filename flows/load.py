"""One table of the night: read, kept in the warehouse, validated; what is bad, set aside."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from flows.counts import (
    Counting,
    Counts,
    FileCount,
    counts_of,
    refuse_if_anybodys,
    refuse_if_too_bad,
)
from flows.errors import NightRefused
from flows.intake.rows import Irregular, batches
from flows.job import Tonight
from flows.warehouse.arrival import Arrival
from flows.warehouse.warehouse import Warehouse
from schemas.contracts import EARLIEST, LATEST
from schemas.registry import TABLES
from transforms.reading.cells import typed
from transforms.reading.coverage import Coverage
from transforms.reading.left_out import left_out
from transforms.reading.patients import set_aside_of, spine, with_first_diagnosis
from transforms.reading.quarantine import (
    CELL_ASIDE,
    PROVENANCE,
    REJECTED,
    conflicting_keys,
    empty_columns,
    kept_columns,
    nothing_rejected,
    rejected,
    unattributed,
    validate,
    with_context,
)
from transforms.reading.unusual import unusual

_NUMBERS = {"patient_no": pl.UInt32, **{name: REJECTED[name] for name in PROVENANCE}}


@dataclass(frozen=True)
class Loaded:
    """One table of tonight."""

    rows: pl.DataFrame
    """Its valid rows, with what variables need, patients by their number."""
    rejected: pl.DataFrame
    """One row per row set aside, as transforms.reading.quarantine.REJECTED."""
    quarantine: pl.DataFrame
    """The same with file and received text."""
    files: tuple[FileCount, ...] = ()
    unusual: Mapping[str, int] = field(default_factory=dict)
    """How many values are beyond the usual, by what is said of them in words."""
    new_versions: int | None = None
    """Rows that the warehouse had not seen before; None where none were brought."""


@dataclass(frozen=True)
class Read:
    """What a night has read. `patients` is its spine: one row per patient."""

    patients: pl.DataFrame = field(default_factory=pl.DataFrame)
    tables: Mapping[str, Loaded] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    """What a person should know, beside what the tables say themselves."""

    @property
    def rows(self) -> dict[str, pl.LazyFrame]:
        """The valid rows of each table."""
        return {name: table.rows.lazy() for name, table in self.tables.items()}

    @property
    def rejected(self) -> pl.DataFrame:
        """What was set aside: one row per quarantined row, and per cell."""
        return pl.concat(table.rejected for table in self.tables.values())

    @cached_property
    def left_out(self) -> pl.DataFrame:
        """Who is in no output, and who is likely another patient."""
        return left_out(self.rejected, self.patients["patient_id"])

    @property
    def set_aside(self) -> pl.DataFrame:
        """One row per quarantined row, and cell set aside, of a known patient."""
        return set_aside_of(self.rejected, self.patients)

    @property
    def empty(self) -> dict[str, tuple[str, ...]]:
        """What the export has nothing of: per table `*`, or its columns without any cell."""
        found = {
            name: empty_columns(table.rows, table.rejected, name)
            for name, table in self.tables.items()
        }
        return {name: columns for name, columns in found.items() if columns}

    @property
    def unattributed(self) -> int:
        """How many rows were set aside whose patient cannot be told: they may be anybody's."""
        return unattributed(self.rejected, self.patients["patient_id"]).height

    @property
    def without_rows(self) -> int:
        """How many patients have no usable row in any table."""
        used = pl.concat(
            table.rows.select("patient_no").unique()
            if name != "patients"
            else table.rows.filter(
                pl.col(EARLIEST + "birth_date").is_not_null() | pl.col("sex").is_not_null()
            ).select("patient_no")
            for name, table in self.tables.items()
        )
        return self.patients.join(used.unique(), on="patient_no", how="anti").height

    @property
    def quarantine(self) -> pl.DataFrame:
        """One row per rejected row, with its file and its received text."""
        return pl.concat(table.quarantine for table in self.tables.values())

    def counts(self, said: Coverage) -> Counts:
        """Return what was counted; what the registry `said` of itself needs no warning."""
        brought = {name: table.new_versions for name, table in self.tables.items()}
        return Counts(
            patients=self.patients.height,
            files=tuple(file for table in self.tables.values() for file in table.files),
            warnings=(*self._warnings(said), *self.remarks),
            new_versions={name: new for name, new in brought.items() if new is not None},
        )

    def _warnings(self, said: Coverage) -> Iterator[str]:
        for table, columns in self.empty.items():
            unsaid = [name for name in columns if not said.speaks_of(table, name)]
            if unsaid == ["*"]:
                yield f"{table}: a header and no row: that there is none of it is unknown"
            elif unsaid:
                yield (
                    f"{table}: empty in every row: {', '.join(unsaid)}; what that means is "
                    f"unknown. If it is right, say so under [coverage] in the mapping."
                )
        for loaded in self.tables.values():
            yield from (f"{words} ({count} values)" for words, count in loaded.unusual.items())
        lost = self.left_out.filter("is_left_out").height
        alike = self.left_out.filter(pl.col("likely_same_as").is_not_null()).height
        if lost:
            yield f"{lost} patients are in no output: patients_left_out.parquet says why"
        if alike:
            yield f"{alike} identifiers are likely the same as another: patients_left_out.parquet"
        if self.unattributed:
            yield f"{self.unattributed} rows were set aside whose patient cannot be told"
        if self.without_rows:
            yield f"{self.without_rows} patients have no row that can be used"

    @property
    def names(self) -> pl.DataFrame:
        """The number and the registry's identifier of each patient."""
        return self.patients.select("patient_no", "patient_id")


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
        with warehouse.arriving(
            table, tonight.seq, read_otherwise=tonight.read_otherwise
        ) as arrival:
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
    return Loaded(valid, bad, quarantine, tuple(files.values()), rare, arrival.new_versions)


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
    names = {file_no: count.file.path.name for file_no, count in counted.items()}
    file = pl.col("file_no").replace_strict(names, default=None, return_dtype=pl.String)
    originals = arrival.originals(bad["row_hash"])
    return bad.with_columns(file=file).join(originals, on="row_hash", how="left")
