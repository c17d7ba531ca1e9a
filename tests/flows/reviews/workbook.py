"""A small workbook as a spreadsheet program writes one: text, and days as formatted numbers."""

import zipfile
from datetime import date
from pathlib import Path

_XML = "http://schemas.openxmlformats.org"
_PARTS = f"{_XML}/package/2006"
_SHEETS = f"{_XML}/spreadsheetml/2006/main"
_OFFICE = f"{_XML}/officeDocument/2006/relationships"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DAY_ZERO = date(1899, 12, 30)
Cell = str | date


def write_workbook(path: Path, rows: list[list[Cell]]) -> Path:
    """Write rows into the only sheet of a workbook."""
    kinds = "".join(
        f'<Override PartName="/xl/{name}.xml" ContentType="{_KIND}.{kind}+xml"/>'
        for name, kind in (
            ("workbook", "sheet.main"),
            ("worksheets/sheet1", "worksheet"),
            ("styles", "styles"),
        )
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PARTS}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{kinds}</Types>',
        "_rels/.rels": _related(("officeDocument", "xl/workbook.xml")),
        "xl/_rels/workbook.xml.rels": _related(
            ("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")
        ),
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Decisions" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/styles.xml": f'<styleSheet xmlns="{_SHEETS}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEETS}"><sheetData>'
        + "".join(_row(number, cells) for number, cells in enumerate(rows, 1))
        + "</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in parts.items():
            packed.writestr(name, f'<?xml version="1.0"?>{text}')
    return path


def _related(*parts: tuple[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(parts, 1)
    )
    return f'<Relationships xmlns="{_PARTS}/relationships">{listed}</Relationships>'


def _row(number: int, cells: list[Cell]) -> str:
    said = "".join(_cell(f"{chr(65 + at)}{number}", cell) for at, cell in enumerate(cells) if cell)
    return f'<row r="{number}">{said}</row>'


def _cell(place: str, cell: Cell) -> str:
    if isinstance(cell, date):
        return f'<c r="{place}" s="1"><v>{(cell - _DAY_ZERO).days}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{cell}</t></is></c>'
