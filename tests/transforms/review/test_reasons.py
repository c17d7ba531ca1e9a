"""Which reason is said of an open flag, of a high risk, and which of several leads."""

from datetime import date

import pytest

from tests.transforms.review.rows import Cells, risk

OPEN = "indeterminate"
RECENT = date(2026, 6, 26)
LIU: Cells = {"rrdtc_flag": OPEN}
OS: Cells = {"os_risk_group": OPEN}
PFS: Cells = {"pfs_risk_group": OPEN}
PET = "FDG PET/CT"

WHY: list[tuple[str, Cells, list[str]]] = [
    (
        "RR-DTC before the others",
        LIU | {"asks": ["age_48"]} | OS | {"os_asks": ["age_55"]},
        ["RR-DTC risk undecided: not on file: birth date and diagnosis date"],
    ),
    (
        "an examination before an entry, though that is for RR-DTC",
        LIU
        | {"asks": ["age_48"], "index_date": RECENT}
        | OS
        | {"os_asks": ["nodule_cm", "extent"]},
        ["OS risk undecided: CT with the lung nodule measured counts until 2026-07-26"],
    ),
    (
        "PFS where it is the only one",
        PFS | {"pfs_asks": ["activity_mci"]},
        ["PFS risk undecided: not on file: administered activity of the first 131I therapy"],
    ),
    (
        "OS before PFS, of what settles both",
        OS | PFS | {"os_asks": ["activity_mci"], "pfs_asks": ["activity_mci"]},
        ["OS risk undecided: not on file: administered activity of the first 131I therapy"],
    ),
    (
        "one number of points",
        LIU | {"asks": ["age_48"], "possible": [5.0, 5.2]},
        ["5 points, undecided: not on file: birth date and diagnosis date"],
    ),
    (
        "two entries that settle it only together are no reason",
        LIU | {"asks": ["age_48", "recurrence"]},
        [],
    ),
    (
        "what nothing can settle is none",
        PFS | {"pfs_asks": ["uptake_category"], "uptake_reason": "x"},
        ["PFS risk undecided: not on file: reading of the post-therapy scans"],
    ),
    (
        "a study that came before the window",
        LIU | {"asks": ["fdg_uptake"], "unused": [("fdg_uptake", date(2020, 6, 5))]},
        ["RR-DTC risk undecided: the PET/CT came 10 days before first 131I"],
    ),
    (
        "a study of the window's last day that has no value",
        LIU | {"asks": ["fdg_uptake"], "unused": [("fdg_uptake", date(2020, 6, 22))]},
        ["RR-DTC risk undecided: the PET/CT of 2020-06-22 has no usable value"],
    ),
    (
        "and of its first",
        LIU | {"asks": ["fdg_uptake"], "unused": [("fdg_uptake", date(2020, 6, 8))]},
        ["RR-DTC risk undecided: the PET/CT of 2020-06-08 has no usable value"],
    ),
    (
        "of two studies the nearest, of two as near the earlier",
        LIU
        | {"asks": ["fdg_uptake"]}
        | {"unused": [("fdg_uptake", date(2020, 6, d)) for d in (29, 1, 2)]}
        | {"index_date": date(2020, 6, 15)},
        ["RR-DTC risk undecided: the PET/CT came 13 days before first 131I"],
    ),
    (
        "a Tg that came after",
        OS | {"os_asks": ["stg_500"], "unused": [("stg_500", date(2020, 6, 16))]},
        ["OS risk undecided: the Tg came 1 days after first 131I"],
    ),
    (
        "a CT that came before",
        OS | {"os_asks": ["nodule_cm"], "unused": [("nodule_cm", date(2020, 3, 1))]},
        ["OS risk undecided: the CT came 106 days before first 131I"],
    ),
]
"""What is said, a patient, and the reasons."""


@pytest.mark.parametrize(("says", "cells", "why"), WHY, ids=[one[0] for one in WHY])
def test_one_request_that_can_be_met_is_a_reason(says: str, cells: Cells, why: list[str]) -> None:
    assert risk(cells)["review_reasons"].to_list() == [why]


HIGH: list[tuple[Cells, str]] = [
    (
        {"os_risk_group": "high", "os_points": 195.4},
        "High OS risk at 131I on 2020-06-15: 195 points, the cut-off is 191",
    ),
    ({"rrdtc_flag": "high", "points_lower": 40.0}, "High RR-DTC risk at 131I on 2020-06-15: "
     "from 40 points, recurrence, several sites"),
    ({"rrdtc_flag": "high", "index_date": None, "points": 45.0, "fdg_uptake": "positive"},
     "High RR-DTC risk: 45 points, FDG uptake"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "why"), HIGH, ids=str)
def test_a_high_risk_says_its_points_and_what_they_rest_on(cells: Cells, why: str) -> None:
    assert risk(cells)["review_reasons"].to_list() == [[why]]


def test_of_high_risks_that_of_rrdtc_leads_then_os_then_pfs() -> None:
    all_three: Cells = {"rrdtc_flag": "high", "os_risk_group": "high", "pfs_risk_group": "high"}
    (said,) = risk(all_three | {"points_lower": 11.0})["review_reasons"].to_list()
    assert [why.split(" risk")[0] for why in said] == ["High RR-DTC", "High OS", "High PFS"]
