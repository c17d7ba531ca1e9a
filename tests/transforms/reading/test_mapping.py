"""A hospital's dialect: columns, codes, units, decimal comma and what an empty cell says."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from tests.rows import received
from transforms.reading.mapping import Mapping, received_names


def mapping(**tables: Any) -> Mapping:
    return Mapping.model_validate({"tables": tables})


def read(table: str, column: str, text: str | None, how: Mapping) -> Any:
    return received([{column: text}], table, how)[column].item()


YES_NO = {"J": "yes", "N": "no", "": "unknown"}
CODED = mapping(labs={"codes": {"stimulated": YES_NO}}, events={"codes": {"found": {"J": "yes"}}})
UNIT = mapping(imaging={"units": {"largest_lung_nodule_unit": "mm"}})
COMMA = Mapping(decimal_comma=True)
NBSP, THIN = "\u00a0", "\u2009"

CASES: list[tuple[str, str, str | None, Mapping, Any]] = [
    ("labs", "stimulated", "J", CODED, "yes"),
    ("labs", "stimulated", "N", CODED, "no"),
    ("labs", "stimulated", "", CODED, "unknown"),
    ("labs", "stimulated", None, CODED, "unknown"),
    ("labs", "stimulated", "  ", CODED, "unknown"),
    ("labs", "stimulated", " J ", CODED, "yes"),
    ("labs", "stimulated", "j", CODED, None),
    ("labs", "stimulated", "yes", CODED, "yes"),
    ("labs", "stimulated", "", Mapping(), None),
    ("labs", "stimulated", "J", Mapping(), None),
    ("labs", "comparator", "J", CODED, None),
    ("events", "found", "J", CODED, True),
    ("events", "found", "", CODED, None),
    ("imaging", "largest_lung_nodule_unit", "", UNIT, "mm"),
    ("imaging", "largest_lung_nodule_unit", None, UNIT, "mm"),
    ("imaging", "largest_lung_nodule_unit", "cm", UNIT, "cm"),
    ("imaging", "largest_lung_nodule_unit", "inch", UNIT, None),
    ("imaging", "largest_lung_nodule_unit", "", Mapping(), None),
    ("labs", "value", "5,5", COMMA, 5.5),
    ("labs", "value", "5.5", COMMA, 5.5),
    ("labs", "value", "1.234,5", COMMA, None),
    ("labs", "value", "5,5,5", COMMA, None),
    ("labs", "value", "5,5", Mapping(), None),
    ("labs", "value", f"700{NBSP}", Mapping(), 700.0),
    ("labs", "value", f"{NBSP}700{THIN}", Mapping(), 700.0),
    ("labs", "value", f"1{NBSP}700", Mapping(), None),
    ("labs", "value", "\t7\r\n", Mapping(), 7.0),
    ("labs", "analyte", f"Tg{NBSP}", Mapping(), "Tg"),
    ("labs", "analyte", "tg", Mapping(), None),
    ("labs", "sample_date", f" 2020-02-29{NBSP}", Mapping(), date(2020, 2, 29)),
    ("labs", "patient_id", f"{NBSP}P 1 ", Mapping(), "P 1"),
    ("labs", "patient_id", NBSP, Mapping(), None),
    ("labs", "patient_id", "007", Mapping(), "007"),
]


@pytest.mark.parametrize(("table", "column", "text", "how", "value"), CASES, ids=repr)
def test_a_cell_is_read_in_its_hospitals_dialect(
    table: str, column: str, text: str | None, how: Mapping, value: Any
) -> None:
    assert read(table, column, text, how) == value


@pytest.mark.parametrize(
    ("text", "how", "said"),
    [
        (" J ", CODED, "yes"),
        ("x", CODED, "x"),
        ("", CODED, "unknown"),
        ("", Mapping(), None),
        ("  ", Mapping(), None),
    ],
)
def test_beside_a_typed_cell_stands_the_text_that_it_was_read_from(
    text: str, how: Mapping, said: str | None
) -> None:
    row = received([{"stimulated": text}], "labs", how)
    assert row["received.stimulated"].item() == said


def test_an_empty_cell_alone_can_be_declared() -> None:
    only_empty = mapping(labs={"codes": {"comparator": {"": "="}}})
    rows = received([{"comparator": text} for text in ("", "<", None)], "labs", only_empty)
    assert rows["comparator"].to_list() == ["=", "<", "="]


def test_codes_are_replaced_once_and_do_not_chain() -> None:
    swapped = mapping(patients={"codes": {"sex": {"male": "female", "female": "male"}}})
    rows = received([{"sex": "male"}, {"sex": "female"}], "patients", swapped)
    assert rows["sex"].to_list() == ["female", "male"]


def test_columns_have_their_names_in_the_export() -> None:
    names = received_names(mapping(labs={"columns": {"value": "ERGEBNIS"}}), "labs")
    assert names["value"] == "ERGEBNIS"
    assert names["unit"] == "unit"
    assert list(names)[:3] == ["lab_id", "patient_id", "sample_date"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"tables": {"lab": {}}}, "tables.lab: no such table; known: patients, diagnoses, surgeries"),
    (
        {"tables": {"labs": {"columns": {"result": "X"}}}},
        "tables.labs.columns.result: no such column",
    ),
    ({"tables": {"labs": {"units": {"units": "mm"}}}}, "tables.labs.units.units: no such column"),
    ({"tables": {"labs": {"codes": {"code": {}}}}}, "tables.labs.codes.code: no such column"),
    ({"tables": {"labs": {"column": {}}}}, "Extra inputs are not permitted"),
    ({"decimal_coma": True}, "Extra inputs are not permitted"),
    ({"coverage": {"lab": "collected"}}, "lab: no such table"),
]


@pytest.mark.parametrize(("said", "message"), REFUSED, ids=str)
def test_a_mapping_that_names_what_does_not_exist_is_refused(
    said: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Mapping.model_validate(said)
    assert message in str(refused.value)


def test_columns_outside_the_contract_stay() -> None:
    from transforms.reading.cells import typed

    columns = received([], "labs").columns
    text = pl.DataFrame({"line": [1], "note": ["n"]}).with_columns(
        pl.lit(None, dtype=pl.String).alias(name) for name in columns if name not in ("line",)
    )
    assert typed(text, "labs", Mapping())["note"].to_list() == ["n"]
