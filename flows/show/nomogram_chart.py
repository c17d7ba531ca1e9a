"""Drawing nomograms: SVG and PNG by Vega-Altair, rendered offline by vl-convert."""

import json
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert as vlc

from models.nomogram import Axis, Nomogram

WIDTH, ROW, TICK, GAP = 760, 50, 0.08, 0.4
_INK, _GREY = "#111111", "#777777"
INFERRED = "\u2020"
"""The mark of an axis whose place is not in the paper."""
_SCALE = alt.Scale(domain=[0, 1], nice=False, zero=False)


def draw(layout: Nomogram, subtitle: str = "") -> alt.LayerChart:
    """Return a nomogram as an Altair chart."""
    height = _place(layout, len(layout.axes)) - 0.3
    y_scale = alt.Scale(domain=[-0.6, height], reverse=True, nice=False)
    layers = [
        _rules(_lines(layout), y_scale, _INK, 1.2),
        _rules(_tick_lines(layout), y_scale, _INK, 1.0),
        _texts(_tick_labels(layout, above=False), y_scale, dy=15),
        _texts(_tick_labels(layout, above=True), y_scale, dy=-12),
        _row_labels(layout, y_scale),
    ]
    if layout.cutoff is not None:
        layers += _cutoff(layout, y_scale)
    if any(axis.mark_from is not None for axis in layout.axes):
        layers += _patient(layout, y_scale)
    notes = [subtitle] * bool(subtitle)
    if any(axis.inferred for axis in layout.axes):
        notes.append(f"{INFERRED} inferred, not published")
    title = alt.TitleParams(layout.title, subtitle=notes, anchor="start", fontSize=16)
    drawn: alt.LayerChart = (
        alt.layer(*layers)
        .properties(width=WIDTH, height=ROW * height, title=title)
        .configure(view=alt.ViewConfig(stroke=None), padding=12)
    )
    return drawn


def save(chart: alt.LayerChart, stem: Path) -> list[Path]:
    """Write a chart as STEM.svg and STEM.png; return the two paths."""
    spec = json.dumps(chart.to_dict())
    svg, png = stem.with_suffix(".svg"), stem.with_suffix(".png")
    svg.write_text(vlc.vegalite_to_svg(spec), "utf-8")
    png.write_bytes(vlc.vegalite_to_png(spec, scale=2))
    return [svg, png]


def as_svg(chart: alt.LayerChart) -> str:
    """Return a chart as SVG."""
    return str(vlc.vegalite_to_svg(json.dumps(chart.to_dict())))


def _x(field: str = "x") -> alt.X:
    return alt.X(f"{field}:Q", scale=_SCALE, axis=None)


def _y(scale: alt.Scale) -> alt.Y:
    return alt.Y("y:Q", scale=scale, axis=None)


def _data(values: list[dict[str, Any]]) -> alt.Data:
    return alt.Data(values=values)


def _place(layout: Nomogram, row: int) -> float:
    """Return the height of an axis; a gap sets the totals apart, with room for the cut-off."""
    return row + (GAP if row >= layout.total_row else 0)


def _ends(axis: Axis) -> tuple[float, float]:
    return axis.ticks[0].x, axis.ticks[-1].x


def _lines(layout: Nomogram) -> list[dict[str, Any]]:
    found = []
    for row, axis in enumerate(layout.axes):
        (start, end), y = sorted(_ends(axis)), _place(layout, row)
        found.append({"x": start, "x2": end, "y": y, "y2": y})
    return found


def _tick_lines(layout: Nomogram) -> list[dict[str, Any]]:
    return [
        {"x": t.x, "x2": t.x, "y": y, "y2": y + (-TICK if t.above else TICK)}
        for row, axis in enumerate(layout.axes)
        for y in [_place(layout, row)]
        for t in axis.ticks
    ]


def _tick_labels(layout: Nomogram, *, above: bool) -> list[dict[str, Any]]:
    return [
        {"x": t.x, "y": _place(layout, row), "text": t.label}
        for row, axis in enumerate(layout.axes)
        for t in axis.ticks
        if t.above is above
    ]


def _rules(values: list[dict[str, Any]], y: alt.Scale, colour: str, width: float) -> alt.Chart:
    rules: alt.Chart = (
        alt.Chart(_data(values))
        .mark_rule(color=colour, strokeWidth=width)
        .encode(x=_x(), x2="x2:Q", y=_y(y), y2="y2:Q")
    )
    return rules


def _texts(values: list[dict[str, Any]], y: alt.Scale, dy: int) -> alt.Chart:
    texts: alt.Chart = (
        alt.Chart(_data(values))
        .mark_text(color=_INK, fontSize=11, dy=dy)
        .encode(x=_x(), y=_y(y), text="text:N")
    )
    return texts


def _row_labels(layout: Nomogram, y: alt.Scale) -> alt.Chart:
    values = [
        {"x": 0, "y": _place(layout, row), "text": axis.label + f" {INFERRED}" * axis.inferred}
        for row, axis in enumerate(layout.axes)
    ]
    labels: alt.Chart = (
        alt.Chart(_data(values))
        .mark_text(color=_INK, fontSize=12, align="right", dx=-14, fontWeight="bold", limit=320)
        .encode(x=_x(), y=_y(y), text="text:N")
    )
    return labels


def _cutoff(layout: Nomogram, y: alt.Scale) -> list[alt.Chart]:
    axis = _place(layout, layout.total_row)
    line = [{"x": layout.cutoff, "x2": layout.cutoff, "y": axis - 0.35, "y2": axis}]
    words = [{"x": layout.cutoff, "y": axis - 0.35, "text": layout.cutoff_label}]
    rule = (
        alt.Chart(_data(line))
        .mark_rule(color=_INK, strokeWidth=1.5, strokeDash=[4, 3])
        .encode(x=_x(), x2="x2:Q", y=_y(y), y2="y2:Q")
    )
    return [rule, _texts(words, y, dy=-7)]


def _patient(layout: Nomogram, scale: alt.Scale) -> list[alt.Chart]:
    """Mark a patient: a diamond where a value is known, a thick bar where it is not."""
    marked = [
        (_place(layout, row), axis.mark_from, axis.mark_to)
        for row, axis in enumerate(layout.axes)
        if axis.mark_from is not None and axis.mark_to is not None
    ]
    known = [{"x": low, "y": y} for y, low, high in marked if low == high]
    open_ = [{"x": low, "x2": high, "y": y, "y2": y} for y, low, high in marked if low != high]
    diamonds = (
        alt.Chart(_data(known))
        .mark_point(shape="diamond", filled=True, size=170, color=_INK, opacity=1)
        .encode(x=_x(), y=_y(scale))
    )
    bars = (
        alt.Chart(_data(open_))
        .mark_rule(color=_GREY, strokeWidth=9, opacity=0.55)
        .encode(x=_x(), x2="x2:Q", y=_y(scale), y2="y2:Q")
    )
    return [bars, diamonds]
