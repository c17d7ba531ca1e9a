"""The small charts of the report as SVG; their colours come from the page: light, dark, print.

Every one stands beside its numbers or carries them as a label; nothing is told by colour alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH = 230
_EDGE = 4.0
_HIDDEN = Markup('aria-hidden="true"')


def bar(share: float) -> Markup:
    """Draw a share of the longest as a bar."""
    return svg(WIDTH, 14, [rect(1, 2, max(share, 0) * (WIDTH - 2), 10, "mid")])


def stacked(parts: Sequence[tuple[str, int]]) -> Markup:
    """Draw counts side by side: the style's name of each part and its count."""
    total = sum(count for _, count in parts) or 1
    drawn, x = [], 1.0
    for style, count in parts:
        width = count / total * (WIDTH - 2)
        if count:
            drawn.append(rect(x, 2, width, 11, style))
        x += width
    return svg(WIDTH, 15, drawn)


def interval(low: float, value: float, high: float) -> Markup:
    """Draw a share with its interval on an axis from 0 to 1."""
    x = scale(0, 1, _EDGE, WIDTH - _EDGE)
    return svg(
        WIDTH,
        16,
        [
            path([(x(0), 8), (x(1), 8)], "axis"),
            *(path([(x(at), 5), (x(at), 11)], "axis") for at in (0, 0.5, 1)),
            path([(x(low), 8), (x(high), 8)], "whisker"),
            dot(x(value), 8, 4, "full"),
        ],
    )


def marks(shares: Sequence[tuple[str, float]]) -> Markup:
    """Draw shares as marks on one axis from 0 to 1: square, tick or dot, and the share."""
    x = scale(0, 1, _EDGE + 2, WIDTH - _EDGE - 2)
    drawn = [path([(x(0), 8), (x(1), 8)], "axis")]
    for kind, share in shares:
        at = x(share)
        drawn.append(
            {
                "square": rect(at - 4.5, 3.5, 9, 9, "open"),
                "tick": path([(at, 3), (at, 13)], "ink"),
                "dot": dot(at, 8, 3.5, "full"),
            }[kind]
        )
    return svg(WIDTH, 16, drawn)


def histogram(bins: Sequence[tuple[float, float, int]], cutoff: float | None, label: str) -> Markup:
    """Draw counts by where each bin starts and ends, with the cut-off as a solid tick."""
    width, height, floor = 420, 130, 108
    last = max([end for _, end, _ in bins] + ([cutoff] if cutoff else []))
    most = max(count for *_, count in bins)
    x, y = scale(0, last, 34, width - 12), scale(0, most, floor, 14)
    drawn = [rect(x(a), y(n), x(b) - x(a) - 1, floor - y(n), "mid") for a, b, n in bins]
    drawn.append(path([(x(0), floor), (x(last), floor)], "axis"))
    drawn += [text(x(at), floor + 15, f"{at:g}", "middle") for at in _round_steps(last)]
    drawn.append(text(28, y(most) + 4, str(most), "end"))
    if cutoff is not None:
        drawn.append(path([(x(cutoff), 8), (x(cutoff), floor + 4)], "cut"))
        drawn.append(text(x(cutoff) + 4, 12, f"cut-off {cutoff:g}", "start"))
    return svg(width, height, drawn, label)


@dataclass(frozen=True)
class Charted:
    """A period of a run chart; `within` are its limits, `is_signal` says that a rule fired.

    One that is left out, being small, has no value.
    """

    label: str
    value: float | None
    within: tuple[float, float] | None
    is_signal: bool


