"""Every unit of every measurement, and none where the unit is not known."""

import polars as pl
import pytest

from schemas import codes
from transforms.units import activity_mci, length_cm, thyroglobulin_ng_ml

ACTIVITY = {"mCi": 3.7, "MBq": 0.1, "GBq": 100.0}
LENGTH = {"mm": 0.37, "cm": 3.7}
TG = {"ng/mL": 3.7, "ug/L": 3.7, "µg/L": 3.7, "pmol/L": 2.442}


@pytest.mark.parametrize(
    ("expression", "units"),
    [
        (activity_mci("v", "u"), ACTIVITY),
        (length_cm("v", "u"), LENGTH),
        (thyroglobulin_ng_ml("v", "u"), TG),
    ],
    ids=["mCi", "cm", "ng/mL"],
)
def test_3_7_of_each_unit(expression: pl.Expr, units: dict[str, float]) -> None:
    rows = pl.DataFrame({"u": [*units, None, "lb"], "v": [3.7] * (len(units) + 2)})
    assert rows.select(expression).to_series().to_list() == [*units.values(), None, None]


def test_these_are_all_units() -> None:
    assert tuple(ACTIVITY) == ("mCi", "MBq", "GBq")
    assert set(ACTIVITY) == set(codes.ACTIVITY_UNIT)
    assert set(LENGTH) == set(codes.LENGTH_UNIT)
    assert set(TG) == set(codes.LAB_UNITS["Tg"])


def test_a_value_that_is_not_known_has_none() -> None:
    rows = pl.DataFrame({"v": [None], "u": ["mCi"]}, schema={"v": pl.Float64, "u": pl.String})
    assert rows.select(activity_mci("v", "u")).item() is None


def test_what_is_rounded_off_is_beyond_the_ninth_decimal() -> None:
    rows = pl.DataFrame({"v": [3.7, 5.55, 1 / 3], "u": ["GBq", "GBq", "mCi"]})
    assert rows.select(activity_mci("v", "u")).to_series().to_list() == [100.0, 150.0, 0.333333333]
