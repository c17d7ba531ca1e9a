"""What becomes of a row: valid, set aside in a cell, quarantined whole, or not yet there."""

from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.registry import TABLES
from tests.registry import AS_OF
from tests.rows import USUAL, judged, received
from transforms.reading.quarantine import (
    CELL_ASIDE,
    conflicting_keys,
    empty_columns,
    failures,
    kept_columns,
    nothing_rejected,
    validate,
    without_repeated,
)

EMPTY = ""
WHOLE = [
    ("patients", "patient_id", EMPTY, "patient_id: empty"),
    ("diagnoses", "diagnosis_id", EMPTY, "diagnosis_id: empty"),
    ("diagnoses", "patient_id", EMPTY, "patient_id: empty"),
    ("diagnoses", "patient_id", "Q", "patient_id: not in patients"),
    ("surgeries", "surgery_id", EMPTY, "surgery_id: empty"),
    ("surgeries", "patient_id", EMPTY, "patient_id: empty"),
    ("surgeries", "patient_id", "Q", "patient_id: not in patients"),
    ("i131_treatments", "treatment_id", EMPTY, "treatment_id: empty"),
    ("i131_treatments", "patient_id", EMPTY, "patient_id: empty"),
    ("i131_treatments", "patient_id", "Q", "patient_id: not in patients"),
    ("labs", "lab_id", EMPTY, "lab_id: empty"),
    ("labs", "patient_id", EMPTY, "patient_id: empty"),
    ("labs", "patient_id", "Q", "patient_id: not in patients"),
    ("labs", "analyte", EMPTY, "analyte: empty"),
    ("labs", "analyte", "CEA", "analyte: not one of Tg, TgAb, TSH"),
    ("imaging", "study_id", EMPTY, "study_id: empty"),
    ("imaging", "patient_id", EMPTY, "patient_id: empty"),
    ("imaging", "patient_id", "Q", "patient_id: not in patients"),
    ("imaging", "modality", EMPTY, "modality: empty"),
    ("imaging", "modality", "PET", "modality: not one of FDG_PETCT, CT, US, MRI, WBS, SPECT"),
    ("metastases", "metastasis_id", EMPTY, "metastasis_id: empty"),
    ("metastases", "patient_id", EMPTY, "patient_id: empty"),
    ("metastases", "patient_id", "Q", "patient_id: not in patients"),
    ("metastases", "site", EMPTY, "site: empty"),
    ("events", "event_id", EMPTY, "event_id: empty"),
    ("events", "patient_id", EMPTY, "patient_id: empty"),
    ("events", "patient_id", "Q", "patient_id: not in patients"),
    ("events", "type", EMPTY, "type: empty"),
    ("events", "type", "relapse", "type: not one of recurrence, progression"),
    ("reviews", "patient_id", EMPTY, "patient_id: empty"),
    ("reviews", "patient_id", "Q", "patient_id: not in patients"),
    ("reviews", "decision", EMPTY, "decision: empty"),
    ("reviews", "reviewed_at", EMPTY, "reviewed_at: empty"),
]
"""Table, cell, its text, reason: all for which a row is quarantined whole."""

CELLS = [
    ("patients", "birth_date", "?", "birth_date: not a date (YYYY-MM-DD, or YYYY-MM, YYYY)"),
    ("patients", "sex", "X", "sex: not one of female, male, unknown"),
    ("diagnoses", "diagnosis_date", EMPTY, "diagnosis_date: empty"),
    ("diagnoses", "histology", "papillary", "histology: not one of PTC, FTC, OCA, PDTC, mixed, "),
    ("surgeries", "surgery_date", EMPTY, "surgery_date: empty"),
    ("surgeries", "procedure", EMPTY, "procedure: empty"),
    ("surgeries", "procedure", "biopsy", "procedure: not one of total, near_total, subtotal, "),
    ("i131_treatments", "treatment_date", EMPTY, "treatment_date: empty"),
    ("i131_treatments", "activity", "0", "activity: not above 0"),
    ("labs", "sample_date", EMPTY, "sample_date: empty"),
    ("labs", "value", "lots", "value: not a number"),
    ("imaging", "study_date", EMPTY, "study_date: empty"),
    ("imaging", "recist", "?", "recist: not one of CR, PR, SD, PD, NE"),
    ("metastases", "detected_date", EMPTY, "detected_date: empty"),
    ("metastases", "found", "?", "found: not one of yes, no"),
    ("events", "event_date", EMPTY, "event_date: empty"),
    ("events", "found", "?", "found: not one of yes, no"),
]
"""Table, cell, its text, reason: the row stays, and this cell of it is unknown."""


def sentence(value: object) -> str:
    return str(value) or "empty"


