"""An unchecked box means no where somebody was asked and the form is done; else it is unknown."""

from pathlib import Path

import polars as pl
import pytest

from flows.errors import NightRefused
from flows.intake.sources.redcap import read_redcap
from flows.intake.sources.redcap_logic import NotRead, shown
from tests.flows.intake.sources.reading import Found, read_with

DICTIONARY = """Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",Identifier?,Branching Logic (Show field only if...)
record_id,base,,text,Record,,,
last_name,base,,text,Name,,y,
dob,base,,text,Born,,y,
any_mets,mets,,yesno,Metastases?,,,
sites,mets,,checkbox,Where,"1, lung | 2, bone",,[any_mets] = '1'
other,mets,,checkbox,Else,"1, skin",,[base_arm_1][dob] <> ''
"""  # noqa: E501


def read(folder: Path, *rows: str, fields: str = DICTIONARY, **options: str) -> Found:
    (folder / "dd.csv").write_text(fields)
    head = "record_id,last_name,dob,any_mets,sites___1,sites___2,other___1,mets_complete"
    (folder / "x.csv").write_text("\n".join([head, *rows]) + "\n")
    said = {"dictionary": "dd.csv"} | options
    return read_with(read_redcap, folder / "x.csv", format="redcap", options=said)


@pytest.mark.parametrize(
    ("row", "boxes"),
    [
        ("A,Meier,1950-01-01,1,1,0,1,2", ("1", "0", "1")),
        ("A,Meier,1950-01-01,1,1,0,0,0", ("1", None, None)),
        ("A,Meier,1950-01-01,1,1,0,0,1", ("1", None, None)),
        ("A,Meier,1950-01-01,1,1,0,0,", ("1", None, None)),
        ("A,Meier,1950-01-01,0,1,0,0,2", ("1 (hidden by branching logic)", None, None)),
        ("A,Meier,1950-01-01,1,Checked,Unchecked,,Complete", ("1", "0", None)),
    ],
)
def test_a_box_is_no_only_on_a_complete_form_that_showed_it(
    tmp_path: Path, row: str, boxes: tuple[str | None, ...]
) -> None:
    found = read(tmp_path, row)
    assert found.frame.select("sites___1", "sites___2", "other___1").row(0) == boxes


def test_identifiers_of_the_dictionary_are_no_columns_unless_kept(tmp_path: Path) -> None:
    row = "A,Meier,1950-01-01,1,1,0,1,2"
    found = read(tmp_path, row)
    assert not {"last_name", "dob"} & set(found.frame.columns)
    assert "2 columns of identifiers by the dictionary: not read" in found.remarks
    assert "Meier" not in str(found)
    assert read(tmp_path, row, keep="dob").frame["dob"].to_list() == ["1950-01-01"]


def test_the_text_of_a_damaged_row_may_have_identifiers_and_is_not_kept(tmp_path: Path) -> None:
    found = read(tmp_path, "A,Meier,1950-01-01,1", "B,x,,0,0,0,0,2")
    assert found.frame["_bad"].null_count() == 1
    assert "Meier" not in str(found.frame.to_dicts())


def test_what_is_unknown_is_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "A,x,,1,0,0,0,0", "B,x,,0,0,0,0,2")
    assert "3 unchecked boxes on forms that are not complete: unknown, not no" in found.remarks
    assert (
        "3 unchecked boxes that were not, or perhaps not, shown: unknown, not no" in found.remarks
    )


@pytest.mark.parametrize(
    ("logic", "expected"),
    [
        ("[a] = '1'", True),
        ("[a] = 1 and [b] > 2", True),
        ("[a]='1' and ([b] < 2 or [c(x-1)] = '1')", True),
        ("not ([a] = '1')", False),
        ("[a] <> '1.0'", False),
        ("[empty] = ''", True),
        ("[empty] > 3", False),
        ("[a] = '1' or [b] = '9'", True),
    ],
)
def test_branching_logic_is_read_as_redcap_reads_it(logic: str, expected: bool) -> None:
    row = pl.DataFrame({"a": "1", "b": "3", "c___x_1": "1", "empty": None})
    column = dict(zip(row.columns, row.columns, strict=True)).get
    assert row.select(shown(logic, column)).item() is expected


@pytest.mark.parametrize(
    "logic", ["datediff([a],'today','y') > 3", "[event][a] = '1'", "[elsewhere] = '1'", "[a]", "("]
)
def test_other_logic_is_not_guessed(logic: str) -> None:
    with pytest.raises(NotRead):
        shown(logic, {"a": "a"}.get)


@pytest.mark.parametrize("name", ["", "../dd.csv", ".hidden", "none.csv"])
def test_a_dictionary_that_is_not_beside_the_export_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NightRefused, match="dictionary"):
        read(tmp_path, "A,x,,1,0,0,0,0", dictionary=name)


def test_an_export_of_labels_and_a_dictionary_of_something_else_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NightRefused, match="first field; export raw data"):
        read(tmp_path, "A,x,,1,0,0,0,0", fields=DICTIONARY.replace("record_id", "study_id"))
    with pytest.raises(NightRefused, match="no column variable"):
        read(tmp_path, "A,x,,1,0,0,0,0", fields="a,b\n1,2\n")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (DICTIONARY + "more,mets,,text,More\n", "record 8 has not as many cells"),
        (DICTIONARY.replace(",,checkbox,Where", ',,checkbox,"Where'), "record 6 has not as many"),
        (DICTIONARY.replace("other,mets,", "others,mets,"), "of no field in the dictionary"),
        (DICTIONARY.replace("last_name,base,", "name,base,"), "the first is last_name"),
    ],
)
def test_a_damaged_dictionary_does_not_make_a_box_a_no_or_a_name_a_column(
    tmp_path: Path, fields: str, said: str
) -> None:
    with pytest.raises(NightRefused, match=said):
        read(tmp_path, "A,Meier,1950-01-01,1,1,0,1,2", fields=fields)
