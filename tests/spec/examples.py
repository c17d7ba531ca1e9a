"""The examples of the variables: under a sentence, a handful of rows, and what they give.

One file per variable, `<module>.toml`. Rows are drawn as tables: the first line has the table's
name, which stands over the keys, and the columns; a table without rows is that line alone.
`patient` has the rows that every example of the file starts from; a table of an example's own
stands in the place of the patient's. All tables are collected unless `coverage` says otherwise.
"""

import tomllib
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.registry import TABLES
from tests.registry import AS_OF, Registry
from transforms.reading.coverage import Coverage
from transforms.variables.features import features
from transforms.variables.windows import Windows

FOLDER = Path(__file__).parent
NULL = "null"
"""How an example says that a column is null."""


class Table(BaseModel):
    """Rows of one table of the export, as they are drawn."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Example(BaseModel):
    """A sentence, the rows that it is about, and what they give."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    says: str
    rows: str = ""
    gives: dict[str, Any] = Field(min_length=1)
    section: str = ""
    as_of: date = AS_OF
    extracted_on: date | None = None
    windows: Windows = Windows()
    coverage: Coverage = Coverage()

    @property
    def tables(self) -> dict[str, Table]:
        """The tables that the example has of its own."""
        return drawn(self.rows)


class Page(BaseModel):
    """A variable: its modules, its columns, the windows that shape it, and its examples.

    The first of `columns` is the answer; `lineage` are those that say where it came from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    modules: tuple[str, ...]
    columns: tuple[str, ...]
    lineage: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    """Published tables that belong to it."""
    patient: str
    example: tuple[Example, ...]


def drawn(text: str) -> dict[str, Table]:
    """Return the tables that a text draws, by name; an empty line stands between two."""
    found = {}
    for block in text.strip().split("\n\n") if text.strip() else ():
        head, *body = [
            tuple(cell.strip() for cell in line.split("|")) for line in block.splitlines()
        ]
        name, columns = head[0], tuple(column for column in head[1:] if column)
        unknown = set(columns) - set(TABLES[name].columns)
        if unknown or any(len(row) != len(columns) + 1 for row in body):
            raise ValueError(f"not rows of {name}: {block}")
        found[name] = Table(name=name, columns=columns, rows=tuple(body))
    return found


@cache
def examples(folder: Path = FOLDER) -> dict[str, Page]:
    """Return every page of a folder, by the name of its file."""
    return {
        path.stem: Page(**tomllib.loads(path.read_text("utf-8")))
        for path in sorted(folder.glob("*.toml"))
    }


@cache
def derived(name: str, folder: Path = FOLDER) -> tuple[dict[str, Any], ...]:
    """Derive the variables of a page's examples: one row per example, in their order.

    Examples of one date, coverage and windows are patients of one registry.
    """
    page = examples(folder)[name]
    numbered = sorted(enumerate(page.example), key=lambda one: _circumstances(one[1]))
    rows: dict[int, dict[str, Any]] = {}
    for _, group in groupby(numbered, key=lambda one: _circumstances(one[1])):
        together = list(group)
        registry = Registry()
        for number, example in together:
            _fill(registry, f"{number:03}", {**drawn(page.patient), **example.tables})
        first = together[0][1]
        record, aside = (
            registry.record(first.as_of, coverage=first.coverage, extracted_on=first.extracted_on),
            registry.read(first.as_of)[1],
        )
        found = features(record, aside.lazy(), first.windows).sort("patient_no").to_dicts()
        rows |= dict(zip((number for number, _ in together), found, strict=True))
    return tuple(_unmarked(rows[number], f"{number:03}") for number in sorted(rows))


def _circumstances(example: Example) -> str:
    return example.model_dump_json(include={"as_of", "extracted_on", "windows", "coverage"})


def _fill(registry: Registry, patient: str, tables: dict[str, Table]) -> None:
    """Add a patient's rows; keys are marked with the patient, to be unique in the registry."""
    for name, table in tables.items():
        key = TABLES[name].key
        for row in table.rows:
            cells = {c: cell or None for c, cell in zip(table.columns, row[1:], strict=True)}
            if key != "patient_id":
                cells[key or ""] = f"{patient}.{row[0]}" if row[0] else None
            registry.add(name, patient, **cells)


def _unmarked(row: dict[str, Any], patient: str) -> dict[str, Any]:
    is_text = {name: isinstance(value, str) for name, value in row.items()}
    return {
        name: value.removeprefix(f"{patient}.") if is_text[name] else value
        for name, value in row.items()
    }


def given(example: Example, row: dict[str, Any]) -> dict[str, Any]:
    """Return what the rows of an example give, of the columns that it speaks of.

    Months and the like are shown, and compared, to two decimals.
    """
    values = {name: NULL if row[name] is None else row[name] for name in example.gives}
    return {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in values.items()
    }
