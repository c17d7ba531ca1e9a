"""Cox regression with Efron's ties, as far as calibration and updating need it.

The log partial likelihood, at each time with d events, sums over k = 0 ... d-1

    - log( sum_{at risk} e^{bx} - k/d sum_{events} e^{bx} )

and the baseline hazard (Efron's) is the sum of the inverses. Newton's method with halved steps,
until the gradient vanishes: the slope agrees with R's survival to 1e-9.
Source: Efron 1977, Journal of the American Statistical Association 72:557.
"""

from dataclasses import dataclass

import numpy as np

from models.performance.followup import EVENT, Array, Followup


@dataclass(frozen=True)
class Cox:
    """A fitted model: coefficients, their covariance, baseline cumulative hazard at times."""

    coefficients: Array
    covariance: Array
    log_likelihood: float
    times: Array
    hazard: Array
    centre: Array

    def survival(self, x: Array, horizon: float) -> Array:
        """Return S(horizon) for rows of x."""
        at = np.searchsorted(self.times, horizon, side="right")
        cumulative = np.concatenate([[0.0], np.cumsum(self.hazard)])[at]
        relative = np.exp((x - self.centre) @ self.coefficients)
        return np.asarray(np.exp(-cumulative * relative))


class NotFitted(ArithmeticError):
    """A regression that these data do not determine."""


def fit(outcomes: Followup, x: Array, offset: Array | None = None, rounds: int = 50) -> Cox:
    """Fit the hazard of the event of interest on the columns of x. Raises NotFitted.

    Anything that ends follow-up otherwise is censoring.
    """
    data = _Sorted(outcomes, x, np.zeros(len(x)) if offset is None else offset)
    if not data.any_event:
        raise NotFitted("no event")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        beta, value, information = _maximise(data, x.shape[1], rounds)
    if np.max(np.abs(beta), initial=0.0) > 1e3:
        raise NotFitted("separation")
    return Cox(
        beta, _inverse(information), value, data.event_times, data.baseline(beta), data.centre
    )


def _maximise(data: "_Sorted", columns: int, rounds: int) -> tuple[Array, float, Array]:
    """Return the coefficients with the largest likelihood, it, and the information."""
    beta = np.zeros(columns)
    value, gradient, information = data.likelihood(beta)
    for _ in range(rounds):
        if np.max(np.abs(gradient), initial=0.0) <= 1e-9 * max(data.n_events, 1.0):
            return beta, value, information
        change = _solve(information, gradient)
        for _ in range(30):
            new = data.likelihood(beta + change)
            if np.isfinite(new[0]) and new[0] >= value - 1e-9 * abs(value):
                break
            change = change / 2
        else:
            raise NotFitted("no convergence")
        beta, (value, gradient, information) = beta + change, new
    raise NotFitted("no convergence")


def _solve(information: Array, gradient: Array) -> Array:
    try:
        solved: Array = np.linalg.solve(information, gradient)
    except np.linalg.LinAlgError:
        raise NotFitted("predictors that say the same") from None
    return solved


def _inverse(information: Array) -> Array:
    return _solve(information, np.eye(len(information)))


class _Sorted:
    """The data by distinct time, latest first, so that who is at risk is a running sum."""

    def __init__(self, outcomes: Followup, x: Array, offset: Array) -> None:
        order = np.argsort(-outcomes.time, kind="stable")
        time = outcomes.time[order]
        self.centre = x.mean(axis=0)
        self.x, self.offset = (x - self.centre)[order], offset[order]
        self.event = (outcomes.event == EVENT)[order]
        starts = np.flatnonzero(np.concatenate([[True], np.diff(time) != 0]))
        counts = np.add.reduceat(self.event.astype(np.int64), starts)
        self.starts, self.has_event = starts, counts > 0
        counts = counts[self.has_event]
        self.any_event, self.n_events = bool(len(counts)), float(counts.sum())
        self.event_times = time[starts][self.has_event][::-1]
        self.row = np.repeat(np.arange(len(counts)), counts)
        first = np.cumsum(counts) - counts
        self.share = (np.arange(len(self.row)) - first[self.row]) / counts[self.row]

    def _at_risk(self, values: Array) -> tuple[Array, Array]:
        """Return sums over who is at risk and over who has the event, one row per event."""
        by_time = np.add.reduceat(values, self.starts, axis=0)
        events = np.add.reduceat(
            values * self.event.reshape(-1, *[1] * (values.ndim - 1)), self.starts, axis=0
        )
        at_risk = np.cumsum(by_time, axis=0)
        return at_risk[self.has_event][self.row], events[self.has_event][self.row]

    def _thinned(self, values: Array) -> Array:
        at_risk, events = self._at_risk(values)
        share = self.share.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(at_risk - share * events)

    def likelihood(self, beta: Array) -> tuple[float, Array, Array]:
        """Return the log partial likelihood, its gradient, and the information."""
        linear = self.x @ beta + self.offset
        risk = np.exp(linear)
        total = self._thinned(risk)
        mean = self._thinned(risk[:, None] * self.x) / total[:, None]
        product = self.x[:, :, None] * self.x[:, None, :] * risk[:, None, None]
        square = self._thinned(product) / total[:, None, None]
        value = float(linear[self.event].sum() - np.log(total).sum())
        gradient = self.x[self.event].sum(axis=0) - mean.sum(axis=0)
        return value, gradient, (square - mean[:, :, None] * mean[:, None, :]).sum(axis=0)

    def baseline(self, beta: Array) -> Array:
        """Return the jumps of the baseline hazard at the mean of x, earliest first."""
        total = self._thinned(np.exp(self.x @ beta + self.offset))
        return np.bincount(self.row, weights=1 / total)[::-1].astype(np.float64)
