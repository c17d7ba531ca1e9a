from typing import Any

import pytest

from tests.transforms.mapping.relations import Records, compile_rule, run
from transforms.mapping.cells import BadRule

PATIENT = {"patient_id": "id"}
SITE = {
    "metastasis_id": {"template": "{id}-{_record}-{_row}"},
    "patient_id": "id",
    "site": {"column": "_name", "codes": {"n1": "lymph_node", "m1": "unspecified"}},
    "found": {"column": "_value", "codes": {"Y": "yes", "N": "no"}},
}
FORMS: Records = {
    "forms": [
        {"id": "a", "day": "9", "n1": "Y", "m1": None},
        {"id": "a", "day": "10", "n1": "N", "m1": "Y"},
        {"id": "b", "day": "3", "n1": None, "m1": None},
        {"id": "c", "day": "5", "n1": "Y", "m1": "Y"},
        {"id": "c", "day": "5", "n1": "N", "m1": "N"},
    ],
    "people": [{"key": "a", "v": "1"}, {"key": "b", "v": "2"}, {"key": "b", "v": "3"}],
}


def fates(found: list[dict[str, Any]]) -> set[tuple[int, str, str]]:
    return {(one["_record"], one["fate"], one["reason"]) for one in found}


def test_a_record_is_left_out_by_the_first_named_rule_that_holds() -> None:
    rule = {
        "columns": PATIENT,
        "leave_out": {"empty form": "n1 IS NULL AND m1 IS NULL"},
        "where": {"early": "CAST(day AS INTEGER) < 10"},
    }
    rows, left = run(rule, "patients", FORMS)
    assert [row["_record"] for row in rows] == [1, 4, 5]
    assert fates(left) == {(2, "left_out", "early"), (3, "left_out", "empty form")}


def test_a_condition_that_is_unknown_is_not_fulfilled() -> None:
    rows, left = run({"columns": PATIENT, "where": "n1 = 'Y'"}, "patients", FORMS)
    assert [row["_record"] for row in rows] == [1, 4]
    assert {one["_record"] for one in left} == {2, 3, 5}


def test_the_latest_form_counts_by_number_and_a_tie_is_no_row_but_kept_in_sight() -> None:
    rule = {"columns": PATIENT, "latest": {"per": ["id"], "by": ["day"]}}
    rows, left = run(rule, "patients", FORMS)
    assert [(row["_record"], row["unreadable"]) for row in rows] == [
        (2, None),
        (3, None),
        (4, "row: latest: several records are the newest"),
        (5, "row: latest: several records are the newest"),
    ]
    assert [(one["_record"], one["fate"], one["into_record"]) for one in left] == [(1, "merged", 2)]


def test_the_same_record_twice_is_one() -> None:
    records: Records = {
        "forms": [{"id": "a", "day": "1"}, {"id": "a", "day": "1"}],
        "people": [{"key": "a", "v": "1"}, {"key": "a", "v": "1"}],
    }
    rule = {
        "join": {"p": {"source": "people", "on": {"id": "key"}}},
        "latest": {"per": ["id"], "by": ["day"]},
        "columns": PATIENT | {"centre": "p.v"},
    }
    rows, left = run(rule, "patients", records)
    assert [(row["_record"], row["centre"], row["unreadable"]) for row in rows] == [(1, "1", None)]
    assert [(one["_record"], one["into_record"]) for one in left] == [(2, 1)]


def test_columns_become_rows_and_an_empty_record_is_said_to_be_empty() -> None:
    rule = {"columns": SITE, "unpivot": {"columns": ["n1", "m1"]}}
    rows, left = run(rule, "metastases", FORMS)
    made = [(row["metastasis_id"], row["site"], row["found"]) for row in rows][:3]
    assert made == [
        ("a-1-1", "lymph_node", "yes"),
        ("a-2-1", "lymph_node", "no"),
        ("a-2-2", "unspecified", "yes"),
    ]
    assert fates(left) == {(3, "left_out", "unpivot: nothing in it")}


def test_groups_of_columns_become_rows_that_know_their_number() -> None:
    records: Records = {"s": [{"id": "a", "tg 1": "5", "d1": "x", "tg 2": None, "d2": "y"}]}
    rule = {
        "unpivot": {"groups": {"tg": "tg {n}", "d": "d{n}"}, "n": ["1", "2"]},
        "columns": {
            "lab_id": {"template": "{id}-{_name}"},
            "patient_id": "id",
            "analyte": {"constant": "Tg"},
            "value": "tg",
            "sample_date": "d",
        },
    }
    rows, _ = run(rule, "labs", records)
    assert [(row["lab_id"], row["value"], row["sample_date"]) for row in rows] == [
        ("a-1", "5", "x"),
        ("a-2", None, "y"),
    ]


def test_the_items_of_a_list_become_rows() -> None:
    records: Records = {"s": [{"id": "a", "sites": "lung| bone||"}, {"id": "b", "sites": None}]}
    rule = {"unpivot": {"split": "sites"}, "columns": {**SITE, "site": "_value"}}
    rows, left = run(rule, "metastases", records)
    assert [row["site"] for row in rows] == ["lung", "bone"]
    assert [one["_record"] for one in left] == [2]


@pytest.mark.parametrize(
    ("missing", "of_c"),
    [
        ("keep", (None, None)),
        ("leave_out", None),
        ("reject", (None, "row: join p: no record fits")),
    ],
)
def test_a_joined_record_is_one_or_it_is_said(missing: str, of_c: tuple[str, str] | None) -> None:
    join = {"p": {"source": "people", "on": {"id": "key"}, "missing": missing}}
    rows, _ = run({"join": join, "columns": PATIENT | {"centre": "p.v"}}, "patients", FORMS)
    made = {row["_record"]: (row["centre"], row["unreadable"]) for row in rows}
    assert made[1] == made[2] == ("1", None)
    assert made[3] == (None, "row: join p: several records fit")
    assert made.get(4) == of_c


def test_of_several_joined_records_the_newest_may_count() -> None:
    join = {"p": {"source": "people", "on": {"id": "key"}, "latest": ["v"]}}
    rows, _ = run({"join": join, "columns": PATIENT | {"centre": "p.v"}}, "patients", FORMS)
    assert {row["_record"]: row["centre"] for row in rows}[3] == "3"


def test_a_row_has_the_cells_that_its_rule_reads() -> None:
    rule = {"columns": PATIENT, "where": "day <> '9'"}
    rows, _ = run(rule, "patients", FORMS)
    assert rows[0]["extra"] == '{"day":"10","id":"a"}'


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (
            {"columns": {"patient_id": "ID"}},
            "columns.patient_id: no column 'ID'; did you mean 'id'?",
        ),
        ({"columns": {"patient_id": "q.v"}}, "columns.patient_id: no column 'q.v'"),
        ({"columns": PATIENT, "latest": {"per": ["x"], "by": ["day"]}}, "latest: no column 'x'"),
        (
            {"columns": PATIENT, "join": {"p": {"source": "people", "on": {"id": "z"}}}},
            "join.p: no column 'z' in people",
        ),
        (
            {"columns": PATIENT, "unpivot": {"groups": {"id": "n{n}"}, "n": ["1"]}},
            "unpivot.groups.id: is a column of forms already",
        ),
    ],
)
def test_a_rule_that_does_not_fit_its_source_names_the_key(rule: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRule) as refused:
        compile_rule(rule, "patients", FORMS)
    assert str(refused.value).startswith(says)
