"""Why a patient has these flags, from what was published."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.errors import UsageError
from flows.local.files import of_night
from flows.mapped.origins import origins
from flows.published.nights import day_of, night_folder, nights, read_published, read_run
from flows.secrets import load_keys
from models.local import LocalModels, with_local
from models.points import effects, points_per_unit
from models.refit import refitted
from models.spec import Model, Predictor

UNKNOWN = "unknown"


def explain(patient: str, out: Path, run_date: str | None, console: Console) -> None:
    """Print a patient's scores: each predictor, its source, its points, what is missing."""
    risk = _row(patient, out, "patient_risk.parquet", run_date)
    features = _row(patient, out, "features.parquet", run_date)
    scores = read_published(out, "model_scores.parquet", run_date, load_keys())
    assert scores is not None  # noqa: S101
    rows = {row["model"]: row for row in scores.filter(patient_id=patient).to_dicts()}
    console.print(f"Patient {patient} as of {risk['as_of']}", style="bold", markup=False)
    console.print(f"first 131I therapy: {risk['index_date'] or _no_index_date(features)}")
    _print_rrdtc(risk, console)
    for criterion in _rows(patient, out, "criteria.parquet", run_date):
        console.print(_criterion(criterion), markup=False)
    windows = _windows(out, run_date)
    for name, model in with_local(_local(out, run_date)).items():
        console.print(_predictors(model, rows[name], features, windows))
        for line in _outcome(model, rows[name]):
            console.print(line, markup=False)
    _print_records(patient, features, out, run_date, console)
    if features["uptake_reason"]:
        console.print(f"131I uptake category: none; {features['uptake_reason']}", markup=False)
    for row in _rows(patient, out, "on_file.parquet", run_date):
        console.print(f"on file, does not count: {_not_counted(row)}", markup=False)
    if risk["quarantined_rows"]:
        console.print(
            f"{risk['quarantined_rows']} rows of this patient are quarantined: "
            f"see quarantine.parquet",
            style="yellow",
        )
    if risk.get("not_listed_reason"):
        console.print(f"Not on the worklist: {risk['not_listed_reason']}", markup=False)
    for title, words in (
        ("Can still be examined", risk["needs_examination"]),
        ("Only has to be entered", risk["needs_entry"]),
        ("Nothing settles it any more", risk["needs_nothing"]),
        ("To review because", risk["review_reasons"]),
        ("Changed since the last night", risk["changed_since_last"]),
    ):
        if words:
            console.print(f"{title}: {'; '.join(words)}", markup=False)


def _print_records(
    patient: str, features: dict[str, Any], out: Path, run_date: str | None, console: Console
) -> None:
    """Print the records of the hospital's own files behind the rows that count."""
    rows = [
        (predictor.table, str(features[predictor.row]))
        for model in with_local(_local(out, run_date)).values()
        for predictor in model.predictors
        if predictor.table and predictor.row and features.get(predictor.row)
    ]
    rows += [
        (row["source_table"], row["source_row"])
        for row in _rows(patient, out, "criteria.parquet", run_date)
        if row["source_row"]
    ]
    found = list(origins(rows, out, run_date, load_keys()))
    if found:
        console.print("Records behind these rows:")
        for line in found:
            console.print(f"  {line}", markup=False, soft_wrap=True)


def scores_of(patient: str, model: str, out: Path, run_date: str | None) -> dict[str, Any]:
    """Return a patient's published row of one model. Raises UsageError."""
    return _row(patient, out, "model_scores.parquet", run_date, model=model)


def _row(patient: str, out: Path, name: str, run_date: str | None, **more: str) -> dict[str, Any]:
    table = read_published(out, name, run_date, load_keys())
    if table is None:
        raise UsageError(f"no published night{f' of {run_date}' if run_date else ''} in {out}")
    rows = table.filter(patient_id=patient, **more).to_dicts()
    if not rows:
        raise UsageError("no such patient in this night")
    return rows[0]


def _rows(patient: str, out: Path, name: str, run_date: str | None) -> list[dict[str, Any]]:
    table = read_published(out, name, run_date, load_keys())
    return [] if table is None else table.filter(patient_id=patient).to_dicts()


def _local(out: Path, run_date: str | None) -> LocalModels:
    """Return the local models of a night."""
    return of_night(night_folder(out, run_date or day_of(nights(out)[-1])))


def _windows(out: Path, run_date: str | None) -> dict[str, float]:
    """Return the windows that were in force in a night."""
    day = run_date or day_of(nights(out)[-1])
    report = read_run(night_folder(out, day)) or {}
    return dict(report.get("settings", {}).get("windows", {}))


