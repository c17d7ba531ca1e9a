"""What the report says of the models tonight: who is scored, what keeps flags open, drift."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from flows.published.nights import read_run, read_table
from flows.report import drawing
from flows.report.panels import in_order, inferred_words
from flows.secrets import Keys
from models.cohorts import SHARES
from models.spec import Model
from transforms.measures.disclosure import shown

PAST_NIGHTS = 30
_STATUSES = {"scored": "full", "bounded": "open", "insufficient": "soft", "ineligible": "dashed"}
_RISKS = ("high", "low", "indeterminate")
DRIFTING = sorted({share.feature for share in SHARES})
"""The variables whose shares are compared with the development cohorts."""

RISK_COLUMNS = (
    *("patient_id", "review_status", "review_decision", "reviewed_at", "deferred_until"),
    *("list", "not_listed_reason", "needs", "rrdtc_points", "os_points", "pfs_points"),
)
"""What the page reads of everybody's patient_risk."""


def alert_load(run: Mapping[str, Any], past: list[Path]) -> Markup:
    """Draw how many wait for a review and how many are new, night by night."""
    reports = [report for folder in past[-PAST_NIGHTS:] if (report := read_run(folder))]
    nights = [*reports, run]
    series = {
        words: [int(night.get(name) or 0) for night in nights]
        for words, name in (("on the list", "to_review"), ("new", "newly_flagged"))
    }
    words = f"Patients on the list and new ones, the last {len(nights)} nights."
    return drawing.over_nights([str(night["as_of"]) for night in nights], series, words)


def tonight(run: Mapping[str, Any], smallest: int) -> list[dict[str, Any]]:
    """Return a line per model: how many are scored and at what risk; small counts left out."""
    return [_model_line(model, run, smallest) for model in in_order()]


def _model_line(model: Model, run: Mapping[str, Any], smallest: int) -> dict[str, Any]:
    counts = run["by_model"].get(model.name, {})
    statuses = shown({name: counts.get(name, 0) for name in _STATUSES}, smallest)
    risks = None
    if model.cutoff:
        flags = run["flags"][model.flag]
        risks = shown({name: flags.get(name, 0) for name in (*_RISKS, "not_applicable")}, smallest)
        risks.pop("not_applicable")
    return {
        "title": model.title,
        "source": model.citation.partition(",")[0],
        "drawn": drawing.stacked([(_STATUSES[name], n or 0) for name, n in statuses.items()]),
        "statuses": statuses,
        "risks": risks,
        "inferred": inferred_words(model),
    }


def points(risk: pl.DataFrame, smallest: int) -> list[tuple[str, Markup, int]]:
    """Draw patients by points: title, chart, and of how many patients with all predictors."""
    found = []
    for model in in_order():
        column = f"{model.prefix}_points"
        if model.family == "logistic" or column not in risk.columns:
            continue
        known = risk[column].drop_nulls().cast(pl.Float64)
        bins = _binned(known, smallest) if known.len() >= smallest else []
        if bins:
            cutoff = model.cutoff.points.value if model.cutoff else None
            said = f"{model.title}: patients by points."
            found.append((model.title, drawing.histogram(bins, cutoff, said), known.len()))
    return found


def _binned(known: pl.Series, smallest: int) -> list[tuple[float, float, int]]:
    width = max(1.0, round((float(known.max() or 1)) / 20))  # type: ignore[arg-type]
    counted = (
        known.alias("start")
        .to_frame()
        .select(start=(pl.col("start") / width).floor() * width)
        .group_by("start")
        .agg(patients=pl.len())
        .filter(pl.col("patients") >= smallest)
        .sort("start")
    )
    return [(start, start + width, count) for start, count in counted.iter_rows()]


def needed(risk: pl.DataFrame, smallest: int) -> list[dict[str, Any]]:
    """Return what would settle flags: of how many patients, and of how many alone."""
    exploded = risk.select(what=pl.col("needs"), alone=pl.col("needs").list.len() == 1)
    counts = (
        exploded.explode("what")
        .drop_nulls("what")
        .group_by("what")
        .agg(patients=pl.len(), alone=pl.col("alone").sum())
        .filter(pl.col("patients") >= smallest)
        .sort("patients", "what", descending=[True, False])
    )
    most = counts["patients"].max()
    return [
        {
            "what": row["what"],
            "patients": row["patients"],
            "alone": row["alone"] if row["alone"] == 0 or row["alone"] >= smallest else None,
            "drawn": drawing.bar(row["patients"] / most),
        }
        for row in counts.iter_rows(named=True)
    ]


def drift(
    features: pl.DataFrame, past: list[Path], keys: Keys, smallest: int
) -> list[dict[str, Any]]:
    """Return the variables beside the development cohorts: a line per variable and cohort."""
    before = [read_table(path / "features.parquet", keys, columns=DRIFTING) for path in past[-3:]]
    lines = []
    for share in SHARES:
        now = _share(features, share.feature, share.level, smallest)
        ticks = [_share(frame, share.feature, share.level, smallest) for frame in before]
        marked = [("square", share.value), *(("tick", tick) for tick in ticks if tick is not None)]
        lines.append(
            {
                "label": f"{share.label}, {share.cohort}",
                "drawn": drawing.marks([*marked, *([("dot", now)] if now is not None else [])]),
                "cohort": share.value,
                "tonight": now,
            }
        )
    return lines


def _share(frame: pl.DataFrame, feature: str, level: str, smallest: int) -> float | None:
    if feature not in frame.columns:
        return None
    known = frame[feature].drop_nulls().cast(pl.String)
    count = int((known == level).sum())
    if known.len() < smallest or 0 < count < smallest:
        return None
    return count / known.len()
