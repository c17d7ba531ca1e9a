"""What a night has read: its tables, what was set aside of them, and what there is to say of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from flows.counts import Counts, FileCount
from schemas.contracts import EARLIEST
from transforms.reading.coverage import Coverage
from transforms.reading.left_out import left_out
from transforms.reading.patients import set_aside_of
from transforms.reading.quarantine import empty_columns, unattributed


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
    traced: pl.DataFrame | None = None
    """Of a mapped export, one row per record that became rows, as flows.mapped.ledger.TRACED."""
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
