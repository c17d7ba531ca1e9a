"""The page of a validation: validation.html, self-contained, in the design of the report."""

from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup

from flows.report import plots
from flows.report.page import ASSETS, environment
from flows.report.plots import Curve, Row
from flows.subgroups import COMPLETE, POOLED

_STYLES = ("tokens", "frame", "cards", "panel", "tabs", "print")
_FACTS = ("model", "title", "citation", "citation_short", "doi", "night", "baseline")
FOREST = ("uno_c", "auc", "oe", "slope")
"""The measures that subgroups are drawn by, and the value that is right where there is one."""
_RIGHT = {"oe": 1.0, "slope": 1.0}
NAMES = {
    "harrell_c": "Harrell's C", "harrell_c_all": "Harrell's C, all follow-up", "uno_c": "Uno's C",
    "auc": "AUC", "brier": "Brier score", "ipa": "Index of prediction accuracy",
    "observed": "Observed", "expected": "Expected", "oe": "Observed to expected",
    "oe_expected_known": "Observed to expected, expected as known", "intercept": "Intercept",
    "slope": "Slope", "ici": "ICI", "e50": "E50", "e90": "E90", "sensitivity": "Sensitivity",
    "specificity": "Specificity", "ppv": "Positive predictive value",
    "npv": "Negative predictive value", "own_cutoff_youden": "These data's cut-off, Youden",
    "own_cutoff_youden_j": "Youden at it", "own_cutpoint": "These data's cut-point, log-rank",
    "own_cutpoint_p": "p of it", "youden": "Youden", "accuracy": "Accuracy", "events": "Events",
}  # fmt: skip


def page(
    figures: pl.DataFrame,
    curves: dict[str, pl.DataFrame],
    about: dict[str, Any],
    items: list[dict[str, Any]],
) -> str:
    """Return validation.html of figures and curves as they are written beside it."""
    style = "\n".join(ASSETS.joinpath(f"{name}.css").read_text("utf-8") for name in _STYLES)
    everybody = figures.filter(pl.col("by").is_null())
    template: jinja2.Template = environment().get_template("validation.html.jinja")
    return template.render(
        style=style,
        about=about,
        facts=dict.fromkeys(_FACTS, "") | about.get("facts", {}),
        flow=about.get("flow", {}),
        tables=_tables(everybody),
        calibration=_calibration(curves.get("calibration_curve", pl.DataFrame())),
        decision=_decision(curves.get("decision_curve", pl.DataFrame())),
        groups=_groups(curves.get("groups", pl.DataFrame())),
        forests=_forests(figures.filter(pl.col("by").is_not_null())),
        items=items,
        names=NAMES,
    )


def _by(words: Any) -> str:
    return "" if words is None else f" by {words:g}"


