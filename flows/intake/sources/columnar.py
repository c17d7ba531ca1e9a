"""Parquet as records: its rows, numbered from 1."""

from collections.abc import Iterator

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import NightRefused
from flows.intake.sources.given import Given, unique_names, whole


def read_parquet(file: Given) -> Iterator[pl.DataFrame]:
    """Read a parquet file. Raises NightRefused."""
    file.refuse_options()
    try:
        with pq.ParquetFile(file.path, page_checksum_verification=True) as parquet:
            schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
            if any(pa.types.is_nested(column.type) for column in schema):
                raise NightRefused(f"{file.name}: nested columns; export flat ones")
            names, read = unique_names(schema.names), 0
            for batch in parquet.iter_batches(batch_size=file.settings.batch_rows):
                batch.validate(full=True)
                frame = pl.from_arrow(batch.rename_columns(names))
                assert isinstance(frame, pl.DataFrame)  # noqa: S101
                yield whole(frame.with_columns(pl.all().cast(pl.String)), read + 1)
                read += frame.height
            if not rows:
                yield whole(pl.DataFrame(schema=dict.fromkeys(names, pl.String())), 1)
    except pa.ArrowException as error:
        raise NightRefused(
            f"{file.name}: cannot be read as parquet ({type(error).__name__}); export it again"
        ) from None
    if read != rows:
        raise NightRefused(f"{file.name}: {read} rows where its own footer says {rows}")
