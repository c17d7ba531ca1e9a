"""Logistic regression without penalty, as far as calibration and updating need it.

    log( p / (1 - p) ) = offset + x b

by Newton's method until the gradient vanishes. (scikit-learn's penalises unless told not to.)
"""

from dataclasses import dataclass

import numpy as np

from models.performance.cox import NotFitted
from models.performance.followup import Array


@dataclass(frozen=True)
class Logistic:
    """A fitted model: coefficients, their covariance, log likelihood."""

    coefficients: Array
    covariance: Array
    log_likelihood: float


def fit(outcome: Array, x: Array, offset: Array, rounds: int = 100) -> Logistic:
    """Fit the columns of x (an intercept is a column of ones). Raises NotFitted."""
    beta = np.zeros(x.shape[1])
    value = _log_likelihood(outcome, offset)
    for _ in range(rounds):
        p = _expit(offset + x @ beta)
        gradient = x.T @ (outcome - p)
        information = (x * (p * (1 - p))[:, None]).T @ x
        try:
            change = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            raise NotFitted("predictors that say the same, or separation") from None
        if np.max(np.abs(change), initial=0.0) < 1e-12:
            break
        for _ in range(30):
            new = _log_likelihood(outcome, offset + x @ (beta + change))
            if new >= value - 1e-9 * abs(value):
                break
            change = change / 2
        beta, value = beta + change, new
        if np.max(np.abs(beta), initial=0.0) > 1e3:
            raise NotFitted("separation")
    else:
        raise NotFitted("no convergence")
    return Logistic(beta, np.linalg.inv(information), value)


def _expit(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -700, 700))))


def _log_likelihood(outcome: Array, linear: Array) -> float:
    return float(np.sum(outcome * linear - np.logaddexp(0, linear)))
