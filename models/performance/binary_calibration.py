"""Calibration of a probability against a plain outcome, known for everybody.

- **O/E**: events over summed probabilities, on the log scale; the interval knows that the mean
  probability is of the same patients. Beside it the one that takes it as known:
  var(log O/E) = (1 - O) / events (Debray 2017, BMJ 356:i6460).
- **Intercept** (calibration in the large): a in logit(risk) = a + logit(p); 0 is right.
- **Slope**: b in logit(risk) = a + b logit(p); 1 is right.
- **Curve**: loess (parabolas, span 0.75) of the outcome on p (Austin and Steyerberg 2014 and 2019,
  Statistics in Medicine 33:517 and 38:4051). R's rms smooths by lowess instead.
- **ICI, E50, E90**: mean, median and 90th percentile of |curve - p|.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.performance import logistic
from models.performance.censoring import error_of
from models.performance.figures import Figure, figure
from models.performance.followup import Array
from models.performance.loess import loess

CURVE = "loess (parabolas, span 0.75) of the outcome"


def log_odds(p: Array) -> Array:
    """Return log(p / (1 - p)); probabilities of 0 and 1 stand a hair inside."""
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def observed_to_expected(outcome: NDArray[np.bool_], p: Array) -> Iterator[Figure]:
    """Yield observed share, mean probability, and their ratio in two ways."""
    observed, expected = float(outcome.mean()), float(p.mean())
    own = outcome - observed
    yield figure("observed", observed, error_of(own), "share with the outcome", scale="logit")
    yield figure("expected", expected, error_of(p - expected), "mean probability", scale="logit")
    change = own / expected - observed * (p - expected) / expected**2
    how = "events / summed probabilities"
    yield figure("oe", observed / expected, error_of(change), how, scale="log")
    known = f"{how}, these taken as known"
    yield figure(
        "oe_expected_known", observed / expected, error_of(own) / expected, known, scale="log"
    )


def intercept(outcome: NDArray[np.bool_], p: Array) -> Figure:
    """Return the calibration in the large. Raises NotFitted."""
    fitted = logistic.fit(outcome * 1.0, np.ones((len(p), 1)), log_odds(p))
    error = float(np.sqrt(fitted.covariance[0, 0]))
    how = "logistic model, offset logit(p)"
    return figure("intercept", float(fitted.coefficients[0]), error, how)


def slope(outcome: NDArray[np.bool_], p: Array) -> Figure:
    """Return the calibration slope. Raises NotFitted."""
    design = np.column_stack([np.ones(len(p)), log_odds(p)])
    fitted = logistic.fit(outcome * 1.0, design, np.zeros(len(p)))
    error = float(np.sqrt(fitted.covariance[1, 1]))
    return figure("slope", float(fitted.coefficients[1]), error, "logistic model on logit(p)")


def curve(outcome: NDArray[np.bool_], p: Array) -> Array:
    """Return the share with the outcome at each probability. Raises NotFitted."""
    return loess(p, outcome * 1.0)
