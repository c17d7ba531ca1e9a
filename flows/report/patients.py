"""What the report says about one patient: the panel's data, from the published parquet.

The page draws the panel itself, from this: a few hundred patients, about a kilobyte each.
"""

from typing import Any

import polars as pl

from models.nomogram import nomogram
from models.spec import Model, Predictor, library

SHOWN_MODELS = ("liu2022_nomogram", "jin2025_os", "jin2025_pfs")
_DECIMALS = 4
_SCORE = library()["liu2022_score"]
_CUTOFF = _SCORE.cutoff.points.value if _SCORE.cutoff else 0


def layouts() -> list[dict[str, Any]]:
    """Return the nomograms that the page draws, without a patient: one item per model."""
    found = []
    for name in SHOWN_MODELS:
        model = library()[name]
        drawn = nomogram(model)
        found.append(
            {
                "name": name,
                "title": model.title,
                "axes": [
                    {
                        "label": axis.label,
                        "ticks": [[_short(t.x), t.label, int(t.above)] for t in axis.ticks],
                    }
                    for axis in drawn.axes
                ],
                "total": drawn.total_row,
                "cutoff": drawn.cutoff and _short(drawn.cutoff),
                "cutoffLabel": drawn.cutoff_label,
                "inferred": _inferred(model),
            }
        )
    return found


def _inferred(model: Model) -> str:
    if model.intercept and model.intercept.status == "inferred":
        return "its intercept is inferred, not published"
    return "its baseline survival and axes are inferred, not published"


def panels(
    worklist: pl.DataFrame,
    risk: pl.DataFrame,
    features: pl.DataFrame,
    scores: pl.DataFrame,
    timeline: pl.DataFrame,
    criteria: pl.DataFrame,
    on_file: pl.DataFrame,
    windows: dict[str, float],
) -> list[dict[str, Any]]:
    """Return what the page shows of each patient of `worklist`: one item per patient.

    `windows` are those in force in the night.
    """
    who = worklist.select("patient_id", "position")
    ours = who.join(risk, on="patient_id", how="left", maintain_order="left").to_dicts()
    derived = {row["patient_id"]: row for row in _of(features, who).to_dicts()}
    by_model = {(r["patient_id"], r["model"]): r for r in _of(scores, who).to_dicts()}
    rests_on, unused = _by_patient(criteria, who), _by_patient(on_file, who)
    events: dict[str, list[list[Any]]] = {}
    for row in _of(timeline, who).iter_rows(named=True):
        value = None if row["value"] is None else float(f"{row['value']:.4g}")
        told = [str(row["date"]), row["kind"], row["words"], value]
        events.setdefault(row["patient_id"], []).append(
            [*told, row["source_table"], row["source_row"]]
        )
    return [
        {
            "id": patient["patient_id"],
            "facts": [
                *_facts(patient, derived[patient["patient_id"]]),
                *_rests_on(rests_on, unused, patient["patient_id"]),
            ],
            "models": [
                _model(library()[name], by_model[patient["patient_id"], name], derived, windows)
                for name in SHOWN_MODELS
            ],
            "events": events.get(patient["patient_id"], []),
        }
        for patient in ours
    ]


ByPatient = dict[str, list[dict[str, Any]]]


def _by_patient(table: pl.DataFrame, who: pl.DataFrame) -> ByPatient:
    found: ByPatient = {}
    for row in _of(table, who).iter_rows(named=True):
        found.setdefault(row["patient_id"], []).append(row)
    return found


def _of(table: pl.DataFrame, who: pl.DataFrame) -> pl.DataFrame:
    return table.join(who.select("patient_id"), on="patient_id", how="semi")


def _facts(risk: dict[str, Any], features: dict[str, Any]) -> list[list[str]]:
    """Return what is said above the nomograms: name and words."""
    met = risk["rrdtc_reason"] or "not applicable, or histology unknown"
    if risk["rrdtc_met"]:
        kind, since = risk["rrdtc_criterion"], risk["rrdtc_met_date"]
        met = f"met, type {kind or 'unknown'}, since {since or 'an unknown day'}"
    elif risk["rrdtc_met"] is False:
        met = "none met"
    uptake = (
        (risk["uptake_category"] or "").replace("_", " ") or features["uptake_reason"] or "unknown"
    )
    facts = [
        ["RR-DTC flag", f"{risk['rrdtc_flag'].replace('_', ' ')}{_points(risk)}"],
        ["Why to review", "; ".join(risk["review_reasons"])],
        ["Can still be examined", "; ".join(risk["needs_examination"])],
        ["Only has to be entered", "; ".join(risk["needs_entry"])],
        ["Nothing settles any more", "; ".join(risk["needs_nothing"])],
        ["RR-DTC criterion", met],
        ["131I uptake category", uptake + (" (provisional)" if risk["uptake_provisional"] else "")],
        ["Index date", str(risk["index_date"] or _no_index_date(features))],
        ["Metastasis sites", _sites(features)],
        [
            "sTg",
            "TgAb-positive that day: it may be falsely low" if risk["tgab_interference"] else "",
        ],
        ["Changed since the last night", "; ".join(risk["changed_since_last"])],
        ["Changed since the last review", "; ".join(risk["changed_since_review"] or [])],
        ["Last review", _review(risk)],
        ["Waiting since", str(risk["waiting_since"] or "")],
        ["Quarantined rows", str(risk["quarantined_rows"] or "")],
    ]
    return [[name, words] for name, words in facts if words]


