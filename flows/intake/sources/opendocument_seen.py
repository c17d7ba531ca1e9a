"""What a sheet of an OpenDocument workbook has beside the values of its cells."""

import zipfile

from flows.intake.sources.packed_parts import part
from flows.intake.sources.workbook_seen import MOST_AREAS, Seen
from flows.intake.sources.xml_events import local, parse

_CELLS = ("table-cell", "covered-table-cell")


def sheets_of(packed: zipfile.ZipFile, name: str) -> tuple[dict[str, Seen], set[str]]:
    """Return the sheets of an ods, in order, and the names of the hidden ones.

    Raises KeyError, NightRefused.
    """
    sheets = _Sheets()
    with part(packed, "content.xml") as stream:
        parse(stream, name, sheets.start, sheets.end)
    return sheets.found, sheets.hidden


class _Sheets:
    """Takes the events of content.xml."""

    def __init__(self) -> None:
        self.found: dict[str, Seen] = {}
        self.hidden: set[str] = set()
        self.seen = Seen()
        self.row = self.column = 0
        self.rows = self.columns = 1
        """How often the row and the cell are repeated."""
        self.style = self.sheet_style = ""
        self.filled: set[str] = set()
        self.struck: set[str] = set()
        self.unseen: set[str] = set()
        self.cell: dict[str, str] = {}
        self.is_text = False

    def start(self, element: str, attributes: dict[str, str]) -> None:
        tag, given = local(element), {local(key): value for key, value in attributes.items()}
        if tag == "style":
            self.style = given.get("name", "")
        elif tag == "table-cell-properties":
            if given.get("background-color", "transparent") != "transparent":
                self.filled.add(self.style)
        elif tag == "text-properties" and self.style:
            if given.get("text-line-through-style", "none") != "none":
                self.struck.add(self.style)
        elif tag == "table-properties" and given.get("display") == "false":
            self.unseen.add(self.style)
        elif tag == "table":
            self._sheet(given)
        elif tag == "table-row":
            self._row(given)
        elif tag in _CELLS:
            self.cell, self.is_text = given, False
            self.column += 1
            self.columns = int(given.get("number-columns-repeated", "1"))
        elif tag == "p" and self.cell:
            self.is_text = True
        elif tag == "annotation" and self.cell:
            self.seen.mark("comment", self.row)

    def _sheet(self, given: dict[str, str]) -> None:
        self.seen = self.found.setdefault(given.get("name", ""), Seen())
        self.row, self.rows, self.column = 0, 1, 0
        if given.get("style-name") in self.unseen:
            self.hidden.add(given.get("name", ""))

    def _row(self, given: dict[str, str]) -> None:
        self.row += 1
        self.rows = int(given.get("number-rows-repeated", "1"))
        self.column = 0
        if given.get("visibility", "visible") != "visible":
            many = range(self.row, min(self.row + self.rows, self.row + MOST_AREAS))
            self.seen.hidden_rows.update(many)

    def end(self, element: str) -> None:
        tag = local(element)
        if tag == "table-row":
            self.row += self.rows - 1
        elif tag == "style":
            self.style = ""
        elif tag in _CELLS:
            self._cell(self.cell)
            self.column += self.columns - 1
            self.cell = {}

    def _cell(self, given: dict[str, str]) -> None:
        seen, style = self.seen, given.get("style-name", "")
        if style in self.filled:
            seen.mark("colour", self.row)
        has_value = "value-type" in given and (self.is_text or given["value-type"] != "string")
        if not has_value and not self.is_text and "formula" not in given:
            return
        seen.has(self.row + self.rows - 1, self.column)
        seen.has(self.row, self.column + self.columns - 1)
        if style in self.struck:
            seen.mark("strikethrough", self.row)
        if not has_value and not self.is_text:
            seen.said.append((self.row, self.column, "formula"))
        rows, columns = (int(given.get(f"number-{k}-spanned", "1")) for k in ("rows", "columns"))
        if (rows > 1 or columns > 1) and len(seen.merged) < MOST_AREAS:
            last = self.row + rows - 1, self.column + columns - 1
            seen.merged.append((self.row, self.column, *last))
