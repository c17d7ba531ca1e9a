"""The reference of the mapping file: every key with its type, meaning and an example."""

from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from docs.pages.markdown import code, table
from transforms.reading.coverage import Coverage, Statement
from transforms.reading.mapping import Mapping, TableMapping

EXAMPLES = {
    "decimal_comma": "decimal_comma = true",
    "tables": '[tables.labs]\ncolumns = { value = "ERGEBNIS" }',
    "tables.<table>.columns": '[tables.labs]\ncolumns = { value = "ERGEBNIS", unit = "EINHEIT" }',
    "tables.<table>.units": '[tables.imaging]\nunits = { largest_lung_nodule_unit = "mm" }',
    "tables.<table>.codes": (
        '[tables.labs.codes]\nstimulated = { J = "yes", N = "no" }\ncomparator = { "" = "=" }'
    ),
    "coverage": (
        '[coverage]\nlabs = "not_collected"                    # a table\n'
        '"imaging.recist" = "not_collected"        # a column\n'
        '"events.type.progression" = "partial"     # a code'
    ),
    "coverage.<what>.status": '[coverage]\nsurgeries = { status = "collected" }',
    "coverage.<what>.until": (
        '[coverage]\nmetastases = { status = "partial", until = "diagnosis" }'
    ),
}
"""An example of each key; each is a mapping file of its own."""

_LEVELS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("", Mapping),
    ("tables.<table>.", TableMapping),
    ("coverage.<what>.", Statement),
)
_HEAD = """# The mapping file

This page is made from the mapping's own model (`make docs`); every example is read by a test.

One TOML file says how a hospital's export reads: `thyrisk nightly --mapping hospital.toml`. Every
key may be left out. A key, table, column or code that does not exist is refused, with its place.
A cell is trimmed, then its code is replaced, then its unit is filled in, then it is read.

"""
_COVERAGE = """
What is not said of coverage is `collected`, except for a table with a header alone and a column
that is empty in every row: the night says so and treats their absence as unknown. An export need
not have a file or a column that is said to be `not_collected`. Of a table, its column and its
code, the least that is said holds. More: [Unknown](../unknowns.md#coverage).
"""


def keys() -> dict[str, tuple[str, str]]:
    """Return every key of a mapping file with its type and its meaning."""
    found = {
        f"{level}{name}": (_type(field.annotation), field.description or "")
        for level, model in _LEVELS
        for name, field in model.model_fields.items()
    }
    first = list(Mapping.model_fields)
    return dict(sorted(found.items(), key=lambda one: first.index(one[0].partition(".")[0])))


def mapping_page() -> str:
    """Return the page: a table of all keys, then an example of each."""
    rows = ((code(key), kind, meaning) for key, (kind, meaning) in keys().items())
    parts = [_HEAD, table(("key", "type", "meaning"), rows), _COVERAGE, "\n## Examples\n"]
    parts += [f"\n`{key}`\n\n```toml\n{EXAMPLES[key]}\n```\n" for key in keys()]
    return "".join(parts)


def _type(annotation: Any) -> str:
    if annotation is Coverage:
        return _type(Coverage.model_fields["root"].annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(code(value) for value in inner)
    if origin in (Union, UnionType):
        return _type(next(one for one in inner if one is not type(None)))
    if origin is dict:
        return f"table of {_type(inner[1])}"
    return {bool: "`true` or `false`", str: "text"}.get(annotation, "the keys below")
