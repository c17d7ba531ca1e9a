"""Quotes, line ends and lines that are none of the table's: each line is accounted for."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.errors import NightError, NightRefused
from flows.intake.export import SourceFile
from flows.intake.lines import Lines
from flows.intake.misfits import NOT_A_ROW, OTHER_TABLE, REPEATS_HEADER, UNDER_NO_NAME
from flows.intake.rows import Irregular, batches
from flows.settings import Settings
from tests.flows.conftest import RunNight
from tests.registry import Registry
from transforms.reading.mapping import Mapping

HEADER = "surgery_id,patient_id,surgery_date,procedure\n"
ROWS = [f"S{at},P{at},2020-01-{at:02},total\n" for at in range(1, 29)]
SETTINGS = Settings(batch_rows=7)


def read(
    path: Path, content: str | bytes, table: str = "surgeries", *, careful: bool = False
) -> tuple[pl.DataFrame, Lines]:
    path.mkdir(exist_ok=True)
    file = path / f"{table}.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    source, lines = SourceFile(table, file, "", file.stat().st_size), Lines()
    try:
        found = pl.concat(batches(source, Mapping(), path, SETTINGS, careful=careful, lines=lines))
    except Irregular:
        return read(path, content, table, careful=True)
    return found, lines


def reasons(rows: pl.DataFrame) -> dict[int, str]:
    return dict(rows.filter(pl.col("unreadable").is_not_null()).select("line", "unreadable").rows())


@pytest.mark.parametrize("at", [0, 13, 27])
def test_a_stray_quote_costs_its_own_line_and_no_other(tmp_path: Path, at: int) -> None:
    stray = [*ROWS]
    stray[at] = stray[at].replace("total", '"total')
    rows, lines = read(tmp_path, HEADER + "".join(stray))
    assert reasons(rows) == {at + 2: "row: a quote is opened and not closed"}
    kept = [f"S{other + 1}" for other in range(28) if other != at]
    assert rows["surgery_id"].drop_nulls().to_list() == kept
    assert (lines.total, lines.rows, lines.inside, lines.blank) == (29, 28, 0, 0)


def test_a_stray_quote_in_an_export_loses_one_row_of_the_night(
    night: RunNight, tmp_path: Path
) -> None:
    registry = Registry()
    for patient in range(40):
        registry.usual(f"P{patient}", 62).metastasis(f"P{patient}", "lung")
    export = registry.write(tmp_path / "export")
    table = (export / "metastases.csv").read_text().splitlines(keepends=True)
    cells = table[1].rsplit(",", 1)
    table[1] = f'{cells[0]},"{cells[1]}'
    (export / "metastases.csv").write_text("".join(table))
    (file,) = (f for f in night(export).files if f.table == "metastases")
    assert (file.rows_read, file.rows_loaded, file.rows_quarantined) == (40, 39, 1)


def test_an_open_quote_in_the_header_refuses_the_file(tmp_path: Path) -> None:
    broken = HEADER.replace("procedure", '"procedure')
    with pytest.raises(NightRefused, match=r"surgeries\.csv: line 1: the header has a quote"):
        read(tmp_path, broken + "".join(ROWS))


def test_line_breaks_in_quoted_cells_are_counted_inside(tmp_path: Path) -> None:
    text = (
        HEADER + 'S1,P1,2020-01-01,"to\r\n\r\nt,al"\nS2,P2,2020-01-02,"a\rb"\n' + "".join(ROWS[2:])
    )
    rows, lines = read(tmp_path, text)
    assert rows["procedure"][:2].to_list() == ["to\r\n\r\nt,al", "a\rb"]
    assert rows["line"][:3].to_list() == [2, 5, 7]
    assert (lines.total, lines.rows, lines.inside, lines.blank) == (32, 28, 3, 0)
    assert not reasons(rows)


def test_a_quoted_cell_that_holds_a_whole_row_is_never_believed(tmp_path: Path) -> None:
    text = HEADER + 'S1,P1,2020-01-01,"total\n' + ROWS[1] + 'S3,P3,2020-01-03,total"\n' + ROWS[3]
    rows, _ = read(tmp_path, text)
    assert rows["surgery_id"].to_list() == [None, "S2", None, "S4"]
    assert list(reasons(rows)) == [2, 4]


def test_a_row_that_two_stray_quotes_hide_is_never_believed(tmp_path: Path) -> None:
    text = HEADER + 'S1,P1,2020-01-01,"total\nS2,P2,2020-01-02,total"\n' + ROWS[2]
    rows, lines = read(tmp_path, text)
    assert rows["surgery_id"].to_list() == [None, None, "S3"]
    assert lines.inside == 0


def test_text_beside_a_quoted_cell_is_not_joined_to_it(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, HEADER + 'S1,"P1"7,2020-01-01,total\n' + ROWS[1])
    assert reasons(rows) == {2: "row: a quote inside a cell"}
    assert rows["patient_id"].to_list() == [None, "P2"]


cells = st.text(st.sampled_from('ab,;"\n\r \0é'), max_size=12)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(junk=st.lists(cells, max_size=5), at=st.integers(0, 4))
def test_whatever_stands_between_them_clean_rows_come_in_as_they_are(
    tmp_path: Path, junk: list[str], at: int
) -> None:
    between = [f"{text}\n" for text in junk]
    text = HEADER + "".join([*ROWS[:4], *between[:at], *ROWS[4:8], *between[at:], *ROWS[8:12]])
    rows, lines = read(tmp_path, text)
    clean = rows.filter(pl.col("surgery_id").str.contains(r"^S\d+$"))
    assert clean["line"].is_sorted()
    got = [",".join(row) + "\n" for row in clean.select(HEADER.strip().split(",")).rows()]
    assert got == ROWS[:12]
    assert lines.total == 1 + lines.rows + lines.inside + lines.blank


@pytest.mark.parametrize("block", [64, 256])
def test_files_larger_than_a_block_read_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    text = HEADER + "".join(
        f'S{at},P{at},2020-01-01,"to\r\ntal, {"x" * at}"\r\n' + "\n" * (at % 3) for at in range(40)
    )
    whole, lines = read(tmp_path, text)
    monkeypatch.setattr("flows.intake.lines._BLOCK", block)
    parts, lines_of_parts = read(tmp_path, text)
    assert parts.to_dicts() == whole.to_dicts()
    assert lines_of_parts == lines
    assert not reasons(whole)


def test_rows_come_in_the_same_from_regular_files_and_line_by_line(tmp_path: Path) -> None:
    text = HEADER + 'S1,"P1",2020-01-01,""\n,,,\n"S""3", P3 ,,"to,tal"\n' + ROWS[3]
    regular, _ = read(tmp_path, text)
    careful, _ = read(tmp_path, text, careful=True)
    assert careful.to_dicts() == regular.to_dicts()


def test_a_lost_line_is_an_error_of_ours() -> None:
    with pytest.raises(NightError, match=r"labs\.csv: 5 lines, but 4"):
        Lines(total=5, header=1, rows=3).check("labs.csv")


@pytest.mark.parametrize("ends", ["\r", "\r\n", "\n\r", "\r\r\n"])
def test_any_line_ends_read_right(tmp_path: Path, ends: str) -> None:
    plain, _ = read(tmp_path, HEADER + "".join(ROWS))
    rows, lines = read(tmp_path, (HEADER + "".join(ROWS)).replace("\n", ends))
    assert rows.drop("line").to_dicts() == plain.drop("line").to_dicts()
    assert lines.rows == 28


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (HEADER, REPEATS_HEADER),
        ("\ufeff" + HEADER.upper(), REPEATS_HEADER),
        ("Total,28,,\n", NOT_A_ROW),
        ("Total,28\n", NOT_A_ROW),
        ("Total: 28,,,\n", NOT_A_ROW),
        ("(28 rows)\n", NOT_A_ROW),
        ("28 rows selected.,,,\n", NOT_A_ROW),
        ("-- end of export --\n", NOT_A_ROW),
        ("Source: the registry,,,\n", NOT_A_ROW),
    ],
)
@pytest.mark.parametrize("at", [14, 28])
def test_headers_again_and_footers_are_no_rows(
    tmp_path: Path, line: str, reason: str, at: int
) -> None:
    rows, _ = read(tmp_path, HEADER + "".join([*ROWS[:at], line, *ROWS[at:]]))
    assert reasons(rows) == {at + 2: reason}
    found = rows.filter(pl.col("line") == at + 2)
    assert found.select("surgery_id", "patient_id").row(0) == (None, None)
    assert found["extra"].item() == line.strip("\n")
    assert rows.height == 29


def test_a_second_header_line_is_no_row(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, HEADER + "id,id,day,kind\nkey,key,ISO,code\n" + "".join(ROWS))
    assert reasons(rows) == {2: NOT_A_ROW, 3: NOT_A_ROW}


def test_a_first_row_with_a_bad_cell_stays_a_row(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, HEADER + "S1,A,someday,total\n" + "S2,A,,whole\n")
    assert not reasons(rows)


def test_codes_that_are_also_words_of_footers_are_rows(tmp_path: Path) -> None:
    rows, _ = read(
        tmp_path, "procedure,surgery_date,surgery_id,patient_id\ntotal,2020-01-01,S1,A\n"
    )
    assert not reasons(rows)


def test_a_table_below_the_table_is_set_aside_whole(tmp_path: Path) -> None:
    other = "a,b,day,c\nX1,Y1,2020-01-01,total\nX2,Y2,2020-01-02,total\n"
    rows, _ = read(tmp_path, HEADER + "".join(ROWS) + "\n" + other)
    assert reasons(rows) == {31: NOT_A_ROW, 32: OTHER_TABLE, 33: OTHER_TABLE}
    again = HEADER + ROWS[0]
    rows, _ = read(tmp_path, HEADER + "".join(ROWS[1:]) + "\n" + other + again)
    assert list(reasons(rows)) == [30, 31, 32, 33]
    assert rows["surgery_id"][-1] == "S1"


def test_columns_in_another_order_further_down_are_set_aside(tmp_path: Path) -> None:
    turned = "patient_id,surgery_id,surgery_date,procedure\nP9,S9,2020-01-01,total\n"
    rows, _ = read(tmp_path, HEADER + ROWS[0] + turned)
    assert reasons(rows) == {3: NOT_A_ROW, 4: OTHER_TABLE}


def test_empty_columns_without_a_name_are_accepted_and_filled_ones_are_not(tmp_path: Path) -> None:
    header, padded = HEADER.replace("\n", ",,\n"), [row.replace("\n", ",, \n") for row in ROWS]
    plain, _ = read(tmp_path, HEADER + "".join(ROWS))
    rows, _ = read(tmp_path, header + "".join(padded))
    assert rows.to_dicts() == plain.to_dicts()
    padded[3] = padded[3].replace(",, ", ",,x")
    rows, _ = read(tmp_path, header + "".join(padded))
    assert reasons(rows) == {5: UNDER_NO_NAME}


@pytest.mark.parametrize(
    ("above", "says"),
    [
        ("Export of today\n\n", "line 1 is not the header, which seems to be on line 3"),
        ("Export of today,,,\nby us,,,\n", "line 1 is not the header, which seems to be on line 3"),
        ("\n\nExport\n", "line 3 is not the header, which seems to be on line 4"),
    ],
)
def test_lines_above_the_header_are_refused_with_the_line_of_the_header(
    tmp_path: Path, above: str, says: str
) -> None:
    with pytest.raises(NightRefused, match=f"{says}; remove the lines before it"):
        read(tmp_path, above + HEADER + "".join(ROWS))


def test_blank_lines_above_the_header_are_read_over(tmp_path: Path) -> None:
    rows, lines = read(tmp_path, "\n \n" + HEADER + "".join(ROWS))
    assert rows["line"][0] == 4
    assert (lines.total, lines.rows, lines.blank) == (31, 28, 2)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("".join(ROWS), "none of the columns of surgeries; the first line must be the header"),
        (HEADER.replace(",", ":"), "separated by a comma, a semicolon, a tab or |"),
        ("'" + HEADER.strip().replace(",", "','") + "'\n", "in apostrophes"),
        (HEADER.replace("procedure", "kind"), "no column procedure among its 4"),
        ("x" * 2_000_000, "longer than"),
    ],
)
def test_a_header_that_is_none_says_what_to_do(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(NightRefused) as refused:
        read(tmp_path, content)
    assert says in str(refused.value)
    assert str(refused.value).startswith("surgeries.csv: ")
