"""Pseudo-observations: what each patient adds to the incidence, as a stand-in for its outcome.

    theta_i = n F(h) - (n - 1) F_{-i}(h)

with F Aalen-Johansen's incidence and F_{-i} the same without patient i, exactly, in one pass.
Without censoring it is 1 with the event by h and 0 else. Their mean, given any predictor, is the
risk given that predictor (as long as censoring hangs on nothing), so they can be regressed on.
Source: Andersen, Klein and Rosthoj 2003, Biometrika 90:15.
"""

from dataclasses import dataclass

import numpy as np

from models.performance.cox import NotFitted
from models.performance.curves import before, life_table, step
from models.performance.followup import CENSORED, EVENT, Array, Followup


def pseudo_observations(outcomes: Followup, horizon: float) -> Array:
    """Return the pseudo-observation of the event by the horizon, per patient."""
    outcomes = outcomes.cut(horizon)
    table = life_table(outcomes)
    n = len(outcomes)
    dead = table.events + table.competing
    fewer = np.maximum(table.at_risk - 1, 1)
    survival_less = np.cumprod(1 - np.minimum(dead / fewer, 1))
    incidence_less = np.cumsum(before(survival_less) * table.events / fewer)
    place = np.searchsorted(table.time, outcomes.time)
    s_before = before(survival_less)[place]
    f_before = before(incidence_less, 0.0)[place]
    left = table.at_risk[place] - 1
    at_least = np.maximum(left, 1)
    own_dead = dead[place] - (outcomes.event != CENSORED)
    own_events = table.events[place] - (outcomes.event == EVENT)
    s_own = s_before * (1 - own_dead / at_least)
    f_own = f_before + s_before * own_events / at_least
    total = float(step(table.time, table.incidence, horizon, 0.0))
    s_now = table.survival[place]
    rest = np.divide(total - table.incidence[place], s_now, out=np.zeros(n), where=s_now > 0)
    return np.asarray(n * total - (n - 1) * (f_own + s_own * rest))


@dataclass(frozen=True)
class Regressed:
    """Coefficients of a regression of pseudo-observations, and their robust covariance."""

    coefficients: Array
    covariance: Array


def regress(pseudo: Array, x: Array, offset: Array, rounds: int = 200) -> Regressed:
    """Regress pseudo-observations on x by log(-log(1 - risk)) = offset + x b. Raises NotFitted.

    Solves sum D_i' (theta_i - mu_i) = 0, D the derivative of mu, with the sandwich covariance:
    the generalised estimating equations with independence, as R's geepack has them.
    """
    beta = np.zeros(x.shape[1])
    for _ in range(rounds):
        mean, slope = _mean(offset + x @ beta)
        most = np.sum((pseudo - mean) ** 2) * (1 + 1e-12)
        derivative = slope[:, None] * x
        score = derivative.T @ (pseudo - mean)
        information = derivative.T @ derivative
        try:
            change = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            raise NotFitted("predictors that say the same") from None
        if np.max(np.abs(change)) < 1e-10:
            break
        # The equations are those of least squares, so a step that lengthens the distance is halved.
        for _ in range(40):
            if np.sum((pseudo - _mean(offset + x @ (beta + change))[0]) ** 2) <= most:
                break
            change = change / 2
        beta = beta + change
    else:
        raise NotFitted("no convergence")
    mean, slope = _mean(offset + x @ beta)
    derivative = slope[:, None] * x
    bread = np.linalg.inv(derivative.T @ derivative)
    meat = derivative * (pseudo - mean)[:, None]
    return Regressed(beta, bread @ (meat.T @ meat) @ bread)


def _mean(linear: Array) -> tuple[Array, Array]:
    hazard = np.exp(np.clip(linear, -500, 50))
    survival = np.exp(-hazard)
    return 1 - survival, survival * hazard
