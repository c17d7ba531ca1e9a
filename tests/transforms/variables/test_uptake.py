import pytest

from tests.registry import Registry, days
from tests.transforms.conftest import Derive


@pytest.mark.parametrize(
    ("courses", "category", "provisional"),
    [
        (["none", "none"], "primary_nonuptake", False),
        (["all", "none"], "secondary_nonuptake", False),
        (["all", "some", "all"], "uptake", False),
        (["some", "some"], "uptake", False),
        (["all", "none", "all"], "secondary_nonuptake", False),
        (["none", "all"], None, None),
        (["none"], "primary_nonuptake", True),
        (["all"], "uptake", True),
        (["all", "not_assessed"], "uptake", True),
        (["not_assessed", "all"], "uptake", True),
        (["not_assessed", "none"], None, None),
        (["not_assessed"], None, None),
        (["not_assessed", "all", "all"], "uptake", False),
    ],
)
def test_the_courses_in_order_make_the_category(
    registry: Registry,
    derive: Derive,
    courses: list[str],
    category: str | None,
    provisional: bool | None,
) -> None:
    registry.patient("A").diagnosed("A").operated("A")
    for number, uptake in enumerate(courses):
        registry.treated("A", days(180 * number), uptake)
    row = derive(registry)
    assert row["uptake_category"] == category
    assert row["uptake_provisional"] is provisional
    assert (row["uptake_reason"] is None) == (category is not None)


def test_no_uptake_then_uptake_says_that_the_paper_has_no_such_class(
    registry: Registry, derive: Derive
) -> None:
    registry.usual("A").rows["i131_treatments"][0]["lesion_uptake"] = "none"
    registry.treated("A", days(200), "all")
    assert "the paper has no such class" in derive(registry)["uptake_reason"]


def test_the_last_assessed_course_is_the_source_row(registry: Registry, derive: Derive) -> None:
    registry.usual("A").treated("A", days(200), "none").treated("A", days(400), "not_assessed")
    row = derive(registry)
    assert (row["uptake_row"], row["uptake_date"]) == ("I2", days(200))


def test_a_later_course_does_not_exist_before_its_date(registry: Registry, derive: Derive) -> None:
    registry.usual("A").treated("A", days(200), "none")
    assert derive(registry, as_of=days(199))["uptake_category"] == "uptake"
    assert derive(registry, as_of=days(200))["uptake_category"] == "secondary_nonuptake"
