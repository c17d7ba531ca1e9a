"""The reconstructions meet every figure they are made from, and the shipped constants fit them."""

from pathlib import Path

import numpy as np
import pytest

from models.reconstruction import jin2025, jin2025_pfs, liu2022
from models.reconstruction.fidelity import (
    jin2025_figures,
    liu2022_figures,
    page,
    pfs_figures,
)
from models.reconstruction.maxent import InfeasibleError, tilt
from models.spec import library

FIDELITY = Path(__file__).parents[2] / "docs" / "fidelity.md"


def test_the_table_meets_every_margin_the_counts_the_spread_and_the_auc() -> None:
    table = liu2022.maximum_entropy()
    for group, shares, size in ((0, table.with_rrdtc, 223), (1, table.without, 181)):
        margins = [counts[group] for counts in liu2022.MARGINS.values()]
        assert size * shares @ liu2022.PATTERNS == pytest.approx(margins, abs=0.02)
        high = size * shares[liu2022.POINTS >= 10].sum()
        assert high == pytest.approx(liu2022.HIGH[group], abs=0.02)
    assert table.auc == pytest.approx(0.898, abs=1e-4)


def test_the_mean_points_follow_from_92_recurrences_and_not_from_56() -> None:
    assert liu2022.mean_points(0) == pytest.approx(33.96, abs=0.005)
    assert liu2022.mean_points(0, 56) == pytest.approx(32.83, abs=0.005)
    assert liu2022.mean_points(1) == pytest.approx(3.82, abs=0.005)


def test_the_shipped_intercept_lies_in_the_range_that_the_figures_allow() -> None:
    shipped = library()["liu2022_nomogram"].intercept
    assert shipped is not None and shipped.interval is not None
    low, high = liu2022.intercept_range()
    assert low < liu2022.maximum_entropy().intercept < high
    assert low < shipped.value < high
    assert shipped.interval == pytest.approx((low, high), abs=0.006)


def test_without_spread_and_auc_the_intercept_is_lower() -> None:
    table = liu2022.maximum_entropy(with_sd=False, with_auc=False)
    assert (table.intercept, table.auc) == (
        pytest.approx(-1.76, abs=0.005),
        pytest.approx(0.914, abs=0.0005),
    )


def test_what_disagrees_is_only_what_the_card_says() -> None:
    differ = [figure.what for figure in liu2022_figures() if not figure.agrees]
    assert differ == ["probability, 48 or older with recurrence", "probability, and several sites"]


def test_the_cohort_of_jin_has_the_groups_survival_and_share() -> None:
    cohort = jin2025.overall()
    baseline = jin2025.overall_baseline(cohort)
    assert cohort.survival(baseline[5]) == pytest.approx(0.925, abs=1e-4)
    assert cohort.survival(baseline[10]) == pytest.approx(0.80, abs=1e-3)
    assert cohort.survival(baseline[10], cohort.high) == pytest.approx(0.374, abs=2e-3)
    assert cohort.survival(baseline[10], 1 - cohort.high) == pytest.approx(0.862, abs=2e-3)
    assert cohort.share_high == pytest.approx(0.127, abs=1e-3)


def test_independent_predictors_separate_the_groups_too_much() -> None:
    cohort = jin2025.overall(independent=True)
    ten = jin2025.overall_baseline(cohort)[10]
    assert cohort.survival(ten, cohort.high) < 0.30
    assert cohort.survival(ten, 1 - cohort.high) > 0.90


def test_the_deaths_that_were_not_fitted_come_out() -> None:
    cohort = jin2025.overall()
    deaths = jin2025.expected_deaths(cohort, jin2025.overall_baseline(cohort))
    assert deaths == pytest.approx(52, abs=4)


def test_the_shipped_baseline_survival_is_the_reconstructed_one() -> None:
    found, intervals = jin2025.overall_baseline(jin2025.overall()), jin2025.overall_interval()
    for horizon in library()["jin2025_os"].baseline:
        assert horizon.survival.value == pytest.approx(found[horizon.years], abs=1e-4)
        assert horizon.survival.interval == pytest.approx(intervals[horizon.years], abs=1e-4)


def test_119_progressions_lie_within_what_the_shipped_pfs_baseline_allows() -> None:
    shipped = {b.years: b.survival for b in library()["jin2025_pfs"].baseline}
    middle, intervals = jin2025_pfs.baseline(0.7), jin2025_pfs.baseline_interval()
    bounds = jin2025_pfs.events_range(shipped[10].value, 0.7)
    assert bounds is not None
    assert bounds[0] < 119 < bounds[1]
    for years, survival in shipped.items():
        assert survival.value == pytest.approx(middle[years], abs=2e-3)
        assert survival.interval == pytest.approx(intervals[years], abs=2e-3)


def test_the_shipped_pfs_ratios_are_the_reconstructed_ones() -> None:
    found = jin2025_pfs.missing_ratios()
    model = library()["jin2025_pfs"]
    shipped = {lv.value: lv.effect.value for p in model.predictors for lv in p.levels}
    assert shipped["FTC"] == pytest.approx(found["ftc"], abs=2e-3)
    assert shipped["secondary_nonuptake"] == pytest.approx(found["secondary"], abs=2e-3)


def test_the_shipped_axes_give_25_75_points_per_unit() -> None:
    assert jin2025.axes((30, 250), 5).points_per_unit == pytest.approx(25.75, abs=0.005)
    assert jin2025.axes((30, 250), 7).share_high < 0.03


def test_refitting_age_as_binary_raises_its_odds_ratio() -> None:
    intercept, refit = liu2022.refitted()
    assert intercept == pytest.approx(-1.9, abs=0.1)
    assert 1.8 < np.exp(refit["age_48"]) < 2.6


def test_no_cohort_has_the_groups_survival_with_a_baseline_far_off() -> None:
    assert jin2025_pfs.events_range(0.9, 0.7) is None


def test_only_the_training_c_index_of_jin_disagrees() -> None:
    differ = [figure.what for figure in jin2025_figures() if not figure.agrees]
    assert differ == ["C-index, training"]


def test_the_progression_free_figures_agree() -> None:
    assert [figure.what for figure in pfs_figures() if not figure.agrees] == []


def test_the_page_in_docs_is_current() -> None:
    assert FIDELITY.read_text() == page(), "run `make reconstruct`"


def test_constraints_that_cannot_be_met_are_refused() -> None:
    even = np.full(2, 0.5)
    with pytest.raises(InfeasibleError):
        tilt(even, np.array([[0.0], [1.0]]), np.array([1.5]))
