"""Small workbooks, written by hand: each part of the zip is what a test wants to see read."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
STYLES = f"""<styleSheet xmlns="{MAIN}">
<numFmts count="3"><numFmt numFmtId="164" formatCode="dd\\.mm\\.yyyy"/>
<numFmt numFmtId="165" formatCode="0.0&quot; mCi&quot;"/>
<numFmt numFmtId="166" formatCode="000000"/></numFmts>
<fonts count="2"><font/><font><strike/></font></fonts>
<fills count="3"><fill><patternFill patternType="none"/></fill>
<fill><patternFill patternType="gray125"/></fill>
<fill><patternFill patternType="solid"><fgColor rgb="FFFF0000"/></patternFill></fill></fills>
<cellXfs count="6"><xf/><xf numFmtId="164"/><xf fillId="2"/><xf fontId="1"/>
<xf numFmtId="165"/><xf numFmtId="166"/></cellXfs></styleSheet>"""
DATE, RED, STRUCK, WITH_UNIT, ZEROS = 1, 2, 3, 4, 5
"""Styles of a cell, by their place in STYLES."""


def letters(column: int) -> str:
    """Return the letters of a column, counted from 0."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def raw(xml: str) -> tuple[str]:
    """Give a cell whose XML is written out; `{at}` is its place."""
    return (xml,)


def styled(value: object, style: int) -> tuple[object, int]:
    """Give a cell a style."""
    return (value, style)


def cell(value: object, at: str) -> str:
    """Return the XML of a cell."""
    style = ""
    if isinstance(value, tuple):
        if len(value) == 1:
            return value[0].replace("{at}", at)
        value, number = value
        style = f' s="{number}"'
    if value is None:
        return f'<c r="{at}"{style}/>' if style else ""
    if isinstance(value, str):
        return f'<c r="{at}"{style} t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{at}"{style}><v>{value}</v></c>'


def sheet_xml(
    rows: Sequence[Sequence[object]],
    *,
    merged: Sequence[str] = (),
    hidden: Sequence[int] = (),
    hidden_columns: Sequence[int] = (),
) -> str:
    """Return the XML of a sheet; `hidden` are numbers of rows, from 1."""
    body = "".join(
        f'<row r="{at}"{" hidden=" + chr(34) + "1" + chr(34) if at in hidden else ""}>'
        + "".join(cell(value, f"{letters(column)}{at}") for column, value in enumerate(row))
        + "</row>"
        for at, row in enumerate(rows, 1)
    )
    columns = "".join(f'<col min="{at}" max="{at}" hidden="1"/>' for at in hidden_columns)
    return (
        f'<worksheet xmlns="{MAIN}">'
        + (f"<cols>{columns}</cols>" if columns else "")
        + f"<sheetData>{body}</sheetData>"
        + (
            f'<mergeCells count="{len(merged)}">'
            + "".join(f'<mergeCell ref="{area}"/>' for area in merged)
            + "</mergeCells>"
            if merged
            else ""
        )
        + "</worksheet>"
    )


def write_workbook(
    path: Path,
    sheets: dict[str, str],
    *,
    from_1904: bool = False,
    hidden: Sequence[str] = (),
    parts: dict[str, str] | None = None,
) -> Path:
    """Write an xlsx from the XML of its sheets, by name; `parts` are added to the zip."""
    named = "".join(
        f'<sheet name="{escape(name)}" sheetId="{at}" r:id="rId{at}"'
        f"{' state=' + chr(34) + 'hidden' + chr(34) if name in hidden else ''}/>"
        for at, name in enumerate(sheets, 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{at}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at in range(1, len(sheets) + 1)
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="application/vnd.'
        f'openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        for at in range(1, len(sheets) + 1)
    )
    content = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
        f'ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.'
        f'openxmlformats-package.relationships+xml"/>{overrides}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}">'
        f"<workbookPr{' date1904=' + chr(34) + '1' + chr(34) if from_1904 else ''}/>"
        f"<sheets>{named}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'{relations}<Relationship Id="rIdS" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        f"</Relationships>",
        "xl/styles.xml": STYLES,
    }
    for at, xml in enumerate(sheets.values(), 1):
        content[f"xl/worksheets/sheet{at}.xml"] = xml
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in (content | (parts or {})).items():
            packed.writestr(name, text)
    return path