@pytest.mark.parametrize(("table", "cell", "text", "reason"), WHOLE, ids=sentence)
def test_without_key_patient_or_what_it_says_a_row_is_quarantined(
    table: str, cell: str, text: str, reason: str
) -> None:
    valid, apart = judged(table, {cell: text}, {})
    assert valid["line"].to_list() == [1]
    (row,) = apart.to_dicts()
    assert (row["line"], row["row_hash"], row["table"]) == (0, 0, table)
    assert (row["cell"], row["reasons"], row["not_yet"]) == (None, [reason], False)
    key = TABLES[table].key
    assert row["row_key"] == (text or None if cell == key else "K0" if key else None)
    assert row["patient_id"] == (
        text or None if cell == "patient_id" else "K0" if table == "patients" else "P"
    )


@pytest.mark.parametrize(("table", "cell", "text", "reason"), CELLS, ids=sentence)
def test_any_other_bad_cell_is_set_aside_and_its_row_stays(
    table: str, cell: str, text: str, reason: str
) -> None:
    valid, apart = judged(table, {cell: text}, {})
    assert valid["line"].to_list() == [0, 1]
    assert valid[cell][0] is None
    assert valid[cell][1] is not None
    (row,) = apart.to_dicts()
    assert (row["line"], row["row_key"], row["cell"]) == (0, "K0", cell)
    (said,) = row["reasons"]
    assert said.startswith(reason)


def test_a_quarantined_row_says_everything_that_is_wrong_once_and_in_order() -> None:
    cells = {"lab_id": "", "analyte": "CEA", "value": "-1", "unit": "?", "comparator": "~"}
    valid, apart = judged("labs", cells)
    assert valid.is_empty()
    assert apart["reasons"].to_list() == [
        [
            "analyte: not one of Tg, TgAb, TSH",
            "comparator: not one of =, <, <=, >, >=",
            "lab_id: empty",
            "unit: not one of ng/mL, ug/L, µg/L, pmol/L, IU/mL, kIU/L, mIU/L, uIU/mL, µIU/mL",
            "value: has no known unit",
        ]
    ]


def test_each_bad_cell_of_a_row_is_set_aside_with_its_own_reasons() -> None:
    valid, apart = judged("i131_treatments", {"activity": "-1", "lesion_uptake": "?"})
    assert valid.select("activity", "lesion_uptake", "activity_unit").row(0) == (None, None, "GBq")
    assert apart.select("cell", "reasons").rows() == [
        ("activity", ["activity: not above 0", "activity: not possible in GBq, 0 to 40"]),
        ("lesion_uptake", ["lesion_uptake: not one of all, some, none, not_assessed"]),
    ]


@pytest.mark.parametrize(
    ("cells", "interval"),
    [
        ({"value": "?"}, (date(2016, 6, 15), date(2016, 6, 15))),
        ({"value": "?", "sample_date": "2016-06"}, (date(2016, 6, 1), date(2016, 6, 30))),
        ({"analyte": "?", "sample_date": "2016"}, (date(2016, 1, 1), date(2016, 12, 31))),
        ({"sample_date": ""}, (None, None)),
        ({"sample_date": "?"}, (None, None)),
        ({"sample_date": "1850-01-01"}, (None, None)),
        ({"sample_date": "1940"}, (None, None)),
        ({"sample_date": "2020", "analyte": "?"}, (None, None)),
    ],
    ids=str,
)
def test_what_is_set_aside_says_on_which_days_it_may_have_been(
    cells: dict[str, str], interval: tuple[date | None, date | None]
) -> None:
    valid, apart = judged("labs", cells, {})
    assert set(apart.filter(line=0).select("earliest", "latest").rows()) == {interval}
    if 0 in valid["line"] and interval == (None, None):
        days = valid.filter(line=0).select("earliest.sample_date", "latest.sample_date")
        assert days.rows() == [(None, None)]


@pytest.mark.parametrize(
    ("day", "there"),
    [
        ("2016-06-15", True),
        ("2016-06-16", False),
        ("2016-06", True),
        ("2016-07", False),
        ("2016", True),
        ("2017", False),
    ],
)
def test_a_row_is_not_yet_there_when_all_its_days_are_after_the_as_of_date(
    day: str, there: bool
) -> None:
    bad = {"sample_date": day, "value": "?", "patient_id": "Q"}
    valid, apart = judged("labs", {"sample_date": day}, bad, as_of=date(2016, 6, 15))
    assert (0 in valid["line"]) is there
    assert apart.filter(line=0).is_empty() is there
    assert apart.filter(line=1)["not_yet"].to_list() == [not there]
    if not there:
        assert apart["reasons"].to_list() == [["sample_date: after the as-of date 2016-06-15"]] * 2
        assert apart["cell"].to_list() == [None, None]


