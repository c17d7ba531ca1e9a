"""What the report says about many: charts and tables from the published parquet of nights."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from flows.published.nights import read_run, read_table
from flows.report import charts
from flows.secrets import Keys
from models.cohorts import SHARES
from models.spec import library
from transforms.measures.disclosure import shown
from transforms.measures.measures import PATHWAY, Measure, completeness

PAST_NIGHTS = 30
_FEWEST_PERIODS, _MOST = 6, 0.8
_MOST_BARS = 15
DRIFTING = sorted({share.feature for share in SHARES})
"""The variables whose shares are compared with the development cohorts."""

_MODELS = {"rrdtc": "liu2022_score", "os": "jin2025_os", "pfs": "jin2025_pfs"}
_RISKS = {"rrdtc_flag": "RR-DTC", "os_risk_group": "OS", "pfs_risk_group": "PFS"}


@dataclass(frozen=True)
class Figure:
    """A chart with its words: what it shows, and how to read it."""

    title: str
    svg: str
    caption: str


def alert_load(run: Mapping[str, Any], past: list[Path]) -> list[Figure]:
    """Show how many wait for a review and how many are new, night by night."""
    reports = [report for folder in past[-PAST_NIGHTS:] if (report := read_run(folder))]
    rows = [
        {"night": str(report["as_of"]), "what": what, "count": report.get(name, 0)}
        for report in [*reports, run]
        for what, name in (("on the worklist", "to_review"), ("newly flagged", "newly_flagged"))
    ]
    return [
        Figure(
            "Alert load",
            charts.lines(pl.DataFrame(rows), "patients"),
            f"Patients on the worklist and newly flagged, the last {len(reports) + 1} nights.",
        )
    ]


def behaviour(risk: pl.DataFrame, smallest: int) -> list[Figure]:
    """Show how the models score: risk groups, points, and what keeps flags open."""
    figures = [
        Figure(
            "Risk groups",
            charts.risk_groups(_risk_groups(risk, smallest)),
            "Patients to whom a model applies. Black: high; grey: depends on what is missing; "
            "light: low. Small groups are left out.",
        )
    ]
    for prefix, name in _MODELS.items():
        model = library()[name]
        points = risk[f"{prefix}_points"].drop_nulls().cast(pl.Float64)
        if points.len() >= smallest:
            figures.append(
                Figure(
                    f"Points: {model.title}",
                    charts.histogram(
                        _binned(points, smallest),
                        model.cutoff.points.value if model.cutoff else None,
                        "points",
                    ),
                    f"{points.len()} patients with every predictor known. The dashed line is the "
                    f"cut-off. Bins of fewer than {smallest} are left out.",
                )
            )
    return [
        *figures,
        *_needed(
            risk,
            smallest,
            "What keeps flags indeterminate",
            "Patients whose flag or risk group waits for it, alone or with others.",
        ),
        *_needed(
            risk.filter(pl.col("needs").list.len() == 1),
            smallest,
            "What would unlock most patients",
            "Patients for whom this one examination or entry would settle every open flag.",
        ),
    ]


def _risk_groups(risk: pl.DataFrame, smallest: int) -> pl.DataFrame:
    rows = []
    for column, words in _RISKS.items():
        counted = dict(risk[column].cast(pl.String).value_counts().iter_rows())
        counts = {name: counted.get(name, 0) for name in ("high", "indeterminate", "low")}
        for order, (name, count) in enumerate(shown(counts, smallest).items()):
            rows.append({"model": words, "risk": name, "patients": count or 0, "order": order})
    return pl.DataFrame(rows)


def _binned(points: pl.Series, smallest: int) -> pl.DataFrame:
    width = max(1.0, round((float(points.max() or 1)) / 20))  # type: ignore[arg-type]
    return (
        points.alias("points")
        .to_frame()
        .select(points=(pl.col("points") / width).floor() * width)
        .group_by("points")
        .agg(patients=pl.len())
        .filter(pl.col("patients") >= smallest)
        .with_columns(end=pl.col("points") + width)
        .sort("points")
    )


def _needed(risk: pl.DataFrame, smallest: int, title: str, caption: str) -> list[Figure]:
    needs = (
        risk.select(pl.col("needs").explode().drop_nulls())
        .group_by("needs")
        .agg(patients=pl.len())
        .filter(pl.col("patients") >= smallest)
        .sort("patients", "needs", descending=[True, False])
    )
    if needs.is_empty():
        return []
    return [Figure(title, charts.bars(needs, "needs", "patients", "patients"), caption)]


def drift(features: pl.DataFrame, past: list[Path], keys: Keys, smallest: int) -> list[Figure]:
    """Show the variables beside the development cohorts and the past nights."""
    rows = [
        {"label": f"{s.cohort}: {s.label}", "who": "development cohort", "share": s.value}
        for s in SHARES
    ]
    frames = [
        ("past nights", read_table(folder / "features.parquet", keys, columns=DRIFTING))
        for folder in past[-3:]
    ]
    for who, frame in [*frames, ("tonight", features)]:
        for share in SHARES:
            known = frame[share.feature].drop_nulls().cast(pl.String)
            count = int((known == share.level).sum())
            if known.len() >= smallest and (count == 0 or count >= smallest):
                label = f"{share.cohort}: {share.label}"
                rows.append({"label": label, "who": who, "share": count / known.len()})
    return [
        Figure(
            "Drift against the development cohorts",
            charts.drift(pl.DataFrame(rows)),
            "Square: the published cohort the model was developed on. Tick: each of the last "
            "three nights. Circle: tonight. Far from the square, trust the model less.",
        )
    ]


def data_quality(quarantine: pl.DataFrame, measures: pl.DataFrame) -> list[Figure]:
    """Show what was quarantined and how complete the predictors are."""
    rows = quarantine.filter(~pl.col("not_yet"))
    reasons = rows.select(pl.col("reasons").explode())
    labels = {p.feature: p.label for model in library().values() for p in model.predictors}
    known = measures.filter(pl.col("measure").str.starts_with("known_")).with_columns(
        row=pl.col("measure").str.strip_prefix("known_").replace(labels), share=pl.col("value")
    )
    return [
        *_counted(reasons, "reasons", "Quarantined rows by reason", "A row may have several."),
        *_counted(rows, "file", "Quarantined rows by file", "quarantine.parquet has each row."),
        *_by_year(known),
        *_by_centre(known),
    ]


def _counted(rows: pl.DataFrame, column: str, title: str, caption: str) -> list[Figure]:
    counts = rows.group_by(column).agg(rows=pl.len()).sort("rows", column, descending=True)
    if counts.is_empty():
        return []
    return [Figure(title, charts.bars(counts.head(_MOST_BARS), column, "rows", "rows"), caption)]


def _by_year(known: pl.DataFrame) -> list[Figure]:
    yearly = known.filter(pl.col("centre").is_null(), pl.col("period") == "year")
    yearly = yearly.with_columns(year=pl.col("start").dt.year())
    return _completeness(yearly, "year", yearly["year"].unique().sort().tail(10), "")


def _by_centre(known: pl.DataFrame) -> list[Figure]:
    recent = known.filter(pl.col("centre").is_not_null(), pl.col("period") == "recent")
    sizes = recent.group_by("centre").agg(pl.col("denominator").max())
    biggest = sizes.sort("denominator", "centre")["centre"].tail(12)
    return _completeness(recent, "centre", biggest, " From 1 January five years ago.")


def _completeness(
    known: pl.DataFrame, column: str, shown_ones: pl.Series, more: str
) -> list[Figure]:
    cells = known.filter(pl.col(column).is_in(shown_ones.implode())).select("row", column, "share")
    if cells.is_empty():
        return []
    return [
        Figure(
            f"Completeness by {column}",
            charts.heatmap(cells, column),
            "Per cent of patients with a first 131I therapy whose predictor is known. Few: too "
            f"few patients to show.{more}",
        )
    ]


def measure_figures(measures: pl.DataFrame) -> list[tuple[Measure, list[Figure]]]:
    """Show each measure over time and across centres, where there is enough to show."""
    found = []
    for one in [*PATHWAY, *(m for m in completeness([]) if m.name.startswith("scored_"))]:
        rows = measures.filter(pl.col("measure") == one.name)
        found.append((one, [*_over_time(one, rows), *_across_centres(one, rows)]))
    return found


def _over_time(one: Measure, rows: pl.DataFrame) -> list[Figure]:
    """Draw the finest period in which most points may be shown."""
    everybody = rows.filter(pl.col("centre").is_null()).sort("start")
    for period in ("month", "quarter", "year"):
        points = everybody.filter(pl.col("period") == period).tail(40)
        may_show = points["value"].is_not_null()
        if may_show.sum() >= _FEWEST_PERIODS and may_show.sum() >= _MOST * points.height:
            points = points.filter(may_show)
            break
    else:
        return []
    kind = "p-chart" if one.unit is None else "XmR-chart"
    return [
        Figure(
            f"All centres, by {period}",
            charts.control_chart(points, one.unit or "share"),
            f"{kind}: the band is three standard deviations around the dashed mean. A square "
            f"breaks a run rule: beyond a limit, eight on one side, or six rising or falling.",
        )
    ]


def _across_centres(one: Measure, rows: pl.DataFrame) -> list[Figure]:
    centres = rows.filter(
        pl.col("centre").is_not_null(), pl.col("value").is_not_null(), pl.col("period") == "recent"
    )
    if one.unit is not None or centres.height < 3:
        return []
    return [
        Figure(
            "Centres, five years",
            charts.funnel_plot(centres),
            "Funnel plot: 95 % (dashed) and 99.8 % limits around the overall share. Beyond them "
            "is a question to ask, not a verdict.",
        )
    ]
