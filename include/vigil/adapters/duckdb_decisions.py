"""Decisions of protected groups, their intersections and strata, by hour, and sums of money, from the small tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from vigil.adapters.duckdb_layout import By, Layout, dicts
from vigil.adapters.duckdb_night import SLOT
from vigil.adapters.duckdb_rows import literal
from vigil.core.words import Role, Task
from vigil.profiles.types import Cell

ALL = "all"
Pair = tuple[int, int]


def groups(layout: Layout) -> dict[By, dict[str, dict[str, Cell]]]:
    """Attribute -> group -> decision and confusion counts (binary tasks)."""
    return _by(layout, {a: f"g{i}" for i, a in enumerate(layout.attributes)})


def crossed(layout: Layout) -> dict[By, dict[str, dict[str, Cell]]]:
    """The same of intersections: "a+b" -> "x+y"."""
    place = {a: f"g{i}" for i, a in enumerate(layout.attributes)}
    return _by(layout, {f"{a}+{b}": f"{place[a]} || '+' || {place[b]}" for a, b in layout.monitor.intersections})


def _by(layout: Layout, wanted: Mapping[str, str]) -> dict[By, dict[str, dict[str, Cell]]]:
    if layout.monitor.decision is None or layout.monitor.task is not Task.BINARY:
        return {}
    found: dict[By, dict[str, dict[str, Cell]]] = {who: {name: {} for name in wanted} for who in _everyone(layout)}
    counts = {name: f"coalesce(sum(n) FILTER ({sql}), 0)" for name, sql in _conditions(layout).items()}
    for name, group in wanted.items():
        sql = (
            f"SELECT v, r, {group} AS g, sum(n) AS n, {', '.join(f'{sql} AS {key}' for key, sql in counts.items())} "
            "FROM cube WHERE answer IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        for row in dicts(layout.db, sql):
            cell = Cell(n=row["n"], **{key: row[key] for key in counts})
            found[row["v"], Role(row["r"])][name][row["g"]] = cell
    return found


def _everyone(layout: Layout) -> list[By]:
    return [(row["v"], Role(row["r"])) for row in dicts(layout.db, "SELECT DISTINCT v, r FROM cube")]


def _conditions(layout: Layout) -> dict[str, str]:
    """Field of a cell -> SQL over `cube` of the answered rows that it counts (binary tasks)."""
    decision = layout.monitor.decision
    if decision is None:
        return {}
    actual, deserving = f"label = {literal(decision.positive)}", f"label = {literal(decision.deserving)}"
    return {
        "favourable": "good",
        "labelled": "label IS NOT NULL",
        "tp": f"positive AND {actual}",
        "fp": f"positive AND NOT ({actual})",
        "tn": f"NOT positive AND NOT ({actual})",
        "fn": f"NOT positive AND {actual}",
        "deserving": deserving,
        "favourable_deserving": f"good AND {deserving}",
    }


def strata(layout: Layout) -> dict[By, dict[str, dict[str, dict[str, Pair]]]]:
    """Attribute -> level of the strata -> group -> (rows with a decision, favourable)."""
    if layout.monitor.strata not in layout.types:
        return {}
    found: dict[By, dict[str, dict[str, dict[str, Pair]]]] = {
        who: {attribute: {} for attribute in layout.attributes} for who in _everyone(layout)
    }
    for i, attribute in enumerate(layout.attributes):
        sql = (
            f"SELECT v, r, stratum, g{i} AS g, sum(n) AS n, coalesce(sum(n) FILTER (good), 0) AS good FROM cube "
            "WHERE answer IS NOT NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        )
        for row in dicts(layout.db, sql):
            levels = found[row["v"], Role(row["r"])][attribute]
            levels.setdefault(row["stratum"], {})[row["g"]] = (row["n"], row["good"])
    return found


def sums(layout: Layout) -> dict[By, dict[str, dict[str, float]]]:
    """Column -> cell -> sum of its finite values: all rows, those with either decision, and those of the confusion.

    A cell whose rows have no number is left out: its sum is not known. That of no rows at all is 0.
    """
    where = {ALL: "true"}
    if layout.monitor.decision is not None:
        where |= {"favourable": "answer IS NOT NULL AND good", "unfavourable": "answer IS NOT NULL AND NOT good"}
    if layout.monitor.task is Task.BINARY:
        conditions = _conditions(layout)
        where |= {cell: f"answer IS NOT NULL AND {conditions[cell]}" for cell in ("tp", "fp", "fn", "tn")}
    columns = {i: name for i, name in enumerate(layout.monitor.sums) if name in layout.types}
    if not columns:
        return {}
    parts = [
        f"coalesce(sum(s{i}) FILTER ({sql}), CASE WHEN count(*) FILTER ({sql}) = 0 THEN 0.0 END) AS s{i}_{cell}"
        for i, (cell, sql) in product(columns, where.items())
    ]
    return {
        (row["v"], Role(row["r"])): {
            name: {cell: row[f"s{i}_{cell}"] for cell in where if row[f"s{i}_{cell}"] is not None}
            for i, name in columns.items()
        }
        for row in dicts(layout.db, f"SELECT v, r, {', '.join(parts)} FROM cube GROUP BY v, r")
    }


def hours(layout: Layout, start: datetime) -> dict[By, dict[str, dict[str, Pair]]]:
    """Hour of the local day -> group or "all" -> (rows with a decision, favourable), so that an onset can be found.

    On the night that clocks go back, both hours of that name are counted together.
    """
    found: dict[By, dict[str, dict[str, Pair]]] = {}
    named = [f"{literal(a + '=')} || g{i}" for i, a in enumerate(layout.attributes)]
    for group in (literal(ALL), *named):
        sql = (
            f"SELECT v, r, slot, {group} AS g, sum(answered) AS n, sum(favourable) AS k FROM tally WHERE answered > 0 "
            "GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        )
        for row in dicts(layout.db, sql):
            by_group = found.setdefault((row["v"], Role(row["r"])), {}).setdefault(
                _hour(layout, start, row["slot"]), {}
            )
            before = by_group.get(row["g"], (0, 0))
            by_group[row["g"]] = (before[0] + row["n"], before[1] + row["k"])
    return found


def hours_service(layout: Layout, start: datetime) -> dict[By, dict[str, Pair]]:
    """Hour of the local day -> (requests, those that failed)."""
    found: dict[By, dict[str, Pair]] = {}
    for row in dicts(layout.db, "SELECT v, r, slot, sum(n) AS n, sum(failed) AS k FROM tally GROUP BY 1, 2, 3"):
        by_hour, hour = found.setdefault((row["v"], Role(row["r"])), {}), _hour(layout, start, row["slot"])
        before = by_hour.get(hour, (0, 0))
        by_hour[hour] = (before[0] + row["n"], before[1] + row["k"])
    return found


def _hour(layout: Layout, start: datetime, slot: int) -> str:
    moment = start.astimezone(UTC) + timedelta(seconds=SLOT * slot)
    return str(moment.astimezone(ZoneInfo(layout.monitor.timezone)).hour)
