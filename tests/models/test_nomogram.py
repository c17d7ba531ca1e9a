"""The nomogram's layout: everything at its place, nothing printed over something else."""

import json
from itertools import combinations

import pytest

from flows.show.nomogram_chart import INFERRED, draw
from models.nomogram import Axis, nomogram
from models.spec import library
from tests.models.test_engine import jin, liu, scored

MODELS = library()
WIDTH, CHARACTER = 760, 6.2
"""Pixels of the drawing, and of a character of its tick labels."""


def overlaps(axis: Axis) -> list[str]:
    found = []
    for one, other in combinations(axis.ticks, 2):
        room = (len(one.label) + len(other.label)) / 2 * CHARACTER / WIDTH
        if one.above == other.above and abs(one.x - other.x) < room:
            found.append(f"{axis.label}: {one.label} and {other.label}")
    return found


@pytest.mark.parametrize("name", list(MODELS))
def test_no_label_is_printed_over_another(name: str) -> None:
    drawn = nomogram(MODELS[name])
    assert [text for axis in drawn.axes for text in overlaps(axis)] == []
    assert all(0 <= tick.x <= 1 for axis in drawn.axes for tick in axis.ticks)


def test_the_axes_are_those_that_clinicians_know() -> None:
    labels = [axis.label for axis in nomogram(MODELS["jin2025_os"]).axes]
    assert labels[0] == "Points"
    assert labels[-4:] == ["Total points", "3-year survival", "5-year survival", "10-year survival"]
    assert len(labels) == 5 + len(MODELS["jin2025_os"].predictors)


def test_a_total_read_from_the_nomogram_gives_the_survival_of_the_engine() -> None:
    model = MODELS["jin2025_os"]
    (row,) = scored(model, jin(sex="male", age_55="yes", activity_mci=100.0))
    drawn = nomogram(model, row)
    total = drawn.axes[drawn.total_row]
    assert total.mark_from == total.mark_to
    scale = float(total.ticks[-1].label)
    assert total.mark_from == pytest.approx(row["points"] / scale)
    ten_years = drawn.axes[-1]
    at = {float(tick.label): tick.x * scale for tick in ten_years.ticks}
    higher = min(s for s in at if s >= row["survival_10y"])
    lower = max(s for s in at if s <= row["survival_10y"])
    assert at[higher] <= row["points"] <= at[lower]


def test_what_is_missing_is_a_bar_over_all_that_it_could_be() -> None:
    (row,) = scored("liu2022_score", liu() | {"fdg_uptake": None})
    drawn = nomogram(MODELS["liu2022_score"], row)
    pet = next(axis for axis in drawn.axes if axis.label == "18F-FDG uptake")
    assert (pet.mark_from, pet.mark_to) == (0, 1)
    total = drawn.axes[drawn.total_row]
    assert (total.mark_from, total.mark_to) == (0, pytest.approx(40 / 55))


def test_the_cut_off_is_where_it_belongs() -> None:
    drawn = nomogram(MODELS["liu2022_score"])
    assert drawn.cutoff == pytest.approx(10 / 55)
    assert drawn.cutoff_label == "high risk: >= 10"


def test_axes_that_are_not_in_the_paper_are_marked() -> None:
    marked = {
        name: [axis.label for axis in nomogram(model).axes if axis.inferred]
        for name, model in MODELS.items()
    }
    survival = [f"{years}-year survival" for years in (3, 5, 10)]
    assert marked["liu2022_score"] == []
    assert marked["liu2022_nomogram"] == ["Probability of RR-DTC"]
    activity = "First 131I activity, mCi"
    assert marked["jin2025_os"] == [activity, "Largest lung nodule, cm", *survival]
    assert marked["jin2025_pfs"] == ["Histology", activity, "131I uptake", *survival]


def test_the_picture_says_what_the_mark_means() -> None:
    drawn, plain = (
        json.dumps(draw(nomogram(MODELS[name]), "doi").to_dict(), ensure_ascii=False)
        for name in ("jin2025_os", "liu2022_score")
    )
    assert f"10-year survival {INFERRED}" in drawn
    assert f"{INFERRED} inferred, not published" in drawn
    assert INFERRED not in plain
