"""Model cards in the spirit of TRIPOD+AI: what a model is, for whom, and how sure we are."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from math import exp, log

import jinja2
import polars as pl

from models.engine import score
from models.parts import Model, Number
from models.points import effects, points_per_unit
from models.refit import refitted


@dataclass(frozen=True)
class Row:
    """A row of the table of predictors."""

    predictor: str
    value: str
    effect: str
    log: str
    points: str
    interval: str
    status: str
    source: str


def card(model: Model, others: Sequence[Model] = ()) -> str:
    """Return the card of a model as markdown, its numbers beside those of `others`.

    These are its local versions, or the published model that a local one was made from.
    """
    return rendered(
        files("models").joinpath("card.md.jinja"),
        model=model,
        rows=predictor_rows(model),
        per_unit=points_per_unit(model),
        longest=_longest(model),
        constants=[*constants(model), *refit_numbers(model)],
        refit=refit_lines(model),
        axes=[(p, p.axis.alternatives) for p in model.predictors if p.axis],
        interval=interval_of,
        example=example_lines(model) if model.example else [],
        others=others,
        beside=beside_rows(model, others),
    )


def _longest(model: Model) -> str:
    """Say which predictor has 100 points, and why."""
    spans = {p.label: (e := effects(model, p)).high - e.low for p in model.predictors}
    label = max(spans, key=lambda name: spans[name])
    return f"{label}, whose span is {spans[label]:.3f}"


def rendered(template: Traversable, **values: object) -> str:
    """Return a page of ours, filled in: markdown from our own files, so nothing is escaped."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701
    environment.filters["e_to_the"] = exp
    text = environment.from_string(template.read_text("utf-8")).render(**values)
    return text.rstrip() + "\n"


def predictor_rows(model: Model) -> list[Row]:
    """Return the table of predictors: one row per level, or per end of an axis."""
    rows = []
    for predictor in model.predictors:
        effect, per_unit = effects(model, predictor), points_per_unit(model)
        for level in predictor.levels:
            points = (effect.levels[level.value] - effect.low) * per_unit
            label = model.said(level.label)
            rows.append(_row(model, predictor.label, label, level.effect, f"{points:.4g}"))
        if predictor.per_unit and predictor.axis:
            span = f"0 to {(effect.high - effect.low) * per_unit:.4g}"
            value = f"per {predictor.unit}"
            rows.append(_row(model, predictor.label, value, predictor.per_unit, span))
    return rows


def _row(model: Model, predictor: str, value: str, effect: Number, points: str) -> Row:
    logged = "" if model.family == "points" else f"{log(effect.value):.4g}"
    interval = interval_of(effect)
    stated = f"{effect.value:g}"
    return Row(predictor, value, stated, logged, points, interval, effect.status, effect.source)


def interval_of(number: Number) -> str:
    """Return an interval in words; empty when there is none."""
    return "" if number.interval is None else "{:g} to {:g}".format(*number.interval)


def constants(model: Model) -> list[tuple[str, Number]]:
    """Return the numbers of a model that belong to no level of a predictor."""
    found: list[tuple[str, Number]] = []
    if model.cutoff:
        found.append((f"high risk: points {model.cutoff.high}", model.cutoff.points))
    if model.intercept:
        found.append(("intercept", model.intercept))
    for horizon in model.baseline:
        found.append((f"baseline survival at {horizon.years} years", horizon.survival))
    for predictor in model.predictors:
        if predictor.axis and predictor.centre:
            label = f"{predictor.label}, {predictor.unit}"
            found.append((f"{label}: reference", predictor.centre))
            found.append((f"{label}: axis from", predictor.axis.low))
            found.append((f"{label}: axis to", predictor.axis.high))
    found += [(f"window: {name}", number) for name, number in model.windows.items()]
    return found


def numbers(model: Model) -> list[tuple[str, Number]]:
    """Return every number of a model with what it is: effects, then constants, then the refit."""
    found: list[tuple[str, Number]] = []
    for predictor in model.predictors:
        label = predictor.label
        found += [(f"{label}: {model.said(lv.label)}", lv.effect) for lv in predictor.levels]
        if predictor.per_unit:
            found.append((f"{label}, per {predictor.unit}", predictor.per_unit))
    return [*found, *constants(model), *refit_numbers(model)]


def beside_rows(model: Model, others: Sequence[Model]) -> list[tuple[str, list[str]]]:
    """Return each number of several models: what it is, and how each model has it."""
    of = [dict(numbers(one)) for one in (model, *others)]
    names = dict.fromkeys(name for found in of for name in found)
    return [
        (name, [_stated(found[name]) if name in found else "" for found in of]) for name in names
    ]


def _stated(number: Number) -> str:
    interval = f" ({interval_of(number)})" if number.interval else ""
    return f"{number.value:g}{interval}, {number.status}"


def refit_numbers(model: Model) -> list[tuple[str, Number]]:
    """Return the numbers of a model's refit; empty when it has none."""
    if model.refit is None:
        return []
    found = [("refit: intercept", model.refit.intercept)]
    for predictor in model.predictors:
        for level in predictor.levels:
            if effect := model.refit.effects.get(predictor.name, {}).get(level.value):
                found.append((f"refit: {predictor.label}: {model.said(level.label)}", effect))
    return found


def refit_lines(model: Model) -> list[tuple[str, float, float]]:
    """Return each patient of the refit: in words, the prediction as published and as refitted."""
    if model.refit is None:
        return []
    found = []
    for worse in model.refit.patients:
        patient = {p.name: worse.get(p.name, p.levels[0].value) for p in model.predictors}
        labels = [p.label for p in model.predictors if p.name in worse]
        both = refitted(model, patient)
        assert both  # noqa: S101
        found.append((", ".join(labels) or "none of the predictors", *both))
    return found


def example_lines(model: Model) -> list[str]:
    """Return the worked example: each predictor, the points, the prediction."""
    by_feature = {p.feature: model.example[p.name] for p in model.predictors}
    accepted = {c.feature: c.accept[0] if c.accept else c.minimum for c in model.eligibility}
    outside = {d.feature: None for d in model.developed_on}
    patient = {"patient_id": "example"} | outside | accepted | by_feature
    (row,) = score(pl.DataFrame([patient], infer_schema_length=None), model).to_dicts()
    lines = []
    for predictor in model.predictors:
        value = model.example[predictor.name]
        label = next((lv.label for lv in predictor.levels if lv.value == value), None)
        shown = model.said(label) if label else f"{value:g} {predictor.unit}"
        lines.append(f"{predictor.label}: {shown}, {row[f'{predictor.name}_points']:.4g} points")
    lines.append(
        f"Total: {row['points']:.4g} points" + (f", {row['risk']} risk" if row["risk"] else "")
    )
    for name in ("probability", *(f"survival_{h.years}y" for h in model.baseline)):
        if row.get(name) is not None:
            words = name.replace("survival_", "survival at ").replace("y", " years")
            words = "probability" if name == "probability" else words
            low, high = row[f"{name}_lower"], row[f"{name}_upper"]
            lines.append(f"Predicted {words}: {row[name]:.1%} ({low:.1%} to {high:.1%})")
    return lines
