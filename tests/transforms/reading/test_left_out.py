"""Identifiers that became no patient, those that are alike, and rows that may be anybody's."""

from typing import Any

import polars as pl
import pytest

from schemas.published import PatientsLeftOut, columns_of
from schemas.ranges import RANGES
from tests.rows import USUAL, received
from transforms.reading.left_out import LIKELY_THE_SAME, NOT_IN_PATIENTS, alike, left_out
from transforms.reading.quarantine import NOT_ROWS, REJECTED, unattributed
from transforms.reading.unusual import unusual


def aside(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {"table": "labs", "file_no": 1, "line": 2, "patient_id": "Q", "reasons": ["x"]}
    return pl.DataFrame([usual | {"not_yet": False} | row for row in rows], schema=REJECTED)


def out(rejected: pl.DataFrame, *patients: str) -> list[tuple[Any, ...]]:
    found = left_out(rejected, pl.Series(list(patients), dtype=pl.String))
    assert found.schema == columns_of(PatientsLeftOut)
    columns = ("patient_id", "is_left_out", "likely_same_as", "tables", "rows", "reasons")
    return found.select(columns).rows()


def test_who_has_no_row_in_patients_is_left_out_with_every_reason_once() -> None:
    rows = aside(
        {"reasons": ["b", "a"]},
        {"reasons": ["a"], "cell": "value"},
        {"table": "events", "reasons": ["c"]},
        {"line": 3, "reasons": ["a"]},
        {"patient_id": None},
        {"patient_id": "P"},
    )
    reasons = [NOT_IN_PATIENTS, "a", "b", "c"]
    assert out(rows, "P") == [("Q", True, None, ["events", "labs"], 3, reasons)]


def test_identifiers_that_are_alike_name_each_other_and_are_never_merged() -> None:
    same = [LIKELY_THE_SAME]
    assert out(aside(), "a1", "A1", "A01", "B") == [
        ("A01", False, ["A1", "a1"], [], 0, same),
        ("A1", False, ["A01", "a1"], [], 0, same),
        ("a1", False, ["A01", "A1"], [], 0, same),
    ]
    assert out(aside({"patient_id": "p"}), "P", "R") == [
        ("P", False, ["p"], [], 0, same),
        ("p", True, ["P"], ["labs"], 1, [NOT_IN_PATIENTS, LIKELY_THE_SAME, "x"]),
    ]


ALIKE = [
    ("P1", "p1", True),
    ("P 1", "P1", True),
    ("P\u200b1", "P1", True),
    ("\uff30\uff11", "P1", True),
    ("P001", "P1", True),
    ("001", "1", True),
    ("P-001-02", "P-1-2", True),
    ("P10", "P1", False),
    ("P100", "P1", False),
    ("0", "00", True),
    ("P1", "P2", False),
    ("P-1", "P1", False),
]


@pytest.mark.parametrize(("one", "other", "same"), ALIKE)
def test_what_makes_identifiers_alike(one: str, other: str, same: bool) -> None:
    rest = pl.DataFrame({"id": [one, other]}).select(alike(pl.col("id"))).to_series()
    assert (rest[0] == rest[1]) is same


def test_a_row_of_nobody_may_be_anybodys_and_a_line_that_is_none_is_nobodys() -> None:
    rows = aside(
        {"patient_id": None, "line": 1},
        {"patient_id": "Q", "line": 2},
        {"patient_id": "P", "line": 3},
        {"patient_id": None, "line": 4, "cell": "value"},
        {"patient_id": None, "line": 5, "not_yet": True},
        {"patient_id": None, "line": 6, "reasons": [NOT_ROWS[0]]},
        {"patient_id": None, "line": 7, "reasons": [NOT_ROWS[1]]},
    )
    assert unattributed(rows, pl.Series(["P"]))["line"].to_list() == [1, 2]


@pytest.mark.parametrize("one", RANGES, ids=lambda one: f"{one.column} {one.where}")
def test_beyond_the_usual_is_counted_on_both_sides_and_not_at_the_limits(one: Any) -> None:
    low, high = one.usual
    values = [low, high, high + 0.001, one.possible[1]] + ([low / 2] if low else [])
    unit = {"largest_lung_nodule": "largest_lung_nodule_unit", "tumour_size": "tumour_size_unit"}
    unit |= {"activity": "activity_unit", "value": "unit"}
    cells = {unit[one.column]: one.units[0]} if one.units else {}
    cells |= {"analyte": one.analyte} if one.analyte else {}
    rows = [USUAL[one.table] | cells | {one.column: f"{value!r}"} for value in values]
    found = unusual(received(rows, one.table), one.table)
    (words,) = found
    assert found[words] == (3 if low else 2)
    assert words.startswith(f"{one.table}.{one.column}: beyond the usual {low:g} to {high:g}")


def test_what_is_usual_is_not_counted() -> None:
    assert unusual(received([USUAL["labs"]], "labs"), "labs") == {}
