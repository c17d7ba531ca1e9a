"""What a published model is, as data: every number with its source and its status."""

import hashlib
import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Status = Literal["published", "derived", "inferred"]
Family = Literal["points", "logistic", "cox"]
Outcome = Literal["rrdtc", "os", "pfs"]


class Strict(BaseModel):
    """A frozen piece of a model file that knows all its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Number(Strict):
    """A number of a model, where it comes from and how sure it is."""

    value: float
    status: Status
    source: str
    interval: tuple[float, float] | None = None
    """95 % confidence interval as published, or the range of an inferred number."""
    note: str | None = None

    @model_validator(mode="after")
    def _inferred_has_interval(self) -> "Number":
        if self.status == "inferred" and self.interval is None:
            raise ValueError("an inferred number needs an interval")
        if self.interval and not self.interval[0] <= self.value <= self.interval[1]:
            raise ValueError("the interval does not contain the value")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval of an inferred number; a published one stands as it is."""
        if self.status == "inferred" and self.interval:
            return self.interval
        return self.value, self.value


class Level(Strict):
    """A level of a categorical predictor; `effect` is in points, or an odds or hazard ratio."""

    value: str
    label: str
    effect: Number


class Axis(Strict):
    """The nomogram axis of a numeric predictor."""

    low: Number
    high: Number


class Predictor(Strict):
    """A predictor: categorical with levels, or numeric with an effect per unit."""

    name: str
    label: str
    feature: str
    """The variable that holds its value."""
    needs: str
    """What settles it when it is missing."""
    row: str | None = None
    """The variable that names the row it came from, and that of its date."""
    table: str | None = None
    date: str | None = None
    levels: tuple[Level, ...] = ()
    unit: str | None = None
    per_unit: Number | None = None
    axis: Axis | None = None
    centre: Number | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Predictor":
        if self.levels and (self.per_unit or self.axis or self.centre or self.unit):
            raise ValueError("a predictor has levels, or a unit with per_unit, axis and centre")
        if not self.levels and not (self.per_unit and self.axis and self.centre and self.unit):
            raise ValueError("a numeric predictor needs unit, per_unit, axis and centre")
        if len({level.value for level in self.levels}) != len(self.levels):
            raise ValueError("two levels have the same value")
        return self


class Criterion(Strict):
    """A criterion of eligibility, on one variable.

    `accept` lists the values that fulfil it, or `minimum` says from where on. `refuse` gives
    the reason for each other value (`below` for a number), `unknown` that for null.
    """

    feature: str
    accept: tuple[bool | str, ...] = ()
    minimum: float | None = None
    refuse: dict[str, str]
    unknown: str
    needs: str
    source: str


class DevelopedOn(Strict):
    """A range, or list of values, that the model was developed on; outside, it extrapolates."""

    feature: str
    label: str
    unit: str = ""
    low: Number | None = None
    high: Number | None = None
    values: tuple[str, ...] = ()
    source: str = ""


class Cutoff(Strict):
    """The cut-off between low and high risk, in points."""

    points: Number
    high: Literal[">=", ">"]
    """High risk is at least so many points, or more."""


class Baseline(Strict):
    """Baseline survival at a horizon: of a patient at every reference level and centre."""

    years: int
    survival: Number


class Finding(Strict):
    """A figure of the publication, or a contradiction in it."""

    what: str
    says: str
    source: str


class Model(Strict):
    """A published model."""

    name: str
    title: str
    family: Family
    outcome: Outcome
    citation: str
    doi: str
    intended_use: str
    not_for: str
    cohort: str
    predictors: tuple[Predictor, ...] = Field(min_length=1)
    eligibility: tuple[Criterion, ...]
    developed_on: tuple[DevelopedOn, ...] = ()
    cutoff: Cutoff | None = None
    intercept: Number | None = None
    baseline: tuple[Baseline, ...] = ()
    performance: tuple[Finding, ...] = ()
    contradictions: tuple[Finding, ...] = ()
    example: dict[str, str | float] = {}
    """Predictor -> value, of the worked example in the model card."""

    @model_validator(mode="after")
    def _family_has_what_it_needs(self) -> "Model":
        if self.family == "logistic" and self.intercept is None:
            raise ValueError("a logistic model needs an intercept")
        if self.family == "cox" and not self.baseline:
            raise ValueError("a Cox model needs a baseline survival")
        if self.family == "points" and self.cutoff is None:
            raise ValueError("a points score needs a cut-off")
        if self.example and set(self.example) != {p.name for p in self.predictors}:
            raise ValueError("the example needs a value for each predictor")
        return self


class BadModelFile(ValueError):
    """A model file that does not say what a model must; the message says what and where."""


def parse(text: str, name: str) -> Model:
    """Read a model file. Raises BadModelFile."""
    try:
        return Model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadModelFile(f"{name}: not TOML: {error}") from error
    except ValidationError as error:
        problems = [
            f"{name}: {'.'.join(str(part) for part in problem['loc']) or 'the model'}: "
            f"{problem['msg']}"
            for problem in error.errors()
        ]
        raise BadModelFile("\n".join(problems)) from error


@cache
def _library_files() -> dict[str, bytes]:
    found = (path for path in files("models.library").iterdir() if path.name.endswith(".toml"))
    return {path.name: path.read_bytes() for path in sorted(found, key=lambda path: path.name)}


@cache
def library() -> dict[str, Model]:
    """Return every model of the library by name, in alphabetical order."""
    models = [parse(content.decode(), name) for name, content in _library_files().items()]
    return {model.name: model for model in models}


def digests() -> list[str]:
    """Return the sha256 of each model file, in the order of `library()`."""
    return [hashlib.sha256(content).hexdigest() for content in _library_files().values()]
