"""What the product consists of, for people: models, data dictionary, settings."""

from collections.abc import Mapping
from types import MappingProxyType

import pandera.polars as pa
import polars as pl
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from flows.errors import UsageError
from flows.settings import Settings
from models.cards import interval_of, numbers
from models.local import LocalModels, with_local
from models.predictors import predictor_columns
from models.spec import Model, library
from schemas.published import PUBLISHED, descriptions_of
from schemas.registry import TABLES
from transforms.acceptance.tolerances import NEVER, Tolerance, Tolerances
from transforms.measures.definitions import PATHWAY, REVIEWING, completeness
from transforms.review.listing import Listing
from transforms.surveillance.watching import Watching
from transforms.variables.windows import Windows

_OUTPUTS_HEAD = """# Reading the outputs

This page is made from the schemas (`make docs`); `thyrisk schema` prints the same.

How to read a flag (`rrdtc_flag`, `os_risk_group`, `pfs_risk_group`):

| value | meaning |
| --- | --- |
| `high`, `low` | on that side of the cut-off, whatever the missing predictors turn out to be |
| `indeterminate` | it depends on what is missing; `needs` says what would settle it |
| `not_applicable` | the model is not for this patient; `..._reasons` say why |

`run.json` beside the tables has the inputs and outputs with sha256, the counts that prove that no
row was lost, settings, versions, the sha256 of the model files, timings and warnings. It is the
only file that knows the clock.
"""


def show_models(console: Console, local: LocalModels) -> None:
    """Print each model with every number, its status and its source."""
    for model in with_local(local).values():
        console.print(f"\n{model.title} ({model.name})", style="bold")
        console.print(model.citation + (f" doi:{model.doi}" if model.doi else ""), markup=False)
        console.print(f"Use: {model.intended_use}\nNot for: {model.not_for}", markup=False)
        table = Table("number", "value", "interval", "status", "source")
        for what, number in numbers(model):
            value, interval = f"{number.value:g}", interval_of(number)
            table.add_row(what, value, interval, number.status, number.source)
        console.print(table)
        for finding in model.contradictions:
            console.print(f"Contradiction ({finding.what}): {finding.says}", markup=False)


def model_named(name: str, local: LocalModels) -> Model:
    """Return a model, published or local. Raises UsageError."""
    models = with_local(local)
    if name not in models:
        raise UsageError(f"no model {name}; known: {', '.join(models)}")
    return models[name]


def show_schema(console: Console) -> None:
    """Print every column of the export and of what is published."""
    for name, table in TABLES.items():
        _show_columns(f"export: {name}", table.model, console)
    for name, model in PUBLISHED.items():
        _show_columns(name, model, console, _more(name))


def _more(table: str) -> dict[str, str]:
    """Return the columns of a table that come from the model files."""
    return predictor_columns(library()) if table == "model_scores" else {}


def _show_columns(
    title: str,
    model: type[pa.DataFrameModel],
    console: Console,
    more: Mapping[str, str] = MappingProxyType({}),
) -> None:
    shown = Table("column", "type", "null?", "description", title=title, title_justify="left")
    described = descriptions_of(model, Windows().model_dump())
    for name, column in model.to_schema().columns.items():
        shown.add_row(name, _kind(column), "yes" if column.nullable else "no", described[name])
    for name, meaning in more.items():
        shown.add_row(name, _kind_of(name), "yes", meaning)
    first = (model.__doc__ or "").splitlines()[0]
    shown.caption = first
    console.print(shown)


def outputs_page() -> str:
    """Return the data dictionary as a page in markdown."""
    parts = [_OUTPUTS_HEAD, "\n## What a night publishes\n"]
    parts += [
        _columns_page(f"{name}.parquet", model, _more(name)) for name, model in PUBLISHED.items()
    ]
    parts.append("\n## What an export has\n")
    parts += [_columns_page(name, table.model) for name, table in TABLES.items()]
    return "".join(parts)


def _columns_page(
    name: str, model: type[pa.DataFrameModel], more: Mapping[str, str] = MappingProxyType({})
) -> str:
    lines = [f"\n### {name}\n\n{(model.__doc__ or '').splitlines()[0]}\n\n"]
    lines.append("| column | type | may be empty | meaning |\n| --- | --- | --- | --- |\n")
    described = descriptions_of(model, Windows().model_dump())
    for column, field in model.to_schema().columns.items():
        empty = "yes" if field.nullable else ""
        lines.append(f"| `{column}` | {_kind(field)} | {empty} | {described[column]} |\n")
    for column, meaning in more.items():
        lines.append(f"| `{column}` | {_kind_of(column)} | yes | {meaning} |\n")
    return "".join(lines)


def _kind_of(predictor_column: str) -> str:
    return "Float64" if predictor_column.endswith("_points") else "String"


def _kind(field: pa.Column) -> str:
    dtype = field.dtype.type
    return "code" if isinstance(dtype, pl.Enum) else str(dtype)


def show_measures(console: Console) -> None:
    """Print each quality-improvement measure: what it asks, of whom, and from which source."""
    table = Table("measure", "question", "left out", "better", "source")
    for one in [*PATHWAY, *REVIEWING, *completeness(library().values())]:
        question = one.asked(Windows())
        table.add_row(one.name, question, one.exclusions, one.direction, one.source)
    console.print(table)


def show_settings(console: Console) -> None:
    """Print the settings with their defaults as TOML."""
    parts: dict[str, type[BaseModel]] = {
        "windows": Windows,
        "listing": Listing,
        "acceptance": Tolerances,
        "surveillance": Watching,
    }
    lines = []
    for name, setting in Settings.model_fields.items():
        if name in parts:
            continue
        if setting.default is None:
            lines.append(f'# {setting.description}\n# {name} = ""')
            continue
        lines.append(f"# {setting.description}\n{name} = {_toml(setting.default)}")
    for part, model in parts.items():
        lines.append(f"\n[{part}]")
        for name, setting in model.model_fields.items():
            lines.append(f"# {setting.description}\n{name} = {_toml(setting.default)}")
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _toml(value: object) -> str:
    if isinstance(value, Tolerance):
        parts = {name: NEVER if part is None else part for name, part in value}
        return "{ " + ", ".join(f"{name} = {_toml(part)}" for name, part in parts.items()) + " }"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else "{}" if value == {} else str(value)
