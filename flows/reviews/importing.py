"""Taking reviews from files: what the page downloads, what Excel made of it, or an instrument's.

A file is read as a table of the export is: under the same contract, with every reason. A row that
cannot be used is refused and told by its line; the others are taken, all files in one step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from flows.disk import in_memory, sha256
from flows.errors import NightRefused, UsageError, is_failure, told
from flows.intake.export import SourceFile
from flows.intake.rows import Irregular, batches
from flows.published.nights import nights, read_table, report_of
from flows.reviews import store
from flows.secrets import NO_KEYS, Keys
from flows.settings import Settings
from transforms.reading.cells import typed
from transforms.reading.local_dates import WHICH_FIRST, Order, as_iso, in_doubt, time_of
from transforms.reading.mapping import Mapping
from transforms.reading.quarantine import CONTEXT_DAYS, hashed, rejected, validate, with_context

TABLE = "reviews"
_DATES = ("reviewed_at", "deferred_until")
_CLOCKS = timedelta(days=1)
"""A reviewer's clock may be ahead of ours by a time zone."""

_WORKBOOKS = (".xlsx", ".xls", ".ods")
_UNKNOWN = "patient_id: not in patients"


@dataclass(frozen=True)
class Refusal:
    """A line, a cell of it, or a whole file that was not taken. No word of it is a cell's."""

    file: str
    """Its name; under pseudonyms its place among the files."""
    line: int | None
    """None where it is the whole file."""
    cell: str | None
    """The column whose cell alone was left out; None where the row was."""
    why: str


@dataclass(frozen=True)
class Imported:
    """What became of the rows of an import."""

    taken: int
    known: int
    """Rows that were kept before."""
    refusals: tuple[Refusal, ...]

    @property
    def refused(self) -> int:
        """Rows and files that were not taken."""
        return sum(refusal.cell is None for refusal in self.refusals)


@dataclass(frozen=True)
class Desk:
    """What reviews are taken against: the newest published night."""

    out: Path
    warehouse: Path
    keys: Keys = NO_KEYS
    mapping: Mapping = field(default_factory=Mapping)
    order: Order | None = None
    """Whether local dates have the day or the month first; None where they must say it."""


def take(desk: Desk, files: Sequence[Path], source: str = "file") -> Imported:
    """Take reviews from files; when this returns, what it took is on the disk.

    Raises UsageError when there is no night that they could be of, NightRefused when what was
    kept before cannot be read.
    """
    with told(store.folder_of(desk.warehouse)):
        fingerprint, known = _published(desk)
        rows: list[pl.DataFrame] = []
        refusals: list[Refusal] = []
        for number, file in enumerate(files, 1):
            # Under pseudonyms the name of a file is not told: it can hold an identifier.
            label = file.name if fingerprint is None else f"file {number}"
            try:
                taken, refused = _read(desk, file, label, known)
            except NightRefused as error:
                why = str(error).removeprefix(f"{file.name}: ")
                refusals.append(Refusal(label, None, None, why))
                continue
            rows.append(taken)
            refusals += refused
        given = pl.concat(rows) if rows else pl.DataFrame(schema=store.KEPT)
        given = given.with_columns(
            pseudonyms=pl.lit(fingerprint, dtype=pl.String),
            source=pl.lit(source),
            received_at=pl.lit(datetime.now(UTC)),
        )
        taken_now = store.append(desk.warehouse, given, desk.keys) if given.height else 0
    return Imported(taken_now, given.height - taken_now, tuple(refusals))


def _published(desk: Desk) -> tuple[str | None, pl.Series]:
    """Return the fingerprint of the newest night's pseudonyms, and whom it knows."""
    folders = nights(desk.out)
    report = report_of(folders[-1]) if folders else None
    if report is None:
        raise UsageError(f"no published night in {desk.out}: reviews answer a night")
    risk = read_table(folders[-1] / "patient_risk.parquet", desk.keys, columns=["patient_id"])
    return report.pseudonyms, risk["patient_id"].cast(pl.String)


