from typing import Any

import pytest

from tests.registry import Registry, days
from tests.transforms.conftest import Derive


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ({"suv_max": 6.1}, "positive"),
        ({"suv_max": 2.5}, "positive"),
        ({"suv_max": 2.4}, "negative"),
        ({"suv_max": 6.1, "fdg_positive": True}, "positive"),
        ({"suv_max": 6.1, "fdg_positive": False}, "negative"),
        ({"suv_max": 2.4, "fdg_positive": True}, "negative"),
        ({"fdg_positive": True}, None),
        ({"fdg_positive": False}, "negative"),
        ({}, None),
    ],
)
def test_positive_needs_the_suv_and_the_reading_where_it_is_recorded(
    registry: Registry, derive: Derive, study: dict[str, Any], expected: str | None
) -> None:
    registry.usual("A").pet("A", **study)
    assert derive(registry)["fdg_uptake"] == expected


@pytest.mark.parametrize(
    ("day", "counts"), [(-7, True), (7, True), (0, True), (-8, False), (8, False)]
)
def test_the_window_is_seven_days_around_the_index_date(
    registry: Registry, derive: Derive, day: int, counts: bool
) -> None:
    registry.usual("A").pet("A", days(day), suv_max=6.1)
    assert derive(registry)["fdg_uptake"] == ("positive" if counts else None)


def test_one_positive_study_in_the_window_is_enough(registry: Registry, derive: Derive) -> None:
    registry.usual("A").pet("A", days(-1), suv_max=1.0).pet("A", days(-6), suv_max=4.0)
    row = derive(registry)
    assert (row["fdg_uptake"], row["fdg_row"], row["fdg_date"]) == ("positive", "I2", days(-6))


def test_a_study_that_could_be_positive_leaves_a_negative_one_unsure(
    registry: Registry, derive: Derive
) -> None:
    registry.usual("A").pet("A", days(-1), suv_max=1.0).pet("A", days(-6), fdg_positive=True)
    assert derive(registry)["fdg_uptake"] is None


def test_other_modalities_do_not_count(registry: Registry, derive: Derive) -> None:
    registry.usual("A").add("imaging", "A", study_date=days(0), modality="SPECT", suv_max=9.0)
    assert derive(registry)["fdg_uptake"] is None
