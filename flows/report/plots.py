"""The charts of a validation as SVG: curves over two axes, and figures with intervals.

Like all charts of the report they stand beside their numbers, and colours come from the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from flows.report.drawing import dot, path, scale, svg, text

_WIDTH, _HEIGHT, _LEFT, _FLOOR = 420, 250, 46, 212
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    """A line with its name at its end; `band` are its limits, from left to right and back."""

    name: str
    points: Points
    style: str = "line strong"
    band: Points = field(default_factory=tuple)


def curves(
    lines: Sequence[Curve],
    axes: tuple[str, str],
    label: str,
    *,
    within: tuple[float, float, float, float] | None = None,
    diagonal: bool = False,
) -> Markup:
    """Draw lines; `axes` name what is across and up, `within` is x from, to, y from, to."""
    every = [point for line in lines for point in (*line.points, *line.band)]
    low_x, high_x, low_y, high_y = within or _around(every)
    x = scale(low_x, high_x, _LEFT, _WIDTH - 74)
    y = scale(low_y, high_y, _FLOOR, 12)

    def placed(points: Points) -> list[tuple[float, float]]:
        return [(x(min(max(a, low_x), high_x)), y(min(max(b, low_y), high_y))) for a, b in points]

    drawn = [path(placed(line.band), "band", closed=True) for line in lines if line.band]
    drawn.append(path([(x(low_x), y(high_y)), (x(low_x), _FLOOR), (x(high_x), _FLOOR)], "axis"))
    if diagonal:
        ends = max(low_x, low_y), min(high_x, high_y)
        drawn.append(path(placed([(at, at) for at in ends]), "axis dash"))
    for line in lines:
        drawn.append(path(placed(line.points), line.style))
    drawn += _named(lines, placed)
    for at in _ticks(low_x, high_x):
        drawn.append(text(x(at), _FLOOR + 15, f"{at:g}", "middle"))
    for at in _ticks(low_y, high_y):
        drawn.append(text(_LEFT - 6, y(at) + 4, f"{at:g}", "end"))
    drawn.append(text(x((low_x + high_x) / 2), _HEIGHT - 6, axes[0], "middle"))
    drawn.append(text(2, 9, axes[1], "start"))
    return svg(_WIDTH, _HEIGHT, drawn, label)


def _named(lines: Sequence[Curve], placed: object) -> list[Markup]:
    """Return the names at the ends of the lines, one below the other where they would touch."""
    assert callable(placed)  # noqa: S101
    ends = sorted((placed([line.points[-1]])[0], line.name) for line in lines if line.points)
    ends.sort(key=lambda end: end[0][1])
    drawn, last = [], -99.0
    for (across, up), name in ends:
        last = max(up + 4, last + 13)
        drawn.append(text(across + 5, last, name, "start"))
    return drawn


def _around(points: Points) -> tuple[float, float, float, float]:
    across, up = [a for a, _ in points], [b for _, b in points]
    return min(across), max(across), min([0.0, *up]), max(up)


def _ticks(low: float, high: float) -> list[float]:
    """Return three to six round values inside."""
    size = high - low
    if size <= 0:
        return [low]
    step = next(
        base * 10.0**power
        for power in range(-6, 9)
        for base in (1, 2, 5)
        if size / (base * 10.0**power) <= 5
    )
    first = int(low / step + (0.999999 if low > 0 else 0))
    return [round(n * step, 9) for n in range(first, int(high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class Row:
    """One line of a forest plot; a summary is drawn as a diamond."""

    name: str
    estimate: float
    lower: float
    upper: float
    summary: bool = False


def forest(rows: Sequence[Row], reference: float | None, label: str) -> Markup:
    """Draw figures with their intervals below each other, beside a reference."""
    left, width = 150, 420
    ends = [value for row in rows for value in (row.lower, row.upper)]
    ends += [] if reference is None else [reference]
    x = scale(min(ends), max(ends), left, width - 70)
    floor = 14 + 20 * len(rows)
    drawn = [path([(left, floor), (width - 70, floor)], "axis")]
    if reference is not None:
        drawn.append(path([(x(reference), 4), (x(reference), floor)], "axis dash"))
    for place, row in enumerate(rows):
        at = 14 + 20 * place
        drawn.append(text(left - 8, at + 4, row.name, "end"))
        drawn.append(text(width - 62, at + 4, f"{row.estimate:.3g}", "start"))
        a, b, c = x(row.lower), x(row.estimate), x(row.upper)
        if row.summary:
            drawn.append(path([(a, at), (b, at - 5), (c, at), (b, at + 5)], "open", closed=True))
        else:
            drawn.append(path([(a, at), (c, at)], "ink"))
            drawn.append(dot(b, at, 3.5, "full"))
    drawn += [text(x(at), floor + 15, f"{at:g}", "middle") for at in _ticks(min(ends), max(ends))]
    return svg(width, floor + 24, drawn, label)
