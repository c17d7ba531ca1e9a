"""What a workbook has beside the values of its cells, as its parts of XML tell."""

import re
import zipfile
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from flows.intake.sources.packed_parts import part
from flows.intake.sources.xml_events import local, parse

_UNIT = re.compile(r'"\s*([^"]*[^"\s\d.,/-][^"]*?)\s*"')
_LEADING_ZEROS = re.compile(r"^0{2,}$")
_PLACE = re.compile(r"^([A-Z]{1,3})([0-9]{1,7})$")
MOST_AREAS = 100_000


@dataclass
class Seen:
    """A sheet without its values. Rows and columns count from 1."""

    last_row: int = 0
    first_column: int = 0
    last_column: int = 0
    """Of the cells that have a value or a formula, even an empty one."""
    with_text: tuple[int, int] = (0, 0)
    """First and last column of the cells that have text."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """First row and column, last row and column."""
    said: list[tuple[int, int, str]] = field(default_factory=list)
    """Row, column and text of the cells that have no value: an error, a formula not stored."""
    marks: dict[str, list[int]] = field(default_factory=dict)
    """"colour", "strikethrough", "comment" -> the row of each cell that has it."""
    formats: dict[int, set[str]] = field(default_factory=dict)
    """Column -> what a number format shows that the value does not have."""

    def has(self, row: int, column: int) -> None:
        """Note a cell that has a value or a formula."""
        self.last_row = max(self.last_row, row)
        self.last_column = max(self.last_column, column)
        self.first_column = min(self.first_column or column, column)

    def has_text(self, column: int) -> None:
        """Note a cell whose value is not empty."""
        first, last = self.with_text
        self.with_text = min(first or column, column), max(last, column)

    def start_of(self, width: int) -> int | None:
        """Return the first column of a table so wide; None where it is none of this sheet."""
        for first, last in ((self.first_column, self.last_column), self.with_text):
            if width == last - first + 1:
                return first
        return None

    def mark(self, what: str, row: int) -> None:
        """Note a cell with something that is not read."""
        self.marks.setdefault(what, []).append(row)


@dataclass
class Book:
    """An xlsx: its sheets in order, and where their parts are."""

    sheets: dict[str, str] = field(default_factory=dict)
    """Name -> part."""
    hidden: set[str] = field(default_factory=set)
    from_1904: bool = False
    styles: list[tuple[bool, bool, str]] = field(default_factory=list)
    """Per style of a cell: filled, struck through, what its number format adds."""


def book_of(packed: zipfile.ZipFile, name: str) -> Book:
    """Read the parts of an xlsx that are about all sheets. Raises KeyError, NightRefused."""
    relations = _relations(packed, "xl/workbook.xml", name)
    book = Book()

    def start(element: str, given: dict[str, str]) -> None:
        tag = local(element)
        if tag == "workbookPr":
            book.from_1904 = given.get("date1904") in ("1", "true")
        elif tag == "sheet":
            at = next((v for k, v in given.items() if local(k) == "id" and "}" in k), "")
            book.sheets[given.get("name", "")] = relations.get(at, ("", ""))[1]
            if given.get("state", "visible") != "visible":
                book.hidden.add(given.get("name", ""))

    with part(packed, "xl/workbook.xml") as stream:
        parse(stream, name, start, lambda _: None)
    styles = next((to for kind, to in relations.values() if kind == "styles"), None)
    if styles and styles in packed.namelist():
        book.styles = _styles(packed, styles, name)
    return book


def _relations(packed: zipfile.ZipFile, of: str, name: str) -> dict[str, tuple[str, str]]:
    """Return what a part refers to, by id: the kind, and the part."""
    place = PurePosixPath(of)
    rels = str(place.parent / "_rels" / f"{place.name}.rels")
    found: dict[str, tuple[str, str]] = {}
    if rels not in packed.namelist():
        return found

    def start(element: str, given: dict[str, str]) -> None:
        if local(element) == "Relationship" and given.get("TargetMode") != "External":
            target = given.get("Target", "")
            to = target[1:] if target.startswith("/") else _joined(str(place.parent), target)
            found[given.get("Id", "")] = given.get("Type", "").rpartition("/")[2], to

    with part(packed, rels) as stream:
        parse(stream, name, start, lambda _: None)
    return found


def _joined(folder: str, target: str) -> str:
    steps: list[str] = []
    for step in f"{folder}/{target}".split("/"):
        steps = steps[:-1] if step == ".." else steps if step == "." else [*steps, step]
    return "/".join(steps)


def _styles(packed: zipfile.ZipFile, at: str, name: str) -> list[tuple[bool, bool, str]]:
    formats: dict[str, str] = {}
    fonts: list[bool] = []
    fills: list[bool] = []
    cells: list[tuple[bool, bool, str]] = []
    inside: list[str] = []

    def start(element: str, given: dict[str, str]) -> None:
        tag = local(element)
        parent = inside[-1] if inside else ""
        inside.append(tag)
        if tag == "numFmt":
            formats[given.get("numFmtId", "")] = given.get("formatCode", "")
        elif tag == "font" and parent == "fonts":
            fonts.append(False)
        elif tag == "strike" and parent == "font" and inside[-3:-2] == ["fonts"] and fonts:
            fonts[-1] = given.get("val", "1") not in ("0", "false")
        elif tag == "fill" and parent == "fills":
            fills.append(False)
        elif tag == "patternFill" and inside[-3:-2] == ["fills"] and fills:
            fills[-1] = given.get("patternType", "none") not in ("none", "gray125")
        elif tag == "xf" and parent == "cellXfs":
            fill, font = int(given.get("fillId", "0")), int(given.get("fontId", "0"))
            cells.append(
                (
                    fill < len(fills) and fills[fill],
                    font < len(fonts) and fonts[font],
                    _adds(formats.get(given.get("numFmtId", ""), "")),
                )
            )

    with part(packed, at) as stream:
        parse(stream, name, start, lambda _: inside.__delitem__(-1))
    return cells


def _adds(number_format: str) -> str:
    """Return what a number format shows beside the number; "" for one that adds nothing."""
    if found := _UNIT.search(number_format):
        return found[1]
    return "leading zeros" if _LEADING_ZEROS.match(number_format) else ""


def see_sheet(packed: zipfile.ZipFile, book: Book, sheet: str, name: str) -> Seen:
    """Look at a sheet of an xlsx without its values. Raises KeyError, NightRefused."""
    seen, cells = Seen(), _Cells(book)
    cells.seen = seen
    with part(packed, book.sheets[sheet]) as stream:
        parse(stream, name, cells.start, cells.end, cells.text)
    for kind, to in _relations(packed, book.sheets[sheet], name).values():
        if kind in ("comments", "threadedComment") and to in packed.namelist():
            with part(packed, to) as stream:
                parse(stream, name, cells.comment, lambda _: None)
    return seen


class _Cells:
    """Takes the events of a sheet."""

    def __init__(self, book: Book) -> None:
        self.styles = book.styles
        self.seen = Seen()
        self.row = self.column = 0
        self.kind = ""
        self.in_formula = False
        self.has_value = self.has_text = self.has_formula = self.inside = False
        self.style = 0
        self.commented: set[str] = set()

    def start(self, element: str, given: dict[str, str]) -> None:
        tag = local(element)
        if tag == "c":
            self._cell(given)
        elif self.inside:
            self.in_formula = tag == "f"
            self.has_value = self.has_value or tag in ("v", "is")
            self.has_formula = self.has_formula or self.in_formula
        elif tag == "row":
            self.row = int(given.get("r", self.row + 1))
            self.column = 0
            if given.get("hidden") in ("1", "true"):
                self.seen.hidden_rows.add(self.row)
        elif tag == "col" and given.get("hidden") in ("1", "true"):
            last = min(int(given["max"]), 16_384)
            self.seen.hidden_columns.update(range(int(given["min"]), last + 1))
        elif tag == "mergeCell" and len(self.seen.merged) < MOST_AREAS:
            first, _, last_place = given.get("ref", "").partition(":")
            self.seen.merged.append((*place(first), *place(last_place or first)))
        elif tag == "conditionalFormatting":
            self.seen.mark("colour by a rule", 0)

    def _cell(self, given: dict[str, str]) -> None:
        self.inside, self.has_value, self.has_text, self.has_formula = True, False, False, False
        self.column += 1
        if at := given.get("r"):
            self.row, self.column = place(at)
        self.kind = given.get("t", "n")
        self.style = int(given.get("s", "0"))

    def text(self, text: str) -> None:
        """Take the text of a cell, which is that of its formula or its value."""
        if self.inside and not self.in_formula and not self.has_text:
            self.has_text = bool(text.strip())

    def end(self, element: str) -> None:
        self.in_formula = False
        if not self.inside or local(element) != "c":
            return
        self.inside = False
        row, column, seen = self.row, self.column, self.seen
        filled, struck, adds = (
            self.styles[self.style] if self.style < len(self.styles) else (False, False, "")
        )
        if filled:
            seen.mark("colour", row)
        if not self.has_value and not self.has_formula:
            return
        seen.has(row, column)
        if self.has_text:
            seen.has_text(column)
        if struck:
            seen.mark("strikethrough", row)
        if adds and self.kind == "n":
            seen.formats.setdefault(column, set()).add(adds)
        if self.kind == "e" and self.has_value:
            seen.said.append((row, column, "error"))
        elif self.has_formula and not self.has_text and not self._is_empty_text():
            seen.said.append((row, column, "formula"))

    def _is_empty_text(self) -> bool:
        """Whether the stored result of a formula is a text without characters."""
        return self.kind == "str" and self.has_value

    def comment(self, element: str, given: dict[str, str]) -> None:
        """Take the events of the comments of a sheet."""
        at = given.get("ref", "")
        if local(element) in ("comment", "threadedComment") and at not in self.commented:
            self.commented.add(at)
            self.seen.mark("comment", place(at)[0])


def place(at: str) -> tuple[int, int]:
    """Return row and column of a place such as `C7`; KeyError where it is none."""
    found = _PLACE.match(at.replace("$", ""))
    if not found:
        raise KeyError("place")
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column
