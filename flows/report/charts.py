"""The charts of the report: Vega-Altair, rendered offline to SVG. Readable in greyscale."""

import json
import re

import altair as alt
import polars as pl
import vl_convert as vlc

from transforms.measures.control_charts import funnel, p_chart, xmr_chart

INK, GREY, LIGHT = "#111111", "#6b6b6b", "#d9d9d9"
WIDTH, HEIGHT = 420, 220
_SHADES = {"high": INK, "indeterminate": "#8a8a8a", "low": LIGHT}
_NUMBER_TAIL = re.compile(r"(\d+\.\d{2})\d+")


def svg(chart: alt.TopLevelMixin) -> str:
    """Return a chart as SVG to put into a page; lengths to a hundredth of a pixel."""
    drawn: str = vlc.vegalite_to_svg(json.dumps(chart.to_dict(validate=False)))
    return _NUMBER_TAIL.sub(r"\1", drawn)


def _data(frame: pl.DataFrame) -> alt.Data:
    return alt.Data(values=json.loads(frame.write_json()))


def _finish(chart: alt.Chart | alt.LayerChart, height: int = HEIGHT) -> alt.LayerChart:
    finished: alt.LayerChart = (
        alt.layer(chart)
        .properties(width=WIDTH, height=height)
        .configure(
            font="Verdana, DejaVu Sans, sans-serif",
            padding={"left": 24, "top": 5, "right": 24, "bottom": 5},
            axis=alt.AxisConfig(
                labelFontSize=12, titleFontSize=12, labelLimit=320, gridColor="#eee"
            ),
            view=alt.ViewConfig(stroke=None),
            legend=alt.LegendConfig(labelFontSize=12, titleFontSize=12, orient="top"),
        )
    )
    return finished


def bars(frame: pl.DataFrame, category: str, count: str, title: str) -> str:
    """Draw one bar per row, longest first, with its number."""
    base = alt.Chart(_data(frame)).encode(
        y=alt.Y(f"{category}:N", sort="-x", title=None),
        x=alt.X(f"{count}:Q", title=title, axis=alt.Axis(tickMinStep=1)),
    )
    marks = base.mark_bar(color=GREY)
    words = base.mark_text(align="left", dx=4, color=INK).encode(text=f"{count}:Q")
    return svg(_finish(marks + words, height=max(40, 26 * frame.height)))


def histogram(frame: pl.DataFrame, cutoff: float | None, title: str) -> str:
    """Draw patients by points: `points` is the lower end of a bin, `width` its width."""
    bars_ = (
        alt.Chart(_data(frame))
        .mark_rect(color=GREY, stroke="white")
        .encode(
            x=alt.X("points:Q", title=title),
            x2="end:Q",
            y=alt.Y("patients:Q", title="patients", axis=alt.Axis(tickMinStep=1)),
            y2=alt.datum(0),
        )
    )
    if cutoff is None:
        return svg(_finish(bars_))
    at = pl.DataFrame({"cutoff": [cutoff]})
    line = (
        alt.Chart(_data(at))
        .mark_rule(color=INK, strokeDash=[5, 3], strokeWidth=2)
        .encode(x="cutoff:Q")
    )
    return svg(_finish(bars_ + line))


def risk_groups(frame: pl.DataFrame) -> str:
    """Draw the risk groups of each model: `model`, `risk`, `patients`."""
    chart = (
        alt.Chart(_data(frame))
        .mark_bar(stroke=INK)
        .encode(
            y=alt.Y("model:N", title=None),
            x=alt.X("patients:Q", title="patients", stack="zero"),
            color=alt.Color(
                "risk:N",
                scale=alt.Scale(domain=list(_SHADES), range=list(_SHADES.values())),
                title=None,
            ),
            order=alt.Order("order:Q"),
        )
    )
    return svg(_finish(chart, height=110))


def lines(frame: pl.DataFrame, title: str) -> str:
    """Draw counts over nights: `night`, `what`, `count`."""
    base = alt.Chart(_data(frame)).encode(
        x=alt.X("night:O", title="night", axis=alt.Axis(labelAngle=-45)),
        y=alt.Y("count:Q", title=title),
    )
    line = base.mark_line(color=GREY).encode(detail="what:N")
    dots = base.mark_point(color=INK, size=60).encode(shape=alt.Shape("what:N", title=None))
    return svg(_finish(line + dots))


