"""Settings of the rules: what each is unless set, what it may be, and that it stays."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from transforms.acceptance.tolerances import Tolerance, Tolerances
from transforms.review.listing import Listing
from transforms.variables.windows import Windows

LOWEST: dict[type[BaseModel], dict[str, tuple[float, float, float]]] = {
    Windows: {
        "fdg_days": (7, 0, -1),
        "fdg_suv_max": (2.5, 0.1, 0),
        "metastasis_grace_days": (7, 0, -1),
        "lung_months": (6, 0, -1),
        "nodule_days_before": (90, 0, -1),
        "nodule_days_after": (30, 0, -1),
        "stg_days": (30, 0, -1),
        "stg_threshold_ng_ml": (500, 0.1, 0),
        "tsh_stimulated_miu_l": (30, 0.1, 0),
        "tgab_positive_iu_ml": (40, 0.1, 0),
        "tsh_suppressed_miu_l": (0.5, 0.1, 0),
        "tg_slope_values": (3, 3, 2),
        "cumulative_mci": (600, 0.1, 0),
        "progression_years": (1, 1, 0),
        "scan_days": (7, 0, -1),
        "recist_progression": (True, False, 2),
        "response_change": (0.25, 0.01, 0),
    },
    Listing: {
        "new_days": (90, 1, 0),
        "closing_days": (7, 0, -1),
        "recent_months": (12, 1, 0),
        "tg_doubling_months": (12, 0.1, 0),
    },
    Tolerance: {"least": (1, 1, 0)},
}
"""Of each setting: the default, the lowest that it may be, and one that it may not."""
EACH = [(model, name, *of) for model, named in LOWEST.items() for name, of in named.items()]


@pytest.mark.parametrize(("model", "name", "default", "lowest", "refused"), EACH, ids=str)
def test_a_setting_has_its_default_and_its_lowest_value(
    model: type[BaseModel], name: str, default: float, lowest: float, refused: float
) -> None:
    assert getattr(model(), name) == default
    assert getattr(model(**{name: lowest}), name) == lowest
    with pytest.raises(ValidationError, match=name):
        model(**{name: refused})


def test_every_setting_is_among_them() -> None:
    assert set(LOWEST[Windows]) == set(Windows.model_fields)
    assert set(LOWEST[Listing]) == set(Listing.model_fields)


@pytest.mark.parametrize("limit", ["warn", "refuse"])
def test_a_tolerance_is_nothing_or_more_or_never(limit: str) -> None:
    assert getattr(Tolerance(**{limit: 0}), limit) == 0  # type: ignore[arg-type]
    assert getattr(Tolerance.model_validate({limit: "never"}), limit) is None
    with pytest.raises(ValidationError, match=limit):
        Tolerance(**{limit: -0.1})  # type: ignore[arg-type]


def test_one_night_at_least_is_compared_with() -> None:
    assert Tolerances(nights=1).nights == 1
    with pytest.raises(ValidationError, match="nights"):
        Tolerances(nights=0)


@pytest.mark.parametrize("model", [Windows, Listing, Tolerance, Tolerances])
def test_what_nobody_knows_is_refused_and_what_is_set_stays(model: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="fdg_dayz"):
        model.model_validate({"fdg_dayz": 1})
    settings: Any = model()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, next(iter(model.model_fields)), 1)