def _no_index_date(features: dict[str, Any]) -> str:
    return "none" if features["has_index"] is False else "unknown: a row of it cannot be used"


def _criterion(row: dict[str, Any]) -> str:
    state = row["state"].replace("_", " ")
    day = f" on {row['date']}" if row["date"] else ""
    source = f" ({row['source_table']} {row['source_row']})" if row["source_row"] else ""
    return f"  {row['criterion']} {row['words']}: {state}{day}; {row['evidence']}{source}"


def _not_counted(row: dict[str, Any]) -> str:
    source = f"{row['source_table']} {row['source_row']}"
    return f"{row['words']} on {row['date'] or 'an unknown day'}: {row['reason']} ({source})"


def _print_rrdtc(risk: dict[str, Any], console: Console) -> None:
    if risk["rrdtc_met"]:
        kind, since = risk["rrdtc_criterion"], risk["rrdtc_met_date"]
        console.print(
            f"RR-DTC: met, type {kind or 'unknown'}, since {since or 'an unknown day'}",
            markup=False,
        )
    elif risk["rrdtc_met"] is None:
        reason = risk["rrdtc_reason"] or "not applicable, or histology unknown"
        console.print(f"RR-DTC criteria: {reason}", markup=False)
    else:
        console.print("RR-DTC criteria: none met")


def _predictors(
    model: Model, scores: dict[str, Any], features: dict[str, Any], windows: dict[str, float]
) -> Table:
    table = Table("predictor", "value", "points", "source row", "date", title_justify="left")
    table.title = f"{model.title} ({model.name})"
    for predictor in model.predictors:
        value, points = scores[predictor.name], scores[f"{predictor.name}_points"]
        named = {level.value: model.said(level.label, windows) for level in predictor.levels}
        label = named.get(value, value)
        needed = model.said(predictor.needs, windows)
        if predictor.unit and value is not None:
            label = f"{value} {predictor.unit}"
        table.add_row(
            predictor.label,
            f"{UNKNOWN}: needs {needed}" if value is None else label,
            _range(model, predictor) if points is None else f"{points:.4g}",
            _source(predictor, features),
            str(features.get(predictor.date or "") or ""),
        )
    return table


def _range(model: Model, predictor: Predictor) -> str:
    """Return the points that a missing predictor could have."""
    effect = effects(model, predictor)
    return f"0 to {(effect.high - effect.low) * points_per_unit(model):.4g}"


def _source(predictor: Predictor, features: dict[str, Any]) -> str:
    row = features.get(predictor.row or "")
    if predictor.row is None:
        return predictor.table or ""
    return f"{predictor.table} {row}" if row else f"none that counts in {predictor.table}"


def _outcome(model: Model, row: dict[str, Any]) -> list[str]:
    lines = [f"status: {row['status']}; risk: {row['risk'] or 'has no cut-off'}"]
    lines += [f"  {reason}" for reason in row["reasons"]]
    lower, upper = row["points_lower"], row["points_upper"]
    if lower is not None:
        between = f"{lower:.4g}" if lower == upper else f"between {lower:.4g} and {upper:.4g}"
        cutoff = ""
        if model.cutoff:
            cutoff = f" (high: {model.cutoff.high} {model.cutoff.points.value:g})"
        lines.append(f"points: {between}{cutoff}")
        if (row["points_inferred_lower"], row["points_inferred_upper"]) != (lower, upper):
            least, most = row["points_inferred_lower"], row["points_inferred_upper"]
            lines.append(f"  on axes that may have been drawn: {least:.4g} to {most:.4g}")
    for name in ("probability", "survival_3y", "survival_5y", "survival_10y"):
        if row.get(f"{name}_lower") is not None:
            lines.append(_prediction(name, row))
    if both := refitted(model, row):
        lines.append(f"  sensitivity, no bound: {both[1]:.1%} with the model fitted anew")
    if row["needs"]:
        lines.append(f"would be settled by: {', '.join(row['needs'])}")
    return lines


def _prediction(name: str, row: dict[str, Any]) -> str:
    words = {"probability": "probability of RR-DTC"}.get(
        name, f"{name.removeprefix('survival_').removesuffix('y')}-year survival"
    )
    lower, upper = row[f"{name}_lower"], row[f"{name}_upper"]
    value = "" if row[name] is None else f"{row[name]:.1%}, "
    return f"{words}: {value}between {lower:.1%} and {upper:.1%} (inferred constants)"
