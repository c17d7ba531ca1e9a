"""The tables of a development: univariable, multivariable, ridge, what was too good."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from flows.local.fitting import Data, Fits
from models.design import Column
from models.performance.figures import Z
from models.performance.selecting import Fitted, columns_of


def tables_of(data: Data, fits: Fits, words: Callable[[str], str]) -> dict[str, Any]:
    """Return the univariable, multivariable, ridge and optimism tables."""
    of = columns_of(fits.kept)
    p_of = {one.term.name: one for one in fits.alone}
    alone = []
    for term in data.terms:
        fitted = data.outcome.fit(data.x[:, list(term.columns)])
        test = p_of[term.name]
        for row in _ratios([data.columns[n] for n in term.columns], fitted, words):
            alone.append(row | {"p_value": test.p_value, "kept": term in fits.kept})
    shrunk = np.exp(fits.shrunk.fitted.coefficients)
    return {
        "univariable": alone,
        "steps": fits.steps,
        "multivariable": list(_ratios([data.columns[n] for n in of], fits.fitted, words)),
        "ridge": [
            {"term": c.name, "label": _label(c, words), "ratio": float(r)}
            for c, r in zip(data.columns, shrunk, strict=True)
        ],
        "ridge_penalty": fits.shrunk.penalty,
        "optimism": [
            {
                "model": which,
                "measure": one.measure,
                "apparent": one.apparent,
                "optimism": one.optimism,
                "corrected": one.corrected,
                "samples": one.samples,
            }
            for which, figures in (
                ("stepwise", fits.resampled.figures),
                ("ridge", fits.resampled.ridge),
            )
            for one in figures
        ],
        "chosen_in_samples": fits.resampled.chosen,
    }


def _label(column: Column, words: Callable[[str], str]) -> str:
    """Return what a column is, in words."""
    predictor = column.predictor
    if column.level is None:
        return f"{words(predictor.label)}, per {predictor.unit}"
    level = next(lv.label for lv in predictor.levels if lv.value == column.level)
    first = words(predictor.levels[0].label)
    return f"{words(predictor.label)}: {words(level)} (against {first})"


def _ratios(
    of: Sequence[Column], fitted: Fitted, words: Callable[[str], str]
) -> Iterator[dict[str, Any]]:
    errors = np.sqrt(np.diag(fitted.covariance))
    for column, b, e in zip(of, fitted.coefficients, errors, strict=True):
        yield {
            "term": column.name,
            "label": _label(column, words),
            "coefficient": float(b),
            "ratio": float(np.exp(b)),
            "lower": float(np.exp(b - Z * e)),
            "upper": float(np.exp(b + Z * e)),
        }
