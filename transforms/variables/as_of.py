"""Time: what is known as of a date, ages, and spans between days that may be intervals."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import polars as pl

from schemas.contracts import EARLIEST, LATEST
from schemas.registry import EVENT_TABLES, TABLES
from transforms.reading.coverage import Coverage
from transforms.reading.quarantine import CELL_ASIDE
from transforms.units import divided
from transforms.variables.evidence import FIRST_DAY, HIDDEN, Record

Tables = Mapping[str, pl.LazyFrame]
DAYS_PER_MONTH = 30.4375


def known_as_of(
    tables: Tables,
    set_aside: pl.LazyFrame,
    as_of: date,
    coverage: Coverage | None = None,
    extracted_on: date | None = None,
) -> Record:
    """Return what was known on `as_of`: later rows and later dates are not there.

    `tables` are valid rows with the days of their dates. `set_aside` has one row per quarantined
    row of a known patient: patient_no, table, cell (null: the row), earliest, latest (null: any
    day). A row that has no day of its own has some day up to the extraction; where that is after
    `as_of`, or where a partial date goes beyond it, whether the row was known is unknown.
    """
    last_day = min(extracted_on, as_of) if extracted_on else as_of
    may_be_later = bool(extracted_on and extracted_on > as_of)
    coverage = coverage or Coverage()
    tables = {name: _uncollected(rows, name, coverage) for name, rows in tables.items()}
    known, hidden = {}, [_hidden(set_aside, as_of)]
    for name, table in EVENT_TABLES.items():
        rows = _dated(tables[name], table.date or "", as_of, last_day, may_be_later)
        known[name] = rows.filter(pl.col("latest") <= as_of)
        unsure = (pl.col("earliest") <= as_of) & (pl.col("latest") > as_of)
        hidden.append(
            rows.filter(unsure).select(
                "patient_no", "earliest", table=pl.lit(name), latest=pl.lit(as_of)
            )
        )
    known["patients"] = _patients(tables["patients"], as_of)
    together = pl.concat([one.select(HIDDEN.names()).cast(HIDDEN) for one in hidden])
    # Few rows, and every variable asks for them: found once, not once a question.
    return Record(as_of, known, together.collect().lazy(), coverage)


def known_on(record: Record, days: pl.LazyFrame) -> Record:
    """Return what was known of each patient on a day of their own: later rows are not there.

    `days` has one row per patient that is asked about: patient_no, day, no later than
    `record.as_of`. Whether a row that may be of a later day was known on it is unknown.
    `as_of` stays: what is complete until a day before it alone is unknown, as it was.
    """

    def by_day(rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.join(days, on="patient_no", how="inner").filter(
            pl.col("earliest") <= pl.col("day")
        )

    known = {}
    hidden = [by_day(record.hidden)]
    for name in EVENT_TABLES:
        rows = by_day(record.tables[name])
        known[name] = rows.filter(pl.col("latest") <= pl.col("day")).drop("day")
        unsure = rows.filter(pl.col("latest") > pl.col("day"))
        hidden.append(unsure.with_columns(table=pl.lit(name)))
    known["patients"] = _patients_on(record.tables["patients"], days)
    cut = [
        rows.with_columns(latest=pl.min_horizontal("latest", "day")).select(HIDDEN.names())
        for rows in hidden
    ]
    return replace(record, tables=known, hidden=pl.concat(cut))


def _patients_on(patients: pl.LazyFrame, days: pl.LazyFrame) -> pl.LazyFrame:
    day, death = pl.col("day"), pl.col("death_date")
    alive = ~pl.col("died") | (death > day) | (pl.col("last_contact_date") >= day)
    return (
        patients.join(days, on="patient_no", how="inner", maintain_order="left")
        .with_columns(
            died=pl.when(death <= day).then(True).when(alive).then(False),
            death_date=pl.when(death <= day).then("death_date"),
            last_contact_date=pl.when(pl.col("last_contact_date").is_not_null()).then(
                pl.min_horizontal("last_contact_date", "day")
            ),
        )
        .drop("day")
    )


def _uncollected(rows: pl.LazyFrame, table: str, coverage: Coverage) -> pl.LazyFrame:
    """Mark empty cells as unknown in columns where they would be an answer, were it collected."""
    uncollected = [
        name
        for name in sorted(TABLES[table].empty_answers)
        if coverage.of(table, name).status != "collected"
    ]
    return rows.with_columns(
        (pl.col(CELL_ASIDE + name) | pl.col(name).is_null()).alias(CELL_ASIDE + name)
        for name in uncollected
    )


def _dated(
    rows: pl.LazyFrame, when: str, as_of: date, last_day: date, may_be_later: bool
) -> pl.LazyFrame:
    """Add `earliest` and `latest`, never null."""
    first, last = pl.col(EARLIEST + when), pl.col(LATEST + when)
    whole = first == last
    any_day = pl.lit(date.max if may_be_later else last_day)
    # A year or a month ends with the extraction: what came later is not in it.
    cut = (
        last
        if may_be_later
        else pl.min_horizontal(last, pl.max_horizontal(first, pl.lit(last_day)))
    )
    return rows.with_columns(
        earliest=first.fill_null(pl.lit(FIRST_DAY)),
        latest=pl.when(last.is_null()).then(any_day).when(whole).then(last).otherwise(cut),
    ).drop(EARLIEST + when, LATEST + when)


def _hidden(set_aside: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    return (
        set_aside.filter(pl.col("cell").is_null())
        .with_columns(pl.col("earliest").fill_null(pl.lit(FIRST_DAY)))
        .with_columns(latest=pl.min_horizontal(pl.col("latest").fill_null(as_of), pl.lit(as_of)))
        .filter(pl.col("earliest") <= as_of)
    )


def _patients(patients: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Return one row per patient: who they are, and what is known of their life and death.

    died is null where it is unknown. A contact after the as-of date proves that the patient was
    alive on it, and counts as one.
    """
    first, last = pl.col(EARLIEST + "death_date"), pl.col(LATEST + "death_date")
    contact = pl.min_horizontal("last_contact_date", pl.lit(as_of))
    alive_on = pl.col(EARLIEST + "last_contact_date") >= as_of
    return patients.select(
        pl.exclude("^(earliest|latest)[.].*$", "death_date", "last_contact_date"),
        birth_earliest=pl.col(EARLIEST + "birth_date"),
        birth_latest=pl.col(LATEST + "birth_date"),
        died=pl.when(last <= as_of)
        .then(True)
        .when((first > as_of) | alive_on)
        .then(False)
        .when(first.is_null() & ~pl.col(CELL_ASIDE + "death_date").fill_null(True))
        .then(False),
        death_date=pl.when(pl.col("death_date") <= as_of).then("death_date"),
        last_contact_date=pl.when(pl.col("last_contact_date").is_not_null()).then(contact),
    )


def whole(first: str, last: str) -> pl.Expr:
    """Return a day where the days that it may be are one; else null."""
    return pl.when(pl.col(first) == pl.col(last)).then(first)


def first_rows(rows: pl.LazyFrame, *order: str | pl.Expr) -> pl.LazyFrame:
    """Return one row per patient: the first in the given order."""
    return rows.sort("patient_no", *order).unique("patient_no", keep="first", maintain_order=True)


def completed_years(birth: str, day: str) -> pl.Expr:
    """Return the completed years from one date to another."""
    born, on = pl.col(birth), pl.col(day)
    before_birthday = (on.dt.month() < born.dt.month()) | (
        (on.dt.month() == born.dt.month()) & (on.dt.day() < born.dt.day())
    )
    return (on.dt.year() - born.dt.year() - before_birthday.cast(pl.Int32)).cast(pl.Int16)


def days_between(start: str, end: str) -> pl.Expr:
    """Return the days from one date to another, negative when the second is earlier."""
    return (pl.col(end) - pl.col(start)).dt.total_days()


def months_between(start: str, end: str) -> pl.Expr:
    """Return the months (of 30.4375 days) from one date to another."""
    return divided(days_between(start, end), DAYS_PER_MONTH)
