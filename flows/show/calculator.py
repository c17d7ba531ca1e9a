"""A model for one patient: in the terminal by the engine, on a page that computes the same."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import jinja2
import polars as pl
from rich.console import Console
from rich.table import Table

from flows.errors import UsageError
from flows.report.page import embedded
from flows.report.panels import inferred_words
from models.calculator import calculation
from models.engine import score
from models.interchange import to_json
from models.parts import Criterion, Model, Predictor
from schemas.features import FEATURES

_ASSETS = files("flows.show").joinpath("assets")
_TOKENS = files("flows.report").joinpath("assets", "tokens.css")


def one_patient(model: Model, given: Mapping[str, str]) -> dict[str, Any]:
    """Return the scores of a patient of whom some predictors are given, by name, as text.

    Who is eligible is taken to be so. Raises UsageError for what the model does not ask for.
    """
    asked = {predictor.name: predictor for predictor in model.predictors}
    unknown = [name for name in given if name not in asked]
    if unknown:
        raise UsageError(f"{unknown[0]}: {model.name} asks for {', '.join(asked)}")
    row: dict[str, Any] = {"patient_id": "given"}
    row |= {criterion.feature: _accepted(criterion) for criterion in model.eligibility}
    row |= {asked[name].feature: _value(model, asked[name], text) for name, text in given.items()}
    of_levels = {p.feature: pl.String for p in model.predictors if p.levels}
    (scored,) = score(pl.DataFrame([row], schema={**FEATURES, **of_levels}), model).to_dicts()
    return scored


def _accepted(criterion: Criterion) -> Any:
    return criterion.minimum if criterion.minimum is not None else criterion.accept[0]


def _value(model: Model, predictor: Predictor, text: str) -> Any:
    if predictor.levels:
        known = [level.value for level in predictor.levels]
        if text not in known:
            raise UsageError(f"{predictor.name}={text}: want one of {', '.join(known)}")
        return text
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise UsageError(f"{predictor.name}={text}: want a number, {predictor.unit}") from None


def show(model: Model, scored: Mapping[str, Any], console: Console) -> None:
    """Print what each predictor adds, the points, the risk and the prediction."""
    table = Table("predictor", "value", "points", box=None)
    for predictor in model.predictors:
        value, points = scored[predictor.name], scored[f"{predictor.name}_points"]
        known = value is not None
        unit = f" {predictor.unit}" if predictor.unit and known else ""
        table.add_row(
            model.said(predictor.label),
            f"{_label(model, predictor, value)}{unit}" if known else "unknown",
            f"{points:.4g}" if known else "",
        )
    console.print(table)
    console.print(f"status: {scored['status']}")
    if scored["points_lower"] is not None:
        console.print(f"points: {_range(scored, 'points', '{:.4g}')}")
    if model.cutoff:
        console.print(f"risk: {scored['risk']}")
    for name in _predictions(scored):
        console.print(f"{prediction_words(name)}: {_range(scored, name, '{:.1%}')}")
    for words in scored["reasons"]:
        console.print(words, markup=False)
    if scored["needs"]:
        console.print(f"to settle it: {'; '.join(scored['needs'])}", markup=False)
    console.print(f"Not asked here; no score where: {'; '.join(refused(model))}.", markup=False)


def _label(model: Model, predictor: Predictor, value: str) -> str:
    labels = {level.value: model.said(level.label) for level in predictor.levels}
    return labels.get(value, value)


def _predictions(scored: Mapping[str, Any]) -> list[str]:
    return [name.removesuffix("_lower") for name in scored
            if name.endswith("_lower") and not name.startswith("points")]  # fmt: skip


def _range(scored: Mapping[str, Any], name: str, form: str) -> str:
    value, low, high = scored[name], scored[f"{name}_lower"], scored[f"{name}_upper"]
    if low is None:
        return "too wide to be of use"
    ends = form.format(low) if low == high else f"{form.format(low)} to {form.format(high)}"
    return ends if value is None or low == high else f"{form.format(value)} ({ends})"


def prediction_words(name: str) -> str:
    """Return what a prediction is: `survival_5y` is that at 5 years."""
    if not name.startswith("survival_"):
        return name
    return f"survival at {name.removeprefix('survival_').removesuffix('y')} years"


def refused(model: Model) -> list[str]:
    """Return of whom the model says nothing, in words."""
    return [model.said(words) for c in model.eligibility for words in c.refuse.values()]


def page(model: Model) -> str:
    """Return a page that computes a model in the browser, without network or libraries."""
    numbers = calculation(model)
    names = {curve["name"]: prediction_words(curve["name"]) for curve in numbers["curves"]}
    script = _ASSETS.joinpath("calculator.js").read_text("utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(_ASSETS.joinpath("calculator.html.jinja").read_text("utf-8"))
    return template.render(
        model=model,
        numbers=numbers,
        refused=refused(model),
        inferred=inferred_words(model),
        digest=hashlib.sha256(to_json(model).encode()).hexdigest()[:12],
        data=embedded({**numbers, "names": names}),
        script=script,
        script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=_TOKENS.read_text("utf-8"),
    )
