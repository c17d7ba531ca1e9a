"""A mapping that is wrong is refused with its file, line and key."""

import tomllib
from pathlib import Path

import jsonschema
import pytest

from flows.errors import UsageError
from flows.settings import load_mapping
from transforms.mapping.schema import json_schema

COHORT = Path("examples/cohort/mapping.toml").read_text()


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("skip = [2, 3]      ", "skipp = [2, 3]      ", "sources.patients.skipp: no such key"),
        ('MALE = "male"', 'MALE = "man"', "columns.sex.codes.MALE: no code 'man'"),
        ('pattern = "tg" }', 'pattern = "x" }', "columns.value.pattern: no pattern 'x'"),
        ('source = "radiation"', 'source = "x"', "tables.i131_treatments.from.0.source: no source"),
        ('encoding = "latin-1"', 'encoding = "x"', "sources.tg.encoding: 'x': no such encoding"),
        ("stimulated = {", "stim = {", "tables.labs.from.0.columns.stim: no such column of labs"),
        ('dates = "ymd"', 'dates = "yy"', "sources.patients.dates: 'yy': want iso"),
        ("tables.labs.", "tables.labz.", "tables.labz: no such table"),
        (', assumption = "the unit', ', x = "the unit', "labs.from.0.columns.unit.x: no such key"),
        ('decimal = ".,"', 'decimal = "\'"', "patterns.activity.decimal"),
    ],
)
def test_an_error_names_file_line_and_key(
    tmp_path: Path, right: str, wrong: str, says: str
) -> None:
    path = tmp_path / "hospital.toml"
    path.write_text(COHORT.replace(right, wrong))
    line = next(at for at, text in enumerate(path.read_text().splitlines(), 1) if wrong in text)
    with pytest.raises(UsageError) as refused:
        load_mapping(path)
    assert says in str(refused.value)
    assert f"hospital.toml:{line}: " in str(refused.value)


def test_a_constant_that_nobody_answers_for_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hospital.toml"
    path.write_text(COHORT.replace(', assumption = "the unit stands in the column\'s name"', ""))
    with pytest.raises(UsageError, match=r"unit\.assumption: a constant wants one"):
        load_mapping(path)


def test_a_column_that_no_rule_speaks_of_is_refused_unless_it_is_not_collected(
    tmp_path: Path,
) -> None:
    path = tmp_path / "hospital.toml"
    path.write_text(COHORT.replace('"imaging.recist" =', '"imaging.suv_max" ='))
    load_mapping(path)  # a SELECT may have any column
    path.write_text(COHORT.replace('"patients.centre" = "not_collected"\n', ""))
    with pytest.raises(UsageError, match="no rule says centre"):
        load_mapping(path)


def test_a_folder_of_files_is_one_mapping_and_says_nothing_twice(tmp_path: Path) -> None:
    head, _, tail = COHORT.partition("# -- labs, imaging")
    rules, _, coverage = tail.partition("[coverage]")
    (tmp_path / "1.toml").write_text(head)
    (tmp_path / "2.toml").write_text("# -- labs, imaging" + rules)
    (tmp_path / "3.toml").write_text("[coverage]" + coverage)
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "mapping.toml").write_text(COHORT)
    assert load_mapping(tmp_path) == load_mapping(whole)
    (tmp_path / "4.toml").write_text('[sources.tg]\nfiles = "x.csv"\n')
    with pytest.raises(UsageError, match=r"4\.toml: sources\.tg\.files is said in another"):
        load_mapping(tmp_path)


def test_the_json_schema_takes_the_example_and_refuses_what_the_mapping_refuses() -> None:
    schema = json_schema()
    said = tomllib.loads(COHORT)
    jsonschema.validate(said, schema)
    said["tables"]["labs"]["from"][0]["columns"]["stim"] = "x"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(said, schema)
