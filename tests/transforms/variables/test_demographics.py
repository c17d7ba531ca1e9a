from datetime import date

import pytest

from tests.registry import Registry, born_for, days
from tests.transforms.conftest import Derive


@pytest.mark.parametrize(
    ("birth", "diagnosed", "age"),
    [
        (date(1972, 3, 17), date(2020, 3, 17), 48),
        (date(1972, 3, 18), date(2020, 3, 17), 47),
        (date(1972, 2, 29), date(2021, 2, 28), 48),
        (date(1972, 2, 29), date(2021, 3, 1), 49),
    ],
)
def test_ages_are_completed_years(
    registry: Registry, derive: Derive, birth: date, diagnosed: date, age: int
) -> None:
    registry.patient("A", birth_date=birth).diagnosed("A", diagnosed)
    row = derive(registry)
    assert row["age_at_diagnosis"] == age
    assert row["age_48"] == ("yes" if age >= 48 else "no")


def test_age_at_first_131i_is_counted_on_the_index_date(registry: Registry, derive: Derive) -> None:
    registry.usual("A", birth_date=born_for(55, days(0)))
    assert derive(registry)["age_55"] == "yes"


def test_without_a_birth_date_the_ages_are_unknown(registry: Registry, derive: Derive) -> None:
    row = derive(registry.usual("A", birth_date=None))
    assert (row["age_48"], row["age_55"], row["age_at_index"]) == (None, None, None)


@pytest.mark.parametrize(
    ("histologies", "dtc", "group"),
    [
        (["PTC"], True, "PTC"),
        (["PDTC"], True, "PDTC"),
        (["OCA"], True, None),
        (["mixed"], True, None),
        (["MTC"], False, None),
        (["PTC", "ATC"], False, "PTC"),
        ([None], None, None),
        ([], None, None),
    ],
)
def test_an_undifferentiated_component_is_not_dtc(
    registry: Registry,
    derive: Derive,
    histologies: list[str | None],
    dtc: bool | None,
    group: str | None,
) -> None:
    registry.patient("A")
    for number, histology in enumerate(histologies):
        registry.diagnosed("A", days(number - 90), histology=histology)
    row = derive(registry)
    assert (row["dtc"], row["histology_group"]) == (dtc, group)


def test_sex_unknown_is_missing(registry: Registry, derive: Derive) -> None:
    assert derive(registry.patient("A", sex="unknown"))["sex"] is None


@pytest.mark.parametrize(
    ("histology", "dtc", "group"),
    [
        ("PTC", True, "PTC"),
        ("FTC", True, "FTC"),
        ("PDTC", True, "PDTC"),
        ("OCA", True, None),
        ("mixed", True, None),
        ("ATC", False, None),
        ("MTC", False, None),
        ("other", False, None),
        (None, None, None),
    ],
)
def test_every_histology_is_dtc_or_not_and_has_its_group(
    registry: Registry, derive: Derive, histology: str | None, dtc: bool | None, group: str | None
) -> None:
    registry.patient("A").diagnosed("A", histology=histology).operated("A").treated("A")
    row = derive(registry)
    assert (row["dtc"], row["histology_group"]) == (dtc, group)
