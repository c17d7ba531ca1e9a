"""The data's own cut-point for survival: maximally selected log-rank statistics.

Each patient has the log-rank score a = event - sum over events j no later of 1/(n - g_j + 1), with
g_j how many have a time up to T_j. For a cut-point m of n patients low,

    T(m) = (sum of a over the low - m mean(a)) / sqrt( m (n-m) / (n (n-1)) sum (a - mean(a))^2 )

and the data's cut-point is where |T| is largest among those that leave 10 % on either side. As the
largest of many it is no ordinary statistic; two bounds on its p-value, the smaller one counts:

- Lausen and Schumacher 1992 (Biometrics 48:73): the supremum of a Brownian bridge;
- Lausen, Sauerbrei and Schumacher 1994: an improved Bonferroni inequality over the cut-points.

It is reported beside the published cut-off and never replaces it.
Source: Hothorn and Lausen 2003, Computational Statistics & Data Analysis 43:121 (R's maxstat,
which survminer's surv_cutpoint calls).
"""

from dataclasses import dataclass
from math import erfc, exp, log, pi, sqrt

import numpy as np

from models.performance.followup import EVENT, Array, Followup


@dataclass(frozen=True)
class CutPoint:
    """The cut-point (low: at or below it), its statistic, p-values, and how many are low."""

    cutoff: float
    statistic: float
    p_lausen_1992: float
    p_lausen_1994: float
    low: int

    @property
    def p_value(self) -> float:
        """The smaller of the two bounds."""
        return min(self.p_lausen_1992, self.p_lausen_1994)


def log_rank_scores(outcomes: Followup) -> Array:
    """Return each patient's log-rank score."""
    n = len(outcomes)
    times, place, here = np.unique(outcomes.time, return_inverse=True, return_counts=True)
    event = (outcomes.event == EVENT).astype(float)
    events = np.bincount(place, weights=event, minlength=len(times))
    up_to = here.cumsum()
    return np.asarray(event - np.cumsum(events / (n - up_to + 1))[place])


def own_cutpoint(outcomes: Followup, marker: Array, share: float = 0.1) -> CutPoint | None:
    """Return the data's own cut-point; None when no cut leaves `share` on either side."""
    n = len(outcomes)
    scores = log_rank_scores(outcomes)
    values, place, here = np.unique(marker, return_inverse=True, return_counts=True)
    low = here.cumsum()
    allowed = (low >= np.floor(n * share)) & (low <= np.floor(n * (1 - share))) & (low < n)
    if not allowed.any():
        return None
    total = np.cumsum(np.bincount(place, weights=scores))[allowed]
    values, low = values[allowed], low[allowed]
    spread = low * (n - low) / (n * (n - 1)) * np.sum((scores - scores.mean()) ** 2)
    statistics = np.abs(total - low * scores.mean()) / np.sqrt(spread)
    best = int(np.argmax(statistics))
    top = float(statistics[best])
    return CutPoint(
        float(values[best]),
        top,
        lausen_1992(top, share, 1 - share),
        lausen_1994(top, n, low),
        int(low[best]),
    )


def lausen_1992(statistic: float, low: float, high: float) -> float:
    """Return the bound of the supremum between two shares; at most 1."""
    if statistic <= 0:
        return 1.0
    density = exp(-(statistic**2) / 2) / sqrt(2 * pi)
    spread = log(high * (1 - low) / ((1 - high) * low))
    p = 4 * density / statistic + density * (statistic - 1 / statistic) * spread
    return min(max(p, 0.0), 1.0)


def lausen_1994(statistic: float, n: int, low: Array) -> float:
    """Return the improved Bonferroni bound over the cut-points; at most 1."""
    alone = erfc(statistic / sqrt(2))
    if len(low) < 2:
        return alone
    first, second = low[:-1] / n, low[1:] / n
    t = np.sqrt(1 - first * (1 - second) / ((1 - first) * second))
    terms = exp(-(statistic**2) / 2) / pi * (t - (statistic**2 / 4 - 1) * t**3 / 6)
    return float(min(max(alone + terms.sum(), 0.0), 1.0))
