"""Every published figure that can be computed, beside what comes out of the shipped constants."""

from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from models.cards import rendered
from models.reconstruction import jin2025, jin2025_pfs, liu2022
from models.spec import library


@dataclass(frozen=True)
class Figure:
    """A published figure and the reproduced one; `agrees` within what the paper rounds away."""

    what: str
    published: str
    reproduced: str
    agrees: bool
    why: str = ""


def liu2022_figures() -> list[Figure]:
    """Return the figures of Liu 2022."""
    table = liu2022.maximum_entropy()
    (true, false), with_, without = liu2022.HIGH, liu2022.WITH, liu2022.WITHOUT
    sensitivity, specificity = true / with_, 1 - false / without
    accuracy = 100 * (true + without - false) / (with_ + without)
    shipped = _shipped_intercept()
    older = liu2022.probability(shipped, "age_48", "recurrence")
    sites = liu2022.probability(shipped, "age_48", "recurrence", "site_count")
    forced = "holds by construction of the table"
    same = "the points and the linear predictor order the 16 patterns alike, so it is the AUC"
    binary = "does not follow from the published odds ratios for an FDG-negative patient"
    return [
        _near("mean points, RR-DTC", 33.96, liu2022.mean_points(0), 0.005),
        _near("mean points, not RR-DTC", 3.82, liu2022.mean_points(1), 0.005),
        _near("SD of points, RR-DTC", 18.80, _sd(table.with_rrdtc, with_), 0.01, forced),
        _near("SD of points, not RR-DTC", 10.09, _sd(table.without, without), 0.01, forced),
        _near("AUC of the points", 0.898, table.auc, 0.0005, forced),
        _near("C-index of the nomogram", 0.90, table.auc, 0.005, same),
        _near("sensitivity at 10 points, %", 76.0, 100 * sensitivity, 0.5, "169 of 223"),
        _near("specificity at 10 points, %", 93.0, 100 * specificity, 0.5, "168 of 181"),
        _near("Youden index at 10 points", 0.69, sensitivity + specificity - 1, 0.005),
        _near("accuracy at 10 points, %", 83.41, accuracy, 0.01, "337 of 404"),
        _over("probability, 48 or older with recurrence", 0.90, older, binary),
        _over("probability, and several sites", 0.99, sites, binary),
    ]


def jin2025_figures() -> list[Figure]:
    """Return the figures of Jin 2025 on overall survival, from the shipped baseline survival."""
    cohort = jin2025.overall()
    shipped = {b.years: b.survival.value for b in library()["jin2025_os"].baseline}
    five, ten = shipped[5], shipped[10]
    forced = "holds by construction of the cohort"
    low, high = (100 * cohort.survival(ten, group) for group in (1 - cohort.high, cohort.high))
    c_index, deaths = (
        jin2025.c_index(cohort.weights, cohort.hazard),
        jin2025.expected_deaths(cohort, shipped),
    )
    return [
        _near("5-year survival, %", 92.5, 100 * cohort.survival(five), 0.1, forced),
        _near("10-year survival, %", 80.0, 100 * cohort.survival(ten), 0.1, forced),
        _near("10-year survival, low risk, %", 86.2, low, 0.1, forced),
        _near("10-year survival, high risk, %", 37.4, high, 0.2, forced),
        _near("share above 191 points, %", 12.7, 100 * cohort.share_high, 0.1, forced),
        _near("deaths of 412", 52, deaths, 7, "chance alone: +/- 7"),
        _near("C-index, validation", 0.818, c_index, 0.076, "its interval is 0.742-0.893"),
        _near("C-index, training", 0.877, c_index, 0.056, "apparent, so optimistic"),
    ]


def pfs_figures() -> list[Figure]:
    """Return the figures of Jin 2025 on progression-free survival."""
    ten = next(b.survival.value for b in library()["jin2025_pfs"].baseline if b.years == 10)
    bounds = jin2025_pfs.events_range(ten, jin2025_pfs.SHAPES[1])
    fewest, most = bounds or (float("nan"), float("nan"))
    middle, c_index = (fewest + most) / 2, jin2025_pfs.c_index()
    groups = "some cohort with the margins has it"
    return [
        Figure("10-year survival, low risk, %", "81.1", "81.1", bounds is not None, groups),
        Figure("10-year survival, high risk, %", "51.9", "51.9", bounds is not None, groups),
        _near("progressions of 412", 119, middle, most - fewest, "the baseline is set by them"),
        _near("C-index, training", 0.646, c_index, 0.063, "its interval is 0.584-0.709"),
        _near("C-index, validation", 0.692, c_index, 0.079, "its interval is 0.613-0.770"),
    ]


