"""One table of the night: read, kept in the warehouse, validated; what is bad, set aside."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl

from flows.errors import NightError, NightRefused
from flows.intake.export import Export
from flows.intake.rows import batches
from flows.secrets import NO_KEYS, Keys
from flows.settings import Settings
from flows.warehouse.warehouse import Warehouse
from schemas.registry import TABLES
from transforms.reading.cells import typed
from transforms.reading.mapping import Mapping
from transforms.reading.quarantine import (
    PROVENANCE,
    conflicting_keys,
    hashed,
    nothing_rejected,
    rejected,
    validate,
    with_context,
    without_repeated,
)


@dataclass(frozen=True)
class FileCount:
    """What became of the rows of one file. Read = loaded + quarantined + duplicates."""

    table: str
    file: str
    sha256: str
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    duplicates: int
    not_yet: int


@dataclass
class Night:
    """What a night has gathered so far. `patients` is its spine: one row per patient."""

    run_id: str
    as_of: date
    mapping: Mapping
    settings: Settings
    seq: int
    """Its number in the warehouse."""
    started_at: datetime
    scratch: Path
    keys: Keys = NO_KEYS
    replayed: bool = False
    """Whether its rows are read again from the warehouse, instead of an export."""
    export: Export | None = None
    previous: str | None = None
    """The folder of the published night that it is compared with."""
    patients: pl.DataFrame = field(default_factory=pl.DataFrame)
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    rejected: dict[str, pl.DataFrame] = field(default_factory=dict)
    rows_read: dict[int, int] = field(default_factory=dict)
    rows_repeated: dict[int, int] = field(default_factory=dict)
    files: list[FileCount] = field(default_factory=list)
    careful: set[Path] = field(default_factory=set)
    """Files that are read record by record: their lines do not all have all fields."""
    new_versions: dict[str, int] = field(default_factory=dict)
    """Rows per table that the warehouse had not seen before."""
    warnings: list[str] = field(default_factory=list)

    @property
    def set_aside(self) -> pl.DataFrame:
        """One row per quarantined row of a known patient, as the variables need it."""
        bad = pl.concat(self.rejected.values()).filter(~pl.col("not_yet"))
        return bad.join(self.patients, on="patient_id").select("patient_no", "table", "row_date")


def load_table(night: Night, warehouse: Warehouse, table: str) -> None:
    """Load one table into the night. Raises NightRefused when too much of it is bad."""
    source = _from_warehouse if night.replayed else _from_files
    valid_parts, rejected_parts = [_no_rows(table)], [nothing_rejected()]
    context = None if table == "patients" else night.patients
    for batch in source(night, warehouse, table):
        rows = batch
        if batch["unreadable"].null_count() < batch.height:
            is_row = pl.col("unreadable").is_null()
            why = pl.concat_list("unreadable")
            rejected_parts.append(rejected(batch.filter(~is_row), table, why))
            rows = batch.filter(is_row)
        rows = _named(typed(rows, table, night.mapping), table, night)
        rows = with_context(rows, table, context)
        valid, bad = validate(rows, table, night.as_of)
        valid_parts.append(valid.select(*_kept(table), *PROVENANCE))
        rejected_parts.append(bad)
    valid = pl.concat(valid_parts)
    valid, conflicts = conflicting_keys(valid, table)
    night.rejected[table] = pl.concat([*rejected_parts, conflicts])
    if not night.replayed:
        _count(night, warehouse, table, valid)
    _keep(night, table, valid.drop(PROVENANCE))


def _named(rows: pl.DataFrame, table: str, night: Night) -> pl.DataFrame:
    """Give reviewers' patients their registry identifiers, where the worklist has pseudonyms."""
    if table != "reviews" or night.keys.pseudonym is None:
        return rows
    ids = night.patients["patient_id"]
    real = pl.col("patient_id").replace(night.keys.pseudonyms(ids), ids)
    return rows.with_columns(patient_id=real)


def _kept(table: str) -> list[str]:
    """Return the columns that variables need, and the patient's number."""
    needed = TABLES[table].needed
    return list(needed) if table == "patients" else ["patient_no", *needed]


def _no_rows(table: str) -> pl.DataFrame:
    columns = TABLES[table].schema.columns
    schema = {
        name: pl.UInt32 if name == "patient_no" else columns[name].dtype.type
        for name in _kept(table)
    }
    provenance = {name: nothing_rejected().schema[name] for name in PROVENANCE}
    return pl.DataFrame(schema=schema | provenance)


def _keep(night: Night, table: str, valid: pl.DataFrame) -> None:
    """Keep the valid rows for the variables, and what other tables are validated against."""
    if table == "patients":
        night.patients = _spine(valid, night.rejected[table], night.as_of)
        numbers = night.patients.select("patient_id", "patient_no")
        valid = numbers.join(valid, on="patient_id", how="left", maintain_order="left")
    elif table == "diagnoses":
        first = valid.group_by("patient_no").agg(
            first_diagnosis_date=pl.col("diagnosis_date").min()
        )
        night.patients = night.patients.drop("first_diagnosis_date").join(
            first, on="patient_no", how="left", maintain_order="left"
        )
    night.tables[table] = valid.drop("patient_id")


