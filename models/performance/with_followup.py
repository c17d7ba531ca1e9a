"""All figures of predictions with follow-up: each measure once, or why it is not there.

A frame with `time` and `event` (0 censored, 1 event, 2 competing event), and `risk` by a horizon,
`linear_predictor`, or both; `score` (points) and `group` where there are any.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.performance import calibration, roc, thresholds
from models.performance.brier import accuracy_at
from models.performance.censoring import Weights
from models.performance.concordance import Concordance, harrell, uno
from models.performance.cutpoint import own_cutpoint
from models.performance.decision_curve import decision_curve_at
from models.performance.enough import Minimum
from models.performance.evaluation import (
    Band,
    Evaluation,
    Options,
    accuracy_figures,
    distances,
    or_missing,
    shown_curve,
    too_few,
)
from models.performance.figures import Figure, as_frame, figure, missing
from models.performance.followup import Array, BadPredictions, Followup, column, followup
from models.performance.groups import group_curves, log_rank


def evaluate_followup(
    frame: pl.DataFrame, horizon: float | None, options: Options | None = None
) -> Evaluation:
    """Return the figures of predictions with follow-up. Raises BadPredictions.

    Without a horizon, or without risks by it, what needs them is left out.
    """
    options = options or Options()
    outcomes = followup(frame)
    told = _Told(frame, horizon)
    if horizon is None and told.risk is not None:
        raise BadPredictions("risks without a horizon: by when?")
    inside = outcomes if horizon is None else outcomes.cut(horizon)
    seen = int((inside.event == 1).sum())
    minimum = Minimum(seen, options.minimum_events, per_year=options.events_per_year)
    if not minimum.met:
        figures = too_few(minimum, told.risk, told.linear, horizon, plain=False)
        return Evaluation(len(frame), seen, as_frame(figures))
    band = None if told.risk is None else Band(told.risk)
    made = list(_with_followup(outcomes, told, options, band))
    if told.risk is None or horizon is None:
        return Evaluation(len(frame), seen, as_frame(made))
    groups = _groups(frame, outcomes, told, horizon, options)
    risk = told.risk
    return Evaluation(
        len(frame),
        seen,
        as_frame(made),
        shown_curve(
            lambda: calibration.curve(outcomes, risk, horizon), risk, band, options.repeats
        ),
        decision_curve_at(outcomes, risk, horizon, options.thresholds),
        groups,
    )


@dataclass(frozen=True)
class _Told:
    """What a frame predicts."""

    frame: pl.DataFrame
    horizon: float | None

    @property
    def risk(self) -> Array | None:
        if "risk" not in self.frame.columns:
            return None
        risk = column(self.frame, "risk")
        if ((risk < 0) | (risk > 1)).any():
            raise BadPredictions("column risk: not between 0 and 1")
        return risk

    @property
    def linear(self) -> Array:
        """The linear predictor; without one log(-log(1 - risk)), which is it but for a constant."""
        if "linear_predictor" in self.frame.columns:
            return column(self.frame, "linear_predictor")
        if self.risk is None:
            raise BadPredictions("want a column risk or linear_predictor")
        return calibration.log_hazard(self.risk)

    @property
    def marker(self) -> Array:
        """What ranks the patients: the linear predictor, else the risk."""
        if "linear_predictor" in self.frame.columns or self.risk is None:
            return self.linear
        return self.risk

    @property
    def score(self) -> Array:
        """What a cut-off is on."""
        if "score" in self.frame.columns:
            return column(self.frame, "score")
        return self.linear if self.risk is None else self.risk


def _with_followup(
    outcomes: Followup, told: _Told, options: Options, band: Band | None
) -> Iterator[Figure]:
    horizon = told.horizon
    if outcomes.has_competing:
        yield missing("harrell_c", "not with competing events: see uno_c", horizon)
    else:
        how = "Harrell, all follow-up"
        yield _c("harrell_c_all", harrell(outcomes, told.marker), how, None)
    if horizon is None:
        return
    if not outcomes.has_competing:
        how = "Harrell, cut at the horizon"
        yield _c("harrell_c", harrell(outcomes.cut(horizon), told.marker), how, horizon)
    weights = Weights(outcomes, horizon)
    how = "Wolbers" if outcomes.has_competing else "Uno"
    how = f"{how}, G(T-), tau = the horizon, included"
    yield _c("uno_c", uno(outcomes, told.marker, horizon), how, horizon)
    auc, error = roc.auc_at(weights, told.marker)
    how = "cases up to and including the horizon; controls beyond it"
    how += ", or with a competing event" if outcomes.has_competing else ""
    yield figure("auc", auc, error, how, horizon=horizon, limits=(0, 1))
    if told.risk is not None:
        assert band is not None  # noqa: S101
        yield from _of_risk(outcomes, weights, told.linear, band, options)
    elif not outcomes.has_competing:
        made = partial(calibration.slope, outcomes, told.linear, None, horizon)
        yield or_missing("slope", horizon, made)
    yield from _of_cutoff(outcomes, weights, told, options)


def _c(name: str, found: Concordance, how: str, horizon: float | None) -> Figure:
    return figure(name, found.c, found.error, how, horizon=horizon, limits=(0, 1))


def _of_risk(
    outcomes: Followup, weights: Weights, linear: Array, band: Band, options: Options
) -> Iterator[Figure]:
    h, risk = weights.horizon, band.risk
    yield from accuracy_figures(accuracy_at(weights, risk), h)
    yield from calibration.observed_to_expected(weights, risk)
    yield or_missing("intercept", h, lambda: calibration.intercept(outcomes, risk, h))
    yield or_missing("slope", h, lambda: calibration.slope(outcomes, linear, risk, h))

    def refit(drawn: NDArray[np.int64]) -> Array:
        return band.keep(risk[drawn], calibration.curve(outcomes[drawn], risk[drawn], h))

    yield from distances(risk, refit, calibration.curve_name(outcomes), options, h)


def _of_cutoff(
    outcomes: Followup, weights: Weights, told: _Told, options: Options
) -> Iterator[Figure]:
    h, score = weights.horizon, told.score
    if options.cutoff is not None:
        yield from thresholds.at_cutoff_by(weights, score, options.cutoff, options.side)
    cases, controls = weights.case * weights.weight, weights.free * weights.weight
    if cases.any() and controls.any():
        best = thresholds.youden(cases, controls, score)
        how = "largest sensitivity + specificity - 1 on these data, high at or above"
        yield Figure("own_cutoff_youden", best.cutoff, np.nan, np.nan, np.nan, how, h)
        yield Figure("own_cutoff_youden_j", best.youden, np.nan, np.nan, np.nan, how, h)
    found = own_cutpoint(outcomes, score)
    if found is not None:
        how = "maximally selected log-rank, 10 % on either side, low at or below"
        yield Figure("own_cutpoint", found.cutoff, np.nan, np.nan, np.nan, how)
        how = "smaller of Lausen 1992 and 1994"
        yield Figure("own_cutpoint_p", found.p_value, np.nan, np.nan, np.nan, how)


def _groups(
    frame: pl.DataFrame, outcomes: Followup, told: _Told, horizon: float, options: Options
) -> pl.DataFrame:
    if "group" in frame.columns:
        group = frame["group"].cast(pl.String).fill_null("unknown")
    elif options.cutoff is not None:
        high = thresholds.is_high(told.score, options.cutoff, options.side)
        group = pl.Series("group", np.where(high, "high", "low"))
    else:
        return pl.DataFrame()
    times = [round(horizon * part / 5, 6) for part in range(1, 6)]
    curves = group_curves(outcomes, group, times)
    test = log_rank(outcomes, group)
    return curves.with_columns(
        log_rank_chi2=pl.lit(test.chi2 if test else None, pl.Float64),
        log_rank_p=pl.lit(test.p_value if test else None, pl.Float64),
    )
