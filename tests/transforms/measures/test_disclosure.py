"""What is left out stays open, to a reader who solves for it with all that is shown."""

from collections.abc import Iterator
from datetime import date
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from tests.registry import AS_OF
from tests.transforms.measures.test_measures import BY_NAME, patient
from transforms.measures.disclosure import shown
from transforms.measures.measures import measure

SMALLEST = 5
ASKED = BY_NAME["fdg_pet_at_first_131i"]
Patients = list[tuple[int, int, str, bool]]
"""Of each: year, month, centre, answer."""


class Reader:
    """Somebody who knows which rows there are, what they show, the rules, and how to calculate.

    Unknowns are the patients of each month and centre with the answer yes, and with no.
    """

    def __init__(self, published: pl.DataFrame, to: int) -> None:
        self.rows = published.to_dicts()
        self.to = to
        everybody = [row for row in self.rows if row["centre"] is None]
        self.months = sorted(row["start"] for row in everybody if row["period"] == "month")
        self.recent = min((r["start"] for r in everybody if r["period"] == "recent"), default=None)
        centres = {str(row["centre"]) for row in self.rows if row["centre"] is not None}
        # Who came before the recent years may have been of any centre.
        self.cells = list(product(self.months, sorted(centres) or ["any"]))
        limits = [self._limits(row) for row in self.rows]
        self.known = [(self._sum(r, what), *both) for r, of in zip(self.rows, limits, strict=True)
                      for what, both in of.items()]  # fmt: skip

    def _limits(self, row: dict[str, object]) -> dict[str, tuple[float, float]]:
        """Return between which numbers a reader knows the counts of a row to be."""
        if row["suppressed"]:
            return {"all": (1, np.inf)}
        return {"yes": self._interval(row["numerator"]), "all": self._interval(row["denominator"])}

    def _interval(self, count: object) -> tuple[float, float]:
        assert isinstance(count, int)
        if count == 0 or self.to == 1:
            return count, count
        return max(SMALLEST, count - self.to // 2), count + (self.to - 1) // 2

    def _within(self, row: dict[str, object], month: date, centre: str) -> bool:
        start, period = row["start"], row["period"]
        assert isinstance(start, date)
        if period == "recent":
            return month >= start and row["centre"] in (None, centre)
        length = {"month": 1, "quarter": 3, "year": 12}[str(period)]
        return 0 <= (month.year - start.year) * 12 + month.month - start.month < length

    def _sum(self, row: dict[str, object], what: str) -> np.ndarray:
        """Return which unknowns add up to a count of a row."""
        inside = np.array([self._within(row, *cell) for cell in self.cells], dtype=float)
        yes, no = {"yes": (1, 0), "no": (0, 1), "all": (1, 1)}[what]
        return np.concatenate([inside * yes, inside * no])

    def range_of(self, row: dict[str, object], what: str) -> tuple[int, int]:
        """Return between which whole numbers a count must be, given all that is published."""
        wanted = self._sum(row, what)
        matrix, lows, highs = (np.array(part) for part in zip(*self.known, strict=True))
        rules = [LinearConstraint(matrix, lows, highs), LinearConstraint(wanted, 0, 1000)]
        ends = []
        for sign in (1, -1):
            found = milp(sign * wanted, constraints=rules, integrality=np.ones(len(wanted)))
            assert found.status == 0, "the truth is one of the solutions"
            ends.append(round(sign * found.fun))
        return ends[0], ends[1]


def published(patients: Patients, to: int) -> pl.DataFrame:
    frame = pl.concat(
        patient(index_date=date(year, month, 3), centre=centre, fdg_row="I" if yes else None)
        for year, month, centre, yes in patients
    )
    return measure([ASKED], {"patients": frame}, AS_OF, SMALLEST, to)


def narrowed(patients: Patients, to: int) -> Iterator[str]:
    """Yield every small count left out that can be fewer than SMALLEST numbers."""
    reader = Reader(published(patients, to), to)
    truth = published_in_full(patients)
    for row in reader.rows:
        if not row["suppressed"]:
            continue
        true = truth[row["period"], row["start"], row["centre"]]
        for what, count in true.items():
            if 0 < count < SMALLEST:
                low, high = reader.range_of(row, what)
                assert low <= count <= high
                if high - low + 1 < SMALLEST:
                    place = f"{row['period']} {row['start']} {row['centre']}"
                    yield f"{place}: {what} is {count}, {low} to {high}"


def published_in_full(patients: Patients) -> dict[tuple[object, ...], dict[str, int]]:
    frame = pl.concat(
        patient(index_date=date(year, month, 3), centre=centre, fdg_row="I" if yes else None)
        for year, month, centre, yes in patients
    )
    rows = measure([ASKED], {"patients": frame}, AS_OF, 1, 1).to_dicts()
    return {
        (row["period"], row["start"], row["centre"]): {
            "yes": row["numerator"],
            "no": row["denominator"] - row["numerator"],
            "all": row["denominator"],
        }
        for row in rows
    }


def of_months(*yes_and_no: tuple[int, int], year: int = 2025, centre: str = "A") -> Patients:
    return [
        (year, month, centre, answer)
        for month, counts in enumerate(yes_and_no, 1)
        for answer, count in zip((True, False), counts, strict=True)
        for _ in range(count)
    ]


@pytest.mark.parametrize("to", [1, 5])
@pytest.mark.parametrize(
    "patients",
    [
        of_months((5, 0), (1, 0), (1, 0)),
        of_months((5, 30), (1, 30), (1, 30)),
        of_months((7, 30), (3, 30), (9, 0), (40, 6), (2, 9), (20, 20)),
        of_months((30, 30), (30, 30), (30, 30), (1, 0)),
        [*of_months((30, 30)), *of_months((1, 2), year=2026), *of_months((9, 9), year=2024)],
        [*of_months((30, 30)), *of_months((1, 7), centre="B"), *of_months((1, 9), centre="C")],
        [p for c in "ABCDE" for p in of_months((1, 0), centre=c)],
        [*of_months((30, 9), year=2015), *of_months((2, 9), year=2016), *of_months((6, 6))],
    ],
)
def test_a_small_count_left_out_could_be_any_of_as_many_numbers_as_are_hidden(
    patients: Patients, to: int
) -> None:
    assert list(narrowed(patients, to)) == []


CAME = st.tuples(
    st.sampled_from([2019, 2025, 2026]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from("AAAB"),
    st.sampled_from([True, False, False]),
)


@settings(max_examples=10, deadline=None)
@given(patients=st.lists(CAME, min_size=8, max_size=90), to=st.sampled_from([1, 5]))
def test_whatever_the_registry_no_small_count_is_narrowed_down(patients: Patients, to: int) -> None:
    assert list(narrowed(patients, to)) == []


def test_much_is_shown_where_there_is_much() -> None:
    patients = [p for year in (2024, 2025) for p in of_months(*[(30, 12)] * 12, year=year)]
    patients += of_months((30, 12), (30, 12), (1, 2), year=2026)
    left_out = published(patients, 5).filter("suppressed").select("period", "start").rows()
    assert left_out == [("month", date(2026, 1, 1)), ("month", date(2026, 3, 1))]


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 12), min_size=2))
def test_beside_their_total_small_groups_could_be_as_many_numbers(counts: dict[str, int]) -> None:
    seen = shown(counts, SMALLEST)
    hidden = [counts[name] for name, count in seen.items() if count is None]
    together = sum(hidden)
    if any(count for count in counts.values() if count >= SMALLEST):
        # Each is 1 or more, and all together are known.
        assert not hidden or together - len(hidden) + 1 >= SMALLEST