def _spine(valid: pl.DataFrame, set_aside: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return one row per patient of the export, also of those whose own row is quarantined."""
    there = set_aside.filter(~pl.col("not_yet"), pl.col("patient_id").is_not_null())
    ids = pl.concat([valid["patient_id"], there["patient_id"]]).unique().sort()
    if ids.is_empty():
        raise NightRefused("patients: no patient in the export; is it complete?")
    died = pl.when(pl.col("death_date") <= as_of).then("death_date")
    return (
        ids.to_frame()
        .with_row_index("patient_no")
        .join(
            valid.select("patient_id", "birth_date", died),
            on="patient_id",
            how="left",
            maintain_order="left",
        )
        .with_columns(hashed=hashed("patient_id"), first_diagnosis_date=pl.lit(None, dtype=pl.Date))
    )


def _from_files(night: Night, warehouse: Warehouse, table: str) -> Iterator[pl.DataFrame]:
    """Read the export's files of a table, and bring the warehouse up to them.

    Yields the distinct rows; an exact duplicate of an earlier row is counted and left out.
    """
    assert night.export is not None  # noqa: S101
    current = warehouse.current_hashes(table)
    night.new_versions[table] = 0
    seen = current["row_hash"].clear()
    for file in night.export.files[table]:
        file_no = warehouse.add_file(night.seq, file, night.started_at)
        night.rows_read[file_no] = night.rows_repeated[file_no] = 0
        careful = file.path in night.careful
        for batch in batches(file, night.mapping, night.scratch, night.settings, careful=careful):
            rows = without_repeated(batch, seen)
            seen = pl.concat([seen, rows["row_hash"]])
            night.rows_read[file_no] += batch.height
            night.rows_repeated[file_no] += batch.height - rows.height
            new = rows
            if current.height:
                new = rows.join(current, on="row_hash", how="anti", maintain_order="left")
            warehouse.add_rows(table, night.seq, file_no, new)
            night.new_versions[table] += new.height
            yield rows.with_columns(file_no=pl.lit(file_no, dtype=pl.UInt32))
    gone = current.filter(~pl.col("row_hash").is_in(seen.implode()))
    warehouse.end_versions(table, night.seq, gone)


def _from_warehouse(night: Night, warehouse: Warehouse, table: str) -> Iterator[pl.DataFrame]:
    return warehouse.versions_seen(table, night.seq, night.settings.batch_rows)


def _count(night: Night, warehouse: Warehouse, table: str, valid: pl.DataFrame) -> None:
    """Count each file's rows, hold the conservation law, and refuse what is too bad."""
    bad = night.rejected[table]
    counts = {
        "rows_loaded": _per_file(valid),
        "rows_quarantined": _per_file(bad),
        "duplicates": night.rows_repeated,
        "not_yet": _per_file(bad.filter("not_yet")),
    }
    files = warehouse.files_of(night.seq).filter(pl.col("table_name") == table)
    for file_no, name, sha256 in files.select("file_no", "file", "sha256").iter_rows():
        read = night.rows_read[file_no]
        became = {what: count.get(file_no, 0) for what, count in counts.items()}
        if read != sum(became.values()) - became["not_yet"]:
            raise NightError(f"{name}: {read} rows read, but {became}: rows were lost or made up")
        night.files.append(FileCount(table, name, sha256, rows_read=read, **became))
        del became["not_yet"]
        warehouse.count_file(file_no, rows_read=read, **became)
    _refuse_if_bad(night, table)
    _refuse_if_shrunk(night, warehouse, table)


def _per_file(rows: pl.DataFrame) -> dict[int, int]:
    return dict(rows.group_by("file_no").len().iter_rows())


def _refuse_if_bad(night: Night, table: str) -> None:
    of_table = [file for file in night.files if file.table == table]
    read = sum(file.rows_read for file in of_table)
    bad = sum(file.rows_quarantined - file.not_yet for file in of_table)
    limit = night.settings.max_bad_share_of.get(table, night.settings.max_bad_share)
    if bad >= night.settings.judge_from_bad_rows and bad > limit * read:
        reasons = night.rejected[table]["reasons"].explode().value_counts(sort=True)
        common = "; ".join(f"{why} ({rows} rows)" for why, rows in reasons.head(3).iter_rows())
        raise NightRefused(
            f"{table}: {bad} of {read} rows are bad, more than the {limit:.0%} allowed. Most "
            f"often: {common}. If the export is right, adapt the mapping file or max_bad_share."
        )


def _refuse_if_shrunk(night: Night, warehouse: Warehouse, table: str) -> None:
    read = sum(file.rows_read for file in night.files if file.table == table)
    before = warehouse.rows_of_last_night(table, night.seq)
    assert night.export is not None  # noqa: S101
    if before and not night.export.files[table]:
        raise NightRefused(
            f"{table}: no file, but the last night had {before} rows; export it again, or with its "
            f"header alone if it is empty now"
        )
    if before is None or before < night.settings.judge_from_rows:
        return
    if read < before * (1 - night.settings.max_shrink_share):
        raise NightRefused(
            f"{table}: {read} rows where the last night read {before}; is the export complete? "
            f"If it is, raise max_shrink_share in the settings."
        )
