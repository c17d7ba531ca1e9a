"""The reconstructions meet every figure they are made from, and the shipped constants fit them."""

from pathlib import Path

import numpy as np
import pytest

from models.cohorts import GBQ, LIU_COUNTS
from models.reconstruction import activity, follow_up, jin2025, jin2025_pfs, liu2022, tables
from models.reconstruction.fidelity import (
    activity_figures,
    jin2025_figures,
    liu2022_figures,
    page,
    pfs_figures,
    sensitivity,
)
from models.reconstruction.maxent import InfeasibleError, tilt
from models.spec import library

FIDELITY = Path(__file__).parents[2] / "docs" / "fidelity.md"


def test_the_table_of_maximum_entropy_meets_every_figure() -> None:
    table = liu2022.maximum_entropy()
    for group, shares, size in ((0, table.with_rrdtc, 223), (1, table.without, 181)):
        margins = [counts[group] for counts in LIU_COUNTS.values()]
        assert size * shares @ liu2022.PATTERNS == pytest.approx(margins, abs=0.02)
        high = size * shares[liu2022.POINTS >= 10].sum()
        assert high == pytest.approx(liu2022.HIGH[group], abs=0.02)
    assert table.auc == pytest.approx(0.898, abs=1e-4)


def test_the_mean_points_follow_from_92_recurrences_and_not_from_56() -> None:
    assert liu2022.mean_points(0) == pytest.approx(33.96, abs=0.005)
    assert liu2022.mean_points(0, 56) == pytest.approx(32.83, abs=0.005)
    assert liu2022.mean_points(1) == pytest.approx(3.82, abs=0.005)


@pytest.mark.parametrize("prior", list(tables.PRIORS))
def test_every_sampled_table_meets_every_printed_figure(prior: str) -> None:
    sampled = tables.sample(prior)
    assert len(sampled.with_rrdtc) > 500
    points = liu2022.POINTS
    for group, counts in enumerate((sampled.with_rrdtc, sampled.without)):
        size = (223, 181)[group]
        assert counts.min() >= 0
        assert (counts.sum(axis=1) == size).all()
        margins = [of[group] for of in LIU_COUNTS.values()]
        assert (counts @ liu2022.PATTERNS == margins).all()
        assert (counts[:, points >= 10].sum(axis=1) == liu2022.HIGH[group]).all()
        mean = counts @ points / size
        sd = np.sqrt((counts @ points**2 - size * mean**2) / (size - 1))
        assert np.abs(sd - liu2022.POINTS_SD[group]).max() <= 0.005 + 1e-9
    more = np.where(points[:, None] > points, 1.0, 0.5 * (points[:, None] == points))
    auc = np.einsum("ni,ij,nj->n", sampled.with_rrdtc, more, sampled.without) / 223 / 181
    assert np.abs(auc - 0.898).max() <= 0.0005 + 1e-9


@pytest.mark.parametrize("prior", list(tables.PRIORS))
def test_the_shipped_intercept_is_that_of_the_sampled_tables(prior: str) -> None:
    shipped = library()["liu2022_nomogram"].intercept
    assert shipped is not None
    found = tables.intercepts(tables.sample(prior))
    assert shipped.value == pytest.approx(np.median(found), abs=0.01)
    low, high = shipped.bounds
    assert low <= found.min() and found.max() <= high


def test_the_interval_of_the_intercept_is_not_wider_than_the_tables_ask_for() -> None:
    low, high = library()["liu2022_nomogram"].intercept.bounds  # type: ignore[union-attr]
    found = tables.intercepts(tables.sample("Dirichlet 1/2"))
    assert found.min() - low < 0.03
    assert high - found.max() < 0.03


@pytest.mark.parametrize("prior", list(tables.PRIORS))
def test_the_shipped_refit_is_that_of_the_sampled_tables(prior: str) -> None:
    refit = library()["liu2022_nomogram"].refit
    assert refit
    middle = np.median(tables.refits(tables.sample(prior)), axis=0)
    assert refit.intercept.value == pytest.approx(middle[0], abs=0.06)
    for name, logged in zip(LIU_COUNTS, middle[1:], strict=True):
        (shipped,) = refit.effects[name].values()
        assert np.log(shipped.value) == pytest.approx(logged, abs=0.15), name


def test_refitting_swaps_what_recurrence_and_several_sites_weigh() -> None:
    shown = {what: (published, refit) for what, published, refit in sensitivity()}
    assert shown["recurrence"] == pytest.approx((0.57, 0.37), abs=0.01)
    assert shown["several sites"] == pytest.approx((0.44, 0.50), abs=0.01)


def test_the_activities_have_the_published_mean_spread_and_quartiles() -> None:
    given = activity.at_quantiles((np.arange(100_000) + 0.5) / 100_000)
    assert given.mean() / GBQ == pytest.approx(6.05, abs=0.005)
    assert given.std() / GBQ == pytest.approx(1.35, abs=0.005)
    one_patient = 1 / 412
    for quartile, share in ((150, 0.25), (180, 0.5), (200, 0.75)):
        assert (given < quartile).mean() <= share + one_patient
        assert (given <= quartile).mean() >= share - one_patient
    assert (given.min(), given.max()) == (30, 250)


