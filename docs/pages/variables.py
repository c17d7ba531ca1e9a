"""A page per clinical variable: what its module says, its columns, and its examples."""

import re
from collections.abc import Iterable
from importlib import import_module

from docs.pages.markdown import code, table
from docs.pages.settings import unit_of, written
from models.spec import library
from schemas.features import FEATURES, Features
from schemas.published import PUBLISHED, descriptions_of
from tests.registry import AS_OF
from tests.spec.examples import NULL, Example, Page, Table, drawn, examples
from transforms.variables.windows import Windows

FOLDER = "variables"
_EXAMPLES_HEAD = f"""
## Examples

Each is one patient with the rows below, unless it has a table of its own, as of {AS_OF}
unless it says otherwise. Tables that are not shown are collected and have no row. The first
column of a table is the key of its rows.

"""
_MADE = "This page is made from the module and its examples, which are its tests (`make docs`).\n"


def variable_pages() -> dict[str, str]:
    """Return the pages of the variables, and the list of them, by their path in the manual."""
    pages = {f"{FOLDER}/{name}.md": _page(page) for name, page in examples().items()}
    return {f"{FOLDER}/index.md": _index(), **pages}


def in_order() -> list[tuple[str, Page]]:
    """Return the pages by name, in the order of their columns in `features.parquet`."""
    order = list(FEATURES)
    return sorted(examples().items(), key=lambda one: order.index(one[1].columns[0]))


def _index() -> str:
    rows = (
        (f"[{page.title}]({name}.md)", ", ".join(map(code, page.columns)), _models(page.columns))
        for name, page in in_order()
    )
    return (
        "# The variables\n\n"
        "Each page has the definition, the windows with their defaults, when the value is null,\n"
        "the source, where the value came from, and examples: under a sentence, one patient's\n"
        "rows, and what they give. Every example is a test.\n\n"
        + table(("page", "columns of `features.parquet`", "models that use them"), rows)
        + "\nHow missing and damaged data are treated in all of them: [Unknown](../unknowns.md).\n"
    )


def _models(columns: Iterable[str]) -> str:
    used = [
        model.title
        for model in library().values()
        if {predictor.feature for predictor in model.predictors} & set(columns)
    ]
    return "; ".join(used)


def _page(page: Page) -> str:
    parts = [f"# {page.title}\n\n", _MADE, _docstring(page.modules[0])]
    parts += [_docstring(name).replace("\n", "\n## ", 1) for name in page.modules[1:]]
    parts.append("\n## Columns\n\n" + _columns(page.columns))
    if page.lineage:
        parts.append("\nWhere it came from:\n\n" + _columns(page.lineage))
    parts += [_published(name) for name in page.tables]
    if page.windows:
        parts.append("\n## Windows and thresholds\n\n" + _windows(page.windows))
    parts.append(_EXAMPLES_HEAD)
    parts += [_drawn(t) for t in drawn(page.patient).values()]
    parts += [_example(example) for example in page.example]
    return "".join(parts)


def _docstring(module: str) -> str:
    """Return what a module says of itself: its first line is a sentence of its own."""
    text = (import_module(f"transforms.variables.{module}").__doc__ or "").strip()
    # A numbered line of a docstring is an item of a list; a list stands apart.
    text = re.sub(r"(?m)^(\d) (?=the |some )", r"- \1: ", text)
    return "\n" + re.sub(r"(?m)^(?=Source: )", "\n", text) + "\n"


def _columns(names: Iterable[str]) -> str:
    meaning = descriptions_of(Features, Windows().model_dump())
    return table(("column", "meaning"), ((code(n), meaning[n]) for n in names))


def _published(name: str) -> str:
    model = PUBLISHED[name]
    first = (model.__doc__ or "").splitlines()[0]
    described = descriptions_of(model, Windows().model_dump())
    rows = ((code(column), meaning) for column, meaning in described.items())
    return f"\n## In `{name}.parquet`\n\n{first}\n\n" + table(("column", "meaning"), rows)


def _windows(names: Iterable[str]) -> str:
    rows = (
        (code(f"windows.{name}"), written(field.default), unit_of(name), field.description or "")
        for name in names
        for field in [Windows.model_fields[name]]
    )
    return table(("setting", "default", "unit", "meaning"), rows)


def _example(example: Example) -> str:
    parts = [f"### {example.section}\n\n"] if example.section else []
    parts.append(f"**{example.says}**\n\n")
    set_here = example.model_dump(mode="json", exclude_unset=True)
    for name in ("as_of", "extracted_on"):
        if name in set_here:
            parts.append(f"With `{name}` {set_here[name]}:\n\n")
    for name, value in set_here.get("windows", {}).items():
        parts.append(f"With `windows.{name}` = {written(value)}:\n\n")
    for name, said in example.coverage.root.items():
        until = f" until {said.until}" if said.until else ""
        parts.append(f"With coverage of `{name}`: {said.status}{until}.\n\n")
    parts += [_drawn(t) for t in example.tables.values()]
    return "".join([*parts, _gives(example), "\n\n"])


def _drawn(rows: Table) -> str:
    if not rows.rows:
        return f"{code(rows.name)}: no row.\n\n"
    return table((f"**{rows.name}**", *rows.columns), rows.rows) + "\n"


def _gives(example: Example) -> str:
    said = ", ".join(f"`{name}` {_value(value)}" for name, value in example.gives.items())
    return f"Gives {said}."


def _value(value: object) -> str:
    return "*null*" if value == NULL else f"**{written(value)}**"
