"""What is known of a patient, and what may be missing: the one home of doubt.

"None", "no" and "never" need evidence. Whoever says one of them asks here, with `asked`: it
looks not only at the rows that say yes, but at everything that might: rows that were set aside,
rows whose date is a month or a year, cells that cannot be read, and tables that the registry does
not collect. The answer is yes, no, or unknown.

A row certainly says yes where its cells and its days leave no other reading; it may where they
leave one. Days are intervals: `earliest` and `latest` are equal for a whole date.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from schemas.registry import TABLES
from transforms.reading.coverage import Coverage, Statement, least

FIRST_DAY = date(1900, 1, 1)
"""Before it nothing in a registry happened: the first day that a row without a date may have."""

HIDDEN = pl.Schema(
    {"patient_no": pl.UInt32(), "table": pl.String(), "earliest": pl.Date(), "latest": pl.Date()}
)
"""One row per row of a known patient that exists and cannot be used, and the days it may have."""

NO_ROWS = pl.LazyFrame(schema={"patient_no": pl.UInt32, "surely": pl.Boolean})
"""For `asked`, of rows that cannot be read: none that says yes."""


@dataclass(frozen=True)
class Record:
    """The registry as of a date.

    tables: by name, one row per row that certainly was known, with `earliest` and `latest`.
    hidden: one row per row that may have been known and cannot be used, as HIDDEN.
    """

    as_of: date
    tables: Mapping[str, pl.LazyFrame]
    hidden: pl.LazyFrame
    coverage: Coverage = field(default_factory=Coverage)
    scopes: pl.LazyFrame | None = None
    """One row per patient: until which day what is `partial` is complete, by scope."""

    def with_scopes(self, scopes: pl.LazyFrame) -> "Record":
        """Return this with the day of the diagnosis and of the index of each patient."""
        return replace(self, scopes=scopes)

    def hidden_in(self, table: str) -> pl.LazyFrame:
        """Return the rows of a table that may exist and cannot be used."""
        return self.hidden.filter(pl.col("table") == table).drop("table")

    def coverage_of(self, table: str, codes: Sequence[str] = ()) -> Statement:
        """Return what holds for all kinds of rows of a table, or for some: the least of it."""
        what = TABLES[table].says_what
        if what is None:
            return self.coverage.of(table)
        every = TABLES[table].schema.columns[what].dtype.type.categories
        return least(self.coverage.of(table, what, code) for code in codes or every)

    def is_collected(self, table: str, *codes: str) -> bool:
        """Tell whether absence means none in a table, or for some of its kinds of rows."""
        return self.coverage_of(table, codes).status == "collected"


def surely_by(until: pl.Expr, *, after: pl.Expr | None = None) -> pl.Expr:
    """Tell whether a row's day certainly is no later than `until` (and later than `after`)."""
    by = pl.col("latest") <= until
    return by if after is None else by & (pl.col("earliest") > after)


def maybe_by(until: pl.Expr, *, after: pl.Expr | None = None) -> pl.Expr:
    """Tell whether a row's day may be no later than `until` (and later than `after`)."""
    by = pl.col("earliest") <= until
    return by if after is None else by & (pl.col("latest") > after)


def asked(
    record: Record,
    table: str,
    patients: pl.LazyFrame,
    rows: pl.LazyFrame,
    *,
    until: pl.Expr,
    after: pl.Expr | None = None,
    codes: Sequence[str] = (),
) -> pl.LazyFrame:
    """Ask whether such a row exists: one row per row of `patients`, surely and maybe.

    `rows` are those that may say yes: patient_no and `surely`, whether they do. `until` and
    `after` are days of `patients`, the widest that the question can mean; null is any day.
    `codes` are the kinds of rows (site, type, analyte, modality) that the question is about; all
    of them where none is said.
    """
    said = rows.group_by("patient_no").agg(surely=pl.col("surely").any(), read=pl.lit(True))
    within = pl.col("earliest") <= until
    if after is not None:
        within &= (pl.col("latest") > after).fill_null(True)
    hidden = (
        record.hidden_in(table)
        .join(patients, on="patient_no", how="inner")
        .filter(within.fill_null(True))
        .select("patient_no", hidden=pl.lit(True))
        .unique()
    )
    answers = patients.join(said, on="patient_no", how="left").join(
        hidden, on="patient_no", how="left"
    )
    uncovered = pl.lit(False)
    if not record.is_collected(table, *codes):
        answers = answers.join(_complete_until(record, table, codes), on="patient_no", how="left")
        uncovered = (pl.col("complete_until") < until).fill_null(True)
    surely = pl.col("surely").fill_null(False)
    maybe = surely | pl.col("read").is_not_null() | pl.col("hidden").is_not_null() | uncovered
    return answers.select("patient_no", surely=surely, maybe=maybe)


def _complete_until(record: Record, table: str, codes: Sequence[str]) -> pl.LazyFrame:
    """Return until which day a patient's rows of some kinds are known to be all.

    By the scope of what is collected, or because somebody looked and found none: of the only
    kind asked for, or of any. One row per patient with such a day.
    """
    rows, what = record.tables[table], TABLES[table].says_what or ""
    parts = []
    if "found" in TABLES[table].columns:
        kinds = {*codes, "unspecified"} if len({*codes} - {"unspecified"}) == 1 else {"unspecified"}
        about = pl.col(what).cast(pl.String).is_in(sorted(kinds))
        parts.append(
            rows.filter(~pl.col("found"), about).select("patient_no", complete_until="earliest")
        )
    until = record.coverage_of(table, codes).until
    if until is not None and record.scopes is not None:
        parts.append(record.scopes.select("patient_no", complete_until=until))
    nobody = pl.LazyFrame(schema={"patient_no": pl.UInt32, "complete_until": pl.Date})
    return pl.concat([nobody, *parts]).group_by("patient_no").agg(pl.col("complete_until").max())


def yes_no() -> pl.Expr:
    """Return the answer of `asked`: true, false, or null where it is unknown."""
    return pl.when("surely").then(True).when(~pl.col("maybe")).then(False)


def first_if_certain(
    record: Record,
    table: str,
    rows: pl.LazyFrame,
    *order: str | pl.Expr,
    certain: str,
    of_all: bool = False,
) -> pl.LazyFrame:
    """Return the first row of each patient in an order, if it certainly is one.

    `rows` of a table are all that may come first. Where the first of them is not `certain`, or any
    row of the patient's has no whole date or was set aside, the patient has none. `of_all`: the
    first in time that there was, not only of those on file.
    """
    in_doubt = rows.filter(pl.col("earliest") != pl.col("latest")).select("patient_no")
    doubts = pl.concat([in_doubt, record.hidden_in(table).select("patient_no")])
    first = (
        rows.join(doubts, on="patient_no", how="anti")
        .sort("patient_no", *order)
        .unique("patient_no", keep="first", maintain_order=True)
    )
    if of_all and not record.is_collected(table):
        complete = _complete_until(record, table, ())
        first = first.join(complete, on="patient_no", how="inner").filter(
            pl.col("earliest") <= pl.col("complete_until")
        )
    return first.filter(certain)
