"""What a nomogram shows at a place is what the engine says of a patient there."""

from itertools import pairwise
from math import exp

import pytest

from models.nomogram import nomogram
from models.points import effects, points_per_unit
from models.spec import library
from tests.models.test_engine import jin, liu, scored

MODELS = library()


@pytest.mark.parametrize("name", list(MODELS))
def test_each_tick_of_a_predictor_has_the_points_of_its_value(name: str) -> None:
    model = MODELS[name]
    drawn = nomogram(model)
    widest = max(
        (e.high - e.low) * points_per_unit(model)
        for e in (effects(model, p) for p in model.predictors)
    )
    for predictor, axis in zip(model.predictors, drawn.axes[1:], strict=False):
        labels = {model.said(level.label): level.value for level in predictor.levels}
        values = [labels.get(t.label) or float(t.label) for t in axis.ticks]
        rows = scored(model, *(liu() | jin() | {predictor.feature: v} for v in values))
        points = [row[f"{predictor.name}_points"] / widest for row in rows]
        assert [tick.x for tick in axis.ticks] == pytest.approx(points)
        assert len(values) == len(set(values)) >= (len(predictor.levels) or 5)


@pytest.mark.parametrize("name", list(MODELS))
def test_each_tick_of_a_prediction_is_what_its_total_points_predict(name: str) -> None:
    model = MODELS[name]
    drawn = nomogram(model)
    scale = float(drawn.axes[drawn.total_row].ticks[-1].label)
    lowest = sum(effects(model, predictor).low for predictor in model.predictors)
    predictions = drawn.axes[drawn.total_row + 1 :]
    curves = [b.survival.value for b in model.baseline] or [None] * len(predictions)
    assert len(predictions) == len(curves)
    for axis, baseline in zip(predictions, curves, strict=True):
        for tick in axis.ticks:
            along = tick.x * scale / points_per_unit(model) + lowest
            if baseline is None:
                assert model.intercept
                said = 1 / (1 + exp(-(along + model.intercept.value)))
            else:
                said = baseline ** exp(along)
            assert said == pytest.approx(float(tick.label))
        places = [tick.x for tick in axis.ticks]
        assert len(places) > 2
        assert all(later - x >= 0.04 for x, later in pairwise(places))


def test_the_scale_of_the_score_is_drawn_in_fives_and_tens() -> None:
    drawn = nomogram(MODELS["liu2022_score"])
    labels = [[tick.label for tick in axis.ticks] for axis in drawn.axes]
    assert labels[0] == ["0", "5", "10", "15", "20", "25", "30", "35", "40"]
    assert labels[drawn.total_row] == ["0", "10", "20", "30", "40", "50", "55"]
    assert [tick.x for tick in drawn.axes[0].ticks] == [n / 8 for n in range(9)]
    assert drawn.total_row == 5
    assert drawn.axes[0].mark_from is None


def test_the_scale_of_the_survival_model_is_drawn_in_tens_and_fifties() -> None:
    drawn = nomogram(MODELS["jin2025_os"])
    assert [tick.label for tick in drawn.axes[0].ticks][:3] == ["0", "10", "20"]
    (activity,) = [axis for axis in drawn.axes if axis.label == "First 131I activity, mCi"]
    assert {tick.label for tick in activity.ticks} >= {"100", "200"}


def test_a_patient_who_is_not_scored_is_on_no_axis_of_totals() -> None:
    (row,) = scored("liu2022_score", liu() | {"dtc": False})
    drawn = nomogram(MODELS["liu2022_score"], row)
    total = drawn.axes[drawn.total_row]
    assert (total.mark_from, total.mark_to) == (None, None)
