"""The desk's charts as inline SVG: no styles, only classes; x in per cent, so text keeps its size.

Each is pure, and each is decoration for a list or table that says the same in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from funnel.domain.stats import Rate

LINE_HEIGHT = 256
_TOP, _BOTTOM, _EDGE = 26, 30, 5.0
_PER_ROW, _DOT = 6, 20
_MAX_DOTS = 60


def share_of(part: float, whole: float) -> str:
    """A width in per cent, with no more figures than a screen can show."""
    text = f"{100 * part / whole if whole else 0:.2f}"
    return f"{text.rstrip('0').rstrip('.')}%"


def funnel_bar(rate: Rate, full: int) -> Markup:
    """Pale: those who could have. Solid: those who did. Line: where the truth probably lies.

    `full` people fill the width.
    """
    low, high = (share_of(end * rate.could, full) for end in (rate.low, rate.high))
    early = " bar--early" if rate.is_early else ""
    parts = [
        f'<svg class="bar{early}" aria-hidden="true" focusable="false">',
        _rect("bar__could", share_of(rate.could, full), 4),
        _rect("bar__did", share_of(rate.did, full), 4),
    ]
    if rate.could:
        parts += [_whisker(name, low, high) for name in ("bar__halo", "bar__whisker")]
    return _svg([*parts, "</svg>"])


def _whisker(name: str, low: str, high: str) -> str:
    ends = "".join(f'<line x1="{x}" x2="{x}" y1="28%" y2="72%"/>' for x in (low, high))
    middle = f'<line x1="{low}" x2="{high}" y1="50%" y2="50%"/>'
    return f'<g class="{name}">{middle}{ends}</g>'


def _rect(name: str, width: str, radius: int) -> str:
    return f'<rect class="{name}" width="{width}" height="100%" rx="{radius}"/>'


def mini_bar(part: int, full: int) -> Markup:
    """A small bar inside a table."""
    return _svg(
        [
            '<svg class="mini" aria-hidden="true" focusable="false">',
            _rect("mini__track", "100%", 3),
            _rect("mini__fill", share_of(part, full), 3),
            "</svg>",
        ]
    )


def meter(share: float, lines: Sequence[float], full: float) -> Markup:
    """How far a share has come towards its lines; what is beyond `full` fills the width."""
    marks = [share_of(line, full) for line in lines]
    return _svg(
        [
            '<svg class="meter" aria-hidden="true" focusable="false">',
            _rect("meter__track", "100%", 4),
            _rect("meter__fill", share_of(min(share, full), full), 4),
            *(f'<line class="meter__line" x1="{x}" x2="{x}" y1="0" y2="100%"/>' for x in marks),
            "</svg>",
        ]
    )


def dots(moving: int, stuck: int) -> Markup:
    """One dot a person, at most sixty: solid is moving, a ring is stuck."""
    shown = ([False] * moving + [True] * stuck)[:_MAX_DOTS]
    rows = max(1, -(-len(shown) // _PER_ROW))
    width, height = _PER_ROW * _DOT, rows * _DOT
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [f'<svg class="dots" {size} aria-hidden="true" focusable="false">']
    for at, is_stuck in enumerate(shown):
        x = at % _PER_ROW * _DOT + _DOT / 2
        y = at // _PER_ROW * _DOT + _DOT / 2
        name, radius = ("dots__one dots__one--stuck", 6) if is_stuck else ("dots__one", 6.75)
        parts.append(f'<circle class="{name}" cx="{x:g}" cy="{y:g}" r="{radius:g}"/>')
    return _svg([*parts, "</svg>"])


@dataclass(frozen=True)
class Point:
    """One week of the line: its label, its count, and its place (x per cent, y pixels)."""

    label: str
    count: int
    x: float
    y: float


def week_line(counts: Sequence[int], labels: Sequence[str]) -> Markup:
    """One point a week with its count on it; the last piece is dashed, for it is not over."""
    top = scale_top(max(counts, default=0))
    points = _points(counts, labels, top)
    parts = [
        f'<svg class="line" height="{LINE_HEIGHT}" aria-hidden="true" focusable="false">',
        *_grid(top),
        *_curve(points),
        *(_mark(point, at, len(points)) for at, point in enumerate(points)),
        "</svg>",
    ]
    return _svg(parts)


def scale_step(most: int) -> int:
    """The step between lines, 1, 2 or 5 with noughts, so that four steps hold the largest count."""
    tens = 1
    while True:
        for factor in (1, 2, 5):
            if most <= 4 * tens * factor:
                return tens * factor
        tens *= 10


def scale_top(most: int) -> int:
    """The line above the largest count, at least the first one."""
    step = scale_step(most)
    return max(1, -(-most // step)) * step


def _points(counts: Sequence[int], labels: Sequence[str], top: int) -> list[Point]:
    gap = (100 - 2 * _EDGE) / max(1, len(counts) - 1)
    plot = LINE_HEIGHT - _TOP - _BOTTOM
    return [
        Point(label, count, _EDGE + gap * at, _TOP + plot * (1 - count / top))
        for at, (count, label) in enumerate(zip(counts, labels, strict=True))
    ]


def _grid(top: int) -> list[str]:
    plot = LINE_HEIGHT - _TOP - _BOTTOM
    lines = []
    for count in range(0, top + 1, scale_step(top)):
        y = _TOP + plot * (1 - count / top)
        base = "" if count else " line__grid--base"
        lines.append(f'<line class="line__grid{base}" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>')
    return lines


def _curve(points: list[Point]) -> list[str]:
    pairs = [f"{point.x:.2f},{point.y:.2f}" for point in points]
    base = LINE_HEIGHT - _BOTTOM
    area = [f"{points[0].x:.2f},{base}", *pairs, f"{points[-1].x:.2f},{base}"]
    size = f'width="100%" height="{LINE_HEIGHT}" viewBox="0 0 100 {LINE_HEIGHT}"'
    return [
        f'<svg {size} preserveAspectRatio="none">',
        f'<polygon class="line__area" points="{" ".join(area)}"/>',
        f'<polyline class="line__path" points="{" ".join(pairs[:-1])}"/>',
        f'<polyline class="line__path line__path--open" points="{" ".join(pairs[-2:])}"/>',
        "</svg>",
    ]


def _mark(point: Point, at: int, many: int) -> str:
    is_last = at == many - 1
    x = f"{point.x:.2f}%"
    dot = " line__dot--open" if is_last else ""
    value = " line__value--last" if is_last else ""
    week = " line__week--minor" if (many - 1 - at) % 2 else ""
    return (
        f'<circle class="line__dot{dot}" cx="{x}" cy="{point.y:.1f}" r="4.5"/>'
        f'<text class="line__value{value}" x="{x}" y="{point.y - 11:.1f}" '
        f'text-anchor="middle">{point.count}</text>'
        f'<text class="line__week{week}" x="{x}" y="{LINE_HEIGHT - 8}" '
        f'text-anchor="middle">{Markup.escape(point.label)}</text>'
    )


def _svg(parts: list[str]) -> Markup:
    return Markup("".join(parts))  # noqa: S704 - numbers and class names of our own, labels escaped
