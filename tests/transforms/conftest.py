from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from tests.registry import AS_OF, NOTHING_ASIDE, Registry, numbered
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
    ) -> dict[str, Any]:
        tables = registry.frames()
        lazy = {name: frame.lazy() for name, frame in tables.items()}
        aside = numbered(set_aside.collect(), tables["patients"]).lazy()
        derived = features(lazy, aside, as_of, windows or Windows())
        (row,) = derived.to_dicts()
        return row

    return of
