"""Of several requests, the one that is made; of several open flags, the one that is named."""

from datetime import date
from typing import Any

import pytest

from tests.transforms.review.rows import TONIGHT, Cells, risk

OPEN = "indeterminate"
RECENT = date(2026, 6, 26)
LIU: Cells = {"rrdtc_flag": OPEN}
OS: Cells = {"os_risk_group": OPEN}
PFS: Cells = {"pfs_risk_group": OPEN}
PET = "FDG PET/CT"

TODO: list[tuple[str, Cells, tuple[Any, ...]]] = [
    (
        "an examination that counts before an entry",
        LIU | {"asks": ["fdg_uptake", "age_48"], "index_date": RECENT},
        ("examination", PET, date(2026, 7, 3)),
    ),
    (
        "of two examinations, the one that closes first",
        LIU | {"asks": ["fdg_uptake"], "index_date": RECENT} | OS | {"os_asks": ["nodule_cm"]},
        ("examination", PET, date(2026, 7, 3)),
    ),
    (
        "an examination that settles a flag alone before one that does not",
        LIU | {"asks": ["fdg_uptake", "metastatic"], "index_date": RECENT}
        | OS | {"os_asks": ["nodule_cm"]},
        ("examination", "CT with the lung nodule measured", date(2026, 7, 26)),
    ),
    (
        "an entry before what nothing can settle",
        PFS | {"pfs_asks": ["histology_group", "sex"], "histology": "OCA"},
        ("entry", "sex", None),
    ),
    (
        "an entry that settles a flag alone before one that does not, though its window is older",
        LIU | {"asks": ["fdg_uptake", "recurrence"]} | OS | {"os_asks": ["stg_500"]},
        ("entry", "stimulated Tg", date(2020, 6, 15)),
    ),
    (
        "of entries, the window that closed first, then those of any day",
        OS | {"os_asks": ["sex", "stg_500", "nodule_cm", "age_55"]},
        ("entry", "stimulated Tg", date(2020, 6, 15)),
    ),
    (
        "of entries of any day, the first by the variable's name",
        OS | {"os_asks": ["sex", "age_55"]},
        ("entry", "birth date", None),
    ),
]  # fmt: skip
"""What is decided, a patient, and the request: its kind, what, and until when."""


@pytest.mark.parametrize(("says", "cells", "request_made"), TODO, ids=[one[0] for one in TODO])
def test_of_several_requests_one_is_made(
    says: str, cells: Cells, request_made: tuple[Any, ...]
) -> None:
    row = risk(cells).row(0, named=True)
    assert (row["todo_kind"], row["todo_what"], row["valid_until"]) == request_made


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


def test_what_is_past_for_one_model_is_not_asked_for_it() -> None:
    both = LIU | OS | {"asks": ["fdg_uptake"], "os_asks": ["stg_500"], "rrdtc_met": True}
    row = risk(both | {"as_of": TONIGHT}).row(0, named=True)
    assert (row["todo_what"], row["decides"]) == ("stimulated Tg", "jin2025_os")
