"""A backtest as one page: whole in itself, with pictures drawn here, and no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vigil.core.words import Family

TEMPLATES = Path(__file__).parent / "templates"
WIDTH, HEIGHT, EDGE = 960, 110, 8
LANE = 22
CURVES = 24  # most of them; those that alarmed first
BAD = ("warn", "breach")
WORST = ("breach", "warn", "unknown", "ok")


class Lane(NamedTuple):
    """One line of coloured nights. cells: (x, width, class, title)."""

    name: str
    cells: list[tuple[str, str, str, str]]


class Curve(NamedTuple):
    """One question over the nights. marks: (x, y, state, title); bands: (x, width) of recorded incidents."""

    name: str
    path: str
    interval: str
    marks: list[tuple[str, str, str, str]]
    bands: list[tuple[str, str]]
    low: str
    high: str
    told: str


def page(documents: Sequence[Mapping[str, Any]]) -> str:
    """The page of one backtest or several, of the JSON that `--json` writes."""
    from jinja2 import Environment, FileSystemLoader

    shapes = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    told = [{"doc": doc, "lanes": lanes(doc), "curves": curves(doc)} for doc in documents]
    return shapes.get_template("backtest.html").render(told=told, width=WIDTH, height=HEIGHT, lane=LANE, edge=EDGE)


def lanes(doc: Mapping[str, Any]) -> list[Lane]:
    """The recorded incidents, those of the backtest, and the worst state of each family, night by night."""
    nights = doc["nights"]
    recorded = [_recorded(doc, n["night"]) for n in nights]
    found = [_lane("recorded", nights, [("recorded", what) if what else None for what in recorded])]
    mine = [n["incident"] for n in nights]
    found.append(_lane("incident", nights, [("incident", f"{i['severity']} since {i['opened']}") if i else None
                                            for i in mine]))  # fmt: skip
    for family in Family:
        each = [[v for v in n["verdicts"] if v["family"] == family.value] for n in nights]
        if any(each):
            found.append(_lane(family.value, nights, [_worst(verdicts) for verdicts in each]))
    return found


def _lane(name: str, nights: Sequence[Mapping[str, Any]], cells: Sequence[tuple[str, str] | None]) -> Lane:
    wide = (WIDTH - 2 * EDGE) / len(nights)
    told = []
    for place, (night, cell) in enumerate(zip(nights, cells, strict=True)):
        if cell is not None:
            gap = min(1.0, wide / 8)
            told.append((f"{EDGE + place * wide:.2f}", f"{wide - gap:.2f}", cell[0], f"{night['night']}: {cell[1]}"))
    return Lane(name, told)


def _worst(verdicts: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    states = [v["state"] for v in verdicts]
    worst = next((s for s in WORST if s in states), None)
    if worst is None:
        return None
    shown = [f"{v['metric']}({v['subject']})" for v in verdicts if v["state"] == worst and worst != "ok"]
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return worst, f"{worst} {', '.join(shown[:3])}{more}".strip()


def _recorded(doc: Mapping[str, Any], night: str) -> str:
    return "; ".join(r["what"] for r in doc["summary"]["recorded"] if r["first"] <= night <= r["last"])


def curves(doc: Mapping[str, Any]) -> list[Curve]:
    """The questions that alarmed, those that did so most often first."""
    alarms: dict[tuple[str, str], int] = {}
    for night in doc["nights"]:
        for v in night["verdicts"]:
            if v["state"] in BAD and v["value"] is not None:
                alarms[v["metric"], v["subject"]] = alarms.get((v["metric"], v["subject"]), 0) + 1
    order = sorted(alarms, key=lambda q: (-alarms[q], q))
    return [_curve(doc, metric, subject, alarms[metric, subject]) for metric, subject in order[:CURVES]]


def _curve(doc: Mapping[str, Any], metric: str, subject: str, alarms: int) -> Curve:
    nights = doc["nights"]
    points = [_asked(night, metric, subject) for night in nights]
    ends = [float(v[k]) for v in points if v for k in ("value", "low", "high") if v[k] is not None]
    room = 0.08 * (max(ends) - min(ends)) or 0.5
    low, high = min(ends) - room, max(ends) + room
    wide = (WIDTH - 2 * EDGE) / len(nights)

    def y(value: float) -> float:
        return HEIGHT * (1 - (value - low) / (high - low))

    path, whiskers, marks, joined = [], [], [], False
    for place, (night, v) in enumerate(zip(nights, points, strict=True)):
        x = f"{EDGE + (place + 0.5) * wide:.1f}"
        if v is not None:
            path.append(f"{'L' if joined else 'M'}{x} {y(v['value']):.1f}{'' if joined else 'h.1'}")
        if v is not None and v["low"] is not None and v["high"] is not None:
            whiskers.append(f"M{x} {y(v['low']):.1f}V{y(v['high']):.1f}")
        if v is not None and v["state"] in BAD:
            marks.append((x, f"{y(v['value']):.1f}", v["state"], f"{night['night']}: {v['reason']}"))
        joined = v is not None
    bands = [(f"{EDGE + p * wide:.2f}", f"{wide:.2f}") for p, n in enumerate(nights) if _recorded(doc, n["night"])]
    told = f"{sum(v is not None for v in points)} nights, from {min(ends):.3g} to {max(ends):.3g}; alarms on {alarms}"
    return Curve(f"{metric}({subject})", "".join(path), "".join(whiskers), marks, bands,
                 f"{low:.3g}", f"{high:.3g}", told)  # fmt: skip


def _asked(night: Mapping[str, Any], metric: str, subject: str) -> Mapping[str, Any] | None:
    """The verdict on a question that night, if it has a number."""
    mine = (v for v in night["verdicts"] if (v["metric"], v["subject"]) == (metric, subject))
    return next((v for v in mine if v["value"] is not None), None)
