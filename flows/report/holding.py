"""What the report says of surveillance: past predictions beside what came, drift, verdicts."""

from typing import Any

import polars as pl
from markupsafe import Markup

from flows.report import drawing
from flows.report.drawing import Charted
from models.spec import Model, library
from transforms.surveillance.series import REMADE, is_quality

_FEWEST = 2
_OF_PREDICTIONS = ("oe", "c", "incidence")


def holding(series: pl.DataFrame, signals: list[str]) -> dict[str, Any]:
    """Return what the tab shows: signals, models, drift and quality measures."""
    newest = (
        series.sort("start")
        .group_by("model", "measure", "words", maintain_order=True)
        .last()
        .sort("model", "measure", "words", nulls_last=True)
    )
    drifting = newest.filter(pl.col("measure").str.contains("^share_|^points$"))
    quality = newest.filter(is_quality())
    judged = pl.any_horizontal(
        pl.col(name).is_not_null() for name in ("signal", "limit_lower", "limit_upper")
    )
    return {
        "signals": signals,
        "figures": newest.height,
        "unjudged": newest.filter(~judged).height,
        "models": [one for model in library().values() if (one := _of_model(series, model))],
        "drift": [_line(row) for row in drifting.iter_rows(named=True)],
        "quality": [_line(row) for row in quality.iter_rows(named=True)],
    }


def _of_model(series: pl.DataFrame, model: Model) -> dict[str, Any] | None:
    own = series.filter(pl.col("model") == model.name).sort("start")
    lines = [
        _line(told.row(-1, named=True)) | {"drawn": _chart(told)}
        for name in _OF_PREDICTIONS
        if not (told := own.filter(measure=name)).is_empty()
    ]
    sums = [
        _line(told.row(-1, named=True)) | {"drawn": _chart(told)}
        for name in REMADE
        if not (told := own.filter(measure=name)).is_empty()
    ]
    if not lines:
        return None
    return {"title": model.title, "source": model.citation.partition(",")[0],
            "lines": lines, "cusums": sums}  # fmt: skip


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"start": str(row["start"]), "until": str(row["until"])}


def _chart(told: pl.DataFrame) -> Markup | None:
    """Draw a series of quarters; None of one that has too few values."""
    if told["value"].count() < _FEWEST:
        return None
    points = [
        Charted(
            str(row["start"])[:7],
            row["value"],
            _limits(row),
            row["signal"] is not None,
        )
        for row in told.iter_rows(named=True)
    ]
    last = told.row(-1, named=True)
    known = told["value"].drop_nulls()
    centre = last["reference"] if last["reference"] is not None else float(known[-1])
    words = f"{last['words']}, by quarter; the line is {centre:.3g}."
    return drawing.run_chart(points, centre, "", words)


def _limits(row: dict[str, Any]) -> tuple[float, float] | None:
    if row["measure"] in REMADE or row["limit_lower"] is None or row["limit_upper"] is None:
        return None
    return row["limit_lower"], row["limit_upper"]
