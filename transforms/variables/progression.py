"""Progression: recorded as an event, or RECIST PD on an imaging study.

Whether RECIST PD counts is a setting; it does by default. Both may stand for one progression:
what asks for the first takes the earlier.
Source: Jin 2025, Methods, "Evaluation of therapeutic efficacy"; Liu 2022, criterion 4.
"""

import polars as pl

from transforms.reading.quarantine import CELL_ASIDE
from transforms.variables.evidence import Record, asked
from transforms.variables.windows import Windows

_COLUMNS = ("patient_no", "earliest", "latest", "surely", "source_table", "source_row")


def progressions(record: Record, windows: Windows) -> pl.LazyFrame:
    """Return one row per progression, or what may be one.

    patient_no, earliest, latest, surely, source_table, source_row.
    """
    found = pl.col("found")
    recorded = (
        record.tables["events"]
        .filter(pl.col("type") == "progression", found.is_null() | found)
        .with_columns(
            surely=found.fill_null(False), source_table=pl.lit("events"), source_row="event_id"
        )
        .select(_COLUMNS)
    )
    if not windows.recist_progression:
        return recorded
    recist, unread = pl.col("recist"), pl.col(CELL_ASIDE + "recist").fill_null(False)
    by_recist = (
        record.tables["imaging"]
        .filter((recist == "PD") | (recist.is_null() & unread))
        .with_columns(
            surely=(recist == "PD").fill_null(False),
            source_table=pl.lit("imaging"),
            source_row="study_id",
        )
        .select(_COLUMNS)
    )
    return pl.concat([recorded, by_recist])


def progressed(
    record: Record,
    windows: Windows,
    patients: pl.LazyFrame,
    rows: pl.LazyFrame,
    *,
    after: pl.Expr,
    until: pl.Expr,
) -> pl.LazyFrame:
    """Ask of both sources whether there was a progression: as `evidence.asked`."""
    kind = ["progression"]
    events = asked(record, "events", patients, rows, after=after, until=until, codes=kind)
    if not windows.recist_progression:
        return events
    imaging = asked(record, "imaging", patients, rows, after=after, until=until)
    return events.join(imaging, on="patient_no", suffix="_imaging").select(
        "patient_no", "surely", maybe=pl.col("maybe") | pl.col("maybe_imaging")
    )
