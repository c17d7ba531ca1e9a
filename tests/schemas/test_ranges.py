"""What a measurement can be: beyond it the cell is set aside, beyond the usual it is counted."""

from datetime import date

import pytest

from schemas.ranges import RANGES, Range
from schemas.registry import TABLES
from tests.registry import Registry

AROUND = [
    ("activity", 40.0, "GBq"),
    ("activity", 40_000.0, "MBq"),
    ("activity", 1081.0, "mCi"),
]


def reasons(registry: Registry) -> list[str]:
    _, aside = registry.read()
    return aside["cell"].to_list()


@pytest.mark.parametrize(("column", "most", "unit"), AROUND)
def test_an_activity_beyond_what_was_ever_given_is_set_aside_in_its_unit(
    column: str, most: float, unit: str
) -> None:
    there = (
        Registry().usual("A").treated("A", on=date(2021, 1, 1), activity=most, activity_unit=unit)
    )
    beyond = (
        Registry()
        .usual("A")
        .treated("A", on=date(2021, 1, 1), activity=most * 1.01, activity_unit=unit)
    )
    assert reasons(there) == []
    assert reasons(beyond) == [column]


@pytest.mark.parametrize(
    ("size", "unit", "fits"),
    [(30, "cm", True), (31, "cm", False), (31, "mm", True), (301, "mm", False)],
)
def test_a_nodule_is_no_larger_than_a_lung(size: float, unit: str, fits: bool) -> None:
    registry = Registry().usual("A").ct("A", size=size, unit=unit)
    assert reasons(registry) == ([] if fits else ["largest_lung_nodule"])


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "fits"),
    [
        ("TSH", 10_000, "mIU/L", True),
        ("TSH", 10_001, "µIU/mL", False),
        ("Tg", 10_001, "ng/mL", True),
        ("TgAb", 4_000_001, "IU/mL", False),
    ],
)
def test_a_laboratory_value_is_judged_by_its_analyte_and_unit(
    analyte: str, value: float, unit: str, fits: bool
) -> None:
    registry = Registry().usual("A").lab("A", analyte, value, unit)
    assert reasons(registry) == ([] if fits else ["value"])


@pytest.mark.parametrize("one", RANGES, ids=lambda one: f"{one.column} {one.where}")
def test_a_range_is_of_a_column_lies_within_the_possible_and_has_its_sources(one: Range) -> None:
    column = TABLES[one.table].schema.columns[one.column]
    assert (column.metadata or {})["low"] <= one.possible[0] <= one.usual[0]
    assert one.usual[1] < one.possible[1]
    assert "possible: " in one.source
    assert "usual: " in one.source
    assert bool(one.units) == bool((column.metadata or {})["unit"])
