"""What a reader is given, and what all readers have in common."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from flows.errors import NightRefused
from flows.intake.lines import Lines
from flows.settings import Settings
from transforms.mapping.rules import RESERVED
from transforms.mapping.sources import BAD, RECORD, TEXT, Source


def _nobody(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Given:
    """One file of a source."""

    path: Path
    """Its bytes, unpacked."""
    name: str
    """What to call it in messages: its path below the folder of the export."""
    source: Source
    scratch: Path
    """A folder for temporary files."""
    settings: Settings
    lines: Lines = field(default_factory=Lines)
    """Where a reader of text counts what became of each line."""
    tell: Callable[[str], None] = _nobody
    """Takes what a person should know, in words that quote no cell."""

    def refuse_options(self, *known: str) -> None:
        """Raise NightRefused for options that the format does not have."""
        if unknown := sorted(self.source.options.keys() - set(known)):
            raise NightRefused(
                f"{self.name}: options {', '.join(unknown)}: format {self.source.format} has "
                f"{', '.join(known) or 'none'}"
            )


def unique_names(names: Iterable[str]) -> list[str]:
    """Return names of columns, each once whatever its capitals: `Date`, `date_2`, `column_3`."""
    found: list[str] = []
    taken = set(RESERVED)
    for at, given in enumerate(names, 1):
        name = base = given.strip() or f"column_{at}"
        number = 2
        while name.casefold() in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name.casefold())
        found.append(name)
    return found


def whole(cells: pl.DataFrame, first: int) -> pl.DataFrame:
    """Return records of which each can be read, numbered from `first`, all cells as text."""
    nothing = pl.lit(None, dtype=pl.String)
    return cells.with_columns(
        pl.int_range(first, first + pl.len(), dtype=pl.UInt32).alias(RECORD),
        nothing.alias(BAD),
        nothing.alias(TEXT),
    )