def run_chart(periods: Sequence[Charted], centre: float, unit: str, label: str) -> Markup:
    """Draw a measure over time with its centre and limits; a signal is a filled dot."""
    width, height, floor = 420, 150, 122
    values = [v for p in periods for v in (p.value, *(p.within or ())) if v is not None]
    low, high = min([*values, centre]), max([*values, centre])
    x, y = scale(0, max(len(periods) - 1, 1), 46, width - 14), scale(low, high, floor, 12)
    limits = [(n, p.within) for n, p in enumerate(periods) if p.within]
    around = [(x(n), y(b)) for n, (_, b) in limits] + [(x(n), y(a)) for n, (a, _) in limits[::-1]]
    drawn = [path(around, "band", closed=True)] if limits else []
    drawn += _run(periods, x, y, centre)
    said = [low, high] if abs(y(low) - y(high)) > 12 else [high]
    drawn += [text(40, y(at) + 4, number(at, unit), "end") for at in said]
    step = max(1, len(periods) // 6)
    drawn += [
        text(x(n), height - 8, p.label, "middle")
        for n, p in enumerate(periods)
        if n % step == 0 and (n == 0 or x(len(periods) - 1) - x(n) > -1)
    ]
    return svg(width, height, drawn, label)


def small_run(periods: Sequence[Charted], centre: float) -> Markup:
    """Draw the same without words, to stand in a table."""
    width, height = 200, 40
    values = [p.value for p in periods if p.value is not None]
    low, high = min([*values, centre]), max([*values, centre])
    x, y = scale(0, max(len(periods) - 1, 1), 4, width - 4), scale(low, high, height - 6, 6)
    return svg(width, height, _run(periods, x, y, centre))


def _run(periods: Sequence[Charted], x: "_Scale", y: "_Scale", centre: float) -> list[Markup]:
    shown = [(x(n), y(p.value), p.is_signal) for n, p in enumerate(periods) if p.value is not None]
    return [
        path([(x(0), y(centre)), (x(len(periods) - 1), y(centre))], "axis"),
        *(path([(x(n), y(v)) for n, v in part], "line") for part in _unbroken(periods)),
        *(
            dot(cx, cy, 3 if is_signal else 2.2, "full" if is_signal else "open")
            for cx, cy, is_signal in shown
        ),
    ]


def _unbroken(periods: Sequence[Charted]) -> list[list[tuple[int, float]]]:
    """Return the stretches of periods that have a value, each with its place."""
    parts: list[list[tuple[int, float]]] = [[]]
    for n, period in enumerate(periods):
        if period.value is None:
            parts.append([])
        else:
            parts[-1].append((n, period.value))
    return [part for part in parts if len(part) > 1]


@dataclass(frozen=True)
class Centre:
    """A centre of a funnel plot: its name, size and share."""

    name: str
    size: int
    share: float


def funnel(centres: Sequence[Centre], overall: float, label: str) -> Markup:
    """Draw centres by size and share between the 95 % (dashed) and 99.8 % limits."""
    width, height, floor = 420, 190, 160
    most = max(10, *(one.size for one in centres)) * 1.1
    x, y = scale(0, most, 46, width - 60), scale(0, 1, floor, 12)
    sizes = [max(1.0, most * n / 40) for n in range(1, 41)]

    def edge(sigmas: float) -> list[tuple[float, float]]:
        spread = [sigmas * (overall * (1 - overall) / n) ** 0.5 for n in sizes]
        return [(x(n), y(min(max(overall + s, 0), 1))) for n, s in zip(sizes, spread, strict=True)]

    drawn = [path([(x(0), y(overall)), (x(most), y(overall))], "axis")]
    drawn += [path(edge(sign * 3.09), "line") for sign in (-1, 1)]
    drawn += [path(edge(sign * 1.96), "line dash") for sign in (-1, 1)]
    for one in centres:
        drawn.append(dot(x(one.size), y(one.share), 3.5, "full"))
        drawn.append(text(x(one.size) + 7, y(one.share) + 4, one.name, "start"))
    drawn += [text(40, y(at) + 4, number(at, "share"), "end") for at in (0, 0.5, 1)]
    drawn += [text(x(at), floor + 18, f"{at:g}", "middle") for at in _round_steps(most)]
    return svg(width, height, drawn, label)


def over_nights(nights: Sequence[str], series: Mapping[str, Sequence[int]], label: str) -> Markup:
    """Draw counts over nights, one line each: the first with filled, the next with open dots."""
    width, height, floor = 420, 150, 118
    most = max([1, *(count for counts in series.values() for count in counts)])
    x, y = scale(0, max(len(nights) - 1, 1), 46, width - 90), scale(0, most, floor, 12)
    drawn = [path([(x(0), floor), (x(max(len(nights) - 1, 1)), floor)], "axis")]
    for counts, style in zip(series.values(), ("full", "open"), strict=False):
        at = [(x(n), y(count)) for n, count in enumerate(counts)]
        drawn.append(path(at, "line"))
        drawn += [dot(cx, cy, 2.6, style) for cx, cy in at]
    ends = sorted((y(counts[-1]), name) for name, counts in series.items())
    above = [at for at, _ in ends]
    for n in range(1, len(above)):
        above[n] = max(above[n], above[n - 1] + 13)
    drawn += [
        text(x(len(nights) - 1) + 7, at + 4, name, "start")
        for at, (_, name) in zip(above, ends, strict=True)
    ]
    drawn += [text(40, y(at) + 4, str(at), "end") for at in (0, most)]
    drawn.append(text(x(0), height - 12, nights[0], "start"))
    if len(nights) > 1:
        drawn.append(text(x(len(nights) - 1), height - 12, nights[-1], "end"))
    return svg(width, height, drawn, label)


def number(value: float, unit: str) -> str:
    """Write a share in per cent, anything else as it is."""
    return f"{value:.0%}".replace("%", "\u202f%") if unit == "share" else f"{value:.3g}"


class _Scale:
    """From values to pixels."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.start = low, start
        self.per_unit = (end - start) / (high - low) if high > low else 0.0

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) * self.per_unit


def scale(low: float, high: float, start: float, end: float) -> _Scale:
    """Return the way from values to pixels."""
    return _Scale(low, high, start, end)


def _round_steps(last: float) -> list[float]:
    """Return about five round values from 0 on."""
    power = 10.0 ** (len(str(int(last / 5) or 1)) - 1)
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= last / 5)
    return [step * n for n in range(int(last / step) + 1)]


def svg(width: float, height: float, parts: Sequence[Markup], label: str = "") -> Markup:
    """Return an SVG element: an image with a label, or hidden beside its numbers."""
    said = Markup('role="img" aria-label="{}"').format(label) if label else _HIDDEN
    opened = Markup('<svg viewBox="0 0 {0} {1}" width="{0}" height="{1}" {2}>')
    return opened.format(width, height, said) + Markup("").join(parts) + Markup("</svg>")


def rect(x: float, y: float, width: float, height: float, style: str) -> Markup:
    """Return a rectangle."""
    drawn = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    return drawn.format(style, x, y, max(width, 0), max(height, 0))


def dot(x: float, y: float, radius: float, style: str) -> Markup:
    """Return a circle."""
    drawn = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:g}"/>')
    return drawn.format(style, x, y, radius)


def text(x: float, y: float, words: str, anchor: str) -> Markup:
    """Return words at a place."""
    drawn = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    return drawn.format(x, y, anchor, words)


def path(points: Sequence[tuple[float, float]], style: str, closed: bool = False) -> Markup:
    """Return a line through points, closed or not."""
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Markup('<path class="{}" d="M{}{}"/>').format(style, way, "Z" if closed else "")
