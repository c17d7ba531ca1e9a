"""Predictions that nights published, against what came since: O/E, C and CUSUM.

The clock of a prediction starts on the night that published it. Events expected of a patient are
the cumulative hazard of the prediction over the time that the patient was watched under it, until
the next kept prediction of the patient: the censored are watched while they are watched, and no
time is counted twice. Events seen are counted over the same time. For C each patient has its
first prediction, and all that followed it.
"""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import inf, sqrt

import numpy as np
import polars as pl

from models.performance.c_if_right import c_if_right
from models.performance.censoring import Weights, error_of
from models.performance.concordance import uno
from models.performance.cusum import cusum
from models.performance.figures import Z, interval
from models.performance.followup import EVENT, Array, Followup
from models.performance.hazard import SURVIVALS, expected, hazards
from models.spec import Model
from transforms.surveillance.came import DAYS_PER_YEAR, what_came

BY_YEARS = 3.0
"""C and incidence look so many years ahead, the shortest horizon that the papers have."""
SIGMAS = 3.0
"""Limits are so many standard errors from what they are around: a night is one look of many."""


@dataclass(frozen=True)
class Seen:
    """One figure with its interval, what it is beside, and how many it is of."""

    patients: int
    events: int
    value: float
    lower: float
    upper: float
    expected: float | None = None
    reference: float | None = None
    limits: tuple[float, float] = (-inf, inf)


def followed(kept: pl.DataFrame, model: Model, features: pl.DataFrame) -> pl.DataFrame:
    """Return the predictions of a model whose patients were watched since: one row each.

    before: years from the index date to the prediction; time, event: what came, in years from the
    prediction; until: years to the patient's next prediction; first: whether it has none before.
    """
    own = kept.filter(pl.col("model") == model.name).sort("patient_id", "predicted_on")
    days = (pl.col("predicted_on").shift(-1).over("patient_id") - pl.col("predicted_on")).dt
    told = own.with_columns(
        before=(pl.col("predicted_on") - pl.col("index_date")).dt.total_days() / DAYS_PER_YEAR,
        until=(days.total_days() / DAYS_PER_YEAR).fill_null(inf),
    ).filter(pl.col("before") >= 0)
    came = what_came(model.outcome, features).rename({"index_date": "index_now"})
    shift = (pl.col("predicted_on") - pl.col("index_now")).dt.total_days() / DAYS_PER_YEAR
    return (
        told.join(came, on="patient_id", maintain_order="left")
        .with_columns(time=pl.col("years") - shift)
        .filter(pl.col("time") > 0)
        .with_columns(
            first=pl.col("predicted_on") == pl.col("predicted_on").min().over("patient_id")
        )
    )


def observed_to_expected(watched: pl.DataFrame) -> Seen:
    """Return events seen over events expected; Byar's interval, limits around 1 of 3 errors."""
    told = _exposure(watched)
    whole = float(expected(told.hazard, told.before, told.before + told.stop).sum())
    events = int(told.event.sum())
    low, high = _byar(events)
    # On the square root of a count, where its error is one half whatever it is.
    wide = SIGMAS / (2 * sqrt(whole)) if whole > 0 else inf
    limits = max(1 - wide, 0.0) ** 2, (1 + wide) ** 2
    ratio = events / whole if whole > 0 else np.nan
    each = (low / whole, high / whole) if whole > 0 else (np.nan, np.nan)
    return Seen(watched.height, events, ratio, *each, whole, 1.0, limits)


def _byar(events: int) -> tuple[float, float]:
    """Return the 95 % interval of a Poisson count (Breslow and Day 1987, p. 69)."""
    if events == 0:
        return 0.0, 3.689
    above = events + 1
    low = events * (1 - 1 / (9 * events) - Z / (3 * sqrt(events))) ** 3
    return low, above * (1 - 1 / (9 * above) + Z / (3 * sqrt(above))) ** 3


@dataclass(frozen=True)
class _Exposure:
    hazard: Array
    before: Array
    stop: Array
    event: Array
    day: Array
    """Of the prediction, in days since 1970-01-01."""


def _exposure(watched: pl.DataFrame) -> _Exposure:
    time, until = watched["time"].to_numpy(), watched["until"].to_numpy()
    return _Exposure(
        hazards(watched.select(pl.col(SURVIVALS).cast(pl.Float64)).to_numpy()),
        watched["before"].to_numpy(),
        np.minimum(time, until),
        ((watched["event"] == EVENT).to_numpy() & (time <= until)).astype(float),
        watched["predicted_on"].cast(pl.Int32).to_numpy().astype(float),
    )


def cusums(watched: pl.DataFrame, quarters: list[date], night: date, ratio: float) -> pl.DataFrame:
    """Return the CUSUMs against O/E = ratio and 1/ratio: one row per quarter up to the night.

    start, expected, more, fewer: the CUSUMs when the quarter, or the night, was over.
    """
    told = _exposure(watched)
    edges = [day.toordinal() - date(1970, 1, 1).toordinal() for day in (*quarters, night)]
    edges[-1] += 1
    seen, due = [], []
    for first, last in pairwise(edges):
        start = np.clip((first - told.day) / DAYS_PER_YEAR, 0, told.stop)
        end = np.clip((last - told.day) / DAYS_PER_YEAR, 0, told.stop)
        within = end > start
        here = told.before[within]
        due.append(expected(told.hazard[within], here + start[within], here + end[within]).sum())
        # The day of its event is the last that a patient is watched on.
        seen.append(told.event[within & (end >= told.stop)].sum())
    observed, wanted = np.array(seen, dtype=float), np.array(due, dtype=float)
    return pl.DataFrame(
        {
            "start": quarters,
            "expected": wanted,
            "more": cusum(observed, wanted, ratio),
            "fewer": cusum(observed, wanted, 1 / ratio),
        }
    )


def discrimination(watched: pl.DataFrame, model: Model) -> Seen:
    """Return Uno's C by 3 years, and the C that the predictions would have, were they right."""
    first = watched.filter("first")
    outcomes = _outcomes(first)
    events = int((outcomes.cut(BY_YEARS).event == EVENT).sum())
    patients = first.height
    hazard = None
    if model.family == "cox":
        told = _exposure(first)
        hazard = expected(told.hazard, told.before, told.before + BY_YEARS)
        marker = hazard
    else:
        name = "probability" if model.family == "logistic" else "points"
        marker = first[name].cast(pl.Float64).to_numpy()
    if events == 0:
        return Seen(patients, events, np.nan, np.nan, np.nan)
    found = uno(outcomes, marker, BY_YEARS)
    lower, upper = interval(found.c, found.error)
    reference = None if hazard is None else c_if_right(hazard)
    low = -inf if reference is None else reference - SIGMAS * found.error
    ends = max(lower, 0.0), min(upper, 1.0)
    return Seen(patients, events, found.c, *ends, None, reference, (low, inf))


def incidence(watched: pl.DataFrame) -> Seen:
    """Return the cumulative incidence by 3 years beside the mean predicted probability."""
    first = watched.filter("first")
    outcomes = _outcomes(first)
    weights = Weights(outcomes, BY_YEARS)
    value, influence = weights.influence(weights.case.astype(float))
    lower, upper = interval(value, error_of(influence), "loglog")
    mean = float(first["probability"].cast(pl.Float64).to_numpy().mean())
    return Seen(first.height, int(weights.case.sum()), value, lower, upper, mean)


def _outcomes(watched: pl.DataFrame) -> Followup:
    return Followup(watched["time"].to_numpy(), watched["event"].cast(pl.Int64).to_numpy())
