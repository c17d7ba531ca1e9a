"""What an evaluation is told and returns, and the parts that both kinds share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.performance import calibration, thresholds
from models.performance.brier import Accuracy
from models.performance.cox import NotFitted
from models.performance.enough import ADVISED, Minimum, precision
from models.performance.figures import Figure, figure, missing
from models.performance.followup import Array


@dataclass(frozen=True)
class Options:
    """What an evaluation may be told."""

    minimum_events: int = ADVISED
    events_per_year: float | None = None
    """The pace at which events come, to say when there will be enough."""
    cutoff: float | None = None
    """On `score` where there is one, else on `risk`, `p` or `linear_predictor`."""
    side: thresholds.Side = ">="
    repeats: int = 200
    """Bootstrap samples behind the intervals of ICI, E50 and E90."""
    resample_up_to: int = 20_000
    """Larger sets get no bootstrap: there the interval is narrow, and it would take long."""
    thresholds: tuple[float, ...] = tuple(round(0.01 * i, 2) for i in range(1, 100))


@dataclass(frozen=True)
class Evaluation:
    """Frames of one set of predictions; empty ones where the set does not allow them.

    `figures` (one row per figure), `calibration_curve` (per percentile of the predictions),
    `decision_curve` (per threshold), `groups` (per group and time).
    """

    n: int
    events: int
    figures: pl.DataFrame
    calibration_curve: pl.DataFrame = field(default_factory=pl.DataFrame)
    decision_curve: pl.DataFrame = field(default_factory=pl.DataFrame)
    groups: pl.DataFrame = field(default_factory=pl.DataFrame)


def accuracy_figures(found: Accuracy, horizon: float | None) -> Iterator[Figure]:
    """Yield the Brier score and the IPA."""
    how = "" if horizon is None else ", weighted for censoring by G(T-)"
    limits = (0, 1)
    brier, error = found.brier, found.brier_error
    yield figure("brier", brier, error, f"mean squared error{how}", horizon=horizon, limits=limits)
    how = "1 - Brier score / that of the average risk"
    yield figure("ipa", found.ipa, found.ipa_error, how, horizon=horizon)


def or_missing(name: str, horizon: float | None, make: Callable[[], Figure]) -> Figure:
    """Return a figure, or why these data do not determine it."""
    try:
        return make()
    except NotFitted as error:
        return missing(name, f"not determined by these data: {error}", horizon)


SHARES = np.arange(1, 100) / 100
"""A curve is shown at the percentiles of the predictions: at no patient's own."""


@dataclass
class Band:
    """The curves of bootstrap samples, at the percentiles of the predictions."""

    risk: Array
    drawn: list[Array] = field(default_factory=list)

    def keep(self, risk: Array, fitted: Array) -> Array:
        """Keep the curve of one sample; return it as it is."""
        order = np.argsort(risk)
        self.drawn.append(np.interp(np.quantile(self.risk, SHARES), risk[order], fitted[order]))
        return fitted

    def limits(self, repeats: int) -> tuple[Array, Array] | None:
        """Return the 95 % limits at each percentile; None where too few samples had a curve."""
        again = self.drawn[1:]  # the first is that of the patients themselves
        if repeats < 2 or len(again) < 0.9 * repeats:
            return None
        low, high = np.quantile(np.array(again), [0.025, 0.975], axis=0)
        return low, high


def distances(
    risk: Array,
    refit: Callable[[NDArray[np.int64]], Array],
    how: str,
    options: Options,
    horizon: float | None,
) -> Iterator[Figure]:
    """Yield ICI, E50 and E90, with intervals unless there are too many patients to resample."""
    repeats = options.repeats if len(risk) <= options.resample_up_to else 0
    try:
        yield from calibration.distance_figures(risk, refit, how, repeats, horizon)
    except NotFitted as error:
        for name in ("ici", "e50", "e90"):
            yield missing(name, f"not determined by these data: {error}", horizon)


def shown_curve(
    make: Callable[[], Array], risk: Array, band: Band | None = None, repeats: int = 0
) -> pl.DataFrame:
    """Return the curve at the percentiles of the predictions, with the bootstrap's limits."""
    try:
        fitted = make()
    except NotFitted:
        return pl.DataFrame()
    order = np.argsort(risk)
    observed = np.interp(np.quantile(risk, SHARES), risk[order], fitted[order])
    lower, upper = (band.limits(repeats) if band else None) or (None, None)
    return pl.DataFrame(
        {
            "percentile": SHARES * 100,
            "predicted": np.quantile(risk, SHARES),
            "observed": observed,
            "lower": lower,
            "upper": upper,
        },
        schema_overrides={"lower": pl.Float64, "upper": pl.Float64},
    )


def too_few(
    minimum: Minimum, risk: Array | None, linear: Array, horizon: float | None, *, plain: bool
) -> Iterable[Figure]:
    """Yield what stands in place of the figures: how few, how precise they would be."""
    yield missing("events", minimum.words + minimum.when(minimum.advised), horizon)
    if risk is None:
        return
    for row in precision(risk, linear, minimum.events, plain=plain).iter_rows(named=True):
        width, needed = row["width_expected"], row["events_needed"]
        told = (
            "no interval to expect" if width is None else f"an interval {width:.2g} wide to expect"
        )
        wanted = f"{row['width_wanted']:g} wide from about {needed} events" if needed else ""
        wanted += minimum.when(needed) if needed else ""
        name = {"c": "auc" if plain else "uno_c"}.get(row["measure"], row["measure"])
        yield missing(name, f"{minimum.words}; {told}; {wanted}", horizon)
