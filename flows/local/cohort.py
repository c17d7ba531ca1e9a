"""Whom a local model is made on: patients of the last night, their predictors, and what came.

- `landmark` (the default). Survival: patients with two assessed courses of 131I, predictors as
  dated up to the second; watched from then on, on the clock of the first 131I: late entry, so
  that time in which nobody could die by definition counts for nobody. RR-DTC: predictors as dated
  up to 7 days after the first 131I, RR-DTC by a horizon after that day, death before it is none;
  who was censored before is stood for by others (weights).
- `paper`. Survival: predictors as known tonight, watched from the first 131I (immortal time:
  Jin 2025). RR-DTC: predictors and RR-DTC as known tonight, of patients with two courses (Liu).
- Predictors are made anew from the warehouse for everybody, not read from the nights published
  then: what was entered or corrected later counts as if it had been known.
- Complete cases: who lacks a predictor is counted and left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from flows.errors import NightRefused
from flows.landmarks import Registry, _after_index, _second_assessed
from models.parts import Model, Predictor
from models.performance.censoring import Weights
from models.performance.followup import COMPETING, EVENT, Array, Followup
from models.performance.updating_model import Watched
from models.reasons import fulfilled
from transforms.variables.as_of import known_on

Clock = Literal["landmark", "paper"]
DAYS_PER_YEAR = 365.25
IMMORTAL = (
    "made the paper's way: predictors of later courses, watched from the first 131I. Time in which "
    "nobody of a class could die by definition counts for it (immortal time)"
)
CROSS_SECTION = "made the paper's way: a cross-section of tonight, without follow-up"


@dataclass(frozen=True)
class Cohort:
    """Complete cases: one row per patient with each predictor by its name, and what came.

    Survival: entry, time (years since the first 131I), event. RR-DTC: y, and weight for those who
    stand for the censored (null without follow-up); time and event (years since the landmark, 2:
    died before) where there is a horizon.
    """

    frame: pl.DataFrame
    flow: dict[str, int]
    """Patients by how far they came, in order."""
    clock: Clock
    outcome: str
    horizon: float | None
    since: str
    until: str
    missing: dict[str, int]
    """Of those followed, how many lack each predictor."""

    def only(self, frame: pl.DataFrame, step: str) -> "Cohort":
        """Return the cohort with some of its patients, and the step that it is."""
        return replace(self, frame=frame, flow=self.flow | {step: frame.height})

    @property
    def events(self) -> int:
        """How many had the event (by the horizon)."""
        return int(self.frame["y"].sum())

    @property
    def rarer(self) -> int:
        """What the minimum is of: events; of a plain outcome, the rarer of with and without."""
        if self.outcome != "rrdtc":
            return self.events
        known = self.frame if self.weight is None else self.frame.filter(pl.col("weight") > 0)
        return min(self.events, known.height - self.events)

    @property
    def weight(self) -> Array | None:
        """The weights for censoring; None where there are none."""
        return self.frame["weight"].to_numpy() if "weight" in self.frame.columns else None

    @property
    def watched(self) -> Watched:
        """From when to when each patient was watched (survival)."""
        return Watched(*(self.frame[name].to_numpy() * 1.0 for name in ("entry", "time", "event")))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know of the way in which it was made."""
        if self.clock == "paper":
            return (CROSS_SECTION if self.outcome == "rrdtc" else IMMORTAL,)
        return ()

    @property
    def words(self) -> str:
        """Who was watched from when, in words."""
        if self.outcome == "rrdtc":
            if self.horizon is None:
                return "RR-DTC as known that night, of patients with two courses of 131I"
            return f"RR-DTC within {self.horizon:g} years after 7 days from the first 131I"
        if self.clock == "paper":
            return "predictors as known that night, watched from the first 131I"
        return "watched from the second assessed course of 131I on, the clock from the first"


