"""Updating a published model on the registry's own outcomes, as a local model file.

What may be looked at and from when, `flows.local.cohort` says; what is changed and when, by closed
testing, `models.performance.updating_model`. A file that is written runs beside the original.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from flows.errors import NightRefused, UsageError
from flows.landmarks import Registry
from flows.local.cohort import Clock, Cohort, cohort
from flows.local.writing import steps_shown
from flows.published.nights import night_folder, report_of
from flows.subgroups import evaluate
from models.design import Column, columns, linear_predictor, matrix, points, reference
from models.local import read_local
from models.origin import Origin
from models.parts import Cutoff, Finding, Model, Number
from models.performance.cox import NotFitted
from models.performance.cutpoint import own_cutpoint
from models.performance.enough import Minimum
from models.performance.evaluation import Options
from models.performance.followup import Followup
from models.performance.pieces import risk_after
from models.performance.updating_model import Terms, UpdatedModel, update_chance, update_survival
from models.toml import to_toml
from models.updated import changed_words, horizons, updated

HORIZON = 5.0
"""By when RR-DTC is asked about, unless said otherwise."""
_QUIET = Options(minimum_events=0, repeats=0, thresholds=())
_SHOWN = ("harrell_c", "auc", "oe", "slope", "brier")


@dataclass(frozen=True)
class Update:
    """What came of an update: the local model file (None: leave the model as it is), and all."""

    name: str
    model: Model | None
    content: dict[str, Any]
    """What update.json says."""

    @property
    def toml(self) -> str | None:
        """The local model file."""
        return None if self.model is None else to_toml(self.model)


@dataclass(frozen=True)
class AskedUpdate:
    """What an update is asked: the new name, the clock, by when, and the least events."""

    name: str
    clock: Clock = "landmark"
    horizon: float = HORIZON
    minimum_events: int = 100
    smallest_cell: int = 5


def update_on_nights(model: Model, registry: Registry, out: Path, asked: AskedUpdate) -> Update:
    """Update a model on what came of the registry's patients. Raises NightRefused, UsageError."""
    if model.family == "points":
        raise UsageError(f"{model.name} has points and no prediction: update its nomogram instead")
    last = asked.horizon if model.family == "logistic" else max(horizons(model)[0])
    by = None if model.family == "logistic" and asked.clock == "paper" else last
    who = cohort(model, model.predictors, registry, asked.clock, by)
    what = "events" if model.family == "cox" else "events or non-events"
    enough = Minimum(who.rarer, asked.minimum_events, what)
    if not enough.met:
        raise NightRefused(f"{enough.words}; nothing was updated")
    free, kept = _columns(model, who)
    try:
        made = _made(model, who, free, kept)
    except NotFitted as error:
        raise NightRefused(f"these data do not determine a model: {error}") from None
    how = f"update of the {changed_words(model, made)}, {who.words}"
    origin = origin_of(model, how, who, registry, out)
    before = _figures(who, risks(model, who))
    local, after = None, before
    if made.change != "none":
        plain = updated(model, made, free, source_of(origin), origin, None, (), asked.name)
        after = _figures(who, risks(plain, who))
        local = plain.model_copy(
            update={
                "cutoff": _cutoff(model, plain, made, who, origin),
                "performance": tuple(_findings(made, before, after, origin)),
            }
        )
        read_local([(f"{asked.name}.toml", to_toml(local).encode())])
    content = _content(model, made, who, free, kept, origin, asked)
    return Update(
        asked.name,
        local,
        content | {"before": before.to_dicts(), "after_on_the_same_data": after.to_dicts()},
    )


def _columns(model: Model, who: Cohort) -> tuple[list[Column], list[Column]]:
    """Return the columns to refit, and those that the data say nothing about.

    Where nobody is at the reference, the first other level stays as it is in its place.
    """
    free: list[Column] = []
    kept: list[Column] = []
    y = who.frame["y"].to_numpy() == 1
    instead = {one.name for one in _without_reference(model, who)}
    for column in columns(model.predictors):
        values = column.values(who.frame)
        same = values.min() == values.max()
        with_it = y[values == 1] if column.level is not None else y
        tells = with_it.any() and (model.family == "cox" or not with_it.all())
        (free if tells and not same and column.name not in instead else kept).append(column)
    return free, kept


def _without_reference(model: Model, who: Cohort) -> Iterator[Column]:
    """Yield the first level that anybody has, of predictors with nobody at the reference."""
    for predictor in model.predictors:
        there = set(who.frame[predictor.name].unique()) if predictor.levels else set()
        if there and reference(predictor) not in there:
            yield next(c for c in columns([predictor]) if c.level in there)


def _made(model: Model, who: Cohort, free: list[Column], kept: list[Column]) -> UpdatedModel:
    fixed = matrix(who.frame, kept) @ np.array([column.coefficient for column in kept])
    own = np.array([column.coefficient for column in free])
    terms = Terms(matrix(who.frame, free), own, fixed)
    if model.family == "cox":
        years, survival = (np.array(part) for part in horizons(model))
        return update_survival(who.watched, terms, years, survival)
    assert model.intercept is not None  # noqa: S101
    return update_chance(who.frame["y"].to_numpy() * 1.0, who.weight, terms, model.intercept.value)


