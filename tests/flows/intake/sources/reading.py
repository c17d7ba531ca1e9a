"""What a reader makes of one file, and what it tells."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows.intake.sources.given import Given
from flows.settings import Settings
from transforms.mapping.sources import BAD, RECORD, TEXT, Source


@dataclass(frozen=True)
class Found:
    """The records of a file and what was told about it."""

    frame: pl.DataFrame
    remarks: list[str]


def read_with(reader: Callable[[Given], Iterator[pl.DataFrame]], path: Path, **said: Any) -> Found:
    """Read a file as a source says; a batch has the columns that every batch has, as text."""
    told: list[str] = []
    source = Source.model_validate({"files": [path.name], **said})
    given = Given(path, path.name, source, path.parent, Settings(), tell=told.append)
    batches = list(reader(given))
    found = pl.concat(batches)
    assert found.schema[RECORD] == pl.UInt32
    assert set(found.drop(RECORD).dtypes) == {pl.String}
    assert {BAD, TEXT} < set(found.columns)
    return Found(found, told)
