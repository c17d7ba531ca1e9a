from typing import Any

import pytest

from tests.transforms.mapping.relations import run

DOSE = {
    "dose": {
        "match": ["{number}[ -]*{unit}", r"{number} *{unit} *\(.*\)", "{low} *- *{high} *{unit}"],
        "units": {"MCI": "mCi", "mi": "mCi", "millicurie": "mCi", "MBq": "MBq"},
        "decimal": ".,",
    }
}


def cell(rule: Any, table: str, column: str, *values: str | None, **more: Any) -> list[Any]:
    """Return what a rule of one column makes of cells of the column `x`."""
    given = {column: rule, "patient_id": "id", **KEYS[table]}
    records = {"s": [{"x": value, "id": "p", "y": "2010"} for value in values]}
    rows, _ = run({"columns": given}, table, records, **more)
    return [row[column] for row in rows]


KEYS = {
    "i131_treatments": {"treatment_id": {"template": "{id}-{_record}"}},
    "labs": {"lab_id": {"template": "{id}-{_record}"}, "analyte": {"constant": "Tg"}},
    "metastases": {"metastasis_id": {"template": "{id}-{_record}"}, "site": {"constant": "lung"}},
    "patients": {},
}


@pytest.mark.parametrize(
    ("text", "activity", "unit"),
    [
        ("100 MCI (3730 MBQ)", "100", "mCi"),
        ("150mi", "150", "mCi"),
        ("105-millicurie", "105", "mCi"),
        ("3,7 mci", "3.7", "mCi"),
        ("5550 mbq", "5550", "MBq"),
    ],
)
def test_a_dose_of_free_text_becomes_a_number_and_a_unit(
    text: str, activity: str, unit: str
) -> None:
    rule = {"column": "x", "pattern": "dose"}
    table = "i131_treatments"
    assert cell(rule, table, "activity", text, patterns=DOSE) == [activity]
    taken = {**rule, "take": "unit"}
    assert cell(taken, table, "activity_unit", text, patterns=DOSE) == [unit]


def test_what_no_pattern_covers_stays_as_it_was_and_is_never_read_as_a_number() -> None:
    rule = {"column": "x", "pattern": "dose"}
    texts = ("100-150 mci", "one capsule", "150", None)
    made = cell(rule, "i131_treatments", "activity", *texts, patterns=DOSE)
    assert made == ["100-150 mci", "one capsule", "not covered: 150", None]


def test_an_end_of_a_range_is_taken_where_that_is_said_and_published() -> None:
    low = {"column": "x", "pattern": "dose", "take": "low", "assumption": "the lower end counts"}
    rule = {"first": [{"column": "x", "pattern": "dose"}, low]}
    texts = ("100-150 mci", "30 mci", "none")
    made = cell(rule, "i131_treatments", "activity", *texts, patterns=DOSE)
    assert made == ["100", "30", "none"]


def test_a_code_that_is_not_listed_is_set_aside_even_where_the_contract_could_read_it() -> None:
    rule = {"column": "x", "codes": {"2": "yes", "0": "no", "9": ""}}
    made = cell(rule, "metastases", "found", "2", "0", "9", "1", "maybe", None)
    assert made == ["yes", "no", None, "not covered: 1", "maybe", None]


def test_codes_may_ignore_capitals_and_an_empty_cell_has_one_only_where_that_is_said() -> None:
    rule = {"column": "x", "codes": {"F": "female", "": "unknown"}, "ignore_case": True}
    assert cell(rule, "patients", "sex", "f", None, "X") == ["female", "unknown", "X"]


@pytest.mark.parametrize(
    ("form", "text", "iso"),
    [
        ("dmy", "31.12.2020", "2020-12-31"),
        ("dmy", "1/2/2020 08:00", "2020-02-01"),
        ("mdy", "12/31/2020", "2020-12-31"),
        ("dmy", "3/2020", "2020-03"),
        ("ymd", "20200131", "2020-01-31"),
        ("ymd", "202001", "2020-01"),
        ("ymd", "2020", "2020"),
        ("excel", "43861", "2020-01-31"),
        ("%d %b %Y", "31 Jan 2020", "2020-01-31"),
        ("dmy", "spring 2020", "spring 2020"),
        ("ymd", "31.1.2020", "31.1.2020"),
    ],
)
def test_a_date_is_read_in_the_form_that_is_said_and_else_left_as_it_is(
    form: str, text: str, iso: str
) -> None:
    rule = {"column": "x", "date": form}
    assert cell(rule, "labs", "sample_date", text) == [iso]


def test_a_time_with_an_offset_is_the_calendar_day_of_the_place() -> None:
    rule = "x"
    times = ("2020-06-30T23:30:00Z", "2020-06-30T23:30:00+02:00", "2020-06-30")
    made = cell(rule, "labs", "sample_date", *times, time_zone="Europe/Berlin")
    assert made == ["2020-07-01", "2020-06-30", "2020-06-30"]


def test_days_are_counted_from_an_anchor_and_nothing_is_made_up_where_they_cannot_be() -> None:
    anchor = {"column": "y", "complete": "07-01", "assumption": "1 July stands for the year"}
    rule = {"anchor": anchor, "days": "x"}
    made = cell(rule, "labs", "sample_date", "10", "-1", "1.5", "soon", None)
    assert made == [
        "2010-07-11",
        "2010-06-30",
        "2010-07-01 + 1.5 days",
        "2010-07-01 + soon days",
        None,
    ]
    partial = {"anchor": "y", "days": "x"}
    assert cell(partial, "labs", "sample_date", "10") == ["2010 + 10 days"]


def test_a_date_in_parts_stays_partial() -> None:
    rule = {"year": "y", "month": "x"}
    assert cell(rule, "labs", "sample_date", "3", None) == ["2010-03", "2010"]


def test_a_decimal_comma_becomes_a_dot_and_a_dot_is_then_no_decimal() -> None:
    made = cell("x", "labs", "value", "5,5", "1.234", "12", "a,b", decimal=",")
    assert made == ["5.5", "not covered: 1.234", "12", "a,b"]


def test_a_template_is_empty_where_one_of_its_columns_is() -> None:
    rule = {"template": "{id}/{x}"}
    assert cell(rule, "patients", "centre", "a", None) == ["p/a", None]


def test_quotes_in_names_and_codes_stay_text() -> None:
    records = {"s": [{'a"b': "it's"}]}
    rows, _ = run(
        {"columns": {"patient_id": 'a"b', "sex": {"column": 'a"b', "codes": {"it's": "male"}}}},
        "patients",
        records,
    )
    assert [(row["patient_id"], row["sex"]) for row in rows] == [("it's", "male")]
