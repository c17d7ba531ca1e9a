"""What the report says about one patient: published rows, and the models that they are read by.

The page draws the panel itself, from this: a few hundred patients, a few kilobytes each.
"""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from flows.report.packed import Packed, many_each, one_each
from models.nomogram import nomogram
from models.points import most_points
from models.spec import Model, Number, Predictor, library

Table = Callable[[str], pl.DataFrame | None]
"""A published table by its name; None where the night has none."""

_ORDER = ("rrdtc", "os", "pfs")
_DECIMALS = 4
_RISK = (
    *("index_date", "rrdtc_met", "rrdtc_criterion", "rrdtc_met_date", "rrdtc_reason"),
    *("rrdtc_history", "pfs_history", "os_history", "uptake_category", "uptake_provisional"),
    *("tgab_interference", "changed_since_last", "changed_since_review", "waiting_since"),
    *("reviewed_at", "review_decision", "deferred_until", "quarantined_rows", "review_reasons"),
    *("needs_examination", "needs_entry", "needs_nothing", "episode_open", "sites_today"),
    *("tg_doubling_months", "tg_slope_n", "tg_slope_from", "tg_slope_to"),
    *(f"os_survival_given_{years}y{end}" for years in (3, 5) for end in ("", "_lower", "_upper")),
)
_FEATURES = (
    *("birth_date", "died", "death_date", "histology", "centre", "sex", "last_contact_date"),
    *("diagnosis_date", "sites", "sites_at_least", "sites_today_at_least", "has_index"),
    *("courses", "courses_at_least", "cumulative_activity_mci", "cumulative_activity_at_least"),
    *("uptake_reason", "response", "response_basis", "response_date", "follow_up_months"),
    *("pfs_event", "stg_ng_ml"),
)
_SCORES = (
    *("status", "risk", "reasons", "needs", "points", "points_lower", "points_upper"),
    *("points_inferred_lower", "points_inferred_upper", "points_possible", "hangs_on_axis"),
    *(
        f"{name}{end}"
        for name in ("probability", "survival_3y", "survival_5y", "survival_10y")
        for end in ("", "_lower", "_upper")
    ),
)
_TOLD = {
    "timeline": (
        *("date", "kind", "words", "value", "unit", "analyte", "comparator", "stimulated"),
        *("tgab_positive", "uptake", "course", "cumulative_mci", "counts", "not_counted_reason"),
        *("source_table", "source_row"),
    ),
    "criteria": ("criterion", "words", "state", "date", "evidence", "source_table", "source_row"),
    "needs": ("feature", "kind", "what", "valid_from", "valid_until", "decides"),
    "on_file": ("feature", "date", "words", "reason", "source_table", "source_row"),
    "reviews": ("reviewed_at", "reviewer", "decision", "reason", "deferred_until", "note"),
}
"""The tables with several rows per patient, and what of them the panel may show."""


def panels(who: pl.DataFrame, table: Table) -> dict[str, Packed]:
    """Return what the page shows of each patient of `who` (patient_id, each once), by table."""
    one = {"risk": ("patient_risk", _RISK), "features": ("features", [*_FEATURES, *_origins()])}
    found = {
        name: one_each(rows, columns, who)
        for name, (published, columns) in one.items()
        if (rows := table(published)) is not None
    }
    for name, columns in _TOLD.items():
        if (rows := table(name)) is not None:
            found[name] = many_each(rows, columns, who)
    scores = table("model_scores")
    if scores is not None:
        for model in in_order():
            theirs = scores.filter(pl.col("model") == model.name)
            values = [name for p in model.predictors for name in (p.name, f"{p.name}_points")]
            found[f"scores:{model.name}"] = one_each(theirs, [*_SCORES, *values], who)
    return found


def in_order() -> list[Model]:
    """Return the models in the order in which a reader meets them: points before chances."""
    return sorted(
        library().values(),
        key=lambda model: (_ORDER.index(model.outcome), model.family != "points", model.name),
    )


def _origins() -> list[str]:
    """Return the variables that name the row and the date of each predictor."""
    named = {name: None for m in in_order() for p in m.predictors for name in (p.row, p.date)}
    return [name for name in named if name]


def layouts(windows: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return what the page knows of each model, without a patient: one item per model."""
    return [
        {
            "name": model.name,
            "title": f"{model.title}, {model.citation.partition(',')[0]}",
            "outcome": model.outcome,
            "family": model.family,
            "most": most_points(model),
            "cutoff": model.cutoff.points.value if model.cutoff else None,
            "horizons": sorted(horizon.years for horizon in model.baseline),
            "inferred": inferred_words(model),
            "predictors": [_predictor(model, p, windows) for p in model.predictors],
            "nomogram": _nomogram(model) if model.family != "points" else None,
        }
        for model in in_order()
    ]


def _predictor(model: Model, one: Predictor, windows: Mapping[str, float]) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": one.label,
        "unit": one.unit or "",
        "needs": model.said(one.needs, windows),
        "levels": {level.value: model.said(level.label, windows) for level in one.levels},
        "table": one.table or "",
        "row": one.row or "",
        "date": one.date or "",
    }


def _nomogram(model: Model) -> dict[str, Any]:
    """Return the axes as the page draws them; a patient's marks follow from the points."""
    drawn = nomogram(model)
    return {
        "axes": [
            {
                "label": axis.label,
                "inferred": axis.inferred,
                "ticks": [[round(t.x, _DECIMALS), t.label, int(t.above)] for t in axis.ticks],
            }
            for axis in drawn.axes
        ],
        "total": drawn.total_row,
        "cutoff": drawn.cutoff and round(drawn.cutoff, _DECIMALS),
        "cutoffLabel": drawn.cutoff_label,
    }


def inferred_words(model: Model) -> list[str]:
    """Return which constants of a model are not in its paper, in words."""
    found = []
    if model.intercept and _is_inferred(model.intercept):
        low, high = model.intercept.bounds
        words = f"intercept {model.intercept.value:.2f} ({low:.2f} to {high:.2f})"
        found.append(words.replace("-", "\N{MINUS SIGN}"))
    if any(_is_inferred(horizon.survival) for horizon in model.baseline):
        found.append("baseline survival")
    axes = [p.label for p in model.predictors if p.axis and p.axis.inferred]
    found += [f"axis of {_inside(label)}" for label in axes]
    for one in model.predictors:
        effects = [level.effect for level in one.levels] + [one.per_unit] * bool(one.per_unit)
        if any(effect is not None and _is_inferred(effect) for effect in effects):
            found.append(f"effect of {_inside(one.label)}")
    return found


def _inside(label: str) -> str:
    """Return a label as it stands inside a sentence; an abbreviation stays as it is."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def _is_inferred(number: Number) -> bool:
    return number.status == "inferred"
