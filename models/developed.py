"""From a development on local data to a model file: candidates, levels, axes, the model."""

from collections.abc import Mapping, Sequence
from math import ceil, exp, floor, log10

import numpy as np
import polars as pl

from models.design import Column
from models.origin import Origin
from models.parts import (
    Axis,
    Baseline,
    Cutoff,
    DevelopedOn,
    Finding,
    Model,
    Number,
    Predictor,
)
from models.performance.figures import Z
from models.performance.selecting import Fitted
from models.spec import library


def like(outcome: str) -> Model:
    """Return the published model that predicts an outcome: its patients are asked about."""
    return next(m for m in library().values() if m.outcome == outcome and m.family != "points")


def candidates(model: Model, names: Sequence[str]) -> list[Predictor]:
    """Return predictors by name: as `model` has them, else another published model.

    Raises ValueError, which names what is known.
    """
    others = [one for one in library().values() if one.family != "points"]
    known = {p.name: p for one in (*reversed(others), model) for p in one.predictors}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no predictor {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    return [known[name] for name in dict.fromkeys(names)]


def on_data(
    predictor: Predictor, frame: pl.DataFrame, smallest: int, *, both: bool, source: str
) -> tuple[Predictor | None, list[str]]:
    """Return a predictor as the data have it, without effects yet; and the levels left out.

    A level needs `smallest` patients and an event (`both`: and one without). The axis is from the
    1st to the 99th percentile, rounded outwards; the centre is the median. None: it tells nothing.
    """
    one = Number(value=1, status="local", source=f"reference; {source}")
    if not predictor.levels:
        values = frame[predictor.name].to_numpy()
        low, high = _nice(*np.quantile(values, [0.01, 0.99]))
        if not low < high:
            return None, []

        def stated(value: float, how: str) -> Number:
            return Number(value=value, status="local", source=f"{how}; {source}")

        axis = Axis(
            low=stated(low, "1st percentile, rounded down"),
            high=stated(high, "99th percentile, rounded up"),
        )
        centre = stated(float(f"{np.median(values):.3g}"), "median")
        return predictor.model_copy(update={"axis": axis, "centre": centre, "per_unit": one}), []
    kept, gone = [], []
    for level in predictor.levels:
        y = frame.filter(pl.col(predictor.name) == level.value)["y"]
        tells = y.len() >= smallest and y.sum() > 0 and (not both or y.sum() < y.len())
        if tells:
            kept.append(level.model_copy(update={"effect": one}))
        else:
            gone.append(level.value)
    if len(kept) < 2:
        return None, gone
    return predictor.model_copy(update={"levels": tuple(kept)}), gone


def _nice(low: float, high: float) -> tuple[float, float]:
    """Round an axis outwards to steps of 1, 2 or 5 times a power of ten, about ten of them."""
    if not low < high:
        return low, high
    power = 10.0 ** floor(log10((high - low) / 10))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= (high - low) / 10)
    return round(floor(low / step) * step, 9), round(ceil(high / step) * step, 9)


def with_effects(
    predictors: Sequence[Predictor], of: Sequence[Column], fitted: Fitted, source: str
) -> tuple[Predictor, ...]:
    """Return predictors with the ratios of a fit, each with its 95 % interval."""
    errors = np.sqrt(np.diag(fitted.covariance))
    found = {
        column.name: Number(
            value=exp(b), status="local", source=source, interval=(exp(b - Z * e), exp(b + Z * e))
        )
        for column, b, e in zip(of, fitted.coefficients, errors, strict=True)
    }
    made = []
    for predictor in predictors:
        if predictor.name in found:
            made.append(predictor.model_copy(update={"per_unit": found[predictor.name]}))
            continue
        levels = tuple(
            level.model_copy(update={"effect": found[key]})
            if (key := f"{predictor.name}={level.value}") in found
            else level
            for level in predictor.levels
        )
        made.append(predictor.model_copy(update={"levels": levels}))
    return tuple(made)


def windows_of(
    model: Model, predictors: Sequence[Predictor], used: Mapping[str, float], source: str
) -> dict[str, Number]:
    """Return the windows that a model and its predictors name, as they are in force."""
    names = {p.name for p in predictors}
    users = [m for m in library().values() if m is model or names & {p.name for p in m.predictors}]
    found: dict[str, Number] = {}
    for one in users:
        for name, number in one.windows.items():
            is_paper = used.get(name, number.value) == number.value
            own = Number(value=used.get(name, number.value), status="local", source=source)
            found.setdefault(name, number if is_paper else own)
    return found


def developed(
    model: Model,
    name: str,
    predictors: tuple[Predictor, ...],
    origin: Origin,
    source: str,
    windows: Mapping[str, float],
    intercept: Number | None,
    baseline: tuple[Baseline, ...],
) -> Model:
    """Return the model that was developed, for the patients that `model` is for; no cut-off yet."""
    ranges = tuple(
        DevelopedOn(
            feature=p.feature,
            label=p.label.lower(),
            unit=p.unit or "",
            low=p.axis.low,
            high=p.axis.high,
        )
        for p in predictors
        if p.axis
    )
    made = Model(
        name=name,
        title=f"{model.title}, developed here",
        family="cox" if baseline else "logistic",
        outcome=model.outcome,
        citation="Developed on local data.",
        intended_use=model.intended_use,
        not_for=f"Patients of another hospital: nowhere validated. {model.not_for}",
        cohort=f"{origin.patients} patients, {origin.events} events; {origin.how}",
        predictors=predictors,
        eligibility=model.eligibility,
        developed_on=ranges,
        intercept=intercept,
        baseline=baseline,
        example={
            p.name: p.levels[-1].value if p.levels else (p.centre.value if p.centre else 0.0)
            for p in predictors
        },
        windows=windows_of(model, predictors, windows, source),
        local=origin,
    )
    return made


def finished(model: Model, cutoff: Cutoff | None, performance: tuple[Finding, ...]) -> Model:
    """Return a developed model with its cut-off and what is known of it."""
    return model.model_copy(update={"cutoff": cutoff, "performance": performance})


def baseline_of(found: pl.DataFrame, source: str) -> tuple[Baseline, ...]:
    """Return the baseline survival at horizons, as `proportional.baseline` has it."""
    return tuple(
        Baseline(
            years=int(row["years"]),
            survival=Number(
                value=row["survival"],
                status="local",
                source=source,
                interval=(row["lower"], row["upper"]),
            ),
        )
        for row in found.iter_rows(named=True)
        if 0 < row["survival"] < 1
    )


def intercept_of(fitted: Fitted, source: str) -> Number:
    """Return the intercept of a logistic model with its 95 % interval."""
    half = Z * fitted.intercept_error
    ends = (fitted.intercept - half, fitted.intercept + half)
    return Number(value=fitted.intercept, status="local", source=source, interval=ends)
