"""A sheet is read as a person sees it; what is seen and cannot be read is said, never emptied."""

import zipfile
from pathlib import Path

import pytest

from flows.errors import NightRefused
from flows.intake.sources.workbook import read_xlsx
from tests.flows.intake.sources.reading import Found, read_with
from tests.flows.intake.sources.workbooks import (
    DATE,
    MAIN,
    RED,
    STRUCK,
    WITH_UNIT,
    ZEROS,
    raw,
    sheet_xml,
    styled,
    write_workbook,
)

FORMULA = raw('<c r="{at}"><f>A1+1</f></c>')
NO_TEXT = raw('<c r="{at}" t="str"><f>IF(A1,"","x")</f><v></v></c>')
EMPTIED = raw('<c r="{at}"><f>A1+1</f><v></v></c>')
ERROR = raw('<c r="{at}" t="e"><v>#DIV/0!</v></c>')
COMMENTS = {
    "xl/worksheets/_rels/sheet1.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org'
    '/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships/comments" Target="../comments1.xml"/></Relationships>',
    "xl/comments1.xml": f'<comments xmlns="{MAIN}"><commentList><comment ref="A3"><text><t>ask her'
    f"</t></text></comment></commentList></comments>",
}


def read_workbook(path: Path, **said: object) -> Found:
    return read_with(read_xlsx, path, format="xlsx", **said)


def read(path: Path, *rows: object, header: object = None, **sheet: object) -> Found:
    write_workbook(path / "book.xlsx", {"Labor": sheet_xml(rows, **sheet)})  # type: ignore[arg-type]
    return read_workbook(path / "book.xlsx", header=header)


def test_days_are_the_same_whether_counted_from_1900_or_1904(tmp_path: Path) -> None:
    for from_1904, number in ((False, 43831), (True, 43831 - 1462)):
        path = tmp_path / f"{from_1904}.xlsx"
        sheet = sheet_xml([["day", "time"], [styled(number, DATE), styled(number + 0.75, DATE)]])
        write_workbook(path, {"S": sheet}, from_1904=from_1904)
        found = read_workbook(path)
        assert found.frame.select("day", "time").row(0) == ("2020-01-01", "2020-01-01 18:00:00")
        assert any("1904" in remark for remark in found.remarks) == from_1904


def test_names_of_several_header_rows_are_joined_and_merged_ones_stand_over_each_column(
    tmp_path: Path,
) -> None:
    found = read(
        tmp_path,
        ["Export of the ward"],
        ["Patient", "Thyroglobulin", None, "Patient"],
        ["ID", "value", "ng/mL", "ID"],
        ["P1", 3.5, "x", "again"],
        header=[2, 3],
        merged=["B2:C2"],
    )
    assert found.frame.columns[:4] == [
        "Patient ID",
        "Thyroglobulin value",
        "Thyroglobulin ng/mL",
        "Patient ID_2",
    ]
    assert found.frame["_record"].to_list() == [4]
    assert "1 row above the header not read" in found.remarks


def test_a_merged_area_has_its_value_in_each_row(tmp_path: Path) -> None:
    found = read(tmp_path, ["id", "n"], ["P1", 1], [None, 2], ["P2", 3], merged=["A2:A3"])
    assert found.frame["id"].to_list() == ["P1", "P1", "P2"]
    assert "1 merged area: each of its cells has its value" in found.remarks


def test_a_formula_without_result_and_an_error_are_unreadable_not_empty(tmp_path: Path) -> None:
    stored = raw('<c r="{at}"><f>1+1</f><v>2</v></c>')
    rows = [
        ["A", FORMULA],
        ["B", ERROR],
        ["C", None],
        ["D", stored],
        ["E", EMPTIED],
        ["F", NO_TEXT],
    ]
    found = read(tmp_path, ["id", "died"], *rows)
    texts = ["#NOT STORED", "#ERROR", None, "2", "#NOT STORED", None]
    assert found.frame["died"].to_list() == texts
    said = "2 cells with a formula without a stored result: unreadable, not empty"
    assert said in found.remarks


def test_hidden_rows_and_columns_are_read_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, ["id", "v"], ["A", 1], ["B", 2], hidden=[3], hidden_columns=[2])
    assert found.frame.select("id", "_hidden").rows() == [("A", "no"), ("B", "yes")]
    assert "1 hidden row read like the others" in found.remarks
    assert "1 hidden column read like the others" in found.remarks


def test_colour_strikethrough_and_comments_are_not_read_and_their_rows_are_marked(
    tmp_path: Path,
) -> None:
    rows = [[styled("id", RED)], [styled("A", RED)], ["B"], [styled("C", STRUCK)], ["D"]]
    write_workbook(tmp_path / "b.xlsx", {"S": sheet_xml(rows)}, parts=COMMENTS)
    found = read_workbook(tmp_path / "b.xlsx")
    marked = found.frame.select("id", "_marked").rows()
    assert marked == [("A", "colour"), ("B", "comment"), ("C", "strikethrough"), ("D", None)]
    for what in ("colour", "comment", "strikethrough"):
        assert f"1 cell with {what}: what that means is not read" in found.remarks


