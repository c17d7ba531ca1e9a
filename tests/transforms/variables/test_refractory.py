from datetime import date
from typing import Any

import pytest

from tests.registry import Registry, days
from tests.transforms.conftest import Derive


def met(row: dict[str, Any]) -> tuple[int | None, date | None]:
    return row["rrdtc_criterion"], row["rrdtc_met_date"]


@pytest.mark.parametrize(
    ("courses", "criterion", "day"),
    [
        (["none"], 1, 0),
        (["none", "none"], 1, 0),
        (["all", "none"], 2, 180),
        (["some"], 3, 0),
        (["all", "some", "none"], 3, 180),
        (["none", "all"], None, None),
        (["none", "all", "none"], 2, 0),
        (["all", "all"], None, None),
        (["not_assessed"], None, None),
    ],
)
def test_uptake_meets_criteria_1_to_3(
    registry: Registry,
    derive: Derive,
    courses: list[str],
    criterion: int | None,
    day: int | None,
) -> None:
    registry.patient("A").diagnosed("A").operated("A").metastasis("A", "lung")
    for number, uptake in enumerate(courses):
        registry.treated("A", days(180 * number), uptake)
    assert met(derive(registry)) == (criterion, None if day is None else days(day))


@pytest.mark.parametrize(("day", "holds"), [(1, True), (365, True), (366, False), (0, False)])
def test_progression_within_a_year_is_criterion_4(
    registry: Registry, derive: Derive, day: int, holds: bool
) -> None:
    registry.usual("A").metastasis("A", "lung").event("A", "progression", days(day))
    assert met(derive(registry)) == ((4, days(day)) if holds else (None, None))


def test_more_than_600_mci_is_criterion_5_from_the_course_that_passes_it(
    registry: Registry, derive: Derive
) -> None:
    registry.patient("A").diagnosed("A").operated("A").metastasis("A", "lung")
    for number in range(3):
        registry.treated("A", days(400 * number), activity=200, activity_unit="mCi")
    assert met(derive(registry)) == (None, None)
    registry.treated("A", days(1200), activity=1, activity_unit="mCi")
    assert met(derive(registry)) == (5, days(1200))


def test_the_first_to_hold_in_time_is_reported(registry: Registry, derive: Derive) -> None:
    registry.usual("A").metastasis("A", "lung").event("A", "progression", days(90))
    registry.treated("A", days(180), "none")
    assert met(derive(registry)) == (4, days(90))


def test_of_two_on_the_same_day_the_lower_number(registry: Registry, derive: Derive) -> None:
    registry.usual("A").metastasis("A", "lung").event("A", "progression", days(180))
    registry.treated("A", days(180), "none")
    assert met(derive(registry)) == (2, days(180))


@pytest.mark.parametrize("histology", ["ATC", "MTC", None])
def test_the_criteria_are_for_dtc(
    registry: Registry, derive: Derive, histology: str | None
) -> None:
    registry.patient("A").diagnosed("A", histology=histology).operated("A")
    registry.treated("A", uptake="none")
    row = derive(registry)
    assert row["rrdtc_met"] is None
    assert met(row) == (None, None)
