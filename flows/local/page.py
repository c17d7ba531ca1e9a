"""The report of a development as one page: tables, nomogram, groups and calibration; no script."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup, escape

from models.cards import predictor_rows
from models.parts import Model

WIDTH, HEIGHT, LEFT, FLOOR, TOP = 420, 260, 44, 220, 14
Line = tuple[str, Sequence[tuple[float, float]]]
"""A name and points."""


def page(model: Model, content: Mapping[str, Any], nomogram: str) -> str:
    """Return the page. `nomogram` is the model's nomogram as SVG, drawn by us."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=True)
    environment.filters["number"] = _number
    template = files("flows.local").joinpath("developed.html.jinja").read_text("utf-8")
    groups = _groups(content["groups"])
    drawn = {
        "model": model,
        "rows": predictor_rows(model),
        "nomogram": Markup(nomogram),  # noqa: S704 - made by vl-convert from texts it escapes
        "groups": _drawn(groups, "years since entry", 10.0) if groups else None,
        "calibration": [
            (horizon, _drawn([("observed", points)], "predicted risk", 1.0, diagonal=True))
            for horizon, points in _curves(content["calibration_curve"])
        ],
    }
    return environment.from_string(template).render(dict(content) | drawn)


def _number(value: float | None, digits: int = 3) -> str:
    if value is None:
        return ""
    return "< 0.001" if 0 < value < 0.001 else f"{value:.{digits}g}"


def _groups(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Return the share free of the event of each group over time; hidden points are left out."""
    names = sorted({str(row["group"]) for row in rows})
    return [
        (
            name,
            [
                (row["time"], 1 - row["incidence"])
                for row in rows
                if row["group"] == name and row["incidence"] is not None
            ],
        )
        for name in names
    ]


def _curves(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, list[tuple[float, float]]]]:
    horizons = list(dict.fromkeys(row["horizon"] for row in rows))
    return [
        (h, [(row["predicted"], row["observed"]) for row in rows if row["horizon"] == h])
        for h in horizons
    ]


def _drawn(lines: Sequence[Line], label: str, most: float, *, diagonal: bool = False) -> Markup:
    """Draw lines on shares from 0 to 1; the second is dashed, and each is named at its end."""

    def at(x: float, y: float) -> str:
        return f"{LEFT + x / most * (WIDTH - LEFT - 60):.1f},{FLOOR - y * (FLOOR - TOP):.1f}"

    parts = [f'<polyline class="axis" points="{at(0, 1)} {at(0, 0)} {at(most, 0)}"/>']
    for step in range(5):
        x, y = at(step / 4 * most, 0).split(",")
        parts.append(f'<text x="{x}" y="{float(y) + 16:.1f}">{step / 4 * most:g}</text>')
        x, y = at(0, step / 4).split(",")
        parts.append(f'<text x="{float(x) - 34:.1f}" y="{float(y) + 4:.1f}">{step / 4:g}</text>')
    parts.append(f'<text x="{LEFT}" y="{FLOOR + 34}">{escape(label)}</text>')
    if diagonal:
        parts.append(f'<polyline class="axis" points="{at(0, 0)} {at(most, most)}"/>')
    for place, (name, points) in enumerate(lines):
        if not points:
            continue
        dashed = ' stroke-dasharray="5 3"' if place else ""
        drawn = " ".join(at(x, min(max(y, 0.0), 1.0)) for x, y in points)
        parts.append(f'<polyline class="line" points="{drawn}"{dashed}/>')
        x, y = at(*points[-1]).split(",")
        parts.append(f'<text x="{float(x) + 5:.1f}" y="{y}">{escape(name)}</text>')
    named = ", ".join(name for name, _ in lines)
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" '
    head += f'aria-label="{escape(named)} by {escape(label)}">'
    return Markup(head + "".join(parts) + "</svg>")  # noqa: S704 - escaped above