def test_what_a_number_format_shows_beside_the_number_is_said(tmp_path: Path) -> None:
    found = read(
        tmp_path, ["id", "activity"], [styled(12, ZEROS), styled(100, WITH_UNIT)], [3, 5.55]
    )
    assert found.frame["activity"].to_list() == ["100", "5.55"]
    assert "column 'activity' shows 'mCi', its cells do not have it" in found.remarks
    assert "column 'id' shows 'leading zeros', its cells do not have it" in found.remarks


def test_rows_keep_the_sheet_s_numbers_wherever_the_table_begins(tmp_path: Path) -> None:
    rows = [[], [None, styled(None, RED)], [None, None, "id", "n"], [], [None, None, "A", FORMULA]]
    found = read(tmp_path, *rows)
    assert found.frame.select("_record", "id", "n").rows() == [(5, "A", "#NOT STORED")]


def test_the_sheet_is_the_named_one_or_the_first_that_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    sheets = {name: sheet_xml([["id"], [name]]) for name in ("old", "Labor", "notes")}
    write_workbook(path, sheets, hidden=["old"])
    found = read_workbook(path)
    assert found.frame["id"].to_list() == ["Labor"]
    assert "2 other sheets not read here, 1 of them hidden" in found.remarks
    assert "the sheet that is read is hidden" in read_workbook(path, part="old").remarks
    with pytest.raises(NightRefused, match="no sheet 'labor'; it has 'old', 'Labor', 'notes'"):
        read_workbook(path, part="labor")


ODS = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" office:version="1.2">
<office:automatic-styles><style:style style:name="red" style:family="table-cell">
<style:table-cell-properties fo:background-color="#ff0000"/></style:style></office:automatic-styles>
<office:body><office:spreadsheet><table:table table:name="S">
<table:table-row><table:table-cell office:value-type="string"><text:p>id</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>day</text:p></table:table-cell>
</table:table-row>
<table:table-row table:visibility="collapse">
<table:table-cell table:style-name="red" table:number-rows-spanned="2" office:value-type="string">
<text:p>A</text:p><office:annotation><text:p>ask</text:p></office:annotation></table:table-cell>
<table:table-cell office:value-type="date" office:date-value="2020-01-02"/></table:table-row>
<table:table-row><table:covered-table-cell/>
<table:table-cell table:formula="of:=1+1"/></table:table-row>
</table:table></office:spreadsheet></office:body></office:document-content>"""


def test_an_opendocument_sheet_is_read_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "b.ods"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("META-INF/manifest.xml", "<manifest/>")
        packed.writestr("content.xml", ODS.replace(">\n<", "><"))
    found = read_workbook(path)
    assert found.frame.select("id", "day", "_hidden").rows() == [
        ("A", "2020-01-02", "yes"),
        ("A", "#NOT STORED", "no"),
    ]
    assert "1 cell with comment: what that means is not read" in found.remarks
    assert "1 cell with colour: what that means is not read" in found.remarks


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("hostile", [LAUGHS, OUTSIDE])
def test_entities_in_a_workbook_are_refused(tmp_path: Path, hostile: str) -> None:
    path = write_workbook(tmp_path / "b.xlsx", {"S": hostile + sheet_xml([["id"], ["&a;"]])})
    with pytest.raises(NightRefused, match=r"b\.xlsx: has a document type or entities"):
        read_workbook(path)


def test_a_cut_workbook_a_bomb_and_cells_far_away_are_refused(tmp_path: Path) -> None:
    whole = write_workbook(tmp_path / "b.xlsx", {"S": sheet_xml([["id"], ["A"]])})
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(whole.read_bytes()[:-200])
    far = raw('<c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c>')
    away = write_workbook(tmp_path / "far.xlsx", {"S": sheet_xml([["id"], [far]])})
    padded = {"xl/media/big.xml": " " * (200 << 20)}
    bomb = write_workbook(tmp_path / "bomb.xlsx", {"S": sheet_xml([["id"]])}, parts=padded)
    for path, words in ((cut, "not whole"), (away, "far below or right"), (bomb, "unpacks to")):
        with pytest.raises(NightRefused, match=words):
            read_workbook(path)


def test_no_refusal_quotes_a_cell(tmp_path: Path) -> None:
    broken = sheet_xml([["id"], ["SECRET"]]).replace("</worksheet>", "")
    path = write_workbook(tmp_path / "b.xlsx", {"S": broken})
    with pytest.raises(NightRefused) as refused:
        read_workbook(path)
    assert "SECRET" not in str(refused.value)
    assert refused.value.__cause__ is None
