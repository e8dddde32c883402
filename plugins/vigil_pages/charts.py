"""Curves and dots as SVG, drawn on the server: no script runs on the pages. Every text in them is escaped by Jinja.

Colours are the page's own (classes and CSS variables), so that light and dark need no second picture; a state is a
shape too: ● ok, ▲ warn, ■ breach, ○ unknown.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from .words import amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .groups import Group, Measure
    from .trends import Line, Point, Trend

WIDTH, HEIGHT, EDGE = 320, 96, 8
DOT_HEIGHT = 46
LEAST_DAYS = 7  # a curve of two nights is not drawn as wide as one of sixty
SVG = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
SHAPES: dict[str, Callable[[float, float], str]] = {
    "ok": lambda x, y: f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    "warn": lambda x, y: f"M{x:.1f} {y - 5:.1f}l5 9h-10z",
    "breach": lambda x, y: f"M{x - 4:.1f} {y - 4:.1f}h8v8h-8z",
    "unknown": lambda x, y: f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
}
WORTH_A_MARK = ("warn", "breach")


def curve(trend: Trend, *, key: str) -> Markup:
    """A curve over its nights, gaps where nothing is known; `key` tells its ids from those of the page's others."""
    known = [p for p in trend.points if p.value is not None]
    if not known:
        return Markup("")
    low, high = _domain(trend, known)
    x, y = _days(trend.points), _heights(low, high, trend.lowest)
    return _drawn(
        kind="line",
        key=key,
        height=HEIGHT,
        title=f"{trend.name}, {trend.metric}",
        desc=_told(trend, known),
        usual=_usual(trend, y),
        limits=[_level(one, y, trend.unit) for one in trend.lines if low <= one.value <= high],
        whiskers=_whiskers(known, x, y) if trend.whiskers else "",
        curve=_curve(trend.points, x, y),
        marks=[_mark(p, x, y, trend.unit) for p in known if p.state in WORTH_A_MARK or p is known[-1]],
    )


def dot(measure: Measure, group: Group, *, key: str) -> Markup:
    """A group's number with its 95 % interval, on the scale that its measure's groups share."""
    if group.value is None:
        return Markup("")
    low, high = measure.scale

    def x(value: float) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * (value - low) / (high - low)

    middle = 18
    whole = group.low is not None and group.high is not None
    ends = (x(group.low), x(group.high)) if group.low is not None and group.high is not None else (0.0, 0.0)
    caps = "".join(f"M{end:.1f} {middle - 5}v10" for end in ends)
    was = f"M{x(group.was):.1f} {middle - 7}l6 7l-6 7l-6 -7z" if group.was is not None else ""
    return _drawn(
        kind="dots",
        key=key,
        height=DOT_HEIGHT,
        title=f"{measure.metric} of {group.name}",
        desc=f"{group.words}; {group.state}; {', '.join(measure.limits) or 'no limit'}",
        limits=[_upright(one, x(one.value)) for one in measure.lines],
        bar=f"M{ends[0]:.1f} {middle}H{ends[1]:.1f}{caps}" if whole else "",
        was=was,
        marks=[_sign(group.state, x(group.value), middle, f"{group.name}: {group.words}")],
    )


def _drawn(**parts: object) -> Markup:
    return Markup(SVG.get_template("chart.svg").render(width=WIDTH, **parts))  # noqa: S704 - rendered with autoescape


def _domain(trend: Trend, known: Iterable[Point]) -> tuple[float, float]:
    """From the lowest to the highest of what is drawn: the numbers, what is usual, and the nearest limit."""
    values = [p.value for p in known if p.value is not None]
    if trend.whiskers:
        values += [end for p in known for end in (p.low, p.high) if end is not None]
    if trend.lowest is not None:
        values = [max(v, trend.lowest) for v in values]
    values += [end for end in (*(trend.usual or ()), trend.least, trend.most) if end is not None]
    low, high = min(values), max(values)
    if trend.lines and (trend.usual is None or not any(low <= one.value <= high for one in trend.lines)):
        near = min(trend.lines, key=lambda one: max(low - one.value, one.value - high, 0.0)).value
        if trend.usual is None:  # with a band of the usual, a far limit would only flatten the curve
            low, high = min(low, near), max(high, near)
    room = 0.08 * (high - low) or 0.5
    return low - room, high + room


