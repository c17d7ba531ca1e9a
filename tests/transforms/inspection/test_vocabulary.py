"""The words of hospitals fit the contract that they are for."""

import polars as pl
import pytest

from models.spec import library
from schemas.registry import TABLES
from transforms.inspection.matching import code_of, is_coded, name_score
from transforms.inspection.needs import ELIGIBILITY, NEEDED_FOR, lacking
from transforms.inspection.profile import profile
from transforms.inspection.rules import ANCHORS
from transforms.inspection.vocabulary import vocabulary

LANGUAGES = {"en", "de", "fr", "es", "it", "zh"}
COLUMNS = [
    (table, column)
    for table in ANCHORS
    for column in TABLES[table].columns
    if (table, column) == ("patients", "patient_id") or column != "patient_id"
]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_every_column_has_a_name_in_each_language(table: str, column: str) -> None:
    said = {name.language for name in vocabulary().columns[table, column]}
    assert "any" in said or said >= LANGUAGES


def test_every_code_is_one_of_the_contract() -> None:
    for table in ANCHORS:
        for column, declared in TABLES[table].schema.columns.items():
            known = getattr(declared.dtype.type, "categories", None)
            if known is not None:
                assert set(vocabulary().codes.get(column, {}).values()) <= {*known}, (table, column)


def test_every_unit_is_one_of_the_contract() -> None:
    known = {
        unit
        for table in TABLES.values()
        for name, declared in table.schema.columns.items()
        if name.endswith("unit")
        for unit in declared.dtype.type.categories
    }
    assert {unit for unit, _ in vocabulary().units.values()} <= known


def test_every_predictor_of_a_model_is_known_to_need_something() -> None:
    predictors = {one.name for model in library().values() for one in model.predictors}
    assert {name for names in NEEDED_FOR.values() for name in names} == predictors
    for table, column in [*NEEDED_FOR, *ELIGIBILITY]:
        assert column in TABLES[table].columns
    assert lacking(frozenset([*NEEDED_FOR, *ELIGIBILITY]), library()) == []


@pytest.mark.parametrize(
    ("name", "table", "column"),
    [
        ("OP-Datum", "surgeries", "surgery_date"),
        ("Date de la chirurgie (jj/mm/aaaa)", "surgeries", "surgery_date"),
        ("fecha_de_nacimiento", "patients", "birth_date"),
        ("dataDiNascita", "patients", "birth_date"),
        ("碘131剂量(mCi)", "i131_treatments", "activity"),
        ("Actividad administrada", "i131_treatments", "activity"),
        ("GESCHLECHT", "patients", "sex"),
        ("Groesster_Lungenrundherd_cm", "imaging", "largest_lung_nodule"),
        ("SUVmax", "imaging", "suv_max"),
    ],
)
def test_a_name_is_known_whatever_its_case_accents_and_unit(
    name: str, table: str, column: str
) -> None:
    column_found = profile(name, pl.DataFrame({"value": ["1"], "n": [1]}))
    score, _ = name_score(column_found, table, column, at_home=False)
    assert score >= 0.8


@pytest.mark.parametrize(
    ("cell", "column", "code"),
    [
        ("W", "sex", "female"),
        ("hombre", "sex", "male"),
        ("甲状腺球蛋白", "analyte", "Tg"),
        ("Tg-AK", "analyte", "TgAb"),
        ("Fast totale Thyreoidektomie", "procedure", "near_total"),
        ("TEP-TDM", "modality", "FDG_PETCT"),
        ("polmone", "site", "lung"),
        ("nein", "found", "no"),
        ("stabile Erkrankung nach RECIST", "recist", "SD"),
        ("progressive disease (new lesion)", "recist", "PD"),
        ("toString", "sex", None),
    ],
)
def test_a_cell_says_a_code_in_any_language(cell: str, column: str, code: str | None) -> None:
    found = code_of(cell, column)
    assert (found and found[0]) == code


@pytest.mark.parametrize(
    ("cell", "column"),
    [
        ("papillary and follicular", "histology"),
        ("no sign of lung metastases", "site"),
        ("kein Hinweis auf pulmonale Filiae", "site"),
        ("未见肺转移", "site"),
        ("Lungenmetastasen?", "site"),
    ],
)
def test_a_text_that_could_say_another_thing_is_no_code(cell: str, column: str) -> None:
    assert code_of(cell, column) is None


def test_codes_are_looked_for_where_the_contract_has_them() -> None:
    assert is_coded("patients", "sex") and is_coded("events", "found")
    assert not is_coded("patients", "birth_date")
