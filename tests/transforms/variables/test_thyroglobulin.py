from datetime import date

import pytest

from tests.registry import Registry, days
from tests.transforms.conftest import Derive
from transforms.variables.windows import Windows


@pytest.mark.parametrize(
    ("comparator", "value", "unit", "expected"),
    [
        ("=", 500, "ng/mL", "at_or_above"),
        ("=", 499.9, "ug/L", "below"),
        (">", 500, "ng/mL", "at_or_above"),
        (">=", 500, "ng/mL", "at_or_above"),
        (">", 300, "ng/mL", None),
        (">=", 499, "ng/mL", None),
        ("<", 0.1, "ng/mL", "below"),
        ("<", 500, "ng/mL", "below"),
        ("<=", 500, "ng/mL", None),
        ("<", 600, "ng/mL", None),
        ("=", 600, "pmol/L", "below"),
        ("=", 760, "pmol/L", "at_or_above"),
        (None, 600, "ng/mL", None),
    ],
)
def test_comparators_and_units_count(
    registry: Registry,
    derive: Derive,
    comparator: str | None,
    value: float,
    unit: str,
    expected: str | None,
) -> None:
    registry.usual("A").stg("A", value, unit, comparator=comparator)
    assert derive(registry)["stg_500"] == expected


def test_600_pmol_per_l_is_396_ng_per_ml(registry: Registry, derive: Derive) -> None:
    registry.usual("A").stg("A", 600, "pmol/L")
    assert derive(registry)["stg_ng_ml"] == 396


@pytest.mark.parametrize(
    ("day", "counts"), [(0, True), (-1, True), (-30, True), (-31, False), (1, False)]
)
def test_the_window_is_the_thirty_days_up_to_the_index_date(
    registry: Registry, derive: Derive, day: int, counts: bool
) -> None:
    registry.usual("A").stg("A", 900, on=days(day))
    assert derive(registry)["stg_500"] == ("at_or_above" if counts else None)


def test_the_latest_in_the_window_counts(registry: Registry, derive: Derive) -> None:
    registry.usual("A").stg("A", 900, on=days(-20)).stg("A", 20, on=days(-4))
    row = derive(registry)
    assert (row["stg_500"], row["stg_date"]) == ("below", days(-4))


@pytest.mark.parametrize(
    ("tsh", "comparator", "stimulated"),
    [(30, "=", True), (29.9, "=", False), (30, ">", True), (100, "<", False)],
)
def test_a_tsh_of_30_on_the_same_day_makes_a_tg_stimulated(
    registry: Registry, derive: Derive, tsh: float, comparator: str, stimulated: bool
) -> None:
    registry.usual("A").lab("A", "Tg", 900, "ng/mL")
    registry.lab("A", "TSH", tsh, "mIU/L", comparator=comparator)
    assert derive(registry)["stg_500"] == ("at_or_above" if stimulated else None)


def test_a_tsh_of_another_day_does_not(registry: Registry, derive: Derive) -> None:
    registry.usual("A").lab("A", "Tg", 900, "ng/mL").lab("A", "TSH", 90, "mIU/L", on=days(-2))
    assert derive(registry)["stg_500"] is None


def test_two_results_of_one_day_that_disagree_are_unknown(
    registry: Registry, derive: Derive
) -> None:
    registry.usual("A").stg("A", 900).stg("A", 100)
    assert derive(registry)["stg_500"] is None


@pytest.mark.parametrize(("tgab", "flagged"), [(250, True), (3, False)])
def test_a_tgab_positive_sample_sets_the_interference_flag(
    registry: Registry, derive: Derive, tgab: float, flagged: bool
) -> None:
    registry.usual("A").stg("A", 100).lab("A", "TgAb", tgab, "IU/mL")
    assert derive(registry)["tgab_interference"] is flagged


def test_the_threshold_and_window_are_settings(registry: Registry, derive: Derive) -> None:
    registry.usual("A").stg("A", 400, on=days(-50))
    wider = Windows(stg_days=60, stg_threshold_ng_ml=300)
    assert derive(registry, windows=wider)["stg_500"] == "at_or_above"


def test_without_a_first_therapy_there_is_no_window(registry: Registry, derive: Derive) -> None:
    registry.patient("A").diagnosed("A").stg("A", 900, on=date(2020, 6, 1))
    assert derive(registry)["stg_500"] is None