def _points(risk: dict[str, Any]) -> str:
    low, high = risk["rrdtc_points_lower"], risk["rrdtc_points_upper"]
    if low is None:
        return ""
    points = f"{low} points" if low == high else f"{low} to {high} points"
    return f"; {points}, high from {_CUTOFF:g}"


def _rests_on(criteria: ByPatient, on_file: ByPatient, patient: str) -> list[list[str]]:
    """Return the criteria that are met, with their evidence, and what is on file and not used."""
    met = [row for row in criteria.get(patient, []) if row["state"] == "met"]
    facts = [
        [f"Criterion {row['criterion']}", f"{row['evidence']}, {row['date'] or 'unknown day'}"]
        for row in met
    ]
    for row in on_file.get(patient, []):
        day = row["date"] or "unknown day"
        facts.append(["On file, does not count", f"{row['words']}, {day}: {row['reason']}"])
    return facts


def _review(risk: dict[str, Any]) -> str:
    if risk["reviewed_at"] is None:
        return "never"
    until = f" until {risk['deferred_until']}" if risk["deferred_until"] else ""
    return f"{risk['reviewed_at']}, {risk['review_decision']}{until}"


def _model(
    model: Model,
    scores: dict[str, Any],
    derived: dict[str, dict[str, Any]],
    windows: dict[str, float],
) -> dict[str, Any]:
    features = derived[scores["patient_id"]]
    shown: dict[str, Any] = {
        "status": scores["status"],
        "risk": scores["risk"] or "",
        "notes": "; ".join(scores["reasons"] or []),
    }
    if scores["status"] in ("ineligible", "insufficient"):
        return shown
    drawn = nomogram(model, scores)
    shown["marks"] = [
        None if axis.mark_from is None else [_short(axis.mark_from), _short(axis.mark_to or 0)]
        for axis in drawn.axes
    ]
    shown["predictors"] = [
        _predictor(model, p, scores, features, windows) for p in model.predictors
    ]
    shown["results"] = _results(scores)
    return shown


def _predictor(
    model: Model,
    predictor: Predictor,
    scores: dict[str, Any],
    features: dict[str, Any],
    windows: dict[str, float],
) -> list[Any]:
    """Return label, value, points, source table and row, date; of a missing one, what it needs."""
    value, points = scores[predictor.name], scores[f"{predictor.name}_points"]
    named = {level.value: model.said(level.label, windows) for level in predictor.levels}
    words = named.get(value, value)
    needed = model.said(predictor.needs, windows)
    if predictor.unit and value is not None:
        words = f"{float(value):g} {predictor.unit}"
    return [
        predictor.label,
        words if value is not None else f"unknown: needs {needed}",
        None if points is None else round(points, 1),
        predictor.table or "",
        features.get(predictor.row or "") or "",
        str(features.get(predictor.date or "") or ""),
    ]


def _results(scores: dict[str, Any]) -> list[list[str]]:
    found = []
    for name, words in (
        ("probability", "Probability of RR-DTC"),
        ("survival_3y", "3-year survival"),
        ("survival_5y", "5-year survival"),
        ("survival_10y", "10-year survival"),
    ):
        low, high = scores[f"{name}_lower"], scores[f"{name}_upper"]
        if low is not None:
            value = "" if scores[name] is None else f"{scores[name]:.0%}, "
            found.append([words, f"{value}between {low:.0%} and {high:.0%}"])
    return found


def _short(x: float) -> float:
    return round(x, _DECIMALS)


_TGAB = "TgAb-positive that day: it may be falsely low"


def _no_index_date(features: dict[str, Any]) -> str:
    return "no 131I therapy" if features["has_index"] is False else "unknown"


def _sites(features: dict[str, Any]) -> str:
    known = (features["sites"] or features["sites_at_least"] or "").replace("_", " ")
    return known if features["sites"] or not known else f"{known}, perhaps more"
