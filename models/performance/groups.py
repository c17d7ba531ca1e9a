"""Risk groups over time: incidence with intervals, numbers at risk, and the log-rank test.

The incidence is Kaplan-Meier's (1 - S), or Aalen-Johansen's with competing events; its interval is
on log(-log S), Greenwood's error. The log-rank test compares observed with expected events over
all follow-up; with competing events it compares cause-specific hazards, these being censored.

    Z = O - E,  V_gh = sum_u d (Y - d)/(Y - 1) (Y_g/Y)([g = h] - Y_h/Y),  chi2 = Z' V^- Z

Source: Peto and Peto 1972, Journal of the Royal Statistical Society A 135:185.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import chi2

from models.performance.censoring import Weights, error_of
from models.performance.figures import interval
from models.performance.followup import EVENT, Array, Followup


def group_curves(outcomes: Followup, group: pl.Series, times: Sequence[float]) -> pl.DataFrame:
    """Return one row per group and time: incidence, lower, upper, at_risk, events, n.

    At risk is who is watched at that time or beyond; events are those up to it.
    """
    rows = []
    for name in group.unique().sort():
        own = outcomes[(group == name).to_numpy()]
        for time in times:
            weights = Weights(own, time)
            incidence, influence = weights.influence(weights.case.astype(float))
            lower, upper = interval(incidence, error_of(influence), "loglog")
            rows.append(
                {
                    "group": str(name),
                    "time": float(time),
                    "incidence": incidence,
                    "lower": lower,
                    "upper": upper,
                    "at_risk": int((own.time >= time).sum()),
                    "events": int(weights.case.sum()),
                    "n": len(own),
                }
            )
    return pl.DataFrame(rows).with_columns(pl.col("lower", "upper").fill_nan(None))


@dataclass(frozen=True)
class LogRank:
    """The statistic, its degrees of freedom and p-value; observed and expected by group."""

    chi2: float
    degrees: int
    p_value: float
    observed: Array
    expected: Array


def log_rank(outcomes: Followup, group: pl.Series) -> LogRank | None:
    """Return the log-rank test between groups, in their sorted order; None with one group."""
    code = group.rank("dense").to_numpy().astype(np.int64) - 1
    k = int(code.max()) + 1
    if k < 2:
        return None
    times, place = np.unique(outcomes.time, return_inverse=True)
    here = np.zeros((len(times), k))
    events = np.zeros((len(times), k))
    np.add.at(here, (place, code), 1)
    np.add.at(events, (place, code), outcomes.event == EVENT)
    at_risk = here[::-1].cumsum(axis=0)[::-1]
    total, dead = at_risk.sum(axis=1), events.sum(axis=1)
    share = at_risk / total[:, None]
    observed, expected = events.sum(axis=0), (share * dead[:, None]).sum(axis=0)
    spread = np.where(total > 1, dead * (total - dead) / np.maximum(total - 1, 1), 0.0)
    variance = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    difference = (observed - expected)[:-1]
    statistic = float(difference @ np.linalg.pinv(variance[:-1, :-1]) @ difference)
    return LogRank(statistic, k - 1, float(chi2.sf(statistic, k - 1)), observed, expected)
