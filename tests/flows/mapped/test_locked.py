"""What a person writes as SQL reaches the sources and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flows.errors import NightError, UsageError
from flows.mapped.opening import open_mapped
from flows.mapped.prepare import prepared
from flows.settings import Settings
from transforms.reading.mapping import Mapping

ROW = "SELECT id AS patient_id, _file, _record FROM forms"
REST = ("diagnoses", "surgeries", "i131_treatments", "labs", "imaging", "metastases", "events")


def mapping_of(rule: dict[str, Any]) -> Mapping:
    return Mapping(
        sources={"forms": {"files": ["forms.csv"]}},
        tables={"patients": {"from": [{"source": "forms", **rule}]}},
        coverage=dict.fromkeys((*REST, *COLUMNS), "not_collected"),
    )


COLUMNS = [f"patients.{name}" for name in ("sex", "birth_date", "death_date", "death_cause")]
COLUMNS += ["patients.last_contact_date", "patients.centre"]


def rows(tmp_path: Path, rule: dict[str, Any]) -> int:
    (tmp_path / "forms.csv").write_text("id;v\nsecret-1;secret-2\n")
    (tmp_path / "other.txt").write_text("another's secret\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    mapping = mapping_of(rule)
    made = prepared(open_mapped(tmp_path, mapping), mapping, scratch, Settings())
    assert not list(tmp_path.glob("made*"))
    return made.records.height


def test_a_select_over_the_sources_is_run(tmp_path: Path) -> None:
    assert rows(tmp_path, {"sql": ROW}) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT content AS patient_id, '' AS _file, 1 AS _record FROM read_text('{}/other.txt')",
        "SELECT column0 AS patient_id, '' AS _file, 1 AS _record FROM '{}/other.txt'",
        "SELECT file AS patient_id, '' AS _file, 1 AS _record FROM glob('{}/*')",
        "ATTACH '{}/made.duckdb' AS made; " + ROW,
        "COPY (" + ROW + ") TO '{}/made.csv'",
        ROW + "; COPY forms TO '{}/made.csv'",
        "INSTALL httpfs; LOAD httpfs; " + ROW,
        "SET enable_external_access = true; " + ROW,
        "CREATE TABLE made AS " + ROW,
        "DELETE FROM forms RETURNING id AS patient_id, _file, _record",
        "SELECT * FROM rule",
        "PRAGMA database_list",
        "",
    ],
)
def test_anything_else_is_refused_and_says_nothing_of_a_cell(tmp_path: Path, sql: str) -> None:
    with pytest.raises((UsageError, ValidationError)) as refused:
        rows(tmp_path, {"sql": sql.replace("{}", str(tmp_path))})
    assert "secret" not in str(refused.value)


END = "id)) ; COPY forms TO '{}/made.csv'; --"


@pytest.mark.parametrize(
    "rule",
    [
        {"columns": {"patient_id": {"sql": END}}},
        {"columns": {"patient_id": "id"}, "where": END},
        {"columns": {"patient_id": "id", "centre": {"sql": "read_text('{}/other.txt')"}}},
        {"columns": {"patient_id": {"sql": "(SELECT content FROM read_text('{}/other.txt'))"}}},
    ],
)
def test_an_expression_cannot_end_the_select_around_it(
    tmp_path: Path, rule: dict[str, Any]
) -> None:
    placed = json.loads(json.dumps(rule).replace("{}", str(tmp_path)))
    with pytest.raises(UsageError) as refused:
        rows(tmp_path, placed)
    assert "secret" not in str(refused.value)


def test_an_error_while_rows_are_read_quotes_no_cell(tmp_path: Path) -> None:
    rule = {"columns": {"patient_id": {"sql": "CAST(CAST(v AS INTEGER) AS VARCHAR)"}}}
    with pytest.raises(NightError) as refused:
        rows(tmp_path, rule)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("sql", ["random()", "now()", "CURRENT_DATE", "uuid()"])
def test_what_is_another_in_every_night_is_refused(sql: str) -> None:
    with pytest.raises(ValidationError, match="another in every night"):
        mapping_of({"columns": {"patient_id": "id", "centre": {"sql": sql}}})
