"""What became of the rows of each file, and when that is too bad for a night."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from flows.errors import NightError, NightRefused
from flows.intake.export import SourceFile
from flows.intake.lines import Lines
from flows.job import Tonight
from flows.warehouse.taking_back import KEPT


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
    lines: int
    """Lines of a text file: header, rows, further lines of rows with line breaks, blank ones."""
    cells_set_aside: int = 0
    """Cells of loaded rows that cannot be used: the rows stay without them."""


@dataclass(frozen=True)
class Counts:
    """What was counted of the rows that a night read."""

    patients: int
    files: tuple[FileCount, ...]
    warnings: tuple[str, ...]
    """What of the rows a person should know."""
    new_versions: dict[str, int]
    """Rows per table that the warehouse had not seen before."""


@dataclass
class Counting:
    """A file while it is read."""

    file: SourceFile
    rows: int = 0
    duplicates: int = 0
    lines: Lines = field(default_factory=Lines)
    seen: list[pl.DataFrame] = field(default_factory=list)
    """Of a mapped export, one row per row: line, unreadable, text (of one that is no row)."""


def counts_of(
    counted: Mapping[int, Counting], valid: pl.DataFrame, bad: pl.DataFrame
) -> dict[int, FileCount]:
    """Return the counts by number of the file. Raises NightError when rows are lost or made up."""
    is_cell = pl.col("cell").is_not_null()
    loaded, quarantined = _per_file(valid), _per_file(bad.filter(~is_cell))
    not_yet, cells = _per_file(bad.filter("not_yet")), _per_file(bad.filter(is_cell))
    found = {}
    for file_no, count in counted.items():
        file = count.file
        found[file_no] = one = FileCount(
            file.table,
            file.name,
            file.sha256,
            rows_read=count.rows,
            rows_loaded=loaded.get(file_no, 0),
            rows_quarantined=quarantined.get(file_no, 0),
            duplicates=count.duplicates,
            not_yet=not_yet.get(file_no, 0),
            lines=count.lines.total,
            cells_set_aside=cells.get(file_no, 0),
        )
        if one.rows_read != one.rows_loaded + one.rows_quarantined + one.duplicates:
            raise NightError(f"rows were lost or made up: {one}")
    return found


def _per_file(rows: pl.DataFrame) -> dict[int, int]:
    return dict(rows.group_by("file_no").len().iter_rows())


def refuse_if_too_bad(
    tonight: Tonight, table: str, files: Sequence[FileCount], bad: pl.DataFrame
) -> None:
    """Raise NightRefused when a table is not what was promised, too dirty, or gone."""
    _refuse_if_not_as_promised(tonight, files)
    _refuse_if_dirty(tonight, table, files, bad)
    _refuse_if_gone(tonight, table, files)


def refuse_if_anybodys(
    tonight: Tonight, table: str, files: Sequence[FileCount], unattributed: pl.DataFrame
) -> None:
    """Raise NightRefused when of too many rows it cannot be told whose they are."""
    read, rows = sum(file.rows_read for file in files), unattributed.height
    limit = tonight.settings.max_unattributed_share
    if rows >= tonight.settings.judge_from_bad_rows and rows > limit * read:
        raise NightRefused(
            f"{table}: of {rows} of {read} rows it cannot be told whose they are, more than the "
            f"{limit:.0%} allowed: they may be anybody's. Are patients missing, or identifiers "
            f"written otherwise? If the export is right, raise max_unattributed_share."
        )


def _refuse_if_not_as_promised(tonight: Tonight, files: Sequence[FileCount]) -> None:
    assert tonight.export is not None  # noqa: S101
    for file in files:
        promised = tonight.export.promised_rows.get(file.file, file.rows_read)
        if promised != file.rows_read:
            raise NightRefused(
                f"{file.file}: {file.rows_read} rows read, its manifest says {promised}; export it "
                f"again"
            )


def _refuse_if_dirty(
    tonight: Tonight, table: str, files: Sequence[FileCount], set_aside: pl.DataFrame
) -> None:
    read = sum(file.rows_read for file in files)
    bad = set_aside.filter(~pl.col("not_yet")).select("file_no", "line").n_unique()
    settings = tonight.settings
    limit = settings.max_bad_share_of.get(table, settings.max_bad_share)
    if bad >= settings.judge_from_bad_rows and bad > limit * read:
        reasons = set_aside["reasons"].explode().value_counts(sort=True)
        common = "; ".join(f"{why} ({rows} rows)" for why, rows in reasons.head(3).iter_rows())
        raise NightRefused(
            f"{table}: {bad} of {read} rows are bad, more than the {limit:.0%} allowed. Most "
            f"often: {common}. If the export is right, adapt the mapping file or max_bad_share."
        )


def _refuse_if_gone(tonight: Tonight, table: str, files: Sequence[FileCount]) -> None:
    before = tonight.rows_before.get(table)
    if before and not files and table != KEPT:
        raise NightRefused(
            f"{table}: no file, but the last night had {before} rows; export it again, or with its "
            f"header alone if it is empty now"
        )
