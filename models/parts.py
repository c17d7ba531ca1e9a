"""What a published model is, as data: every number with its source and its status."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from math import isfinite
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.origin import Origin

Status = Literal["published", "derived", "inferred", "local"]
Family = Literal["points", "logistic", "cox"]
Outcome = Literal["rrdtc", "os", "pfs"]
FLAGS: dict[Outcome, str] = {
    "rrdtc": "rrdtc_flag",
    "os": "os_risk_group",
    "pfs": "pfs_risk_group",
}
"""The published column that holds the risk group of an outcome."""


class Strict(BaseModel):
    """A frozen piece of a model file that knows all its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Number(Strict):
    """A number of a model, where it comes from and how sure it is."""

    value: float
    status: Status
    source: str
    interval: tuple[float, float] | None = None
    """95 % confidence interval, as published or of local data; the range of an inferred number."""
    note: str | None = None

    @model_validator(mode="after")
    def _inferred_has_interval(self) -> "Number":
        if not all(isfinite(x) for x in (self.value, *(self.interval or ()))):
            raise ValueError("not a number: write a finite one")
        if self.status == "inferred" and self.interval is None:
            raise ValueError("an inferred number needs an interval: add interval = [low, high]")
        if self.interval and not self.interval[0] <= self.value <= self.interval[1]:
            raise ValueError("the interval does not contain the value: write one around it")
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


class PossibleAxis(Strict):
    """Another axis that may have been drawn, where the one in use is inferred."""

    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    source: str

    @model_validator(mode="after")
    def _is_sorted(self) -> "PossibleAxis":
        _need_sorted(self.low, self.high)
        return self


class Axis(Strict):
    """The nomogram axis of a numeric predictor; alternatives only where it is inferred."""

    low: Number
    high: Number
    alternatives: tuple[PossibleAxis, ...] = ()

    @model_validator(mode="after")
    def _makes_sense(self) -> "Axis":
        _need_sorted(self.low.value, self.high.value)
        if self.alternatives and not self.inferred:
            raise ValueError("a published axis has no alternatives: remove them")
        return self

    @property
    def inferred(self) -> bool:
        """Whether the paper does not print the axis."""
        return "inferred" in (self.low.status, self.high.status)

    def at(self, possible: PossibleAxis) -> "Axis":
        """Return the axis as it would be, were the alternative the drawn one."""
        low = Number(value=possible.low, status="published", source=possible.source)
        high = Number(value=possible.high, status="published", source=possible.source)
        return Axis(low=low, high=high)


def _need_sorted(low: float, high: float) -> None:
    if not low < high:
        raise ValueError(f"the axis is empty: write low below high, not {low:g} to {high:g}")


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
            raise ValueError("a predictor needs levels, or unit, per_unit, axis and centre")
        if len({level.value for level in self.levels}) != len(self.levels):
            raise ValueError("two levels have the same value: keep one")
        if len(self.levels) == 1:
            raise ValueError("one level makes no difference: write two or more")
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

    years: int = Field(gt=0)
    survival: Number

    @model_validator(mode="after")
    def _is_a_share(self) -> "Baseline":
        ends = (self.survival.value, *self.survival.bounds)
        if not all(0 < end < 1 for end in ends):
            raise ValueError("survival is a share: write a number between 0 and 1, as 0.925")
        return self


class Finding(Strict):
    """A figure of the publication, or a contradiction in it."""

    what: str
    says: str
    source: str


class Refit(Strict):
    """The same predictors fitted anew to the reconstructed cohort: a sensitivity, not a bound."""

    why: str
    source: str
    intercept: Number
    effects: dict[str, dict[str, Number]]
    """Predictor -> level -> effect, in place of the published one."""
    patients: tuple[dict[str, str], ...]
    """Patients (predictor -> level; others at the first level) to show it for."""


class Model(Strict):
    """A published model."""

    name: str
    title: str
    family: Family
    outcome: Outcome
    citation: str
    doi: str = ""
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
    windows: dict[str, Number] = {}
    """The windows and thresholds that the paper prints; its labels name them as {name:g}."""
    refit: Refit | None = None
    local: Origin | None = None
    """Where a local model comes from; a published one has none."""

    @model_validator(mode="after")
    def _nothing_stands_twice(self) -> "Model":
        _once("predictor", (p.name for p in self.predictors))
        _once("predictor of the variable", (p.feature for p in self.predictors))
        _once("horizon", (str(b.years) for b in self.baseline))
        return self

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

    @model_validator(mode="after")
    def _survival_falls(self) -> "Model":
        ordered = sorted(self.baseline, key=lambda b: b.years)
        for early, late in pairwise(ordered):
            if late.survival.value > early.survival.value:
                raise ValueError(
                    f"baseline survival rises from {early.years} to {late.years} years: "
                    "write one that falls"
                )
        return self

    @model_validator(mode="after")
    def _ratios_are_positive(self) -> "Model":
        if self.family == "points":
            return self
        for predictor in self.predictors:
            effects = [level.effect for level in predictor.levels]
            for effect in [*effects, *([predictor.per_unit] if predictor.per_unit else [])]:
                if min(effect.value, *effect.bounds) <= 0:
                    raise ValueError(
                        f"predictor {predictor.name}: an odds or hazard ratio is above 0, "
                        f"not {min(effect.value, *effect.bounds):g}: write exp(coefficient)"
                    )
        return self

    @property
    def flag(self) -> str:
        """The published column of the outcome's risk group."""
        return FLAGS[self.outcome]

    @property
    def prefix(self) -> str:
        """What the other published columns of the outcome start with."""
        return self.outcome

    @property
    def status(self) -> str:
        """The published column that says how far the outcome was scored."""
        return f"{self.prefix}_status"

    def said(self, text: str, windows: Mapping[str, float] | None = None) -> str:
        """Return a text of the model with its windows filled in: as set, else as in the paper."""
        paper = {name: number.value for name, number in self.windows.items()}
        return text.format_map(paper | dict(windows or {}))


def _once(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{what} {name} stands twice: keep one")
        seen.add(name)