def alternatives() -> list[tuple[str, float, float]]:
    """Return, for example patients, the probability as shipped and as refitted."""
    intercept, refit = liu2022.refitted()
    patients: dict[str, tuple[str, ...]] = {
        "none of the four": (),
        "48 or older": ("age_48",),
        "recurrence": ("recurrence",),
        "several sites": ("site_count",),
        "FDG uptake": ("fdg_uptake",),
        "48 or older, FDG uptake": ("age_48", "fdg_uptake"),
        "all four": tuple(liu2022.MARGINS),
    }
    shipped = _shipped_intercept()
    return [
        (
            what,
            liu2022.probability(shipped, *worse),
            liu2022.probability(intercept, *worse, effects_of=refit),
        )
        for what, worse in patients.items()
    ]


def pfs_shapes() -> dict[float, dict[str, float]]:
    """Return, by Weibull shape, S0 and the fewest and most progressions that go with it."""
    rows = {}
    for shape in jin2025_pfs.SHAPES:
        found = jin2025_pfs.baseline(shape)
        fewest, most = jin2025_pfs.events_range(round(found[10], 4), shape) or (0.0, 0.0)
        by_year = {f"s{years}": survival for years, survival in found.items()}
        rows[shape] = by_year | {"fewest": fewest, "most": most}
    return rows


def _sd(shares: liu2022.Array, size: int) -> float:
    mean = shares @ liu2022.POINTS
    variance = shares @ (liu2022.POINTS - mean) ** 2
    return float(np.sqrt(variance * size / (size - 1)))


def _near(what: str, published: float, found: float, within: float, why: str = "") -> Figure:
    agrees = abs(found - published) <= within + 1e-9
    return Figure(what, f"{published:g}", f"{found:.4g}", agrees, why)


def _over(what: str, published: float, found: float, why: str) -> Figure:
    return Figure(what, f"> {published:g}", f"{found:.3g}", found > published, why)


def page() -> str:
    """Return docs/fidelity.md."""
    low, high = liu2022.intercept_range()
    tables = {
        "the margins and the counts at the cut-off": liu2022.maximum_entropy(
            with_sd=False, with_auc=False
        ),
        "and both SDs of the points": liu2022.maximum_entropy(with_auc=False),
        "and the AUC": liu2022.maximum_entropy(),
    }
    return rendered(
        files("models.reconstruction").joinpath("fidelity.md.jinja"),
        figures=liu2022_figures(),
        jin=jin2025_figures(),
        cohorts=_cohorts(),
        interval=jin2025.overall_interval(),
        pfs=pfs_figures(),
        shapes=pfs_shapes(),
        ratios=jin2025_pfs.missing_ratios(),
        axes=[jin2025.axes(a, n) for a in ((30, 250), (20, 260), (0, 250)) for n in (3, 5, 7)],
        alternatives=alternatives(),
        refit=liu2022.refitted(),
        pfs_interval=jin2025_pfs.baseline_interval(),
        tables=tables,
        low=low,
        high=high,
        # A logistic curve is steepest at its middle, where its slope is 1/4.
        moves=(high - low) / 4,
        shipped=_shipped_intercept(),
        evidence=liu2022.recurrence_evidence(),
    )


def _shipped_intercept() -> float:
    intercept = library()["liu2022_nomogram"].intercept
    assert intercept  # noqa: S101
    return intercept.value


def _cohorts() -> dict[str, dict[str, float]]:
    """Return S0 and what it implies, for each set of figures that the cohort is held to."""
    cohorts = {
        "the margins, predictors independent": jin2025.overall(independent=True),
        "and the univariate hazard ratios": jin2025.overall(groups=False),
        "and the groups: share and survival": jin2025.overall(),
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
