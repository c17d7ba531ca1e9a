"""What a measurement can be and usually is: every number in every unit, with sources.

Both sides of each limit are among the cases of the contracts.
"""

import polars as pl
import pytest

from schemas import codes
from schemas.ranges import RANGES, Range
from schemas.registry import TABLES


@pytest.mark.parametrize("one", RANGES, ids=lambda one: f"{one.column} {one.where}")
def test_the_usual_lies_within_the_possible_and_both_have_sources(one: Range) -> None:
    assert 0 <= one.possible[0] <= one.usual[0] < one.usual[1] < one.possible[1]
    assert "possible: " in one.source
    assert "usual: " in one.source


def test_every_number_has_a_range_in_every_unit() -> None:
    units = {
        "tumour_size_unit": codes.LENGTH_UNIT,
        "largest_lung_nodule_unit": codes.LENGTH_UNIT,
        "activity_unit": codes.ACTIVITY_UNIT,
        "unit": codes.LAB_UNIT,
        None: [""],
    }
    numbers = {
        (table, name, unit)
        for table, described in TABLES.items()
        for name, column in described.schema.columns.items()
        if column.dtype.type == pl.Float64
        for unit in units[(column.metadata or {})["unit"]]
    }
    assert {(r.table, r.column, unit) for r in RANGES for unit in r.units or [""]} == numbers
