"""The log-rank test of a handful of patients, by hand."""

import numpy as np
import polars as pl
import pytest

from models.performance.followup import Followup
from models.performance.groups import LogRank, log_rank


def compared(time: list[float], event: list[int], group: list[str]) -> LogRank | None:
    return log_rank(Followup(np.array(time), np.array(event)), pl.Series(group))


def test_until_the_last_two_at_risk_each_event_adds_its_variance() -> None:
    found = compared([1, 4, 2, 3], [1, 1, 1, 1], ["A", "A", "B", "B"])
    assert found is not None
    expected, variance = 1 / 2 + 1 / 3 + 1 / 2 + 1, 1 / 4 + 2 / 9 + 1 / 4
    assert found.observed.tolist() == [2, 2]
    assert found.expected.tolist() == pytest.approx([expected, 4 - expected])
    assert found.chi2 == pytest.approx((2 - expected) ** 2 / variance)
    assert found.degrees == 1


def test_events_of_one_day_leave_fewer_ways() -> None:
    found = compared([1, 1, 1, 2], [1, 1, 0, 0], ["A", "A", "B", "B"])
    assert found is not None
    # Two of four die: (4 - 2) / (4 - 1) of the variance of two that are drawn one by one.
    assert found.chi2 == pytest.approx((2 - 1) ** 2 / (2 * 2 / 3 / 4))


def test_a_competing_event_is_no_event_and_one_group_has_no_test() -> None:
    competing = compared([1, 4, 2, 3], [2, 1, 1, 1], ["A", "A", "B", "B"])
    censored = compared([1, 4, 2, 3], [0, 1, 1, 1], ["A", "A", "B", "B"])
    assert competing is not None and censored is not None
    assert competing.chi2 == censored.chi2
    assert compared([1, 2], [1, 1], ["A", "A"]) is None
