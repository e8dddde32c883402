"""Columns and protected groups of the table `night`, counted a few columns at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_rows import quoted
from vigil.core.words import Role, Task
from vigil.profiles.aggregates import NUMERIC, lower
from vigil.profiles.types import CategoryColumn, Cell, Edges, NumericColumn

if TYPE_CHECKING:
    from vigil.config.schema import Monitor

CHUNK = 8  # columns a query; see profiles/aggregates
ALL = "all"
MISSING = "(missing)"
Who = tuple[str, str, str]  # version, role, group


@dataclass(frozen=True)
class Layout:
    """A connection with the table `night`, and what its columns mean."""

    db: Any
    monitor: Monitor
    edges: Edges
    types: Mapping[str, str]

    @property
    def version(self) -> str:
        """SQL of the version that answered a row."""
        return f"CAST({quoted(self.monitor.data.model_version)} AS VARCHAR)"

    @property
    def role(self) -> str:
        """SQL of the role it answered in."""
        return f"CAST({quoted(self.monitor.data.role)} AS VARCHAR)"

    @property
    def answer(self) -> str:
        """SQL of the prediction as text."""
        return f"CAST({quoted(self.monitor.data.prediction)} AS VARCHAR)"

    @property
    def favourable(self) -> str:
        """SQL: the answer was the favourable decision."""
        decision = self.monitor.decision
        return f"{self.answer} = {literal(decision.favourable)}" if decision else "false"

    @property
    def positive(self) -> str:
        """SQL: the model predicted its positive class (by score where one is logged)."""
        decision, score = self.monitor.decision, self.monitor.data.score
        if decision is None:
            return "false"
        if score is None:
            return f"{self.answer} = {literal(decision.positive)}"
        return f"TRY_CAST({quoted(score)} AS DOUBLE) >= {decision.threshold!r}"

    def group(self, attribute: str) -> str:
        """SQL of the group of a row; missing is a group of its own."""
        return f"coalesce(CAST({quoted(attribute)} AS VARCHAR), {literal(MISSING)})"

    def groups(self, attribute: str | None) -> str:
        """Version, role and group, as the first three columns of a query."""
        group = self.group(attribute) if attribute else literal(ALL)
        return f"{self.version} AS v, {self.role} AS r, {group} AS g"


def literal(text: str) -> str:
    """A string as an SQL literal.

    >>> literal("o'clock")
    "'o''clock'"
    """
    return "'" + text.replace("'", "''") + "'"


def numeric_columns(
    layout: Layout, wanted: Mapping[str, Sequence[float]], attribute: str | None
) -> dict[Who, dict[str, NumericColumn]]:
    """Counts, sums and bins of numeric columns, for each version, role and group."""
    found: dict[Who, dict[str, NumericColumn]] = {}
    for chunk in _chunks(list(wanted.items())):
        parts = []
        for i, (name, edges) in enumerate(chunk):
            raw = quoted(name)
            x = f"TRY_CAST({raw} AS DOUBLE)"
            listed = "[" + ", ".join(repr(float(e)) for e in edges) + "]"
            names = {"raw": raw, "x": x, "e": listed, "lo": repr(float(edges[0])), "hi": repr(float(edges[-1]))}
            parts += [f"{lower(a, 'duckdb', **names)} AS c{i}_{a.name}" for a in NUMERIC]
        sql = f"SELECT {layout.groups(attribute)}, count(*) AS n, {', '.join(parts)} FROM night GROUP BY 1, 2, 3"
        for row in dicts(layout.db, sql):
            who = (row["v"], row["r"], row["g"])
            for i, (name, edges) in enumerate(chunk):
                found.setdefault(who, {})[name] = _numeric(row, f"c{i}_", edges)
    return found


def _chunks(items: list[tuple[str, Sequence[float]]]) -> list[list[tuple[str, Sequence[float]]]]:
    return [items[i : i + CHUNK] for i in range(0, len(items), CHUNK)]


def _numeric(row: Mapping[str, Any], prefix: str, edges: Sequence[float]) -> NumericColumn:
    """`histogram` leaves the overflow key out when it is empty, and is null for a column without values."""
    counted: dict[float, int] = row[f"{prefix}bins"] or {}
    bins = tuple(int(counted.get(float(e), 0)) for e in edges)
    over = sum(n for key, n in counted.items() if key > edges[-1])
    values = {a.name: row[f"{prefix}{a.name}"] for a in NUMERIC if a.name != "bins"}
    zeros = {k: (v or 0) if k not in ("smallest", "largest") else v for k, v in values.items()}
    return NumericColumn(rows=row["n"], bins=(*bins, int(over)), **zeros)


def category_columns(
    layout: Layout, wanted: Mapping[str, Sequence[str]], attribute: str | None
) -> dict[Who, dict[str, CategoryColumn]]:
    """Counts per known level, nulls, and what was new, for each version, role and group."""
    found: dict[Who, dict[str, CategoryColumn]] = {}
    for name, levels in wanted.items():
        x = f"CAST({quoted(name)} AS VARCHAR)"
        sql = (
            f"SELECT {layout.groups(attribute)}, CASE WHEN list_contains(?, {x}) THEN {x} END AS level, "
            f"{x} IS NULL AS missing, count(*) AS n, "
            f"list_slice(list_sort(list(DISTINCT {x}) FILTER (NOT list_contains(?, {x}))), 1, 5) AS examples "
            "FROM night GROUP BY ALL ORDER BY ALL"
        )
        for row in dicts(layout.db, sql, [list(levels), list(levels)]):
            columns = found.setdefault((row["v"], row["r"], row["g"]), {})
            columns[name] = _with_level(columns.get(name, CategoryColumn()), row)
    return found


def _with_level(column: CategoryColumn, row: Mapping[str, Any]) -> CategoryColumn:
    update: dict[str, Any] = {"rows": column.rows + row["n"]}
    if row["missing"]:
        update["nulls"] = column.nulls + row["n"]
    elif row["level"] is None:
        update |= {"new": column.new + row["n"], "new_examples": tuple(row["examples"] or ())}
    else:
        update["levels"] = {**column.levels, row["level"]: row["n"]}
    return column.model_copy(update=update)


def by_group(layout: Layout, attribute: str) -> dict[tuple[str, Role, str], Cell]:
    """Decision and confusion counts of each group of one protected attribute (binary tasks)."""
    decision = layout.monitor.decision
    if decision is None or layout.monitor.task is not Task.BINARY:
        return {}
    actual, predicted = f"label = {literal(decision.positive)}", layout.positive
    deserving = f"label = {literal(decision.deserving)}"
    counts = {
        "favourable": layout.favourable,
        "labelled": "label IS NOT NULL",
        "tp": f"({predicted}) AND {actual}",
        "fp": f"({predicted}) AND label IS NOT NULL AND NOT ({actual})",
        "tn": f"NOT ({predicted}) AND label IS NOT NULL AND NOT ({actual})",
        "fn": f"NOT ({predicted}) AND {actual}",
        "deserving": deserving,
        "favourable_deserving": f"({layout.favourable}) AND {deserving}",
    }
    parts = [f"count(*) FILTER ({sql}) AS {name}" for name, sql in counts.items()]
    sql = (
        f"SELECT {layout.groups(attribute)}, count(*) AS n, {', '.join(parts)} FROM night "
        f"WHERE {layout.answer} IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    return {
        (row["v"], Role(row["r"]), row["g"]): Cell(n=row["n"], **{name: row[name] for name in counts})
        for row in dicts(layout.db, sql)
    }


def dicts(db: Any, sql: str, given: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """The rows of a query as dictionaries."""
    cursor = db.execute(sql, list(given))
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
