"""NAACCR XML, versions 23 to 26: a record is a Tumor with the items of its Patient, or a Patient.

Columns are named by naaccrId. `naaccr_version` (23 to 26) is that of the document's dictionary:
surgery codes and the item of the sex depend on it. Items of user dictionaries are columns too.
"""

import re
from collections import Counter
from collections.abc import Iterator

import polars as pl

from flows.errors import NightRefused
from flows.intake.sources.elements import Cells, Elements
from flows.intake.sources.given import Given
from flows.intake.sources.naaccr_items import BY_NUMBER, ITEMS, VERSIONS
from flows.intake.sources.words import plural
from flows.intake.sources.xml_events import local

VERSION = "naaccr_version"
_NAMESPACE = "http://naaccr.org/naaccrxml"
_DICTIONARY = re.compile(r"naaccr-dictionary-([0-9]{2})[0-9]\.xml$")
_PATHS = {"Tumor": ("Patient", "Tumor"), "Patient": ("Patient",)}


def read_naaccr(file: Given) -> Iterator[pl.DataFrame]:
    """Yield the records of a NAACCR XML file; `part` is Tumor (the default) or Patient.

    Raises NightRefused, also for another version than 23 to 26.
    """
    file.refuse_options()
    part = file.source.part or "Tumor"
    if part not in _PATHS:
        raise NightRefused(f"{file.name}: part {part!r}: want Tumor or Patient")
    items = _Items(file, _PATHS[part])
    for batch in items.read():
        yield batch.with_columns(pl.lit(str(items.version)).alias(VERSION))
    items.tell()


class _Items(Elements):
    """Takes the events of a NAACCR document."""

    def __init__(self, file: Given, path: tuple[str, ...]) -> None:
        parents = {"NaaccrData", *path}
        columns = (item.id for item in ITEMS.values() if item.parent in parents)
        super().__init__(file, path, columns)
        self.version = 0
        self.root: Cells = {}
        self.odd: Counter[str] = Counter()
        """What is not as the dictionary has it -> how often."""
        self._item: str | None = None
        self._foreign = 0
        """How many elements of extensions are open, one in the other."""
        self._has_dictionary = False

    def outside(self, element: str, attributes: Cells) -> None:
        self._item = None
        if local(element) == "NaaccrData":
            self._document(attributes)
        elif not self.version:
            raise NightRefused(f"{self.file.name}: no NAACCR XML: its root is not NaaccrData")
        elif element == f"{_NAMESPACE}}}Item":
            self._item = self._id(attributes, "NaaccrData")

    def outside_ended(self, element: str, text: str) -> None:
        if self._item and text:
            self.root[self._item] = text
        self._item = None

    def inside(self, element: str, attributes: Cells) -> None:
        self._item = None
        if not self.version:
            raise NightRefused(f"{self.file.name}: no NAACCR XML: its root is not NaaccrData")
        if not element.startswith(f"{_NAMESPACE}}}"):
            self.odd["elements of extensions, not read"] += 1
        elif local(element) == "Item":
            self._item = self._id(attributes, self._open[-2])
        elif local(element) == "Patient":
            for name, value in self.root.items():
                self._put(name, value)

    def attributes(self, names: list[str], given: Cells) -> Cells:
        return {}

    def column(self, names: list[str]) -> str | None:
        item, self._item = self._item, None
        return item

    def _document(self, attributes: Cells) -> None:
        found = _DICTIONARY.search(attributes.get("baseDictionaryUri", ""))
        self.version = int(found[1]) if found else 0
        if self.version not in VERSIONS:
            said = f"version {self.version}" if found else "no version in its baseDictionaryUri"
            raise NightRefused(
                f"{self.file.name}: {said}; versions {VERSIONS[0]} to {VERSIONS[-1]} are read: "
                f"convert it with the registry's software"
            )
        self._has_dictionary = bool(attributes.get("userDictionaryUri"))
        if attributes.get("recordType") in ("I", "C"):
            self.odd[f"record type {attributes['recordType']}: it has no text items"] = 0

    def _id(self, attributes: Cells, parent: str) -> str:
        """Return what an item is called, and note where the dictionary has it otherwise."""
        name = attributes.get("naaccrId") or self._by_number(attributes.get("naaccrNum", ""))
        item = ITEMS.get(name)
        if item and item.parent != parent:
            self.odd[f"{name} in {parent}, where the dictionary has it in {item.parent}"] += 1
        if item and not item.first <= self.version <= item.last:
            self.odd[f"{name}, which version {self.version} does not have"] += 1
        return name

    def _by_number(self, number: str) -> str:
        return BY_NUMBER.get(int(number), f"item_{number}") if number.isdecimal() else "item"

    def tell(self) -> None:
        """Say what of the file became no record, or is not as the dictionary has it."""
        super().tell()
        for what, count in self.odd.items():
            self.file.tell(f"{what} ({plural(count, 'time')})" if count else what)
        if self._has_dictionary:
            self.file.tell("it has a user dictionary, which is not read: its items are columns")
