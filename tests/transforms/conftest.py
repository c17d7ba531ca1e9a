from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from tests.registry import AS_OF, NOTHING_ASIDE, Registry
from transforms.reading.coverage import Coverage
from transforms.variables.as_of import known_as_of
from transforms.variables.features import features
from transforms.variables.windows import Windows

Derive = Callable[..., dict[str, Any]]


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def derive() -> Derive:
    """Derive the variables of the one patient that a test describes."""

    def of(
        registry: Registry,
        set_aside: pl.LazyFrame = NOTHING_ASIDE,
        as_of: Any = AS_OF,
        windows: Windows | None = None,
        coverage: dict[str, Any] | None = None,
        extracted_on: Any = None,
    ) -> dict[str, Any]:
        tables, aside = registry.read(as_of)
        lazy = {name: frame.lazy() for name, frame in tables.items()}
        together = pl.concat([aside.lazy(), set_aside])
        record = known_as_of(lazy, together, as_of, Coverage(coverage or {}), extracted_on)
        derived = features(record, together, windows or Windows())
        (row,) = derived.to_dicts()
        return row

    return of
