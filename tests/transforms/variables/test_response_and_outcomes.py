import pytest

from tests.registry import Registry, days
from tests.transforms.conftest import Derive


def test_recist_comes_before_thyroglobulin(registry: Registry, derive: Derive) -> None:
    registry.usual("A").stg("A", 100).stg("A", 10, on=days(200))
    assert derive(registry)["response"] == "PR"
    registry.add("imaging", "A", study_date=days(210), modality="CT", recist="SD")
    row = derive(registry)
    assert (row["response"], row["response_basis"]) == ("SD", "RECIST")


def test_the_latest_evaluable_recist_counts(registry: Registry, derive: Derive) -> None:
    registry.usual("A")
    for day, recist in ((100, "PR"), (300, "PD"), (400, "NE")):
        registry.add("imaging", "A", study_date=days(day), modality="CT", recist=recist)
    row = derive(registry)
    assert (row["response"], row["response_date"]) == ("PD", days(300))


@pytest.mark.parametrize(
    ("later", "response"), [(126, "PD"), (125, "SD"), (75, "SD"), (74, "PR"), (100, "SD")]
)
def test_stimulated_tg_must_change_by_more_than_a_quarter(
    registry: Registry, derive: Derive, later: float, response: str
) -> None:
    registry.usual("A").stg("A", 100).stg("A", later, on=days(200))
    row = derive(registry)
    assert (row["response"], row["response_basis"]) == (response, "sTg")


def test_a_result_with_a_comparator_is_not_compared(registry: Registry, derive: Derive) -> None:
    registry.usual("A").stg("A", 100).stg("A", 1, on=days(200), comparator="<")
    assert derive(registry)["response"] is None


def test_survival_counts_from_the_index_date(registry: Registry, derive: Derive) -> None:
    died = days(1000)
    registry.usual("A", death_date=died, last_contact_date=died)
    registry.event("A", "progression", days(500))
    row = derive(registry)
    assert row["os_months"] == pytest.approx(1000 / 30.4375)
    assert row["os_event"] is True
    assert row["pfs_months"] == pytest.approx(500 / 30.4375)
    assert row["pfs_event"] is True


def test_a_death_after_the_as_of_date_has_not_happened(registry: Registry, derive: Derive) -> None:
    registry.usual("A", death_date=days(1000), last_contact_date=days(1000))
    row = derive(registry, as_of=days(999))
    assert row["os_event"] is False
    assert row["os_months"] == pytest.approx(999 / 30.4375)
