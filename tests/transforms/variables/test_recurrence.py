import pytest

from tests.registry import Registry, aside, days
from tests.transforms.conftest import Derive


@pytest.mark.parametrize(
    ("day", "expected"), [(-30, "yes"), (-1, "yes"), (0, "no"), (-60, "no"), (-61, "no"), (5, "no")]
)
def test_a_recurrence_counts_after_the_operation_and_before_131i(
    registry: Registry, derive: Derive, day: int, expected: str
) -> None:
    # The operation is 60 days before the index date.
    registry.usual("A").event("A", "recurrence", days(day))
    assert derive(registry)["recurrence"] == expected


def test_no_event_is_no_recurrence(registry: Registry, derive: Derive) -> None:
    assert derive(registry.usual("A"))["recurrence"] == "no"


def test_progression_is_not_recurrence(registry: Registry, derive: Derive) -> None:
    assert derive(registry.usual("A").event("A", "progression", days(-30)))["recurrence"] == "no"


def test_a_quarantined_event_makes_no_unknown(registry: Registry, derive: Derive) -> None:
    assert derive(registry.usual("A"), aside("events", None))["recurrence"] is None


def test_without_a_thyroidectomy_it_is_unknown(registry: Registry, derive: Derive) -> None:
    registry.patient("A").diagnosed("A").treated("A").operated("A", procedure="neck_dissection")
    row = derive(registry)
    assert row["recurrence"] is None
    assert row["thyroidectomy_before_index"] is False


def test_months_from_operation_to_131i(registry: Registry, derive: Derive) -> None:
    assert derive(registry.usual("A"))["months_operation_to_i131"] == pytest.approx(60 / 30.4375)


@pytest.mark.parametrize(
    ("procedure", "removes"),
    [
        ("total", True),
        ("near_total", True),
        ("subtotal", True),
        ("lobectomy", True),
        ("completion", True),
        ("neck_dissection", False),
        ("other", False),
        (None, None),
    ],
)
def test_a_lobectomy_counts_as_thyroidectomy_and_a_neck_dissection_does_not(
    registry: Registry, derive: Derive, procedure: str | None, removes: bool | None
) -> None:
    registry.patient("A").diagnosed("A").treated("A").event("A", "recurrence", days(-30))
    registry.add("surgeries", "A", surgery_date=days(-60), procedure=procedure)
    row = derive(registry)
    assert row["thyroidectomy_before_index"] is removes
    assert row["thyroidectomy_date"] == (days(-60) if removes else None)
    assert row["recurrence"] == ("yes" if removes else None)