def test_the_cohort_of_jin_has_the_margins_and_the_activities() -> None:
    cohort, people = jin2025.overall(), jin2025._people()
    shares = {"male": 93, "age_55": 111, "other_organs": 61, "stg_500": 132, "uptake": 134}
    for name, count in shares.items():
        assert 288 * cohort.weights @ people[name] == pytest.approx(count, abs=0.5), name
    mean = cohort.weights @ people["activity"]
    spread = np.sqrt(cohort.weights @ (people["activity"] - mean) ** 2)
    assert (mean / GBQ, spread / GBQ) == pytest.approx((6.05, 1.35), abs=0.01)


def test_the_shipped_os_baseline_is_the_reconstructed_one() -> None:
    cohort = jin2025.overall()
    found, intervals = jin2025.overall_baseline(cohort), jin2025.overall_interval()
    assert cohort.survival(found[5]) == pytest.approx(0.925, abs=1e-6)
    assert cohort.survival(found[10]) == pytest.approx(0.80, abs=1e-6)
    for horizon in library()["jin2025_os"].baseline:
        assert horizon.survival.value == pytest.approx(found[horizon.years], abs=1e-4)
        assert horizon.survival.bounds == pytest.approx(intervals[horizon.years], abs=1e-4)


def test_the_shipped_pfs_baseline_is_the_reconstructed_one() -> None:
    found = jin2025_pfs.baseline()
    for horizon in library()["jin2025_pfs"].baseline:
        assert horizon.survival.value == pytest.approx(found.survival[horizon.years], abs=1e-3)
        assert horizon.survival.bounds == pytest.approx(found.interval[horizon.years], abs=1e-3)


def test_the_shipped_pfs_ratios_are_the_reconstructed_ones() -> None:
    found = jin2025_pfs.missing_ratios()
    model = library()["jin2025_pfs"]
    shipped = {lv.value: lv.effect.value for p in model.predictors for lv in p.levels}
    assert shipped["FTC"] == pytest.approx(found["ftc"], abs=2e-3)
    assert shipped["secondary_nonuptake"] == pytest.approx(found["secondary"], abs=2e-3)


def test_progressions_alone_ask_for_a_lower_pfs_than_with_the_groups() -> None:
    alone, both = jin2025_pfs.baseline(progressions_only=True), jin2025_pfs.baseline()
    assert alone.survival[10] < both.survival[10] - 0.03


def test_the_shipped_axes_give_25_75_points_per_unit() -> None:
    assert jin2025.axes((30, 250)).points_per_unit == pytest.approx(25.75, abs=0.005)
    assert jin2025.axes((30, 250), 7).share_high < 0.03


def test_the_possible_axes_of_the_model_files_are_those_of_the_reconstruction() -> None:
    for name in ("jin2025_os", "jin2025_pfs"):
        (axis,) = [p.axis for p in library()[name].predictors if p.name == "activity_mci"]
        assert axis
        drawn = [(axis.low.value, axis.high.value), *((a.low, a.high) for a in axis.alternatives)]
        assert tuple(drawn) == jin2025.POSSIBLE_AXES


def test_the_standard_error_without_censoring_is_binomial() -> None:
    error = follow_up.standard_error(0.8, 0.01, 1.0, 100)
    assert error == pytest.approx(np.sqrt(0.8 * 0.2 / 100), rel=0.01)


def test_the_c_index_is_that_of_simulated_patients() -> None:
    rng = np.random.default_rng(3)
    hazard, size = np.array([0.5, 1.0, 4.0]), 3000
    of = rng.choice(hazard, size)
    event = 10 * (rng.exponential(size=size) / (-np.log(0.7) * of)) ** (1 / 1.5)
    censored = rng.choice(follow_up.years(), size)
    time, seen = np.minimum(event, censored), event <= censored
    concordant = pairs = 0.0
    for n in np.flatnonzero(seen):
        later = of[time > time[n]]
        pairs += len(later)
        concordant += (later < of[n]).sum() + (later == of[n]).sum() / 2
    expected = follow_up.c_index(np.full(3, 1 / 3), hazard, 0.7, 1.5)
    assert concordant / pairs == pytest.approx(expected, abs=0.02)


def test_what_conflicts_is_only_what_the_cards_say() -> None:
    figures = [*liu2022_figures(), *activity_figures(), *jin2025_figures(), *pfs_figures()]
    assert [figure.what for figure in figures if figure.verdict == "conflicts"] == [
        "probability, 48 or older with recurrence",
        "probability, and several sites",
        "share above 191 points, % (derived)",
        "progressions of 412",
        "10-year survival, low risk, %",
    ]


def test_the_page_in_docs_is_current() -> None:
    assert FIDELITY.read_text() == page(), "run `make reconstruct`"


def test_constraints_that_cannot_be_met_are_refused() -> None:
    even = np.full(2, 0.5)
    with pytest.raises(InfeasibleError):
        tilt(even, np.array([[0.0], [1.0]]), np.array([1.5]))