def _days(points: Iterable[Point]) -> Callable[[Point], float]:
    days = [p.night.toordinal() for p in points]
    first = min(days[0], days[-1] - LEAST_DAYS)
    return lambda p: EDGE + (WIDTH - 2 * EDGE) * (p.night.toordinal() - first) / (days[-1] - first)


def _heights(low: float, high: float, lowest: float | None) -> Callable[[float], float]:
    def y(value: float) -> float:
        shown = value if lowest is None else max(value, lowest)
        return HEIGHT - HEIGHT * (shown - low) / (high - low)

    return y


def _curve(points: Iterable[Point], x: Callable[[Point], float], y: Callable[[float], float]) -> str:
    """A path that starts anew after every night without a number, and after nights that nobody judged."""
    path, before = [], None
    for p in points:
        if p.value is None:
            before = None
            continue
        follows = before is not None and p.night.toordinal() - before == 1
        path.append(f"{'L' if follows else 'M'}{x(p):.1f} {y(p.value):.1f}{'' if follows else 'h.1'}")
        before = p.night.toordinal()
    return "".join(path)


def _whiskers(known: Iterable[Point], x: Callable[[Point], float], y: Callable[[float], float]) -> str:
    return "".join(
        f"M{x(p):.1f} {y(p.low):.1f}V{y(p.high):.1f}" for p in known if p.low is not None and p.high is not None
    )


def _usual(trend: Trend, y: Callable[[float], float]) -> tuple[str, str] | None:
    """(top, height) of the band; an open side reaches the edge."""
    if trend.usual is None:
        return None
    low, high = trend.usual
    top = 0.0 if high is None else y(high)
    bottom = float(HEIGHT) if low is None else y(low)
    return f"{top:.1f}", f"{max(bottom - top, 1):.1f}"


def _level(one: Line, y: Callable[[float], float], unit: str) -> dict[str, Any]:
    at = y(one.value)
    label = one.label if one.kind == "mark" or not one.label or unit == "" else amount(one.value, unit)
    return {
        "kind": one.kind,
        "d": f"M0 {at:.1f}H{WIDTH}",
        "label": label,
        "x": 2,
        "y": f"{at + 12 if at < 16 or one.kind == 'mark' else at - 4:.1f}",
        "anchor": "start",
    }


def _upright(one: Line, at: float) -> dict[str, Any]:
    anchor = "start" if at < WIDTH * 0.2 else "end" if at > WIDTH * 0.8 else "middle"
    return {
        "kind": one.kind,
        "d": f"M{at:.1f} 0V{DOT_HEIGHT - 13}",
        "label": one.label,
        "x": f"{at:.1f}",
        "y": DOT_HEIGHT - 2,
        "anchor": anchor,
    }


def _mark(p: Point, x: Callable[[Point], float], y: Callable[[float], float], unit: str) -> dict[str, str]:
    state = f", {p.state}" if p.state else ""
    return _sign(p.state, x(p), y(p.value or 0.0), f"{p.night}: {amount(p.value, unit)}{state}")


def _sign(state: str, x: float, y: float, title: str) -> dict[str, str]:
    return {"state": state or "plain", "d": SHAPES.get(state, SHAPES["ok"])(x, y), "title": title}


def _told(trend: Trend, known: list[Point]) -> str:
    """The picture in one sentence, for who does not see it."""
    values = [p.value for p in known if p.value is not None]
    nights = f"{len(known)} {'night' if len(known) == 1 else 'nights'}, {known[0].night} to {known[-1].night}"
    reach = f"from {amount(min(values), trend.unit)} to {amount(max(values), trend.unit)}"
    last = f"{known[-1].night}: {amount(known[-1].value, trend.unit)}"
    bad = [str(p.night) for p in known if p.state == "breach"]
    over = f"; breach on {', '.join(bad[-5:])}" if bad else ""
    return f"{nights}; {reach}; {last}{over}. {'; '.join(trend.limits) or 'No limit'}."
