"""Cox regression with Efron's ties, as calibration, updating and development need it.

The log partial likelihood, at each time with d events, sums over k = 0 ... d-1

    - log( sum_{at risk} e^{bx} - k/d sum_{events} e^{bx} )

and the baseline hazard (Efron's) is the sum of the inverses. Newton's method with halved steps,
until the gradient vanishes: the slope agrees with R's survival to 1e-9. Who came under observation
late is at risk from after `entry` on. A penalty takes sum(penalty b^2)/2 from the likelihood.
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


def fit(
    outcomes: Followup,
    x: Array,
    offset: Array | None = None,
    rounds: int = 50,
    *,
    entry: Array | None = None,
    penalty: Array | None = None,
) -> Cox:
    """Fit the hazard of the event of interest on the columns of x. Raises NotFitted.

    Anything that ends follow-up otherwise is censoring.
    """
    data = RiskSets(outcomes, x, np.zeros(len(x)) if offset is None else offset, entry)
    if not data.any_event:
        raise NotFitted("no event")
    drawn = np.zeros(x.shape[1]) if penalty is None else penalty
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        beta, value, information = _maximise(data, drawn, rounds)
    if np.max(np.abs(beta), initial=0.0) > 1e3:
        raise NotFitted("separation")
    return Cox(
        beta, _inverse(information), value, data.event_times, data.baseline(beta), data.centre
    )


def _maximise(data: "RiskSets", penalty: Array, rounds: int) -> tuple[Array, float, Array]:
    """Return the coefficients with the largest likelihood, it, and the information."""

    def likelihood(beta: Array) -> tuple[float, Array, Array]:
        value, gradient, information = data.likelihood(beta)
        less = value - float(penalty @ beta**2) / 2
        return less, gradient - penalty * beta, information + np.diag(penalty)

    beta = np.zeros(len(penalty))
    value, gradient, information = likelihood(beta)
    for _ in range(rounds):
        if np.max(np.abs(gradient), initial=0.0) <= 1e-9 * max(data.n_events, 1.0):
            return beta, value, information
        change = _solve(information, gradient)
        for _ in range(30):
            new = likelihood(beta + change)
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


class RiskSets:
    """The data by distinct time, latest first, so that who is at risk is a running sum."""

    def __init__(
        self, outcomes: Followup, x: Array, offset: Array, entry: Array | None = None
    ) -> None:
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
        self.late = None if entry is None else np.argsort(-entry[order], kind="stable")
        if entry is not None and self.late is not None:
            # How many were not yet watched when each event came.
            entries = entry[order][self.late]
            self.not_yet = np.searchsorted(-entries, -self.event_times[::-1], side="right")

    def _at_risk(self, values: Array) -> tuple[Array, Array]:
        """Return sums over who is at risk and over who has the event, one row per event."""
        by_time = np.add.reduceat(values, self.starts, axis=0)
        events = np.add.reduceat(
            values * self.event.reshape(-1, *[1] * (values.ndim - 1)), self.starts, axis=0
        )
        at_risk = np.cumsum(by_time, axis=0)[self.has_event]
        if self.late is not None:
            later = np.cumsum(values[self.late], axis=0)
            later = np.concatenate([np.zeros((1, *values.shape[1:])), later])
            at_risk = at_risk - later[self.not_yet]
        return at_risk[self.row], events[self.has_event][self.row]

    def _thinned(self, values: Array) -> Array:
        at_risk, events = self._at_risk(values)
        share = self.share.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(at_risk - share * events)

    def likelihood(self, beta: Array) -> tuple[float, Array, Array]:
        """Return the log partial likelihood, its gradient, and the information."""
        linear = self.x @ beta + self.offset
        total, mean, spread = self.moments(beta)
        value = float(linear[self.event].sum() - np.log(total).sum())
        gradient = self.x[self.event].sum(axis=0) - mean.sum(axis=0)
        return value, gradient, spread.sum(axis=0)

    def moments(self, beta: Array) -> tuple[Array, Array, Array]:
        """Return the summed risk, the mean of x and its covariance at each event, latest first."""
        risk = np.exp(self.x @ beta + self.offset)
        total = self._thinned(risk)
        mean = self._thinned(risk[:, None] * self.x) / total[:, None]
        product = self.x[:, :, None] * self.x[:, None, :] * risk[:, None, None]
        square = self._thinned(product) / total[:, None, None]
        return total, mean, square - mean[:, :, None] * mean[:, None, :]

    def survival_before(self) -> Array:
        """Return Kaplan-Meier's survival just before each event, latest first."""
        at_risk, events = self._at_risk(np.ones(len(self.x)))
        first = np.flatnonzero(np.concatenate([[True], np.diff(self.row) != 0]))
        left = (1 - events[first] / at_risk[first])[::-1]
        before = np.concatenate([[1.0], np.cumprod(left)[:-1]])[::-1]
        return np.asarray(before[self.row])

    def baseline(self, beta: Array) -> Array:
        """Return the jumps of the baseline hazard at the mean of x, earliest first."""
        total = self._thinned(np.exp(self.x @ beta + self.offset))
        return np.bincount(self.row, weights=1 / total)[::-1].astype(np.float64)
