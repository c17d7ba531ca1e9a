"""From which change each comparison warns and refuses, and how many it must concern."""

import polars as pl
import pytest

from transforms.acceptance.compare import CHANGE, judged
from transforms.acceptance.tolerances import WORDS, Tolerances

LIMITS: dict[str, tuple[float, float, int]] = {
    "rows_lost": (0.05, 0.25, 5),
    "rows_gained": (0.5, 2, 50),
    "rows_aside": (0.05, 0.15, 5),
    "rows_later": (0.02, 0.15, 5),
    "patients_gone": (0.01, 0.1, 5),
    "patients_new": (0.5, 2, 25),
    "cells_emptied": (0.2, 0.5, 5),
    "cells_filled": (0.3, 0.6, 5),
    "cells_changed": (0.05, 0.25, 5),
    "quantiles": (2, 5, 20),
    "units": (0.1, 0.3, 5),
    "unit_new_or_gone": (0, 0.1, 5),
    "newest_back": (30, 365, 20),
    "newest_age": (90, 730, 1),
    "extraction_age": (8, 45, 1),
    "identical_nights": (1, 14, 1),
    "flags_moved": (0.1, 0.3, 5),
}
"""A change from which it warns, one from which it refuses, and how many it must concern."""

STEP = 1e-6


def verdicts(change_of: int, step: float, fewer: int = 0) -> dict[str, str]:
    """Return the verdict on a change so far from a limit of each comparison."""
    rows = [
        (what, "here", 0.0, 0.0, limits[change_of] + step, float(limits[2] - fewer))
        for what, limits in LIMITS.items()
    ]
    found = judged(pl.DataFrame(rows, schema=CHANGE, orient="row"), Tolerances())
    return dict(found.select("what", pl.col("verdict").cast(pl.String)).iter_rows())


def test_every_comparison_has_its_limits() -> None:
    assert set(LIMITS) | {"nights"} == set(WORDS) == set(Tolerances.model_fields)
    assert Tolerances().nights == 7


@pytest.mark.parametrize(
    ("limit", "step", "fewer", "verdict"),
    [
        (0, -STEP, 0, "fine"),
        (1, -STEP, 0, "warned"),
        (1, 0, 0, "refused"),
        (1, STEP, 0, "refused"),
        (1, 0, 1, "fine"),
    ],
)
def test_each_limit_is_included_and_fewer_are_not_judged(
    limit: int, step: float, fewer: int, verdict: str
) -> None:
    assert verdicts(limit, step, fewer) == dict.fromkeys(LIMITS, verdict)


def test_a_warning_begins_at_its_limit_and_nothing_is_no_change() -> None:
    at = dict.fromkeys(LIMITS, "warned") | {"unit_new_or_gone": "fine"}
    assert verdicts(0, 0) == at
