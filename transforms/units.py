"""Units. Each function returns an expression in one unit, null where the unit is unknown."""

import polars as pl

MBQ_PER_MCI = 37.0
NG_ML_PER_PMOL_L = 0.66
"""Thyroglobulin is a 660 kDa protein."""

_EXACT_DIGITS = 9


def divided(value: pl.Expr, by: float) -> pl.Expr:
    """Divide, to nine decimals, the same for one row as for a million.

    polars divides by a number as it multiplies by its inverse, but not where a column has one
    row: the last bit would depend on how rows are split.
    """
    return (value / by).round(_EXACT_DIGITS)


def activity_mci(activity: str = "activity", unit: str = "activity_unit") -> pl.Expr:
    """Administered activity in mCi; 1 mCi is exactly 37 MBq."""
    value = pl.col(activity)
    per_unit = {"mCi": value, "MBq": value / MBQ_PER_MCI, "GBq": value * 1000 / MBQ_PER_MCI}
    return _convert(unit, per_unit)


def length_cm(length: str, unit: str) -> pl.Expr:
    """Length in cm."""
    return _convert(unit, {"cm": pl.col(length), "mm": pl.col(length) / 10})


def thyroglobulin_ng_ml(value: str = "value", unit: str = "unit") -> pl.Expr:
    """Thyroglobulin in ng/mL; 1 ng/mL is 1 ug/L."""
    same = pl.col(value)
    per_unit = {"ng/mL": same, "ug/L": same, "µg/L": same, "pmol/L": same * NG_ML_PER_PMOL_L}
    return _convert(unit, per_unit)


def _convert(unit: str, per_unit: dict[str, pl.Expr]) -> pl.Expr:
    # Rounded so that 3.7 GBq is 100 mCi and 600 pmol/L is 396 ng/mL, not a hair off.
    converted: pl.Expr = pl.lit(None, dtype=pl.Float64)
    for name, value in per_unit.items():
        converted = pl.when(pl.col(unit) == name).then(value).otherwise(converted)
    return converted.round(_EXACT_DIGITS)