def _tables(everybody: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the figures by way, predictions and horizon, each with its range over the bounds."""
    found = []
    keys = ["landmark", "predictions", "horizon"]
    for (way, source, horizon), rows in everybody.group_by(keys, maintain_order=True):
        complete = rows.filter(pl.col("patients") == COMPLETE)
        if complete.is_empty():
            complete = rows
        bounds = rows.filter(pl.col("patients") != COMPLETE)
        first = complete.row(0, named=True)
        ranges = dict(
            bounds.drop_nulls("estimate")
            .group_by("measure")
            .agg(ends=pl.concat_list(pl.col("estimate").min(), pl.col("estimate").max()))
            .iter_rows()
        )
        named = ", ".join(str(part) for part in (way, source) if part is not None)
        found.append(
            {
                "title": f"{named or 'Everybody'}{',' if named else ''}{_by(horizon)}",
                "n": first["n"],
                "events": first["events"],
                "with_bounds": bounds["n"].max() if bounds.height else None,
                "ranges": ranges,
                "rows": complete.to_dicts(),
            }
        )
    return found


def _at(curve: pl.DataFrame) -> list[tuple[Any, pl.DataFrame]]:
    if curve.is_empty():
        return []
    return [(key[0], part) for key, part in curve.group_by("horizon", maintain_order=True)]


def _points(rows: pl.DataFrame, across: str, up: str) -> list[tuple[float, float]]:
    return list(rows.select(across, up).drop_nulls().iter_rows())


def _band(rows: pl.DataFrame, across: str) -> list[tuple[float, float]]:
    known = rows.drop_nulls(["lower", "upper"])
    return [*_points(known, across, "lower"), *_points(known, across, "upper")[::-1]]


def _calibration(curve: pl.DataFrame) -> list[tuple[str, Markup]]:
    found = []
    for horizon, rows in _at(curve):
        band = _band(rows, "predicted") if "lower" in rows.columns else []
        line = Curve("", _points(rows, "predicted", "observed"), band=band)
        ends = [value for point in (*line.points, *line.band) for value in point]
        top = min(1.0, max(ends, default=1.0))
        words = f"Calibration curve{_by(horizon)}; on the dashed line predictions are right."
        drawn = plots.curves(
            [line], ("predicted", "observed"), words, within=(0, top, 0, top), diagonal=True
        )
        found.append((f"Calibration{_by(horizon)}", drawn))
    return found


def _decision(curve: pl.DataFrame) -> list[tuple[str, Markup]]:
    found = []
    for horizon, rows in _at(curve):
        shown = rows.drop_nulls("net_benefit")
        if shown.height < 2:
            continue
        right = float(shown["threshold"].max())  # type: ignore[arg-type]
        top = max(0.02, float(rows["treat_all"].max()), float(shown["net_benefit"].max()))  # type: ignore[arg-type]
        everybody = rows.filter(pl.col("treat_all") >= -top / 4, pl.col("threshold") <= right)
        lines = [
            Curve("model", _points(shown, "threshold", "net_benefit"),
                  band=_band(shown, "threshold")),
            Curve("all", _points(everybody, "threshold", "treat_all"), "line dash"),
            Curve("none", [(0.0, 0.0), (right, 0.0)], "axis"),
        ]  # fmt: skip
        words = f"Decision curve{_by(horizon)}: net benefit of the model, of all and of none."
        drawn = plots.curves(
            lines, ("threshold", "net benefit"), words, within=(0, right, -top / 4, top)
        )
        found.append((f"Decision curve{_by(horizon)}", drawn))
    return found


def _groups(curve: pl.DataFrame) -> list[dict[str, Any]]:
    found = []
    for horizon, rows in _at(curve):
        lines = []
        for (name,), part in rows.sort("group", "time").group_by("group", maintain_order=True):
            points = [(0.0, 0.0), *_points(part, "time", "incidence")]
            known = part.drop_nulls(["lower", "upper"])
            style = "line strong" if name == "high" else "line dash"
            lines.append(Curve(str(name), points, style, _band(known, "time")))
        words = f"Observed by risk group{_by(horizon)}."
        times = rows["time"].unique().sort().to_list()
        each = {(row["group"], row["time"]): row for row in rows.iter_rows(named=True)}
        names = rows["group"].unique().sort().to_list()
        test = rows.row(0, named=True)
        found.append(
            {
                "title": f"Risk groups{_by(horizon)}",
                "drawn": plots.curves(lines, ("time", "incidence"), words),
                "times": times,
                "rows": [(name, [each.get((name, time)) for time in times]) for name in names],
                "p": test.get("log_rank_p"),
            }
        )
    return found


def _forests(figures: pl.DataFrame) -> list[dict[str, Any]]:
    """Return a plot per subgroup and measure, of the first way and its latest horizon."""
    found: list[dict[str, Any]] = []
    if figures.is_empty():
        return found
    first = figures.row(0, named=True)
    of_way = figures.filter(
        pl.col("landmark").eq_missing(pl.lit(first["landmark"])),
        pl.col("predictions").eq_missing(pl.lit(first["predictions"])),
        pl.col("horizon").eq_missing(figures["horizon"].max()),
    )
    for (by,), part in of_way.group_by("by", maintain_order=True):
        for measure in FOREST:
            told = part.filter(
                pl.col("measure") == measure,
                pl.all_horizontal(pl.col("estimate", "lower", "upper").is_not_null()),
            )
            if told.height < 2:
                continue
            rows = [
                Row(row["level"], row["estimate"], row["lower"], row["upper"],
                    row["level"] == POOLED)
                for row in told.iter_rows(named=True)
            ]  # fmt: skip
            words = f"{NAMES[measure]} by {by}"
            pooled = told.filter(level=POOLED)
            found.append(
                {
                    "title": words,
                    "drawn": plots.forest(rows, _RIGHT.get(measure), f"{words}, with intervals."),
                    "note": pooled["note"][0] if pooled.height else "",
                }
            )
    return found
