import pytest

from tests.registry import Registry, aside, days
from tests.transforms.conftest import Derive


@pytest.mark.parametrize(
    ("sites", "count", "group"),
    [
        (["lymph_node"], "single", "lymph node"),
        (["lung", "lung"], "single", "lung"),
        (["lung", "bone"], "multi", "lung and bone"),
        (["lymph_node", "larynx_trachea"], "multi", "lymph node and trachea"),
        (["lymph_node", "pleura"], "multi", "lymph node and pleura"),
        (["lung", "liver"], "multi", None),
        (["brain"], "single", None),
        (["lung", "bone", "brain"], "multi", "three or more"),
    ],
)
def test_distinct_sites_are_counted_and_grouped_as_in_the_paper(
    registry: Registry, derive: Derive, sites: list[str], count: str, group: str | None
) -> None:
    registry.usual("A")
    for site in sites:
        registry.metastasis("A", site)
    row = derive(registry)
    assert (row["site_count"], row["liu_site_group"]) == (count, group)
    assert row["metastatic"] is True


@pytest.mark.parametrize(("day", "count"), [(7, "multi"), (8, "single")])
def test_a_site_found_within_seven_days_was_there(
    registry: Registry, derive: Derive, day: int, count: str
) -> None:
    registry.usual("A").metastasis("A", "lung").metastasis("A", "bone", days(day))
    assert derive(registry)["site_count"] == count


def test_no_finding_means_no_metastasis(registry: Registry, derive: Derive) -> None:
    row = derive(registry.usual("A"))
    assert row["metastatic"] is False
    assert row["site_count"] is None
    assert row["lung_timing"] == "none"


@pytest.mark.parametrize(
    ("sites", "extent"),
    [
        (["lung"], "lung"),
        (["lung", "lymph_node"], "lung"),
        (["lung", "bone"], "lung_and_other"),
        (["lung", "other"], "lung_and_other"),
        (["bone"], None),
    ],
)
def test_lymph_nodes_are_not_an_organ(
    registry: Registry, derive: Derive, sites: list[str], extent: str | None
) -> None:
    registry.usual("A")
    for site in sites:
        registry.metastasis("A", site)
    assert derive(registry)["extent"] == extent


@pytest.mark.parametrize(
    ("day", "timing"), [(-400, "in_time"), (183, "in_time"), (184, "late"), (240, "late")]
)
def test_lung_metastasis_counts_when_found_within_six_months(
    registry: Registry, derive: Derive, day: int, timing: str
) -> None:
    # Six calendar months from 15 June are 183 days.
    registry.usual("A").metastasis("A", "lung", days(day))
    assert derive(registry)["lung_timing"] == timing


def test_a_quarantined_finding_makes_single_unknown_but_not_multi(
    registry: Registry, derive: Derive
) -> None:
    registry.usual("A").metastasis("A", "lung")
    hidden = aside("metastases", None)
    row = derive(registry, hidden)
    assert (row["site_count"], row["extent"]) == (None, None)
    assert derive(registry.metastasis("A", "bone"), hidden)["site_count"] == "multi"


def test_a_quarantined_finding_from_long_after_changes_nothing(
    registry: Registry, derive: Derive
) -> None:
    registry.usual("A").metastasis("A", "lung")
    row = derive(registry, aside("metastases", days(400)))
    assert (row["site_count"], row["extent"]) == ("single", "lung")
