"""A draft proposes with its evidence, accepts nothing by itself, and asks what files do not say."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.cli.thyrisk import app
from flows.errors import UsageError
from flows.inspection.looking import inspect
from models.spec import library
from schemas.registry import TABLES
from tests.flows.inspection import files
from transforms.inspection.drafting import toml
from transforms.inspection.needs import lacking
from transforms.inspection.proposals import propose
from transforms.reading.mapping import Mapping

Write = Callable[[Path], list[Path]]


def drafted(paths: list[Path], accept: float | None = None) -> str:
    draft = propose(inspect(paths, 5).tables)
    return toml(draft, lacking(draft.found, library()), accept)


def read(text: str) -> dict[str, Any]:
    """Read a draft as a night would."""
    content = tomllib.loads(text)
    if "sources" in Mapping.model_fields:
        Mapping(**content)
    return content


def cells(text: str, table: str, column: str) -> list[Any]:
    """Return what the rules of a table say of a column."""
    rules = read(text)["tables"][table]["from"]
    return [rule["columns"][column] for rule in rules if column in rule["columns"]]


def write_x(folder: Path, text: str) -> list[Path]:
    (folder / "x.csv").write_text(text)
    return [folder / "x.csv"]


@pytest.mark.parametrize("write", files.ALL)
def test_nothing_is_accepted_by_itself(write: Write, tmp_path: Path) -> None:
    text = drafted(write(tmp_path))
    assert read(text) == {}
    assert all(line.startswith("#") for line in text.splitlines() if line)


@pytest.mark.parametrize("write", files.ALL)
@pytest.mark.parametrize("accept", [0.5, 0.9])
def test_what_is_accepted_is_a_mapping(write: Write, accept: float, tmp_path: Path) -> None:
    content = read(drafted(write(tmp_path), accept))
    assert content["tables"]
    for table, said in content["tables"].items():
        for rule in said["from"]:
            assert set(rule["columns"]) >= TABLES[table].identifies


def test_taking_the_signs_away_accepts_all_of_it(tmp_path: Path) -> None:
    text = drafted(files.german(tmp_path))
    taken = "\n".join(line.removeprefix("# ") for line in text.splitlines())
    assert set(read(taken)["tables"]) == {
        "patients",
        "diagnoses",
        "surgeries",
        "i131_treatments",
        "labs",
    }


def test_a_german_export_is_mapped_with_its_codes_and_units(tmp_path: Path) -> None:
    text = drafted(files.german(tmp_path), 0.5)
    (sex,) = cells(text, "patients", "sex")
    assert sex == {"column": "Geschlecht", "codes": {"W": "female", "M": "male"}}
    (analyte,) = cells(text, "labs", "analyte")
    assert analyte["codes"] == {"Tg": "Tg", "TSH": "TSH", "Tg-AK": "TgAb"}
    (unit,) = cells(text, "i131_treatments", "activity_unit")
    assert unit["constant"] == "MBq" and "MBq" in unit["assumption"]
    (comparator,) = cells(text, "labs", "comparator")
    assert comparator["take"] == "comparator" and comparator["codes"]["<"] == "<"
    assert "Nachname" not in "".join(
        line for line in text.splitlines() if not line.startswith("##")
    )


def test_a_chinese_export_is_mapped_with_its_dates(tmp_path: Path) -> None:
    text = drafted(files.chinese(tmp_path), 0.5)
    assert cells(text, "surgeries", "surgery_date") == [
        {"column": "手术日期", "date": "%Y年%m月%d日"}
    ]
    assert cells(text, "i131_treatments", "treatment_date") == [
        {"column": "碘131治疗日期", "date": "%Y/%m/%d"}
    ]
    (uptake,) = cells(text, "i131_treatments", "lesion_uptake")
    assert uptake["codes"] == {"全部摄碘": "all", "不摄碘": "none"}


def test_each_line_says_how_sure_it_is_and_why(tmp_path: Path) -> None:
    lines = drafted(files.german(tmp_path)).splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("# sex = "))
    assert lines[at - 1] == (
        "## 0.98: column 'Geschlecht' (German); values of female, male cover 100% of 60 cells"
    )


def test_a_wide_form_is_unpivoted_with_the_columns_of_each_table_alone(tmp_path: Path) -> None:
    text = drafted(files.form(tmp_path), 0.5)
    tables = read(text)["tables"]
    (courses,) = tables["i131_treatments"]["from"]
    groups = {"rai_date": "rai_date_{n}", "rai_dose": "rai_dose_{n}"}
    assert courses["unpivot"] == {"groups": groups, "n": ["1", "2", "3"]}
    assert courses["columns"]["activity"]["take"] == "number"
    (labs,) = tables["labs"]["from"]
    assert labs["columns"]["analyte"] == {"constant": "Tg"}
    assert set(labs["unpivot"]["groups"]) == {"tg", "tg_date"}


def test_a_unit_is_asked_and_never_told_from_magnitudes(tmp_path: Path) -> None:
    text = drafted(files.form(tmp_path), 0.5)
    assert cells(text, "labs", "unit") == []
    assert "##? unit: neither the name of 'tg' nor its cells say a unit" in text
    assert "cells of 'rai_dose' say mi: which unit is that?" in text
    assert read(text)["patterns"]["rai_dose_activity"]["units"] == {"mci": "mCi", "gbq": "GBq"}


def test_numbers_as_codes_and_days_from_a_day_are_asked(tmp_path: Path) -> None:
    text = drafted(files.form(tmp_path)) + drafted(files.three_headers(tmp_path))
    assert "##? sex: what do 1, 2 of 'sex' mean?" in text or "what do 2, 1 of 'sex'" in text
    assert "##? birth_date: 'birth_days_to' counts days: from which day?" in text


def test_a_no_of_a_site_never_becomes_a_row(tmp_path: Path) -> None:
    text = drafted(files.form(tmp_path), 0.5)
    (rule,) = read(text)["tables"]["metastases"]["from"]
    assert rule["where"] == "\"lung_metastasis\" IN ('1')"
    assert "found" not in rule["columns"]
    assert "did somebody look and find nothing?" in text


def test_absence_never_means_none_before_somebody_says_so(tmp_path: Path) -> None:
    for write in files.ALL:
        text = drafted(write(tmp_path), 0.5)
        said = read(text)["coverage"]
        assert {"partial", "not_collected"} >= set(said.values())
        assert set(said) >= set(TABLES) - {"reviews"}


def test_what_was_not_found_is_listed_with_what_needs_it(tmp_path: Path) -> None:
    text = drafted(files.german(tmp_path))
    assert "##? imaging.suv_max: fdg_uptake (liu2022_nomogram, liu2022_score)" in text
    assert "##? i131_treatments.treatment_date: the index date" in text
    assert "##? patients.sex" not in text


def test_columns_that_fit_equally_are_told_and_neither_is_sure(tmp_path: Path) -> None:
    rows = "".join(f"{at},F,M,1970-01-0{at % 9 + 1}\n" for at in range(30))
    text = drafted(write_x(tmp_path, "patient id,Sex,Gender,dob\n" + rows))
    assert "sex: 'Gender' or 'Sex': which of them?" in text or "'Sex' or 'Gender'" in text
    line = next(line for line in text.splitlines() if "column 'Gender'" in line or "'Sex'" in line)
    assert float(line.split()[1].rstrip(":")) <= 0.6


def test_a_day_that_could_be_a_month_is_not_sure(tmp_path: Path) -> None:
    rows = "".join(f"{at},03/0{at % 9 + 1}/1970\n" for at in range(30))
    text = drafted(write_x(tmp_path, "patient id,date of birth\n" + rows), 0.9)
    assert "tables" not in read(text) or cells(text, "patients", "birth_date") == []
    assert "day or month first?" in text


_HEADS = st.lists(
    st.one_of(
        st.sampled_from(["patient id", "sex", "dob", "tg_1", "tg_2", "dose [mCi]", "M", "临床"]),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
    ),
    min_size=2,
    max_size=8,
)
_CELLS = st.one_of(
    st.sampled_from(["", "F", "1970-02-03", "<5", "100 mCi", "yes", '"', "NA"]),
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=6),
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(heads=_HEADS, data=st.data())
def test_whatever_a_file_has_its_draft_is_a_mapping(
    heads: list[str], data: Any, tmp_path: Path
) -> None:
    rows = data.draw(st.lists(st.tuples(*[_CELLS] * len(heads)), min_size=1, max_size=12))
    quoted = ['"' + cell.replace('"', '""') + '"' for row in [heads, *rows] for cell in row]
    width = len(heads)
    lines = [",".join(quoted[at : at + width]) for at in range(0, len(quoted), width)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(lines), "utf-8", newline="")
    assert read(drafted([path])) == {}
    read(drafted([path], 0.5))


def test_the_commands_write_what_they_say_and_overwrite_nothing(tmp_path: Path) -> None:
    exports = list(map(str, files.german(tmp_path)))
    out, html = tmp_path / "hospital.toml", tmp_path / "draft.html"

    def run(command: str, *arguments: object) -> Result:
        return CliRunner().invoke(app, ["map", command, *exports, *map(str, arguments)])

    assert run("draft", "--accept", "0.9", "--out", out, "--html", html).exit_code == 0
    assert set(read(out.read_text("utf-8"))["tables"]) >= {"patients"}
    assert "A mapping to start from" in html.read_text("utf-8")
    again = run("draft", "--out", out)
    assert isinstance(again.exception, UsageError) and "is there already" in str(again.exception)
    said = json.loads(run("inspect", "--json").stdout)
    assert {table["file"]: table["records"] for table in said["tables"]} == {
        "patienten.csv": 60,
        "labor.csv": 300,
    }
    assert read(run("draft").stdout) == {}