@pytest.mark.parametrize("table", [name for name in TABLES if name != "patients"])
def test_rows_of_every_table_wait_for_their_day(table: str) -> None:
    when = TABLES[table].date or ""
    valid, apart = judged(table, {when: "2026-07-01"}, {when: "2019-06-30"}, as_of=AS_OF)
    assert valid["line"].to_list() == [1]
    assert apart.select("not_yet", "reasons").rows() == [
        (True, [f"{when}: after the as-of date 2026-06-30"])
    ]


def test_a_patient_is_there_from_the_first_but_not_born_later() -> None:
    alive = {"death_date": "", "last_contact_date": ""}
    born = [{**alive, "birth_date": day} for day in ("2026-06-30", "2026-07-01", "2026-07", "2026")]
    died = {"death_date": "2026-07-01"}
    valid, apart = judged("patients", *born, died, as_of=AS_OF)
    assert valid["line"].to_list() == [0, 1, 2, 3, 4]
    assert valid["birth_date"].to_list()[:2] == [AS_OF, None]
    assert valid["latest.birth_date"].to_list()[:4] == [AS_OF, None, None, date(2026, 12, 31)]
    assert valid["death_date"][4] == date(2026, 7, 1)
    reason = ["birth_date: after the as-of date 2026-06-30"]
    assert apart.select("line", "cell", "not_yet", "reasons").rows() == [
        (1, "birth_date", False, reason),
        (2, "birth_date", False, reason),
    ]


ANSWERS = [
    ("patients", "death_date", "?"),
    ("patients", "death_cause", "?"),
    ("labs", "value", "?"),
    ("imaging", "suv_max", "?"),
    ("imaging", "fdg_positive", "?"),
    ("imaging", "largest_lung_nodule", "?"),
    ("imaging", "recist", "?"),
]


@pytest.mark.parametrize(("table", "cell", "text"), ANSWERS)
def test_where_an_empty_cell_is_an_answer_one_set_aside_is_marked(
    table: str, cell: str, text: str
) -> None:
    valid, _ = judged(table, {cell: text}, {cell: ""}, {})
    assert valid[CELL_ASIDE + cell].to_list() == [True, False, False]
    assert valid[cell].null_count() == 2


def test_no_other_empty_cell_is_an_answer() -> None:
    answers = {(name, cell) for name, table in TABLES.items() for cell in table.empty_answers}
    assert answers == {(table, cell) for table, cell, _ in ANSWERS}
    for name in TABLES:
        marks = {column for column in kept_columns(name) if column.startswith(CELL_ASIDE)}
        assert marks == {CELL_ASIDE + cell for table, cell, _ in ANSWERS if table == name}


def test_variables_get_the_columns_that_they_need_and_the_days_of_dates() -> None:
    assert kept_columns("surgeries") == [
        "patient_no",
        *("surgery_id", "patient_id", "surgery_date", "procedure"),
        *("earliest.surgery_date", "latest.surgery_date"),
    ]
    assert "patient_no" not in kept_columns("patients")
    assert "reviewer" not in kept_columns("reviews")


TEXTS = {
    pl.Date: ["2016-06-15", "2016-06", "2016", "", "?", "1850-01-01", "2030-01-01", "1949"],
    pl.Float64: ["1", "0", "-1", "", "many", "1e9"],
    pl.Boolean: ["yes", "no", "", "perhaps"],
    pl.String: ["", "P", "K0", "text"],
}


def texts_of(table: str, column: str) -> list[str]:
    dtype = TABLES[table].schema.columns[column].dtype.type
    codes = [*getattr(dtype, "categories", [])][:2]
    return TEXTS.get(dtype if not codes else None) or [*codes, "", "?"]


@st.composite
def tables_of_rows(draw: st.DrawFn) -> tuple[str, list[dict[str, str]]]:
    table = draw(st.sampled_from(list(TABLES)))
    columns = st.sampled_from(TABLES[table].columns)
    row = st.lists(columns, max_size=4, unique=True).flatmap(
        lambda names: st.fixed_dictionaries(
            {name: st.sampled_from(texts_of(table, name)) for name in names}
        )
    )
    return table, draw(st.lists(row, min_size=1, max_size=6))


