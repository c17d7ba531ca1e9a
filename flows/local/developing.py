"""Developing a model on the registry's own outcomes, as the papers did; as a local model file.

Who is looked at from when, `flows.local.cohort` says. Univariable tests, stepwise selection, ridge
beside it (`models.performance.selecting`), proportional hazards and baseline survival
(`proportional`), the bootstrap's optimism over the whole selection (`optimism`), points and a
cut-off as the paper of the outcome chose it: maximally selected rank statistics (survival), Youden.
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
from flows.local.figures import describe, figures_of
from flows.local.fitting import Data, Fits, data_of, fits_of
from flows.local.tables import tables_of
from flows.local.updating import HORIZON, origin_of, source_of
from flows.local.writing import steps_shown
from models.design import points
from models.developed import (
    baseline_of,
    candidates,
    developed,
    finished,
    intercept_of,
    like,
    on_data,
    windows_of,
    with_effects,
)
from models.local import read_local
from models.origin import Origin
from models.parts import Cutoff, Finding, Model, Number, Predictor
from models.performance.cox import NotFitted
from models.performance.cutpoint import own_cutpoint
from models.performance.enough import Minimum
from models.performance.proportional import baseline, proportional
from models.performance.selecting import (
    Steps,
    Survival,
    columns_of,
)
from models.performance.thresholds import youden
from models.points import most_points
from models.spec import BadModelFile, library
from models.toml import to_toml

YEARS = (3, 5, 10)
STEPS = {"os": Steps(0.05, 0.05), "pfs": Steps(0.05, 0.05), "rrdtc": Steps(0.05, 0.1)}
"""As Jin 2025 and Liu 2022 chose theirs."""
EVENTS_PER_COLUMN = 10
MOST_FAILED = 0.1


@dataclass(frozen=True)
class AskedDevelopment:
    """What a development is asked."""

    name: str
    outcome: str
    predictors: tuple[str, ...]
    like: str | None = None
    clock: Clock = "landmark"
    horizon: float = HORIZON
    minimum_events: int = 100
    repeats: int = 200
    smallest_cell: int = 5


@dataclass(frozen=True)
class Development:
    """A model developed on local data, and everything that its report says: no patient."""

    model: Model
    content: dict[str, Any]

    @property
    def toml(self) -> str:
        """The local model file."""
        return to_toml(self.model)


def develop(registry: Registry, out: Path, asked: AskedDevelopment) -> Development:
    """Develop a model. Raises NightRefused, UsageError."""
    model, wanted = _asked(asked)
    by = asked.horizon if asked.outcome == "rrdtc" and asked.clock == "landmark" else None
    who = cohort(model, wanted, registry, asked.clock, by)
    _refuse_few(who, asked)
    source = f"local data, night of {registry.record.as_of}"
    who, predictors, left_out = _on_data(who, wanted, asked, source)
    enough = _refuse_few(who, asked)
    data = data_of(who, predictors)
    windows = windows_of(model, wanted, registry.windows.model_dump(), source)
    words = model.model_copy(update={"windows": windows}).said
    try:
        fits = fits_of(data, STEPS[asked.outcome], asked.repeats)
        tables = tables_of(data, fits, words)
    except NotFitted as error:
        raise NightRefused(f"these data do not determine a model: {error}") from None
    origin = origin_of(model, f"development on local data, {who.words}", who, registry, out)
    said = (*origin.warnings, *_warnings(data, fits, enough, asked.repeats))
    origin = origin.model_copy(update={"warnings": said})
    whole, hazards, starts = _model(model, data, fits, origin, registry, asked)
    cutoff, cut_how = _cutoff(whole, data, source_of(origin))
    corrected = _findings(fits, origin)
    whole = finished(whole, cutoff, tuple(corrected))
    try:
        read_local([(f"{asked.name}.toml", to_toml(whole).encode())])
    except BadModelFile as error:
        raise UsageError(str(error)) from None
    content = {
        "status": "local",
        "name": asked.name,
        "outcome": asked.outcome,
        "like": model.name,
        "origin": origin.model_dump(mode="json"),
        "flow": steps_shown(who.flow, asked.smallest_cell),
        "levels_left_out": left_out,
        **tables,
        "proportional_hazards": hazards,
        "baseline": starts,
        "cutoff": None if cutoff is None else cutoff.points.value,
        "cutoff_how": cut_how,
        **describe(who, data.predictors, words, asked.smallest_cell),
        **figures_of(whole, who, asked.smallest_cell),
    }
    return Development(whole, content)


def _asked(asked: AskedDevelopment) -> tuple[Model, list[Predictor]]:
    if asked.outcome not in STEPS:
        raise UsageError(f"--outcome {asked.outcome}: want {', '.join(STEPS)}")
    if asked.like is not None and asked.like not in library():
        raise UsageError(f"--like {asked.like}: no such model; known: {', '.join(library())}")
    model = library()[asked.like] if asked.like else like(asked.outcome)
    if model.outcome != asked.outcome or model.family == "points":
        raise UsageError(f"--like {model.name}: no prediction of {asked.outcome}; leave it out")
    if not asked.predictors:
        raise UsageError("--predictors: name some, as age_55,stg_500")
    try:
        return model, candidates(model, asked.predictors)
    except ValueError as error:
        raise UsageError(f"--predictors: {error}") from None


def _refuse_few(who: Cohort, asked: AskedDevelopment) -> Minimum:
    what = "events or non-events" if asked.outcome == "rrdtc" else "events"
    enough = Minimum(who.rarer, asked.minimum_events, what)
    if not enough.met:
        raise NightRefused(f"{enough.words}; nothing was developed")
    return enough


def _on_data(
    who: Cohort, wanted: Sequence[Predictor], asked: AskedDevelopment, source: str
) -> tuple[Cohort, list[Predictor], list[str]]:
    """Return the cohort without rare levels, the candidates, and what was left out."""
    kept, left_out = [], []
    for predictor in wanted:
        found, gone = on_data(
            predictor,
            who.frame,
            asked.smallest_cell,
            both=asked.outcome == "rrdtc",
            source=source,
        )
        left_out += [f"{predictor.name}={level}" for level in gone]
        if found is None:
            left_out.append(predictor.name)
            continue
        kept.append(found)
    frame = who.frame
    for one in kept:
        if one.levels:
            frame = frame.filter(pl.col(one.name).is_in([level.value for level in one.levels]))
    if not kept:
        raise NightRefused("no predictor has two levels with patients and events enough")
    return who.only(frame, "with levels that are not rare"), kept, left_out


def _warnings(data: Data, fits: Fits, enough: Minimum, repeats: int) -> Iterator[str]:
    if enough.events < EVENTS_PER_COLUMN * len(data.columns):
        few = f"{enough.events} events for {len(data.columns)} candidate coefficients"
        yield f"{few}: fewer than {EVENTS_PER_COLUMN} each, likely overfitted"
    if (failed := fits.resampled.not_fitted) > repeats * MOST_FAILED:
        yield f"{failed} of {repeats} samples could not be fitted: optimism is underestimated"


def _model(
    model: Model,
    data: Data,
    fits: Fits,
    origin: Origin,
    registry: Registry,
    asked: AskedDevelopment,
) -> tuple[Model, list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the model without cut-off, the tests of its hazards, its baseline survival."""
    names = {term.name for term in fits.kept}
    of = columns_of(fits.kept)
    kept = [p for p in data.predictors if p.name in names]
    source = source_of(origin)
    effects = with_effects(kept, [data.columns[n] for n in of], fits.fitted, source)
    hazards: list[dict[str, Any]] = []
    starts = pl.DataFrame()
    if isinstance(data.outcome, Survival):
        outcomes, entry, x = data.outcome.outcomes, data.outcome.entry, data.x[:, of]
        fitted = data.outcome.cox(x)
        places = [(t.name, [of.index(n) for n in t.columns]) for t in fits.kept]
        hazards = proportional(outcomes, x, fitted, places, entry).to_dicts()
        reached = [y for y in YEARS if (outcomes.time >= y).sum() >= asked.smallest_cell]
        starts = baseline(outcomes, x, fitted, reached, entry)
        if not reached:
            raise NightRefused(f"hardly anybody was followed for {YEARS[0]} years")
    return (
        developed(
            model,
            asked.name,
            effects,
            origin,
            source,
            registry.windows.model_dump(),
            intercept_of(fits.fitted, source) if starts.is_empty() else None,
            baseline_of(starts, source),
        ),
        hazards,
        starts.to_dicts(),
    )


