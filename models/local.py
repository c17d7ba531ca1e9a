"""Local models: files of a hospital's own, read and checked as those that are shipped.

A local model is scored beside the published ones and decides nothing: no flag, no worklist.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.parts import Model
from models.spec import BadModelFile, library, parse

HORIZONS = (3, 5, 10)
"""The years that model_scores has a column for."""


@dataclass(frozen=True)
class LocalModel:
    """A local model with the bytes that it was read from."""

    model: Model
    content: bytes

    @property
    def sha256(self) -> str:
        """The sha256 of its file."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def text(self) -> str:
        """Its file, as text."""
        return self.content.decode()


LocalModels = Mapping[str, LocalModel]
"""Local models by name."""
NONE: LocalModels = {}


def read_local(files: Iterable[tuple[str, bytes]]) -> dict[str, LocalModel]:
    """Return the models of files, given by name and content. Raises BadModelFile."""
    found: dict[str, LocalModel] = {}
    for file, content in files:
        model = parse(content, file)
        if model.name in library():
            raise BadModelFile(
                f"{file}: name: {model.name} is a published model: write another name"
            )
        if model.name in found:
            raise BadModelFile(f"{file}: name: {model.name} is taken: write another name")
        beside = model.local.beside if model.local else None
        if beside is not None and beside not in library():
            raise BadModelFile(
                f"{file}: local.beside: no published model {beside}: write one of "
                f"{', '.join(library())}, or leave it out"
            )
        for horizon in model.baseline:
            if horizon.years not in HORIZONS:
                raise BadModelFile(
                    f"{file}: baseline.{horizon.years}: no column holds it: write "
                    f"{', '.join(map(str, HORIZONS))} years"
                )
        found[model.name] = LocalModel(model, content)
    return dict(sorted(found.items()))


def with_local(local: LocalModels) -> dict[str, Model]:
    """Return the published models, then the local ones, by name."""
    return library() | {name: one.model for name, one in local.items()}


def beside(name: str, local: LocalModels) -> list[Model]:
    """Return the models that stand beside one: its local versions, or what it was made from."""
    if name in local:
        origin = local[name].model.local
        return [library()[origin.beside]] if origin and origin.beside else []
    return [one.model for one in local.values() if (o := one.model.local) and o.beside == name]