@given(tables_of_rows())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_row_is_valid_or_quarantined_and_each_once(
    rows: tuple[str, list[dict[str, str]]],
) -> None:
    table, changes = rows
    valid, apart = judged(table, *changes)
    valid, conflicts = conflicting_keys(valid, table)
    whole = pl.concat([apart.filter(pl.col("cell").is_null()), conflicts])
    assert sorted([*valid["line"], *whole["line"]]) == list(range(len(changes)))
    cells = apart.filter(pl.col("cell").is_not_null())
    assert not cells.select("line", "cell").is_duplicated().any()
    assert set(cells["line"]) <= {*valid["line"], *conflicts["line"]}
    assert set(cells["cell"]) <= set(TABLES[table].columns) - TABLES[table].identifies
    assert apart["reasons"].list.len().min() != 0
    if TABLES[table].key:
        assert valid[TABLES[table].key].is_unique().all()
    for line, cell in cells.select("line", "cell").rows():
        assert valid.filter(line=line)[cell].null_count() == valid.filter(line=line).height


def test_all_rows_of_a_key_with_different_contents_are_quarantined() -> None:
    valid, _ = judged("labs", {"lab_id": "L"}, {}, {"lab_id": "L", "value": "8"}, {})
    left, conflicts = conflicting_keys(valid, "labs")
    assert left["line"].to_list() == [1, 3]
    assert conflicts.select("line", "row_key", "patient_id", "cell", "reasons").rows() == [
        (line, "L", "P", None, ["lab_id: the same key with different contents"]) for line in (0, 2)
    ]


def test_a_row_that_is_not_yet_there_is_in_no_conflict() -> None:
    later = {"lab_id": "L", "sample_date": "2026-07-01"}
    valid, _ = judged("labs", {"lab_id": "L"}, later)
    assert conflicting_keys(valid, "labs")[0]["line"].to_list() == [0]


def test_reviews_have_no_key_and_never_conflict() -> None:
    valid, _ = judged("reviews", {}, {})
    left, conflicts = conflicting_keys(valid, "reviews")
    assert (left.height, conflicts.height) == (2, 0)


def test_exact_duplicates_are_left_out_here_and_of_what_was_seen() -> None:
    rows = pl.DataFrame({"row_hash": [1, 2, 1, 3], "line": [2, 3, 4, 5]})
    rows = rows.cast({"row_hash": pl.UInt64})
    none, two = (pl.Series([], dtype=pl.UInt64), pl.Series([2], dtype=pl.UInt64))
    assert without_repeated(rows, none)["line"].to_list() == [2, 3, 5]
    assert without_repeated(rows, two)["line"].to_list() == [2, 5]


EMPTIES: list[tuple[str, list[dict[str, str]], tuple[str, ...]]] = [
    ("labs", [], ("*",)),
    ("labs", [{}], ()),
    ("labs", [{"comparator": ""}, {"comparator": ""}], ("comparator",)),
    ("labs", [{"comparator": ""}, {}], ()),
    ("labs", [{"comparator": "~"}], ()),
    ("labs", [{"analyte": "?"}], ()),
    (
        "patients",
        [{"death_date": "", "last_contact_date": ""}],
        ("death_date", "last_contact_date"),
    ),
    ("patients", [{"death_date": "2019"}], ()),
    ("patients", [{"birth_date": "1950-05"}], ()),
    ("imaging", [{"fdg_positive": "", "suv_max": ""}], ("suv_max",)),
    ("diagnoses", [{"stage": ""}], ()),
    ("reviews", [], ()),
    ("reviews", [{"decision": "confirmed", "deferred_until": ""}], ()),
]


@pytest.mark.parametrize(("table", "rows", "empty"), EMPTIES, ids=str)
def test_a_column_without_any_cell_is_told_from_one_whose_cells_are_bad(
    table: str, rows: list[dict[str, str]], empty: tuple[str, ...]
) -> None:
    valid, apart = judged(table, *(rows or [{}]))
    valid, apart = (valid, apart) if rows else (valid.clear(), apart.clear())
    assert empty_columns(valid, apart, table) == empty


def test_a_bad_row_among_good_ones_is_the_one_that_is_set_aside() -> None:
    valid, apart = judged("labs", {}, {"value": "?"}, {}, {"analyte": "CEA"}, {}, {"unit": "?"})
    assert valid["line"].to_list() == [0, 1, 2, 4, 5]
    assert valid["value"].is_null().to_list() == [False, True, False, False, True]
    told = [(3, None), (1, "value"), (5, "unit"), (5, "value")]
    assert apart.select("line", "cell").rows() == told


def test_a_frame_that_is_not_the_tables_is_our_fault() -> None:
    rows = received([USUAL["patients"] | {"patient_id": "P"}], "patients")
    with pytest.raises(TypeError, match="patients: not the columns of its contract"):
        failures(rows.with_columns(sex=pl.lit(1)), "patients")


def test_nothing_rejected_is_what_good_rows_leave() -> None:
    rows = received([USUAL["patients"] | {"patient_id": "P"}], "patients")
    _, apart = validate(rows, "patients", AS_OF)
    assert apart.equals(nothing_rejected())