def cohort(
    model: Model,
    predictors: Sequence[Predictor],
    registry: Registry,
    clock: Clock,
    horizon: float | None,
) -> Cohort:
    """Return whom a model is made on: those eligible for `model`, with `predictors` known.

    Raises NightRefused when that is nobody.
    """
    tonight = registry.features(registry.record)
    plain = model.outcome == "rrdtc"
    if clock == "paper":
        then = tonight.filter(pl.col("courses") >= 2) if plain else tonight
        then = then.with_columns(day=None if plain else pl.col("index_date"))
    else:
        then = _then(registry, _after_index(tonight) if plain else _second_assessed(registry))
    eligible = _eligible(then, model)
    came = _came_rrdtc(tonight) if plain else _came(model.outcome, tonight)
    joined = eligible.join(came, on="patient_no")
    if not plain or clock == "landmark":
        entry = (pl.col("day") - pl.col("first")).dt.total_days() / DAYS_PER_YEAR
        joined = joined.with_columns(entry=entry).filter(pl.col("years") > pl.col("entry"))
    made = _outcome(joined, plain, clock, horizon)
    known = made.with_columns(_value(p).alias(p.name) for p in predictors)
    complete = known.drop_nulls([p.name for p in predictors])
    if complete.is_empty():
        raise NightRefused("nobody to make a model on: no eligible patient has every predictor")
    if plain and clock == "landmark":
        assert horizon is not None  # noqa: S101
        complete = _weighted(complete, horizon)
    flow = {
        "patients": tonight.height,
        "eligible then": eligible.height,
        "followed": known.height,
        "with every predictor": complete.height,
    }
    last = (pl.col("first") + pl.duration(days=pl.col("years") * DAYS_PER_YEAR)).max()
    since, until = complete.select(pl.col("first").min(), until=last).row(0)
    months = [f"{day:%Y-%m}" for day in (since, until)]
    missing = {p.name: known[p.name].null_count() for p in predictors}
    return Cohort(complete, flow, clock, model.outcome, horizon, months[0], months[1], missing)


def _then(registry: Registry, landmarks: pl.DataFrame) -> pl.DataFrame:
    """Return the variables as dated up to each landmark, with its day: one row per patient."""
    past = landmarks.filter(pl.col("day") <= registry.record.as_of)
    known = registry.features(known_on(registry.record, past.lazy()))
    return known.drop("day", strict=False).join(past, on="patient_no")


def _eligible(of: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Return those who certainly fulfil every criterion of a model."""
    asked = of.with_columns(
        pl.col(criterion.feature).alias(f"asked_{criterion.feature}")
        for criterion in model.eligibility
    )
    held = pl.all_horizontal(pl.lit(True), *(fulfilled(c) for c in model.eligibility))
    return asked.filter(held).drop("^asked_.*$")


def _value(predictor: Predictor) -> pl.Expr:
    """Return a predictor's value: a level that the model knows, or a finite number."""
    if predictor.levels:
        value = pl.col(predictor.feature).cast(pl.String)
        return pl.when(value.is_in([level.value for level in predictor.levels])).then(value)
    number = pl.col(predictor.feature).cast(pl.Float64)
    return pl.when(number.is_finite()).then(number)


def _came(outcome: str, tonight: pl.DataFrame) -> pl.DataFrame:
    """Return what came of survival: patient_no, first, years from it, event."""
    return tonight.select(
        "patient_no",
        first="index_date",
        years=pl.col(f"{outcome}_months") / 12,
        came=pl.col(f"{outcome}_event").cast(pl.Int64),
    ).drop_nulls()


def _came_rrdtc(tonight: pl.DataFrame) -> pl.DataFrame:
    """Return what came of RR-DTC: patient_no, first, years from it, event (2: died before)."""
    met = pl.col("rrdtc_met")
    until = (pl.col("rrdtc_met_date") - pl.col("index_date")).dt.total_days() / DAYS_PER_YEAR
    died = pl.col("os_event").cast(pl.Int64) * COMPETING
    return tonight.select(
        "patient_no",
        first="index_date",
        years=pl.when(met).then(until).otherwise(pl.col("follow_up_months") / 12),
        came=pl.when(met).then(EVENT).otherwise(died),
    ).drop_nulls()


def _outcome(
    joined: pl.DataFrame, plain: bool, clock: Clock, horizon: float | None
) -> pl.DataFrame:
    """Add what came, as the columns that Cohort names: one row per row."""
    if plain and clock == "paper":
        return joined.with_columns(y=(pl.col("came") == EVENT).cast(pl.Int8))
    time = pl.col("years") - pl.col("entry") if plain else pl.col("years")
    made = joined.with_columns(time=time, event="came")
    by_then = pl.lit(True) if horizon is None else pl.col("time") <= horizon
    return made.with_columns(y=((pl.col("event") == EVENT) & by_then).cast(pl.Int8))


def _weighted(complete: pl.DataFrame, horizon: float) -> pl.DataFrame:
    outcomes = Followup(complete["time"].to_numpy(), complete["event"].to_numpy())
    return complete.with_columns(weight=pl.Series(Weights(outcomes, horizon).weight))
