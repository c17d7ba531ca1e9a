"""Every published figure that can be computed, beside what comes out of the shipped constants."""

from dataclasses import dataclass
from importlib.resources import files
from math import exp, log
from typing import Literal

import numpy as np

from models.cards import rendered
from models.cohorts import GBQ, JIN_ALL
from models.reconstruction import activity, follow_up, jin2025, jin2025_pfs, liu2022, tables
from models.spec import library

Verdict = Literal["fitted", "follows", "conflicts"]


@dataclass(frozen=True)
class Figure:
    """A published figure and the reproduced one.

    fitted: it was used, so it holds by construction; or it was one of several that a constant
    lies between. follows: it was not used and comes out, within what rounding or its standard
    error leaves open. conflicts: it does not come out.
    """

    what: str
    published: str
    reproduced: str
    verdict: Verdict
    why: str = ""


def liu2022_figures() -> list[Figure]:
    """Return the figures of Liu 2022."""
    table = liu2022.maximum_entropy()
    (true, false), with_, without = liu2022.HIGH, liu2022.WITH, liu2022.WITHOUT
    sensitivity, specificity = true / with_, 1 - false / without
    accuracy = 100 * (true + without - false) / (with_ + without)
    shipped = _number("liu2022_nomogram")
    older = liu2022.probability(shipped, "age_48", "recurrence")
    sites = liu2022.probability(shipped, "age_48", "recurrence", "site_count")
    same = "points and linear predictor order the 16 patterns alike, so it is the fitted AUC"
    binary = "not with the published odds ratios, for an FDG-negative patient"
    return [
        _follows("mean points, RR-DTC", 33.96, liu2022.mean_points(0), 0.005, "from the margins"),
        _follows("mean points, not RR-DTC", 3.82, liu2022.mean_points(1), 0.005, "the same"),
        _fitted("SD of points, RR-DTC", 18.80, _sd(table.with_rrdtc, with_)),
        _fitted("SD of points, not RR-DTC", 10.09, _sd(table.without, without)),
        _fitted("AUC of the points", 0.898, table.auc),
        _fitted("C-index of the nomogram", 0.90, table.auc, same),
        _follows("sensitivity at 10 points, %", 76.0, 100 * sensitivity, 0.5, "169 of 223"),
        _follows("specificity at 10 points, %", 93.0, 100 * specificity, 0.5, "168 of 181"),
        _follows("Youden index at 10 points", 0.69, sensitivity + specificity - 1, 0.005),
        _follows("accuracy at 10 points, %", 83.41, accuracy, 0.01, "337 of 404"),
        _over("probability, 48 or older with recurrence", 0.90, older, binary),
        _over("probability, and several sites", 0.99, sites, binary),
    ]


def activity_figures() -> list[Figure]:
    """Return the figures of the first activity, to which both cohorts of Jin 2025 are held."""
    shares = activity.shares()
    mean = float(shares @ activity.ROUND)
    spread = float(np.sqrt(shares @ (activity.ROUND - mean) ** 2))
    cumulative = np.cumsum(shares)
    # The optimum stands on the quartiles themselves: the last bit must not decide.
    places = np.searchsorted(cumulative, np.array([0.25, 0.5, 0.75]) + 1e-6)
    quartiles = [f"{activity.ROUND[place]:g}" for place in places]
    return [
        _fitted("first activity, mean, GBq", 6.05, mean / GBQ),
        _fitted("first activity, SD, GBq", 1.35, spread / GBQ),
        Figure(
            "first activity, quartiles, mCi",
            "150; 180; 200",
            "; ".join(quartiles),
            "fitted",
            "many share one: activities are round",
        ),
    ]


