"""What the registry is to correct: what was set aside, contradicts itself or is missing."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from schemas.published import Quarantine, RegistryList, columns_of
from schemas.registry import TABLES
from transforms.review import registry_list as registry_module
from transforms.review.needs import settling
from transforms.review.registry_list import registry_list
from transforms.variables.windows import Windows

USUAL: dict[str, Any] = {"file": "labs.csv", "line": 7, "row_key": "R1", "patient_id": "A"}
USUAL |= {"not_yet": False, "original": "{}"}
NOTHING_ASIDE = pl.DataFrame(schema=columns_of(Quarantine))
TWICE = {"patient_id": pl.String, "entries": pl.UInt32, "row_key": pl.String, "date": pl.Date}
NEED = {"patient_id": "A", "feature": "stg_500", "kind": "entry", "what": "stimulated Tg"}
NEED |= {"valid_from": date(2020, 5, 16), "valid_until": date(2020, 6, 15)}


def aside(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{**USUAL, **row} for row in rows], schema=columns_of(Quarantine))


def twice(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=TWICE)


def live(*rows: dict[str, Any]) -> pl.DataFrame:
    schema = dict.fromkeys(("patient_id", "feature", "kind", "what"), pl.String)
    days = {"valid_from": pl.Date, "valid_until": pl.Date, "decides": pl.List(pl.String)}
    usual = NEED | {"decides": ["jin2025_os"]}
    return pl.DataFrame([{**usual, **row} for row in rows], schema=schema | days)


def risk(**cells: Any) -> pl.DataFrame:
    usual = {"followed": True, "dtc": True, "disease": "yes", "rrdtc_met": False}
    schema = {"patient_id": pl.String, "followed": pl.Boolean, "dtc": pl.Boolean}
    schema |= {"disease": pl.String, "rrdtc_met": pl.Boolean}
    return pl.DataFrame([{"patient_id": p} | usual | cells for p in "AB"], schema=schema)


VALUE = {"table": "labs", "cell": "value", "reasons": ["value: has no known unit"]}
UPTAKE = {"table": "i131_treatments", "cell": "lesion_uptake", "reasons": ["lesion_uptake: x"]}
ROW = {"table": "metastases", "cell": None, "reasons": ["site: not one of lung", "other: y"]}
TREATED = {"table": "i131_treatments", "cell": "activity", "reasons": ["activity: z"]}

UNLOCKED: list[tuple[dict[str, Any], pl.DataFrame, dict[str, Any], str | None]] = [
    (VALUE, live({}), {}, "stimulated Tg"),
    (VALUE, live({"patient_id": "B"}), {}, None),
    (VALUE, live({"feature": "sex", "what": "sex"}), {}, None),
    (VALUE, live({}), {"followed": False}, None),
    (VALUE, live({}), {"followed": None}, "stimulated Tg"),
    (UPTAKE, live(), {"rrdtc_met": None}, "whether an RR-DTC criterion is met"),
    (UPTAKE, live(), {"rrdtc_met": None, "dtc": False}, None),
    (ROW, live(), {"disease": None}, "whether there is disease"),
    (TREATED, live({"feature": "uptake_category", "what": "scans"}), {}, None),
]
"""What was set aside, what is asked, the patient, what the correction would settle."""


@pytest.mark.parametrize(("row", "asked", "cells", "unlocks"), UNLOCKED, ids=str)
def test_a_correction_says_what_it_would_settle(
    row: dict[str, Any], asked: pl.DataFrame, cells: dict[str, Any], unlocks: str | None
) -> None:
    found = registry_list(aside(row), twice(), asked, risk(**cells))
    first = found.filter(pl.col("file").is_not_null()).row(0, named=True)
    assert (first["unlocks"], first["patients"]) == (unlocks, 0 if unlocks is None else 1)


def test_what_was_set_aside_has_file_line_and_every_reason() -> None:
    found = registry_list(aside(ROW, VALUE | {"not_yet": True}), twice(), live(), risk())
    assert found.schema == columns_of(RegistryList)
    (row,) = found.to_dicts()
    assert (row["group"], row["reason"]) == (
        "metastases: site: not one of lung",
        "site: not one of lung; other: y",
    )
    assert (row["file"], row["line"], row["row_key"], row["column"]) == ("labs.csv", 7, "R1", None)


def test_a_missing_entry_says_where_it_belongs_and_of_which_days() -> None:
    asked = live({}, {"feature": "fdg_uptake", "kind": "examination", "what": "FDG PET/CT"})
    (row,) = registry_list(NOTHING_ASIDE, twice(), asked, risk()).to_dicts()
    assert (row["table"], row["column"], row["file"]) == ("labs", "value", None)
    assert row["reason"] == "not on file: stimulated Tg of 2020-05-16 to 2020-06-15"
    assert row["unlocks"] == "flag of jin2025_os"


def test_entries_of_one_course_that_disagree_are_contradictory() -> None:
    one = {"patient_id": "A", "entries": 2, "row_key": "T1", "date": date(2020, 6, 15)}
    asked = live({"feature": "activity_mci", "kind": "nothing", "what": "activity"})
    (row,) = registry_list(NOTHING_ASIDE, twice(one), asked, risk()).to_dicts()
    assert (row["row_key"], row["unlocks"], row["patients"]) == ("T1", "activity", 1)
    assert row["reason"] == "2 rows of 2020-06-15: activities differ, or one is empty"


def test_the_group_that_unlocks_most_patients_comes_first() -> None:
    rows = [UPTAKE | {"patient_id": p} for p in "AB"] + [ROW | {"row_key": "R0"}, VALUE]
    found = registry_list(
        aside(*rows), twice(), live({"kind": "nothing"}), risk(rrdtc_met=None, dtc=None)
    )
    assert found.select("table", "patients").rows() == [
        ("i131_treatments", 2),
        ("i131_treatments", 2),
        ("labs", 1),
        ("metastases", 1),
    ]


def test_every_variable_that_is_asked_for_is_entered_where_a_correction_settles_it() -> None:
    assert set(registry_module._HOME) == set(settling(Windows()))
    for feature, (table, column) in registry_module._HOME.items():
        assert column in TABLES[table].columns
        settled = registry_module._ONLY.get((table, column), registry_module._MORE[table])
        assert feature in settled, (feature, table, column)
        assert feature in registry_module._MORE[table], (feature, table)


MAY_SETTLE: list[tuple[str, str | None, bool, bool]] = [
    ("diagnoses", None, False, True),
    ("i131_treatments", None, True, False),
    ("imaging", None, True, True),
    ("metastases", None, True, True),
    ("events", None, True, True),
    ("labs", None, False, False),
    ("surgeries", None, False, False),
    ("patients", None, False, False),
    ("i131_treatments", "activity", True, False),
    ("i131_treatments", "lesion_uptake", True, False),
    ("imaging", "recist", True, True),
    ("imaging", "largest_lung_nodule", False, True),
    ("imaging", "suv_max", False, False),
    ("imaging", "fdg_positive", False, False),
    ("diagnoses", "histology", False, False),
    ("diagnoses", "tumour_size", False, False),
    ("patients", "death_date", False, False),
    ("patients", "death_cause", False, False),
    ("patients", "last_contact_date", False, False),
    ("patients", "birth_date", False, False),
    ("patients", "sex", False, False),
]
"""Table, cell (None: the row), whether it may settle if a criterion is met, and disease."""


def test_each_row_and_cell_may_settle_what_rests_on_it() -> None:
    rows = [
        {"table": table, "cell": cell, "reasons": ["x"], "line": n}
        for n, (table, cell, _, _) in enumerate(MAY_SETTLE)
    ]
    unknown = risk(rrdtc_met=None, disease=None)
    found = registry_list(aside(*rows), twice(), live(), unknown).sort("line")
    said = found["unlocks"].fill_null("").to_list()
    assert [("criterion" in words, "disease" in words) for words in said] == [
        (met, disease) for _, _, met, disease in MAY_SETTLE
    ]


def test_groups_of_as_many_patients_are_in_order_of_their_words_then_file_and_line() -> None:
    rows = [VALUE | {"line": n, "file": f} for f, n in (("b", 1), ("a", 9), ("a", 2))]
    found = registry_list(aside(*rows, ROW), twice(), live(), risk())
    assert found.select("table", "file", "line").rows() == [
        ("labs", "a", 2),
        ("labs", "a", 9),
        ("labs", "b", 1),
        ("metastases", "labs.csv", 7),
    ]
