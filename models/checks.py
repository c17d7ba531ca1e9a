"""What a model file must say beyond its own pieces: that it fits the variables and its points."""

import re
from collections.abc import Iterator

import polars as pl

from models.parts import Criterion, Model, Predictor, Refit
from models.points import most_points
from schemas.features import FEATURES
from schemas.scores import SCORES

Problem = tuple[str, str]
"""Where in the file, and what to write instead."""


def problems(model: Model) -> list[Problem]:
    """Return everything that keeps a model from being scored."""
    found = [*_names(model), *_templates(model), *_cutoff(model)]
    for predictor in model.predictors:
        found += [*_columns(predictor), *_levels(predictor)]
    for criterion in model.eligibility:
        found += _criterion(criterion)
    for range_ in model.developed_on:
        found += _known(f"developed_on.{range_.feature}.feature", range_.feature)
    return found + [*_example(model), *(_refit(model, model.refit) if model.refit else ())]


def _names(model: Model) -> Iterator[Problem]:
    """Yield names that could not be a column, a macro and a file, or that are taken."""
    places = {"name": model.name} | {f"predictors.{p.name}": p.name for p in model.predictors}
    for place, name in places.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
            yield place, "no name: write small letters, digits and _, as nodule_cm"
    for predictor in model.predictors:
        if predictor.name in SCORES or predictor.name.endswith("_points"):
            yield f"predictors.{predictor.name}", "a column has this name: write another"
    if model.local is None and '"status":"local"' in model.model_dump_json():
        yield "local", "a local number without the data it comes from: write the table [local]"
    for what, text in (("title", model.title), ("doi", model.doi)):
        if not text.isprintable():
            yield what, "more than one line: write one"


def _known(place: str, name: str | None) -> list[Problem]:
    if name is None or name in FEATURES:
        return []
    return [(place, f"no variable provides {name}: write a column of features.parquet")]


def _columns(predictor: Predictor) -> Iterator[Problem]:
    place = f"predictors.{predictor.name}"
    for what in ("feature", "row", "date"):
        yield from _known(f"{place}.{what}", getattr(predictor, what))
    dtype = FEATURES.get(predictor.feature)
    if dtype is not None and predictor.unit and not dtype.is_numeric():
        yield f"{place}.feature", f"{predictor.feature} is no number: write levels for it"


def _values(feature: str) -> list[str] | None:
    """Return the values that a variable has; None when it has any."""
    dtype = FEATURES.get(feature)
    if isinstance(dtype, pl.Enum):
        return dtype.categories.to_list()
    return ["true", "false"] if dtype == pl.Boolean else None


def _levels(predictor: Predictor) -> Iterator[Problem]:
    values = _values(predictor.feature)
    if values is None:
        return
    for level in predictor.levels:
        if level.value not in values:
            place = f"predictors.{predictor.name}.levels.{level.value}"
            yield place, f"{predictor.feature} is never that: write {', '.join(values)}"


def _criterion(criterion: Criterion) -> Iterator[Problem]:
    place = f"eligibility.{criterion.feature}"
    yield from _known(f"{place}.feature", criterion.feature)
    if not criterion.accept and criterion.minimum is None:
        yield place, "accepts nobody: write accept or minimum"
    values = _values(criterion.feature)
    if values is None or criterion.minimum is not None:
        return
    accepted = [str(v).lower() if isinstance(v, bool) else v for v in criterion.accept]
    for value in [*accepted, *criterion.refuse]:
        if value not in values:
            yield place, f"{criterion.feature} is never {value}: write {', '.join(values)}"
    for value in values:
        if value not in (*accepted, *criterion.refuse):
            yield f"{place}.refuse", f"gives no reason for {value}: add one"


def _cutoff(model: Model) -> Iterator[Problem]:
    most = most_points(model)
    if model.cutoff and not 0 < model.cutoff.points.value <= most:
        yield "cutoff.points", f"out of reach: write more than 0 and at most {most:.4g}"


def _templates(model: Model) -> Iterator[Problem]:
    texts: list[Problem] = []
    for predictor in model.predictors:
        place = f"predictors.{predictor.name}"
        texts += [(f"{place}.label", predictor.label), (f"{place}.needs", predictor.needs)]
        texts += [(f"{place}.levels.{lv.value}.label", lv.label) for lv in predictor.levels]
    for criterion in model.eligibility:
        words = (criterion.unknown, criterion.needs, *criterion.refuse.values())
        texts += [(f"eligibility.{criterion.feature}", text) for text in words]
    for place, text in texts:
        try:
            model.said(text)
        except (KeyError, ValueError, IndexError, AttributeError):
            known = ", ".join(f"{{{name}:g}}" for name in model.windows) or "no window"
            yield place, f"cannot fill in {text!r}: a text of this model may name {known}"


def _example(model: Model) -> Iterator[Problem]:
    for predictor in model.predictors:
        value, levels = model.example.get(predictor.name), [lv.value for lv in predictor.levels]
        if value is None:
            continue
        if levels and value not in levels:
            yield f"example.{predictor.name}", f"write one of {', '.join(levels)}"
        elif not levels and isinstance(value, str):
            yield f"example.{predictor.name}", "write a number"


def _refit(model: Model, refit: Refit) -> Iterator[Problem]:
    levels = {p.name: [level.value for level in p.levels] for p in model.predictors}
    effects = [{name: level} for name, of in refit.effects.items() for level in of]
    for chosen in [*effects, *refit.patients]:
        for name, level in chosen.items():
            if level not in levels.get(name, ()):
                yield "refit", f"no predictor {name} has the level {level}: write one that has"