def jin2025_figures() -> list[Figure]:
    """Return the figures of Jin 2025 on overall survival, from the shipped baseline survival."""
    cohort, errors = jin2025.overall(), jin2025.standard_errors()
    shipped = {b.years: b.survival.value for b in library()["jin2025_os"].baseline}
    five, ten = shipped[5], shipped[10]
    shape = log(log(ten) / log(five)) / log(2)
    low, high = (cohort.survival(ten, group) for group in (1 - cohort.high, cohort.high))
    deaths = JIN_ALL * follow_up.expected_events(cohort.weights, cohort.hazard, ten, shape)
    c_index = follow_up.c_index(cohort.weights, cohort.hazard, ten, shape)
    shares = [100 * jin2025.axes(axis).share_high for axis in jin2025.POSSIBLE_AXES]
    drawn = f"{min(shares):.1f} to {max(shares):.1f} over the axes that may have been drawn"
    return [
        _fitted("5-year survival, %", 92.5, 100 * cohort.survival(five)),
        _fitted("10-year survival, %", 80.0, 100 * cohort.survival(ten)),
        _estimate("10-year survival, low risk, %", 86.2, 100 * low, 100 * errors["low"]),
        _estimate("10-year survival, high risk, %", 37.4, 100 * high, 100 * errors["high"]),
        Figure(
            "share above 191 points, % (derived)",
            f"{100 * jin2025.OS_SHARE_HIGH:.3g}",
            f"{100 * cohort.share_high:.3g}",
            "conflicts",
            drawn,
        ),
        _estimate("deaths of 412", 52, deaths, 7),
        _within("C-index, training", 0.877, c_index, (0.821, 0.933)),
        _within("C-index, validation", 0.818, c_index, (0.742, 0.893)),
    ]


def pfs_figures() -> list[Figure]:
    """Return the figures of Jin 2025 on progression-free survival."""
    ten, shape = _shipped_pfs()
    cohort, errors = jin2025_pfs.cohort(), jin2025_pfs.standard_errors(shape)
    ours = jin2025_pfs.reproduced(ten, shape)
    c_index = follow_up.c_index(cohort.weights, cohort.hazard, ten, shape)
    between = "the baseline lies between the three: {:.1f} standard errors off"

    def one(what: str, published: float, name: str, scale: float = 1) -> Figure:
        off = (scale * ours[name] - published) / (scale * errors[name])
        verdict: Verdict = "conflicts" if abs(off) > 1 else "fitted"
        found = f"{scale * ours[name]:.3g}"
        return Figure(what, f"{published:g}", found, verdict, between.format(off))

    return [
        one("progressions of 412", 119, "events"),
        one("10-year survival, low risk, %", 81.1, "low", 100),
        one("10-year survival, high risk, %", 51.9, "high", 100),
        _within("C-index, training", 0.646, c_index, (0.584, 0.709)),
        _within("C-index, validation", 0.692, c_index, (0.613, 0.770)),
    ]


UNCHECKED = {
    "calibration curves and nomogram pictures (both papers)": "drawn, not printed as numbers",
    "3- and 5-year survival of the groups (Jin 2025, Table S1)": "not in the text",
    "mean cumulative activity, responses (Jin 2025)": "no model uses them",
    "optimal cut-offs of 10, 191 and 67 points": "chosen from outcomes that are not printed",
}
"""Published figures that nothing here can reach, and why."""


def sensitivity() -> list[tuple[str, float, float]]:
    """Return, for example patients, the probability as published and as refitted."""
    intercept, refit = refitted()
    patients: dict[str, tuple[str, ...]] = {
        "none of the four": (),
        "48 or older": ("age_48",),
        "recurrence": ("recurrence",),
        "several sites": ("site_count",),
        "FDG uptake": ("fdg_uptake",),
        "48 or older, FDG uptake": ("age_48", "fdg_uptake"),
        "all four": tuple(liu2022.MARGINS),
    }
    shipped = _number("liu2022_nomogram")
    return [
        (
            what,
            liu2022.probability(shipped, *worse),
            liu2022.probability(intercept, *worse, effects_of=refit),
        )
        for what, worse in patients.items()
    ]


def refitted() -> tuple[float, dict[str, float]]:
    """Return the shipped intercept and effects of the refit."""
    refit = library()["liu2022_nomogram"].refit
    assert refit  # noqa: S101
    of = {name: log(next(iter(by.values())).value) for name, by in refit.effects.items()}
    return refit.intercept.value, of


def _number(name: str) -> float:
    intercept = library()[name].intercept
    assert intercept  # noqa: S101
    return intercept.value


def _shipped_pfs() -> tuple[float, float]:
    """Return the shipped 10-year baseline survival, and the Weibull shape from 5 to 10 years."""
    shipped = {b.years: b.survival.value for b in library()["jin2025_pfs"].baseline}
    return shipped[10], log(log(shipped[10]) / log(shipped[5])) / log(2)


