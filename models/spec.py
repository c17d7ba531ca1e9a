"""Published models as files: read, checked, and found by name or by outcome."""

import hashlib
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import ValidationError

from models.checks import problems
from models.parts import (
    FLAGS,
    Axis,
    Baseline,
    Criterion,
    Cutoff,
    DevelopedOn,
    Finding,
    Level,
    Model,
    Number,
    Outcome,
    PossibleAxis,
    Predictor,
    Refit,
    Status,
)

__all__ = [
    "FLAGS",
    "Axis",
    "BadModelFile",
    "Baseline",
    "Criterion",
    "Cutoff",
    "DevelopedOn",
    "Finding",
    "Level",
    "Model",
    "Number",
    "Outcome",
    "PossibleAxis",
    "Predictor",
    "Refit",
    "Status",
    "by_outcome",
    "deciding",
    "digests",
    "library",
    "parse",
]


class BadModelFile(ValueError):
    """A model file that does not say what a model must: file, place, and what to write instead."""


def parse(text: str | bytes, name: str) -> Model:
    """Read a model file. Raises BadModelFile."""
    try:
        said = tomllib.loads(text if isinstance(text, str) else text.decode())
    except UnicodeDecodeError as error:
        raise BadModelFile(f"{name}: not UTF-8: save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise BadModelFile(f"{name}: not TOML: {error}") from error
    try:
        model = Model.model_validate(said)
    except ValidationError as error:
        found = [(_place(said, problem["loc"]), problem["msg"]) for problem in error.errors()]
    else:
        found = problems(model)
    if found:
        raise BadModelFile("\n".join(f"{name}: {place}: {words}" for place, words in found))
    return model


def _place(said: Any, loc: tuple[int | str, ...]) -> str:
    """Return a place in the file: items of a list by their name, else by their number."""
    words = []
    for part in loc:
        try:
            said = said[part]
        except (KeyError, IndexError, TypeError):
            said = None
        if isinstance(part, int):
            named = said if isinstance(said, dict) else {}
            keys = ("name", "feature", "value", "years")
            words.append(next((str(named[key]) for key in keys if key in named), str(part + 1)))
        else:
            words.append(part)
    return ".".join(words) or "the model"


@cache
def _library_files() -> dict[str, bytes]:
    found = (path for path in files("models.library").iterdir() if path.name.endswith(".toml"))
    return {path.name: path.read_bytes() for path in sorted(found, key=lambda path: path.name)}


@cache
def library() -> dict[str, Model]:
    """Return every model of the library by name, in alphabetical order. Raises BadModelFile."""
    models: dict[str, Model] = {}
    for file, content in _library_files().items():
        model = parse(content, file)
        if model.name in models:
            raise BadModelFile(f"{file}: name: {model.name} is taken: write another name")
        models[model.name] = model
    return models


def by_outcome() -> dict[Outcome, list[Model]]:
    """Return the models of each outcome, the one that decides its risk group first.

    `Model.flag` names the column of the group, `Model.prefix` starts the other columns. Raises
    BadModelFile when two models of an outcome have a cut-off.
    """
    found: dict[Outcome, list[Model]] = {}
    for outcome in FLAGS:
        models = [model for model in library().values() if model.outcome == outcome]
        deciding = [model.name for model in models if model.cutoff]
        if len(deciding) > 1:
            raise BadModelFile(
                f"{' and '.join(deciding)}: both have a cut-off for {outcome}: keep one"
            )
        found[outcome] = sorted(models, key=lambda model: model.cutoff is None)
    return found


def deciding(outcome: Outcome) -> Model:
    """Return the model that decides the risk group of an outcome."""
    return by_outcome()[outcome][0]


def digests() -> list[str]:
    """Return the sha256 of each model file, in the order of `library()`."""
    return [hashlib.sha256(content).hexdigest() for content in _library_files().values()]