def risks(model: Model, who: Cohort) -> Iterator[tuple[float | None, pl.DataFrame]]:
    """Yield each horizon and a frame of predictions and what came, as `evaluate` takes them."""
    linear = linear_predictor(model, who.frame)
    if model.family == "logistic":
        assert model.intercept is not None  # noqa: S101
        p = pl.Series(1 / (1 + np.exp(-(linear + model.intercept.value))))
        if who.horizon is None:
            yield None, who.frame.select("y", p=p)
        else:
            yield who.horizon, who.frame.select("time", "event", risk=p)
        return
    years, survival = (np.array(part) for part in horizons(model))
    start = who.watched.entry
    since = who.frame.select(time=pl.col("time") - pl.col("entry"), event="event")
    for within in (3.0, 5.0, 10.0) if who.clock == "paper" else (3.0, 5.0):
        risk = risk_after(years, survival, linear, start, within)
        yield within, since.with_columns(pl.Series("risk", risk))


def _figures(who: Cohort, risks: Iterator[tuple[float | None, pl.DataFrame]]) -> pl.DataFrame:
    made = [evaluate(frame, horizon, _QUIET).figures for horizon, frame in risks]
    return pl.concat(made).drop_nulls("estimate")


def _cutoff(
    model: Model, local: Model, made: UpdatedModel, who: Cohort, origin: Origin
) -> Cutoff | None:
    """Return the cut-off: the published one while points stay as they are, else the data's own."""
    if model.cutoff is None:
        return None
    if made.change == "intercept" or (made.slope is not None and made.slope.value > 0):
        return model.cutoff
    outcomes = Followup(who.watched.time - who.watched.entry, who.frame["event"].to_numpy())
    found = own_cutpoint(outcomes, points(local, who.frame))
    if found is None or found.cutoff <= 0:
        return None
    how = f"maximally selected rank statistic, p = {found.p_value:.2g}; {source_of(origin)}"
    number = Number(value=found.cutoff, status="local", source=how)
    return Cutoff(points=number, high=">")


def origin_of(model: Model, how: str, who: Cohort, registry: Registry, out: Path) -> Origin:
    """Return where a local model comes from: the cohort, and the last night."""
    night = registry.record.as_of
    report = report_of(night_folder(out, night))
    return Origin(
        beside=model.name,
        how=how,
        since=who.since,
        until=who.until,
        patients=who.frame.height,
        events=who.events,
        night=night,
        run_id=report.run_id if report else "",
        warnings=who.warnings,
    )


def source_of(origin: Origin) -> str:
    """Return the source that each number of a local model names."""
    return (
        f"local data: {origin.patients} patients, {origin.events} events, {origin.since} to "
        f"{origin.until}, night of {origin.night} (run {origin.run_id})"
    )


def _findings(
    made: UpdatedModel, before: pl.DataFrame, after: pl.DataFrame, origin: Origin
) -> Iterator[Finding]:
    where = f"night of {origin.night}"
    for test in made.tests.iter_rows(named=True):
        says = f"chi2 {test['chi2']:.2f}, {test['degrees']} degrees, p = {test['p_value']:.3g}"
        yield Finding(what=f"against a full refit, keep {test['keeps']}", says=says, source=where)
    for row, old in zip(after.iter_rows(named=True), before.iter_rows(named=True), strict=False):
        if row["measure"] in _SHOWN and row["measure"] == old["measure"]:
            by = "" if row["horizon"] is None else f" at {row['horizon']:g} years"
            says = f"{row['estimate']:.3g} (before the update {old['estimate']:.3g})"
            yield Finding(
                what=f"{row['measure']}{by}", says=says, source=f"{where}, the same data: too good"
            )


def _content(
    model: Model,
    made: UpdatedModel,
    who: Cohort,
    free: Sequence[Column],
    kept: Sequence[Column],
    origin: Origin,
    asked: AskedUpdate,
) -> dict[str, Any]:
    names = ["intercept"] if model.family == "logistic" else horizons(model)[0]
    found = {c.name: vars(e) for c, e in zip(free, made.coefficients or [], strict=False)}
    return {
        "status": "local",
        "model": model.name,
        "name": asked.name,
        "change": made.change,
        "changed": changed_words(model, made),
        "origin": origin.model_dump(mode="json"),
        "tests": made.tests.to_dicts(),
        "slope": None if made.slope is None else vars(made.slope),
        "coefficients": found,
        "constants": {
            str(name): vars(one) for name, one in zip(names, made.constants, strict=True)
        },
        "kept_as_published": [column.name for column in kept],
        "moved_together": [list(piece) for piece in made.moved_together],
        "flow": steps_shown(who.flow, asked.smallest_cell),
    }
