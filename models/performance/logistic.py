"""Logistic regression, as calibration, updating and development need it.

    log( p / (1 - p) ) = offset + x b

by Newton's method until the gradient vanishes, without penalty unless told (scikit-learn's has one
unless told not to). With weights the errors are the sandwich's, the weights taken as known.
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


def fit(
    outcome: Array,
    x: Array,
    offset: Array,
    rounds: int = 100,
    *,
    weight: Array | None = None,
    penalty: Array | None = None,
) -> Logistic:
    """Fit the columns of x (an intercept is a column of ones). Raises NotFitted."""
    beta = np.zeros(x.shape[1])
    w = np.ones(len(x)) if weight is None else weight
    drawn = np.zeros(x.shape[1]) if penalty is None else penalty

    def likelihood(beta: Array) -> float:
        return _log_likelihood(outcome, offset + x @ beta, w) - float(drawn @ beta**2) / 2

    value = likelihood(beta)
    for _ in range(rounds):
        p = _expit(offset + x @ beta)
        gradient = x.T @ (w * (outcome - p)) - drawn * beta
        information = (x * (w * p * (1 - p))[:, None]).T @ x + np.diag(drawn)
        try:
            change = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            raise NotFitted("predictors that say the same, or separation") from None
        if np.max(np.abs(change), initial=0.0) < 1e-12:
            break
        for _ in range(30):
            new = likelihood(beta + change)
            if new >= value - 1e-9 * abs(value):
                break
            change = change / 2
        beta, value = beta + change, new
        if np.max(np.abs(beta), initial=0.0) > 1e3:
            raise NotFitted("separation")
    else:
        raise NotFitted("no convergence")
    covariance = np.linalg.inv(information)
    if weight is not None:
        scores = x * (w * (outcome - _expit(offset + x @ beta)))[:, None]
        covariance = covariance @ (scores.T @ scores) @ covariance
    return Logistic(beta, covariance, value)


def _expit(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -700, 700))))


def _log_likelihood(outcome: Array, linear: Array, weight: Array) -> float:
    return float(np.sum(weight * (outcome * linear - np.logaddexp(0, linear))))