def _read(
    desk: Desk, file: Path, label: str, known: pl.Series
) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return the rows of a file that can be used, and what was refused of it."""
    found, refusals = [pl.DataFrame(schema=store.KEPT)], []
    people = _people(known)
    for received in _tables(desk, file):
        text = _with_times(_named(received, desk, known))
        doubt = pl.any_horizontal(in_doubt(pl.col(name), desk.order) for name in _DATES)
        is_line = pl.col("unreadable").is_not_null()
        doubtful = text.filter(doubt.fill_null(False) & ~is_line)
        readable = text.filter(~doubt.fill_null(False) & ~is_line).with_columns(
            as_iso(pl.col(name), desk.order) for name in _DATES
        )
        read = with_context(typed(readable, TABLE, desk.mapping), TABLE, people)
        valid, apart = validate(read, TABLE, _last_day(desk.out))
        which = pl.lit([f"{' or '.join(_DATES)}: {WHICH_FIRST}"])
        for bad in (
            apart,
            rejected(doubtful, TABLE, which),
            rejected(text.filter(is_line), TABLE, pl.concat_list("unreadable")),
        ):
            refusals += _told(bad, label)
        found.append(valid.select(n for n in store.KEPT if n in valid.columns))
    return pl.concat(found, how="diagonal_relaxed"), sorted(refusals, key=lambda one: one.line or 0)


def _tables(desk: Desk, file: Path) -> list[pl.DataFrame]:
    """Return what a file has as text: a delimited one, or the first sheet of a workbook."""
    if file.suffix.lower() not in _WORKBOOKS:
        return _received(desk, _source(file))
    with in_memory(_sheet(_source(file))) as text:
        try:
            return _received(desk, _source(text))
        except NightRefused as error:
            raise NightRefused(str(error).replace(text.name, file.name, 1)) from None


def _sheet(file: SourceFile) -> bytes:
    """Return the first sheet of a workbook as CSV, days without the midnight that a cell adds."""
    try:
        sheet = pl.read_excel(
            file.path, engine="calamine", infer_schema_length=0, drop_empty_rows=False
        )
    except BaseException as error:
        if not is_failure(error):
            raise
        # The reader's own words may quote cells.
        raise NightRefused(
            f"{file.path.name}: cannot be read as a workbook ({type(error).__name__}); save the "
            f"sheet as CSV UTF-8 and import that file"
        ) from None
    return sheet.with_columns(pl.all().str.strip_suffix(" 00:00:00")).write_csv().encode()


def _received(desk: Desk, file: SourceFile) -> list[pl.DataFrame]:
    nowhere = store.folder_of(desk.warehouse)  # only what is packed needs room
    for careful in (False, True):
        try:
            return list(batches(file, desk.mapping, nowhere, Settings(), careful=careful))
        except Irregular:
            if careful:
                raise
    raise AssertionError


def _source(file: Path) -> SourceFile:
    """Look at a file. Raises NightRefused."""
    if file.suffix.lower() == ".gz":
        raise NightRefused(f"{file.name}: packed; unpack it and import that file")
    try:
        if not file.is_file():
            raise NightRefused(f"{file.name}: no such file")
        return SourceFile(TABLE, file, sha256(file), file.stat().st_size)
    except OSError as error:
        raise NightRefused(f"{file.name}: cannot be read: {error.strerror}") from error


def _named(rows: pl.DataFrame, desk: Desk, known: pl.Series) -> pl.DataFrame:
    """Give patients the names of the published night, where the file has the registry's own.

    That takes the key; without it only the night's own names are known.
    """
    stripped = pl.col("patient_id").str.strip_chars()
    rows = rows.with_columns(patient_id=stripped)
    if desk.keys.pseudonym is None:
        return rows
    pseudonyms = desk.keys.pseudonyms(rows["patient_id"])
    is_registry_s = pseudonyms.is_in(known.implode())
    return rows.with_columns(
        patient_id=pl.when(is_registry_s).then(pseudonyms).otherwise("patient_id")
    )


def _with_times(rows: pl.DataFrame) -> pl.DataFrame:
    no_file = pl.lit(0, dtype=pl.UInt32)
    return rows.with_columns(reviewed_time=time_of(pl.col("reviewed_at")), file_no=no_file)


def _people(known: pl.Series) -> pl.DataFrame:
    """Return whom the rows must name, as `with_context` has it: without days of their own."""
    nothing = (pl.lit(None, dtype=pl.Date).alias(name) for name in CONTEXT_DAYS)
    named = known.alias("patient_id").to_frame().with_row_index("patient_no")
    return named.with_columns(hashed("patient_id").alias("hashed"), *nothing)


def _last_day(out: Path) -> date:
    """Return the last day of which a review can be."""
    today = datetime.now(UTC).date() + _CLOCKS
    report = report_of(nights(out)[-1])
    return today if report is None else max(today, report.as_of)


def _told(bad: pl.DataFrame, file: str) -> list[Refusal]:
    reason = pl.col("reasons").list.eval(
        pl.element().replace(_UNKNOWN, "patient_id: not in the newest night")
    )
    rows = bad.sort("line").select("line", "cell", why=reason.list.join("; "))
    return [Refusal(file, *row) for row in rows.iter_rows()]
