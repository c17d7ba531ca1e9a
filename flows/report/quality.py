"""What the report says of the registry's data and of the quality measures."""

from typing import Any

import polars as pl

from flows.report import drawing
from flows.report.drawing import Centre, Charted
from models.spec import library
from transforms.measures.charting import latest
from transforms.measures.control_charts import funnel
from transforms.measures.definitions import PATHWAY, REVIEWING, Measure, completeness
from transforms.variables.windows import Windows

_FEWEST_PERIODS = 6
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
    """Return each quality measure: how it stands, its course, and the centres."""
    stands = {row["measure"]: row for row in latest(measures).to_dicts()}
    scored = (one for one in completeness([]) if one.name.startswith("scored_"))
    return [
        _measure(one, measures.filter(measure=one.name), stands.get(one.name), windows)
        for one in (*PATHWAY, *REVIEWING, *scored)
    ]


def _measure(
    one: Measure, rows: pl.DataFrame, stands: dict[str, Any] | None, windows: Windows
) -> dict[str, Any]:
    unit = one.unit or "share"
    found: dict[str, Any] = {"measure": one, "asked": one.asked(windows), "latest": None}
    centres = _centres(one, rows)
    if centres:
        overall = float(funnel(centres[0])["centre_line"][0])
        words = f"{one.asked(windows)} Centres by size, since 1 January five years ago."
        found["centres"] = drawing.funnel(centres[1], overall, words)
    charted = rows.filter("charted").sort("start")
    if stands is None or charted["value"].count() < _FEWEST_PERIODS:
        return found
    period = charted["period"][0]
    dates = charted["start"].dt.to_string(_DATED[period])
    lines = zip(dates, charted.iter_rows(named=True), strict=True)
    periods = [
        Charted(day, row["value"], _limits(row), row["signal"] is not None) for day, row in lines
    ]
    centre, target = stands["centre_line"], stands["target"]
    words = f"{one.asked(windows)} All centres, by {period}."
    return found | {
        "latest": _said(stands["value"], unit),
        "latest_from": _said(stands["lower"], unit),
        "latest_to": _said(stands["upper"], unit),
        "latest_at": periods[-1].label,
        "unit": unit,
        "usual": drawing.number(centre, unit),
        "target": None if target is None else drawing.number(target, unit),
        "on_target": stands["on_target"],
        "signal": stands["signal"],
        "rule": stands["rule"],
        "signal_at": None if stands["run_start"] is None else str(stands["run_start"])[:7],
        "hidden": stands["periods_hidden"],
        "has_limits": any(one.within for one in periods),
        "period": period,
        "small": drawing.small_run(periods, centre),
        "large": drawing.run_chart(periods, centre, unit, words),
    }


def _said(value: float | None, unit: str) -> str | None:
    return None if value is None else drawing.number(value, unit)


def _limits(row: dict[str, Any]) -> tuple[float, float] | None:
    if row["limit_lower"] is None or row["limit_upper"] is None:
        return None
    return row["limit_lower"], row["limit_upper"]


def _centres(one: Measure, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Centre]] | None:
    centres = rows.filter(
        pl.col("centre").is_not_null(), pl.col("value").is_not_null(), pl.col("period") == "recent"
    )
    if one.unit is not None or centres.height < _FUNNEL_FROM:
        return None
    named = centres.select("centre", "denominator", "value").iter_rows()
    return centres, [Centre(*row) for row in named]
