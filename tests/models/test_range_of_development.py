"""Who is inside what each model was developed on, on both sides of each limit."""

from typing import Any

import pytest

from tests.models.test_engine import MODELS, jin, liu, scored

EDGES: dict[str, list[tuple[dict[str, Any], bool]]] = {
    name: [
        ({"age_at_diagnosis": 10}, True),
        ({"age_at_diagnosis": 11}, False),
        ({"age_at_diagnosis": 77}, False),
        ({"age_at_diagnosis": 78}, True),
        ({"histology": "FTC"}, False),
        ({"histology": "mixed"}, False),
        ({"histology": "OCA"}, True),
        ({"histology": "PDTC"}, True),
    ]
    for name in ("liu2022_score", "liu2022_nomogram")
} | {
    name: [
        ({"activity_mci": 29.9}, True),
        ({"activity_mci": 30.0}, False),
        ({"activity_mci": 250.0}, False),
        ({"activity_mci": 250.1}, True),
        ({"age_at_index": 18}, False),
        ({"age_at_index": 79}, False),
        ({"age_at_index": 80}, True),
    ]
    for name in ("jin2025_os", "jin2025_pfs")
}


@pytest.mark.parametrize("name", list(MODELS))
def test_beyond_the_range_of_development_a_score_is_extrapolated(name: str) -> None:
    rows = scored(name, *(liu() | jin() | cells for cells, _ in EDGES[name]))
    assert [row["extrapolated"] for row in rows] == [outside for _, outside in EDGES[name]]
    for row in rows:
        assert row["status"] == "scored"
        told = [reason for reason in row["reasons"] if reason.startswith("extrapolated: ")]
        assert len(told) == row["extrapolated"]


@pytest.mark.parametrize("name", list(MODELS))
def test_where_a_variable_is_unknown_it_may_be_beyond_the_range(name: str) -> None:
    feature = "activity_mci" if name.startswith("jin") else "age_at_diagnosis"
    (row,) = scored(name, liu() | jin() | {feature: None})
    assert row["extrapolated"] is None


@pytest.mark.parametrize("name", ["jin2025_os", "jin2025_pfs"])
def test_18_years_at_the_first_131i_therapy_are_enough(name: str) -> None:
    young, old_enough = scored(name, jin(age_at_index=17), jin(age_at_index=18))
    assert (young["status"], old_enough["status"]) == ("ineligible", "scored")
    assert young["extrapolated"] is False


WHO: list[tuple[str, dict[str, Any], str]] = [
    ("liu2022_score", {"thyroidectomy_before_index": False}, "ineligible"),
    ("liu2022_score", {"thyroidectomy_before_index": None}, "insufficient"),
    ("liu2022_score", {"lung_timing": "none"}, "scored"),
    ("liu2022_score", {"age_at_index": 9}, "scored"),
    ("liu2022_score", {"metastatic": None}, "insufficient"),
    ("liu2022_score", {"dtc": None}, "insufficient"),
    ("liu2022_score", {"dtc": None, "metastatic": False}, "ineligible"),
    ("jin2025_os", {"metastatic": False}, "scored"),
    ("jin2025_os", {"dtc": False}, "ineligible"),
    ("jin2025_os", {"lung_timing": None}, "insufficient"),
    ("jin2025_os", {"lung_timing": "late"}, "ineligible"),
    ("jin2025_pfs", {"lung_timing": "late"}, "ineligible"),
    ("jin2025_pfs", {"dtc": None}, "insufficient"),
]


@pytest.mark.parametrize(("name", "cells", "status"), WHO, ids=str)
def test_whom_a_model_is_for(name: str, cells: dict[str, Any], status: str) -> None:
    (row,) = scored(name, liu() | jin() | cells)
    assert row["status"] == status
    assert bool(row["needs"]) is (status == "insufficient")
