"""A hospital's own files, read as records of text: one module per format, READERS has them all.

A reader takes one file and yields batches: every column of the source as text, RECORD, and for a
record that cannot be read BAD (why) and TEXT. No record is left out.
"""

from collections.abc import Callable, Iterator, Mapping

import polars as pl

from flows.intake.sources.columnar import read_parquet
from flows.intake.sources.databases import read_duckdb, read_sqlite
from flows.intake.sources.delimited import read_delimited
from flows.intake.sources.elements import read_xml
from flows.intake.sources.fhir import read_fhir
from flows.intake.sources.fixed import read_fixed
from flows.intake.sources.given import Given
from flows.intake.sources.naaccr import read_naaccr
from flows.intake.sources.nested import read_json, read_ndjson
from flows.intake.sources.redcap import read_redcap
from flows.intake.sources.workbook import read_xlsx

Reader = Callable[[Given], Iterator[pl.DataFrame]]

READERS: Mapping[str, Reader] = {
    "csv": read_delimited,
    "fixed": read_fixed,
    "parquet": read_parquet,
    "ndjson": read_ndjson,
    "json": read_json,
    "duckdb": read_duckdb,
    "sqlite": read_sqlite,
    "xlsx": read_xlsx,
    "xml": read_xml,
    "naaccr": read_naaccr,
    "fhir": read_fhir,
    "redcap": read_redcap,
}
"""Format -> what reads it."""
