"""What the report says of the registry's data and of the quality measures."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from flows.report import drawing
from flows.report.drawing import Centre, Charted
from models.spec import library
from transforms.measures.control_charts import funnel, p_chart, xmr_chart
from transforms.measures.measures import PATHWAY, Measure, completeness
from transforms.variables.windows import Windows

_FEWEST_PERIODS, _MOST = 6, 0.8
_MOST_BARS = 15
_MOST_LINES = 12
_FUNNEL_FROM = 3
_DATED = {"month": "%Y-%m", "quarter": "%Y-%m", "year": "%Y"}


def corrections(listed: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the registry's corrections by group, most patients unlocked first.

    `listed` has one row per correction. Each group has its first rows, and how many there are.
    """
    groups = []
    for (name,), rows in listed.group_by("group", maintain_order=True):
        groups.append(
            {
                "name": name,
                "rows": rows.height,
                "patients": rows["patients"].max(),
                "unlocks": rows["unlocks"].drop_nulls().first(),
                "has_lines": rows["file"].is_not_null().any(),
                "first": rows.head(_MOST_LINES).to_dicts(),
            }
        )
    return sorted(groups, key=lambda group: (-(group["patients"] or 0), -group["rows"]))


def set_aside(quarantine: pl.DataFrame) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return how many rows were set aside, by reason and by file."""
    rows = quarantine.filter(~pl.col("not_yet"))
    reasons = rows.select(pl.col("reasons").explode())
    return [
        ("By reason", _counted(reasons, "reasons")),
        ("By file", _counted(rows, "file")),
    ]


def _counted(rows: pl.DataFrame, column: str) -> list[dict[str, Any]]:
    counts = (
        rows.group_by(name=column).agg(rows=pl.len()).sort("rows", "name", descending=True)
    ).head(_MOST_BARS)
    most = counts["rows"].max() or 1
    return [row | {"drawn": drawing.bar(row["rows"] / most)} for row in counts.to_dicts()]


def complete(measures: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the completeness of the predictors, by year and by centre: rows, columns, shares."""
    labels = {p.feature: p.label for model in library().values() for p in model.predictors}
    known = measures.filter(pl.col("measure").str.starts_with("known_")).with_columns(
        row=pl.col("measure").str.strip_prefix("known_").replace(labels), share=pl.col("value")
    )
    yearly = known.filter(pl.col("centre").is_null(), pl.col("period") == "year")
    yearly = yearly.with_columns(column=pl.col("start").dt.year().cast(pl.String))
    recent = known.filter(pl.col("centre").is_not_null(), pl.col("period") == "recent")
    recent = recent.with_columns(column="centre")
    biggest = recent.group_by("column").agg(pl.col("denominator").max())
    return [
        _grid("by year of the first 131I", yearly, yearly["column"].unique().sort().tail(10)),
        _grid(
            "by centre, five years",
            recent,
            biggest.sort("denominator", "column", nulls_last=False)["column"].tail(12).sort(),
        ),
    ]


def _grid(title: str, cells: pl.DataFrame, columns: pl.Series) -> dict[str, Any]:
    found = {(r["row"], r["column"]): r["share"] for r in cells.iter_rows(named=True)}
    names = cells["row"].unique().sort().to_list()
    return {
        "title": title,
        "columns": columns.to_list(),
        "rows": [(name, [found.get((name, column)) for column in columns]) for name in names],
    }


def measured(measures: pl.DataFrame, windows: Windows) -> list[dict[str, Any]]:
    """Return each quality measure: latest value, signal, its course, and the centres."""
    asked: Iterable[Measure] = (
        *PATHWAY,
        *(one for one in completeness([]) if one.name.startswith("scored_")),
    )
    return [_measure(one, measures.filter(measure=one.name), windows) for one in asked]


def _measure(one: Measure, rows: pl.DataFrame, windows: Windows) -> dict[str, Any]:
    unit = one.unit or "share"
    found: dict[str, Any] = {"measure": one, "asked": one.asked(windows), "latest": None}
    centres = _centres(one, rows)
    if centres:
        overall = float(funnel(centres[0])["centre_line"][0])
        words = f"{one.asked(windows)} Centres by size, five years."
        found["centres"] = drawing.funnel(centres[1], overall, words)
    period, charted = _over_time(one, rows)
    if charted is None:
        return found
    dates = charted["start"].dt.to_string(_DATED[period])
    lines = zip(dates, charted.iter_rows(named=True), strict=True)
    periods = [
        Charted(day, row["value"], _limits(row), row["signal"] is not None) for day, row in lines
    ]
    centre = float(charted["centre"][0])
    signals = charted.filter(pl.col("signal").is_not_null())
    words = f"{one.asked(windows)} All centres, by {period}."
    return found | {
        "latest": drawing.number(periods[-1].value, unit),
        "latest_at": periods[-1].label,
        "unit": unit,
        "usual": drawing.number(centre, unit),
        "signal": signals["signal"][-1] if signals.height else None,
        "signal_at": None if signals.is_empty() else str(signals["start"][-1])[:7],
        "period": period,
        "small": drawing.small_run(periods, centre),
        "large": drawing.run_chart(periods, centre, unit, words),
    }


def _limits(row: dict[str, Any]) -> tuple[float, float] | None:
    if row["lower"] is None or row["upper"] is None:
        return None
    return row["lower"], row["upper"]


def _over_time(one: Measure, rows: pl.DataFrame) -> tuple[str, pl.DataFrame | None]:
    """Return the finest period in which most points may be shown, with its limits."""
    everybody = rows.filter(pl.col("centre").is_null()).sort("start")
    for period in _DATED:
        points = everybody.filter(pl.col("period") == period).tail(40)
        may_show = points["value"].is_not_null()
        if may_show.sum() >= _FEWEST_PERIODS and may_show.sum() >= _MOST * points.height:
            shown = points.filter(may_show)
            return period, p_chart(shown) if one.unit is None else xmr_chart(shown)
    return "", None


def _centres(one: Measure, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Centre]] | None:
    centres = rows.filter(
        pl.col("centre").is_not_null(), pl.col("value").is_not_null(), pl.col("period") == "recent"
    )
    if one.unit is not None or centres.height < _FUNNEL_FROM:
        return None
    named = centres.select("centre", "denominator", "value").iter_rows()
    return centres, [Centre(*row) for row in named]