def drift(frame: pl.DataFrame) -> str:
    """Draw shares per variable: `label`, `who` (cohort, past nights, tonight), `share`."""
    whos = ["development cohort", "past nights", "tonight"]
    chart = (
        alt.Chart(_data(frame))
        .mark_point(size=90, color=INK, filled=False, strokeWidth=1.8)
        .encode(
            y=alt.Y("label:N", title=None),
            x=alt.X("share:Q", title="share of patients with a known value", axis=_percent()),
            shape=alt.Shape(
                "who:N",
                scale=alt.Scale(domain=whos, range=["square", "stroke", "circle"]),
                title=None,
            ),
        )
    )
    return svg(_finish(chart, height=26 * frame["label"].n_unique()))


def heatmap(frame: pl.DataFrame, column: str) -> str:
    """Draw shares as shaded cells with their number: `row`, `column`, `share` (null: too few)."""
    shown = frame.with_columns(
        words=pl.when(pl.col("share").is_null())
        .then(pl.lit("few"))
        .otherwise((pl.col("share") * 100).round(0).cast(pl.Int64).cast(pl.String)),
        dark=pl.col("share").fill_null(0) > 0.55,
    )
    base = alt.Chart(_data(shown)).encode(
        x=alt.X(f"{column}:O", title=None, axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("row:N", title=None),
    )
    cells = base.mark_rect(stroke="white").encode(
        color=alt.Color(
            "share:Q", scale=alt.Scale(domain=[0, 1], range=["#ffffff", "#333333"]), legend=None
        )
    )
    on_light, on_dark = (
        base.transform_filter(test).mark_text(fontSize=11, color=ink).encode(text="words:N")
        for test, ink in (("!datum.dark", INK), ("datum.dark", "#ffffff"))
    )
    return svg(_finish(cells + on_light + on_dark, height=24 * frame["row"].n_unique()))


def control_chart(points: pl.DataFrame, unit: str) -> str:
    """Draw a measure over time with its limits; points that break a rule are filled squares."""
    charted = p_chart(points) if unit == "share" else xmr_chart(points)
    charted = charted.with_columns(
        pl.col("start").dt.to_string("%Y-%m-%d"), odd=pl.col("signal").is_not_null()
    )
    axis = _percent() if unit == "share" else alt.Axis()
    x = alt.X("start:T", title=None, axis=alt.Axis(format="%Y", tickCount="year"))
    base = alt.Chart(_data(charted)).encode(x=x)
    title = "share" if unit == "share" else f"median, {unit}"
    limits = base.mark_area(color=LIGHT, opacity=0.5, interpolate="step").encode(
        y=alt.Y("lower:Q", title=title, axis=axis), y2="upper:Q"
    )
    centre = base.mark_line(color=GREY, strokeDash=[6, 3]).encode(y="centre:Q")
    line = base.mark_line(color=INK, strokeWidth=1).encode(y="value:Q")
    dots = base.mark_point(color=INK, filled=True, opacity=1).encode(
        y="value:Q",
        shape=alt.condition("datum.odd", alt.value("square"), alt.value("circle")),
        size=alt.condition("datum.odd", alt.value(130), alt.value(25)),
    )
    return svg(_finish(limits + centre + line + dots, height=170))


def funnel_plot(centres: pl.DataFrame) -> str:
    """Draw centres by size and share between the limits around the overall share."""
    seen = funnel(centres)
    share = float(seen["centre_line"][0])
    most = max(int(centres["denominator"].max() or 1), 10)  # type: ignore[arg-type]
    sizes = pl.DataFrame({"n": [max(1.0, most * k / 40) for k in range(1, 45)]}).with_columns(
        error=(share * (1 - share) / pl.col("n")).sqrt()
    )
    edges = sizes.select(
        "n",
        low95=(share - 1.96 * pl.col("error")).clip(0, 1),
        high95=(share + 1.96 * pl.col("error")).clip(0, 1),
        low998=(share - 3.09 * pl.col("error")).clip(0, 1),
        high998=(share + 3.09 * pl.col("error")).clip(0, 1),
    )
    base = alt.Chart(_data(edges)).encode(x=alt.X("n:Q", title="patients or courses"))
    y = alt.Y("low998:Q", title="share", axis=_percent())
    layers = [
        base.mark_line(color=GREY).encode(y=y),
        base.mark_line(color=GREY).encode(y="high998:Q"),
        base.mark_line(color=GREY, strokeDash=[4, 3]).encode(y="low95:Q"),
        base.mark_line(color=GREY, strokeDash=[4, 3]).encode(y="high95:Q"),
    ]
    dots = alt.Chart(_data(seen)).encode(x="denominator:Q", y="value:Q")
    layers.append(dots.mark_point(color=INK, filled=True, size=60, opacity=1))
    layers.append(dots.mark_text(dx=7, align="left", fontSize=11).encode(text="centre:N"))
    together = layers[0]
    for layer in layers[1:]:
        together = together + layer
    return svg(_finish(together, height=170))


def _percent() -> alt.Axis:
    return alt.Axis(format="%")
