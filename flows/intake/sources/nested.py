"""JSON as records: one object per line (NDJSON), or a list of objects.

An object's own keys are the columns; of an object inside, `outer.inner`; a list is kept as JSON.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from flows.errors import NightRefused
from flows.intake.sources.given import Given, unique_names
from transforms.mapping.sources import BAD, RECORD, TEXT

_LARGEST = 1 << 30
_Record = tuple[int, dict[str, str | None] | None, str | None, str | None]


def read_ndjson(file: Given) -> Iterator[pl.DataFrame]:
    """Read a file with one JSON object per line; RECORD is the line."""
    file.refuse_options()
    yield _frame(_lines(file))


def read_json(file: Given) -> Iterator[pl.DataFrame]:
    """Read a JSON list of objects, at the keys that `part` names (`data.rows`); RECORD counts."""
    file.refuse_options()
    if file.path.stat().st_size > _LARGEST:
        raise NightRefused(f"{file.name}: larger than {_LARGEST} bytes; export it as NDJSON")
    try:
        found = json.loads(file.path.read_text(file.source.encoding))
    except (ValueError, RecursionError):
        raise NightRefused(f"{file.name}: not whole JSON; export it again") from None
    for key in (file.source.part or "").split("."):
        found = found.get(key) if key and isinstance(found, dict) else found
    if not isinstance(found, list):
        raise NightRefused(f"{file.name}: no list of objects at {file.source.part or 'its top'}")
    yield _frame(
        (at, flat(one), None, None)
        if isinstance(one, dict)
        else (at, None, "record: no JSON object", json.dumps(one))
        for at, one in enumerate(found, 1)
    )


def _lines(file: Given) -> Iterator[_Record]:
    lines = file.lines
    with file.path.open("rb") as stream:
        for number, raw in enumerate(stream, 1):
            lines.total += 1
            if not raw.strip():
                lines.blank += 1
                continue
            lines.rows += 1
            text = raw.decode(file.source.encoding, "replace").rstrip("\r\n")
            try:
                one = json.loads(raw.decode(file.source.encoding))
            except (ValueError, RecursionError):
                yield number, None, "record: not whole JSON", text
                continue
            if isinstance(one, dict):
                yield number, flat(one), None, None
            else:
                yield number, None, "record: no JSON object", text


def flat(one: dict[str, Any], outer: str = "") -> dict[str, str | None]:
    """Return the cells of an object as text, with those of objects inside."""
    cells: dict[str, str | None] = {}
    for name, value in one.items():
        if isinstance(value, dict):
            cells |= flat(value, f"{outer}{name}.")
        elif isinstance(value, str) or value is None:
            cells[outer + name] = value
        else:
            cells[outer + name] = json.dumps(value, ensure_ascii=False)
    return cells


def _frame(records: Iterable[_Record]) -> pl.DataFrame:
    found = list(records)
    keys = list(dict.fromkeys(key for _, cells, _, _ in found for key in cells or ()))
    columns: dict[str, list[Any]] = {
        name: [(cells or {}).get(key) for _, cells, _, _ in found]
        for key, name in zip(keys, unique_names(keys), strict=True)
    }
    columns |= {RECORD: [at for at, *_ in found]}
    columns |= {BAD: [bad for *_, bad, _ in found], TEXT: [text for *_, text in found]}
    return pl.DataFrame(
        columns, schema_overrides=dict.fromkeys(columns, pl.String()) | {RECORD: pl.UInt32()}
    )
