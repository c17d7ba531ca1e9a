import pytest

from tests.registry import Registry, aside, days
from tests.transforms.conftest import Derive


@pytest.mark.parametrize(
    ("activity", "unit", "mci"),
    [(3.7, "GBq", 100), (740, "MBq", 20), (150, "mCi", 150), (1.11, "GBq", 30), (9.25, "GBq", 250)],
)
def test_the_first_activity_is_in_mci_exactly(
    registry: Registry, derive: Derive, activity: float, unit: str, mci: float
) -> None:
    registry.patient("A").treated("A", activity=activity, activity_unit=unit)
    assert derive(registry)["activity_mci"] == mci


def test_two_courses_on_the_index_date_that_disagree_leave_it_unknown(
    registry: Registry, derive: Derive
) -> None:
    registry.usual("A").treated("A", activity=1.0)
    assert derive(registry)["activity_mci"] is None


def test_the_total_says_how_many_courses_lack_an_activity(
    registry: Registry, derive: Derive
) -> None:
    registry.usual("A").treated("A", days(200), activity=None, activity_unit=None)
    row = derive(registry)
    assert (row["cumulative_activity_mci"], row["cumulative_activity_at_least"]) == (None, 150)
    assert (row["activity_missing_courses"], row["courses"]) == (1, 2)


@pytest.mark.parametrize(("day", "counts"), [(-90, True), (-91, False), (30, True), (31, False)])
def test_the_ct_window_is_ninety_days_before_to_thirty_after(
    registry: Registry, derive: Derive, day: int, counts: bool
) -> None:
    registry.usual("A").ct("A", days(day), 12, "mm")
    assert derive(registry)["nodule_cm"] == (1.2 if counts else None)


def test_the_nearest_ct_counts_and_of_two_the_earlier(registry: Registry, derive: Derive) -> None:
    registry.usual("A").ct("A", days(-20), 3).ct("A", days(5), 2).ct("A", days(-5), 1)
    assert derive(registry)["nodule_cm"] == 1


def test_a_quarantined_course_that_may_be_the_first_leaves_no_index_date(
    registry: Registry, derive: Derive
) -> None:
    registry.usual("A")
    for hidden_on, index in ((None, None), (days(-1), None), (days(1), days(0))):
        row = derive(registry, aside("i131_treatments", hidden_on))
        assert row["index_date"] == index
        assert row["has_index"] is True
