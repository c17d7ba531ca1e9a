"""Each kind of file becomes records, of which none is lost."""

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from flows.errors import NightRefused
from flows.intake.sources import READERS
from flows.intake.sources.given import Given
from flows.settings import Settings
from transforms.mapping.sources import BAD, RECORD, TEXT, Source


def read(path: Path, **source: Any) -> tuple[pl.DataFrame, Given]:
    said = Source(files=[path.name], **source)
    given = Given(path, path.name, said, path.parent, Settings(batch_rows=2))
    records = pl.concat(READERS[said.format](given))
    if given.lines.total:
        given.lines.check(path.name)
    return records, given


def cells(records: pl.DataFrame) -> list[dict[str, Any]]:
    return records.filter(pl.col(BAD).is_null()).drop(BAD, TEXT).to_dicts()


@pytest.fixture
def form(tmp_path: Path) -> Path:
    lines = ["id\tday", "the id\tthe day", "CDE:1\tCDE:2", "a\t1", "b", 'c\t5" scar', "", "d\t2"]
    (tmp_path / "form.txt").write_text("\n".join([*lines, "id\tday", "Total\t"]) + "\n")
    return tmp_path / "form.txt"


def test_further_header_lines_are_skipped_and_lines_keep_their_numbers(form: Path) -> None:
    records, _ = read(form, skip=[2, 3])
    assert [(one[RECORD], one["id"], one["day"]) for one in cells(records)] == [
        (4, "a", "1"),
        (8, "d", "2"),
        (10, "Total", None),
    ]


def test_a_damaged_line_is_a_record_that_says_why(form: Path) -> None:
    records, _ = read(form, skip=[2, 3])
    bad = records.filter(pl.col(BAD).is_not_null())
    assert bad.select(RECORD, BAD, TEXT).rows() == [
        (5, "row: 1 fields where the header has 2", "b"),
        (6, "row: a quote is opened and not closed", 'c\t5" scar'),
        (9, "row: repeats the header", "id\tday"),
    ]


def test_a_file_that_quotes_nothing_may_have_quotes_in_its_cells(form: Path) -> None:
    records, _ = read(form, skip=[2, 3], options={"quotes": False})
    assert (6, "c", '5" scar') in [(x[RECORD], x["id"], x["day"]) for x in cells(records)]


def test_several_header_lines_are_joined(form: Path) -> None:
    records, _ = read(form, header=[1, 2], skip=[3])
    assert records.columns[:2] == ["id the id", "day the day"]


def test_columns_with_one_name_or_none_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Day;day;;\n1;2;3;4\n")
    records, _ = read(tmp_path / "x.csv")
    assert records.columns[:4] == ["Day", "day_2", "column_3", "column_4"]


def test_other_encodings_are_read_and_a_wrong_one_refuses_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes("Größe;Id\n1,5;ä\n".encode("latin-1"))
    records, _ = read(tmp_path / "x.csv", encoding="latin-1")
    assert cells(records) == [{"Größe": "1,5", "Id": "ä", RECORD: 2}]
    with pytest.raises(NightRefused, match="encoding"):
        read(tmp_path / "x.csv")


def test_names_may_be_given_where_a_file_has_none(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a;1\nb;2\n")
    records, _ = read(tmp_path / "x.csv", header=0, names=["id", "v"])
    assert cells(records) == [{"id": "a", "v": "1", RECORD: 1}, {"id": "b", "v": "2", RECORD: 2}]


def test_fixed_width_text_is_cut_at_its_columns(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("001F2020\n\n002M\n")
    fields = {"id": [1, 3], "sex": [4, 4], "year": [5, 8]}
    records, _ = read(tmp_path / "x.txt", format="fixed", fields=fields)
    made = [(one[RECORD], one["id"], one["sex"], one["year"]) for one in cells(records)]
    assert made == [(1, "001", "F", "2020"), (3, "002", "M", "")]


def test_json_is_flattened_and_a_broken_object_is_a_bad_record(tmp_path: Path) -> None:
    one = {"a": 1, "b": {"c": "x"}, "l": [1, 2]}
    (tmp_path / "x.ndjson").write_text(json.dumps(one) + '\n\n{"a":\n[1]\n')
    records, _ = read(tmp_path / "x.ndjson", format="ndjson")
    assert cells(records) == [{"a": "1", "b.c": "x", "l": "[1, 2]", RECORD: 1}]
    assert records.filter(pl.col(BAD).is_not_null())[RECORD].to_list() == [3, 4]
    (tmp_path / "x.json").write_text(json.dumps({"data": {"rows": [one]}}))
    records, _ = read(tmp_path / "x.json", format="json", part="data.rows")
    assert cells(records)[0]["b.c"] == "x"


def test_tables_of_databases_are_read_as_text(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "x.duckdb") as db:
        db.execute("CREATE TABLE t AS SELECT DATE '2020-01-31' AS day, 1.5 AS v")
    records, _ = read(tmp_path / "x.duckdb", format="duckdb", part="t")
    assert cells(records) == [{"day": "2020-01-31", "v": "1.5", RECORD: 1}]
    with sqlite3.connect(tmp_path / "x.db") as lite:
        lite.execute("CREATE TABLE t (day, v)")
        lite.execute("INSERT INTO t VALUES ('2020-01-31', NULL)")
    records, _ = read(tmp_path / "x.db", format="sqlite", part="t")
    assert cells(records) == [{"day": "2020-01-31", "v": None, RECORD: 1}]
    with pytest.raises(NightRefused, match="no table 'u'"):
        read(tmp_path / "x.db", format="sqlite", part="u")


def test_parquet_is_read_as_text_with_its_rows_numbered(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1, 2, 3]}).write_parquet(tmp_path / "x.parquet")
    records, _ = read(tmp_path / "x.parquet", format="parquet")
    assert [(one["a"], one[RECORD]) for one in cells(records)] == [("1", 1), ("2", 2), ("3", 3)]


@pytest.mark.parametrize("form", ["parquet", "duckdb", "sqlite", "json"])
def test_a_file_that_is_none_of_its_kind_is_refused_by_name(tmp_path: Path, form: str) -> None:
    (tmp_path / "x").write_bytes(gzip.compress(b"secret"))
    with pytest.raises(NightRefused, match=r"^x: ") as refused:
        read(tmp_path / "x", format=form, part="t")
    assert "secret" not in str(refused.value)


def test_an_option_that_a_format_does_not_have_is_refused(form: Path) -> None:
    with pytest.raises(NightRefused, match="options sheet"):
        read(form, options={"sheet": "x"})
