"""Of several requests, the one that is made."""

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


def test_what_is_past_for_one_model_is_not_asked_for_it() -> None:
    both = LIU | OS | {"asks": ["fdg_uptake"], "os_asks": ["stg_500"], "rrdtc_met": True}
    row = risk(both | {"as_of": TONIGHT}).row(0, named=True)
    assert (row["todo_what"], row["decides"]) == ("stimulated Tg", "jin2025_os")
