"""XML: a record is one element of a kind, with what the elements around it say.

`part` is the path of the element from the outermost one that is joined: `Patient/Tumor` gives one
record per Tumor, with the values of its Patient. The columns of a record are the paths of its
elements (`Histologie/Code`) and attributes (`@ID`, `Histologie@id`); those of an element around it
begin with that element's path (`Patient/Sex`). A repeated element is `Code[2]`, and so on. The
columns in `names` are there whether the file has them or not. What is in the elements that
`options.without` names (with spaces between) is not read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from flows.errors import NightRefused
from flows.intake.sources.given import Given
from flows.intake.sources.words import plural
from flows.intake.sources.xml_events import local, parse
from transforms.mapping.sources import BAD, RECORD, TEXT

MOST_COLUMNS = 5_000
_SPILLED = 20_000
"""Records that are kept as Python objects before they become a frame."""

Cells = dict[str, str]


def read_xml(file: Given) -> Iterator[pl.DataFrame]:
    """Yield the records of an XML file. Raises NightRefused, also for a document with a DTD."""
    file.refuse_options("without")
    if not file.source.part:
        raise NightRefused(
            f"{file.name}: part: say which element is a record, as `Patient/Tumor`: from the "
            f"outermost element whose values belong to it"
        )
    path = tuple(file.source.part.strip("/").split("/"))
    without = str(file.source.options.get("without", "")).split()
    taken = Elements(file, path, file.source.names, without)
    yield from taken.read()
    taken.tell()


@dataclass
class _Level:
    """An element of the path that is open."""

    cells: Cells = field(default_factory=dict)
    first: int = 0
    """How many records were pending when it was opened."""


class Elements:
    """Takes the events of a document and makes records of them."""

    def __init__(
        self,
        file: Given,
        path: tuple[str, ...],
        columns: Iterable[str] = (),
        without: Iterable[str] = (),
    ) -> None:
        self.file, self.path = file, path
        self.number = 0
        self.childless = 0
        """Outermost elements without any record."""
        self._open: list[str] = []
        """Elements from the outermost of the path."""
        self._common = 0
        self._without, self._inside = frozenset(without), 0
        self._levels: list[_Level] = []
        self._pending: list[Cells] = []
        self._rows: list[Cells] = []
        self._text: list[str] = []
        self._columns: dict[str, None] = dict.fromkeys(columns)
        self._spilled = 0

    def read(self) -> Iterator[pl.DataFrame]:
        """Yield the records, each batch with all columns of the file. Raises NightRefused."""
        with self.file.path.open("rb") as stream:
            parse(stream, self.file.name, self.start, self.end, self._text.append)
        if not self._spilled:
            yield self._frame()
            return
        self._spill()
        for number in range(self._spilled):
            part = pl.read_parquet(self._at(number))
            missing = [name for name in self._columns if name not in part.columns]
            nothing = (pl.lit(None, dtype=pl.String).alias(name) for name in missing)
            yield _with_marks(part.with_columns(nothing).select(RECORD, *self._columns))

    def tell(self) -> None:
        """Say what of the file became no record."""
        if not self.number:
            self.file.tell(f"no element {'/'.join(self.path)} in it: no record")
        elif self.childless:
            count = plural(self.childless, f"{self.path[0]} element")
            self.file.tell(f"{count} without any {self.path[-1]}: no record comes of them")

    def column(self, names: list[str]) -> str | None:
        """Return the column of the element that is open; None for one that is not read."""
        return "/".join(names)

    def attributes(self, names: list[str], given: Cells) -> Cells:
        """Return the columns that the attributes of an element are."""
        path = "/".join(names)
        return {f"{path}@{local(name)}": value for name, value in given.items()}

    def start(self, element: str, attributes: Cells) -> None:
        """Take the start of an element."""
        tag = local(element)
        if not self._open and tag != self.path[0]:
            self.outside(element, attributes)
            self._text.clear()
            return
        self._text.clear()
        if self._inside or tag in self._without:
            self._inside += 1
            return
        self._open.append(tag)
        depth = len(self._open)
        if self._common == depth - 1 and depth <= len(self.path) and tag == self.path[depth - 1]:
            self._common = depth
            self._levels.append(_Level(first=len(self._pending)))
        self.inside(element, attributes)
        for name, value in self.attributes(self._named(), attributes).items():
            self._put(name, value)

    def end(self, element: str) -> None:
        """Take the end of an element."""
        value = "".join(self._text).strip()
        self._text.clear()
        if self._inside:
            self._inside -= 1
            return
        if not self._open:
            self.outside_ended(element, value)
            return
        if value and (name := self.column(self._named())):
            self._put(name, value)
        if self._common == len(self._open):
            self._closed()
        self._open.pop()

    def inside(self, element: str, attributes: Cells) -> None:
        """Take the start of an element, before its attributes are read."""

    def outside(self, element: str, attributes: Cells) -> None:
        """Take the start of an element that is not in an outermost one of the path."""

    def outside_ended(self, element: str, text: str) -> None:
        """Take the end of an element that is not in an outermost one of the path."""

    def _named(self) -> list[str]:
        """Return the path of the open element, seen from its record, else from the outermost."""
        is_own = self._common == len(self.path)
        return self._open[len(self.path) :] if is_own else self._open

    def _put(self, name: str, value: str) -> None:
        cells = self._levels[-1].cells
        key, again = name, 2
        while key in cells:
            key, again = f"{name}[{again}]", again + 1
        cells[key] = value
        if key not in self._columns:
            self._columns[key] = None
            if len(self._columns) > MOST_COLUMNS:
                raise NightRefused(
                    f"{self.file.name}: more than {MOST_COLUMNS} different elements in "
                    f"{'/'.join(self.path)}; is it the element that is one record?"
                )

    def _closed(self) -> None:
        """Close an element of the path: its values belong to all records that it has."""
        level = self._levels.pop()
        self._common -= 1
        if len(self._open) == len(self.path):
            self.number += 1
            self._pending.append({RECORD: str(self.number), **level.cells})
        else:
            for cells in self._pending[level.first :]:
                cells |= level.cells
        if not self._levels:
            self.childless += not self._pending
            self._rows += self._pending
            self._pending.clear()
            if len(self._rows) >= _SPILLED:
                self._spill()

    def _frame(self) -> pl.DataFrame:
        names = [RECORD, *self._columns]
        columns = {name: [row.get(name) for row in self._rows] for name in names}
        self._rows.clear()
        frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
        return _with_marks(frame.with_columns(pl.col(RECORD).cast(pl.UInt32)))

    def _spill(self) -> None:
        self._frame().write_parquet(self._at(self._spilled), compression="zstd")
        self._spilled += 1

    def _at(self, number: int) -> str:
        return str(self.file.scratch / f"elements-{number}.parquet")


def _with_marks(records: pl.DataFrame) -> pl.DataFrame:
    nothing = pl.lit(None, dtype=pl.String)
    return records.with_columns(nothing.alias(BAD), nothing.alias(TEXT))