def _sd(shares: liu2022.Array, size: int) -> float:
    mean = shares @ liu2022.POINTS
    variance = shares @ (liu2022.POINTS - mean) ** 2
    return float(np.sqrt(variance * size / (size - 1)))


def _fitted(what: str, published: float, found: float, why: str = "") -> Figure:
    return Figure(what, f"{published:g}", f"{found:.4g}", "fitted", why)


def _follows(what: str, published: float, found: float, within: float, why: str = "") -> Figure:
    verdict: Verdict = "follows" if abs(found - published) <= within + 1e-9 else "conflicts"
    return Figure(what, f"{published:g}", f"{found:.4g}", verdict, why)


def _estimate(what: str, published: float, found: float, error: float) -> Figure:
    """Return a figure that is an estimate: it follows within 1.96 of its standard errors."""
    why = f"its standard error is about {error:.2g}"
    return _follows(what, published, found, 1.96 * error, why)


def _within(what: str, published: float, found: float, interval: tuple[float, float]) -> Figure:
    verdict: Verdict = "follows" if interval[0] <= found <= interval[1] else "conflicts"
    why = f"its interval is {interval[0]:g} to {interval[1]:g}"
    return Figure(what, f"{published:g}", f"{found:.3g}", verdict, why)


def _over(what: str, published: float, found: float, why: str) -> Figure:
    verdict: Verdict = "follows" if found > published else "conflicts"
    return Figure(what, f"> {published:g}", f"{found:.3g}", verdict, why)


def page() -> str:
    """Return docs/fidelity.md."""
    baseline = jin2025_pfs.baseline()
    return rendered(
        files("models.reconstruction").joinpath("fidelity.md.jinja"),
        liu=liu2022_figures(),
        activity=activity_figures(),
        jin=jin2025_figures(),
        pfs=pfs_figures(),
        unchecked=UNCHECKED,
        tables=_tables(),
        refits=_refits(),
        shipped=library()["liu2022_nomogram"].intercept,
        sensitivity=sensitivity(),
        evidence=liu2022.recurrence_evidence(),
        cohorts=_cohorts(),
        interval=jin2025.overall_interval(),
        axes=[jin2025.axes(a, n) for a in jin2025.POSSIBLE_AXES for n in (5, 7)],
        ratios=jin2025_pfs.missing_ratios(),
        baseline=baseline,
        progressions=jin2025_pfs.baseline(progressions_only=True),
    )


def _tables() -> dict[str, dict[str, float]]:
    rows = {}
    for prior in tables.PRIORS:
        sampled = tables.sample(prior)
        found = tables.intercepts(sampled)
        low, middle, high = np.percentile(found, [2.5, 50, 97.5])
        rows[prior] = {"number": len(found), "low": low, "middle": middle, "high": high}
        rows[prior] |= {"lowest": found.min(), "highest": found.max()}
    return rows


def _refits() -> dict[str, dict[str, str]]:
    """Return by prior the refitted odds ratios: median and 95 % of the tables."""
    rows = {}
    for prior in tables.PRIORS:
        found = np.percentile(tables.refits(tables.sample(prior)), [2.5, 50, 97.5], axis=0)
        words = {"intercept": "{1:.2f} ({0:.2f} to {2:.2f})".format(*found[:, 0])}
        for position, name in enumerate(liu2022.MARGINS, start=1):
            ratios = [exp(effect) for effect in found[:, position]]
            words[name] = "{1:.1f} ({0:.1f} to {2:.1f})".format(*ratios)
        rows[prior] = words
    return rows


def _cohorts() -> dict[str, dict[str, float]]:
    """Return S0 and what it implies, with independent and with correlated predictors."""
    cohorts = {
        "the margins, predictors independent": jin2025.overall(independent=True),
        "and the univariate hazard ratios (shipped)": jin2025.overall(),
    }
    rows = {}
    for what, cohort in cohorts.items():
        found = jin2025.overall_baseline(cohort)
        rows[what] = {f"s{years}": survival for years, survival in found.items()} | {
            "low": 100 * cohort.survival(found[10], 1 - cohort.high),
            "high": 100 * cohort.survival(found[10], cohort.high),
            "share": 100 * cohort.share_high,
        }
    return rows
