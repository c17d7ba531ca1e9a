"""All figures of probabilities of a plain outcome, known for everybody.

A frame with `y` (0, 1) and the probability `p`; `score` (points) where there is one.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.performance import binary_calibration, roc, thresholds
from models.performance.brier import accuracy
from models.performance.decision_curve import decision_curve
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
from models.performance.figures import Figure, as_frame, figure
from models.performance.followup import Array, BadPredictions, column


def evaluate_plain(frame: pl.DataFrame, options: Options | None = None) -> Evaluation:
    """Return the figures of probabilities `p` of a plain outcome `y`. Raises BadPredictions."""
    options = options or Options()
    y, p = column(frame, "y"), column(frame, "p")
    if not np.isin(y, (0, 1)).all():
        raise BadPredictions("column y: want 0 or 1")
    if ((p < 0) | (p > 1)).any():
        raise BadPredictions("column p: not between 0 and 1")
    outcome = y == 1
    rarer = int(min(outcome.sum(), (~outcome).sum()))
    minimum = Minimum(
        rarer, options.minimum_events, "events or non-events", options.events_per_year
    )
    if not minimum.met:
        figures = too_few(minimum, p, binary_calibration.log_odds(p), None, plain=True)
        return Evaluation(len(frame), int(outcome.sum()), as_frame(figures))
    score = column(frame, "score") if "score" in frame.columns else p
    band = Band(p)
    made = as_frame(_plain(outcome, score, options, band))
    return Evaluation(
        len(frame),
        int(outcome.sum()),
        made,
        shown_curve(lambda: binary_calibration.curve(outcome, p), p, band, options.repeats),
        decision_curve(outcome, p, options.thresholds),
    )


def _plain(
    outcome: NDArray[np.bool_], score: Array, options: Options, band: Band
) -> Iterator[Figure]:
    p = band.risk
    auc, error = roc.auc(outcome, p)
    yield figure("auc", auc, error, "DeLong", limits=(0, 1))
    yield from accuracy_figures(accuracy(outcome, p), None)
    yield from binary_calibration.observed_to_expected(outcome, p)
    yield or_missing("intercept", None, lambda: binary_calibration.intercept(outcome, p))
    yield or_missing("slope", None, lambda: binary_calibration.slope(outcome, p))

    def refit(drawn: NDArray[np.int64]) -> Array:
        return band.keep(p[drawn], binary_calibration.curve(outcome[drawn], p[drawn]))

    yield from distances(p, refit, binary_calibration.CURVE, options, None)
    if options.cutoff is not None:
        yield from thresholds.at_cutoff(outcome, score, options.cutoff, options.side)
    best = thresholds.youden(outcome * 1.0, ~outcome * 1.0, score)
    how = "largest sensitivity + specificity - 1 on these data, high at or above"
    yield Figure("own_cutoff_youden", best.cutoff, np.nan, np.nan, np.nan, how)
    yield Figure("own_cutoff_youden_j", best.youden, np.nan, np.nan, np.nan, how)