def _cutoff(model: Model, data: Data, source: str) -> tuple[Cutoff | None, str]:
    """Return the cut-off on points as the paper of the outcome chose its own, and how."""
    told = points(model, data.who.frame)
    if isinstance(data.outcome, Survival):
        found = own_cutpoint(data.outcome.since_entry, told)
        how = "maximally selected rank statistic"
        how += "" if found is None else f", p = {found.p_value:.2g}"
        value = None if found is None else found.cutoff
    else:
        y, weight = data.who.frame["y"].to_numpy(), data.who.weight
        w = np.ones(len(y)) if weight is None else weight
        own = youden(w * y, w * (1 - y), told)
        how, value = f"Youden's J, {own.youden:.3g}", own.cutoff
    if value is None or not 0 < value <= most_points(model):
        return None, f"{how}: no cut-off within the axes"
    number = Number(value=value, status="local", source=f"{how}; {source}")
    return Cutoff(points=number, high=">" if model.family == "cox" else ">="), how


def _findings(fits: Fits, origin: Origin) -> Iterator[Finding]:
    for one in fits.resampled.figures:
        says = f"{one.apparent:.3f}, {one.corrected:.3f} without optimism"
        where = f"bootstrap of the whole selection, {one.samples} samples, night of {origin.night}"
        name = {"c": "C-index", "slope": "calibration slope"}[one.measure]
        yield Finding(what=name, says=says, source=where)
