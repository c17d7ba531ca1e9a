"""Poisson regression of events on expected events: hazards that are constant in pieces.

    events ~ Poisson( expected exp(offset + x b) )

With `expected` the cumulative hazard by a model over the time that each patient was watched, b = 0
says that the model is right. Late entry and censoring need nothing more.
Source: Berry 1983, Biometrics 39:173; Crowson, Atkinson and Therneau 2016, Statistical Methods in
Medical Research 25:1692.
"""

from dataclasses import dataclass

import numpy as np

from models.performance.cox import NotFitted
from models.performance.followup import Array


@dataclass(frozen=True)
class Poisson:
    """A fitted model: coefficients, their covariance, log likelihood (but for a constant)."""

    coefficients: Array
    covariance: Array
    log_likelihood: float


def fit(events: Array, expected: Array, x: Array, offset: Array, rounds: int = 100) -> Poisson:
    """Fit the columns of x; rows with nothing expected must have no event. Raises NotFitted."""
    beta = np.zeros(x.shape[1])

    def likelihood(beta: Array) -> float:
        linear = offset + x @ beta
        with np.errstate(over="ignore"):
            return float(np.sum(events * linear - expected * np.exp(linear)))

    value = likelihood(beta)
    for _ in range(rounds):
        mean = expected * np.exp(offset + x @ beta)
        information = (x * mean[:, None]).T @ x
        try:
            change = np.linalg.solve(information, x.T @ (events - mean))
        except np.linalg.LinAlgError:
            raise NotFitted("predictors that say the same, or separation") from None
        if np.max(np.abs(change), initial=0.0) < 1e-12:
            break
        for _ in range(60):
            new = likelihood(beta + change)
            if new >= value - 1e-9 * abs(value):
                break
            change = change / 2
        beta, value = beta + change, new
        if np.max(np.abs(beta), initial=0.0) > 1e3:
            raise NotFitted("separation")
    else:
        raise NotFitted("no convergence")
    return Poisson(beta, np.linalg.inv(information), value)
