"""What is promised to those who send tables and to those who read them stays, unless it is meant.

python -m tests.schemas.test_promised > tests/schemas/promised.txt
"""

# ruff: noqa: T201 - also a command

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas import codes, features
from schemas.published import PUBLISHED
from schemas.ranges import RANGES
from schemas.registry import TABLES

PROMISED = Path(__file__).parent / "promised.txt"


def said() -> Iterator[str]:
    """Yield the code lists, the tables of the export, the ranges and what is published."""
    for name, value in sorted({**vars(codes), "YES_NO": features.YES_NO}.items()):
        if name.isupper():
            lists = value.items() if isinstance(value, dict) else [("", value)]
            yield from (
                " ".join((f"code {name}", of, ": " + ", ".join(of_it))) for of, of_it in lists
            )
    for table in TABLES.values():
        about = f"key {table.key}, date {table.date}, absent {dict(table.absent)}"
        yield f"export {table.name}: {about}"
        yield f"  identifies {sorted(table.identifies)}, needs {list(table.needed)}"
        yield f"  empty is an answer in {sorted(table.empty_answers)}"
        yield f"  required {table.required}, may follow death {table.may_follow_death}"
        yield f"  not before diagnosis {table.not_before_diagnosis}"
        yield from _columns(table.schema)
    for one in RANGES:
        yield f"range {one.table}.{one.column} {one.where}: {one.possible}, usually {one.usual}"
    for name, model in PUBLISHED.items():
        yield f"published {name}:"
        yield from _columns(model.to_schema())


def _columns(schema: Any) -> Iterator[str]:
    for name, column in schema.columns.items():
        empty = "may be empty" if column.nullable else "never empty"
        unit = (column.metadata or {}).get("unit")
        yield f"  {name}: {column.dtype.type}, {empty}" + (f", in {unit}" if unit else "")


def test_nothing_that_is_promised_goes_or_changes_by_accident() -> None:
    assert list(said()) == PROMISED.read_text("utf-8").splitlines()


if __name__ == "__main__":
    print(*said(), sep="\n")
