"""What a Cox model takes for granted, and where it starts: proportional hazards, and the baseline.

- **Proportional hazards**: the score test of adding c g(t) to each coefficient of a term, with
  g(t) = 1 - Kaplan-Meier's survival just before t; the global test adds all at once. With
  d_k = x - mean of x at the k-th event and V_k the covariance there,

      U = sum g_k d_k,   chi2 = U' [ sum g_k^2 V_k - (sum g_k V_k) (sum V_k)^-1 (sum g_k V_k) ]^-1 U

  Source: Grambsch and Therneau 1994, Biometrika 81:515; as R's cox.zph since survival 3.0.
- **Baseline survival** where every column is 0: exp(-H(t)), H the sum of the inverse summed risks
  (Efron's), with the error that the coefficients add. Interval on log(-log S).
  Source: Therneau and Grambsch 2000, Modeling survival data, section 10.2.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.stats import chi2

from models.performance.cox import Cox, RiskSets
from models.performance.figures import Z
from models.performance.followup import Array, Followup


def proportional(
    outcomes: Followup,
    x: Array,
    fitted: Cox,
    terms: Sequence[tuple[str, Sequence[int]]],
    entry: Array | None = None,
) -> pl.DataFrame:
    """Return one row per term and one for all: term, chi2, degrees, p_value.

    `terms` are names with the columns of x that belong to each.
    """
    sets = RiskSets(outcomes, x, np.zeros(len(x)), entry)
    _, mean, spread = sets.moments(fitted.coefficients)
    # The events of a day share their means.
    day = 1 - sets.survival_before()
    score = day @ (sets.x[sets.event] - mean)
    plain, once, twice = (
        np.einsum("k,kij->ij", weight, spread) for weight in (np.ones(len(day)), day, day**2)
    )
    rows = []
    for name, chosen in [*terms, ("all", range(x.shape[1]))]:
        of = list(chosen)
        left = twice[np.ix_(of, of)] - once[of] @ np.linalg.solve(plain, once[:, of])
        value = float(score[of] @ np.linalg.solve(left, score[of]))
        p = float(chi2.sf(value, len(of)))
        rows.append({"term": name, "chi2": value, "degrees": len(of), "p_value": p})
    return pl.DataFrame(rows)


def baseline(
    outcomes: Followup,
    x: Array,
    fitted: Cox,
    years: Sequence[float],
    entry: Array | None = None,
) -> pl.DataFrame:
    """Return one row per horizon: years, survival, lower, upper, log_error (of the log hazard)."""
    sets = RiskSets(outcomes, x, np.zeros(len(x)), entry)
    total, mean, _ = sets.moments(fitted.coefficients)
    at = sets.event_times[::-1][sets.row]
    relative = float(np.exp(-sets.centre @ fitted.coefficients))
    rows = []
    for horizon in years:
        by_then = at <= horizon
        jump = relative / total[by_then]
        hazard = float(jump.sum())
        drift = jump @ (mean[by_then] + sets.centre)
        variance = float(np.sum(jump**2) + drift @ fitted.covariance @ drift)
        error = np.sqrt(variance) / hazard if hazard > 0 else np.nan
        lower, upper = (float(np.exp(-hazard * np.exp(s * Z * error))) for s in (1, -1))
        row = {"years": horizon, "survival": float(np.exp(-hazard)), "lower": lower, "upper": upper}
        rows.append(row | {"log_error": float(error)})
    return pl.DataFrame(rows)
