"""Columns and protected groups of the table `night`, counted a few columns at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_rows import literal, quoted, text_of
from vigil.core.words import Role, Task
from vigil.profiles.aggregates import counted_of, lower
from vigil.profiles.layout import FeatureType
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

    def text(self, column: str) -> str:
        """SQL of a column's value as text."""
        return text_of(column, self.types[column])

    @property
    def version(self) -> str:
        """SQL of the version that answered a row."""
        return f"coalesce({self.text(self.monitor.data.model_version)}, {literal(MISSING)})"

    @property
    def role(self) -> str:
        """SQL of the role it answered in."""
        return f"CAST({quoted(self.monitor.data.role)} AS VARCHAR)"

    @property
    def answer(self) -> str:
        """SQL of the prediction as text; null where there was no answer."""
        return self.text(self.monitor.data.prediction)

    @property
    def label(self) -> str:
        """SQL of the label as text; null where it is not known."""
        return self.text("label")

    @property
    def score(self) -> str | None:
        """SQL of the score as a number, for binary models that log one."""
        name = self.monitor.data.score
        return f"TRY_CAST({quoted(name)} AS DOUBLE)" if name and self.monitor.task is Task.BINARY else None

    @property
    def favourable(self) -> str:
        """SQL: the answer was the favourable decision."""
        decision = self.monitor.decision
        return f"{self.answer} = {literal(decision.favourable)}" if decision else "false"

    @property
    def positive(self) -> str:
        """SQL: the model predicted its positive class: by score, or where that is no number, by the answer."""
        decision = self.monitor.decision
        if decision is None:
            return "false"
        said = f"{self.answer} = {literal(decision.positive)}"
        if self.score is None:
            return said
        limit = f"CAST({literal(repr(decision.threshold))} AS DOUBLE)"
        return f"CASE WHEN isfinite({self.score}) THEN {self.score} >= {limit} ELSE {said} END"

    def group(self, attribute: str) -> str:
        """SQL of the group of a row; missing is a group of its own."""
        return f"coalesce({self.text(attribute)}, {literal(MISSING)})"

    def groups(self, attribute: str | None) -> str:
        """Version, role and group, as the first three columns of a query."""
        group = self.group(attribute) if attribute else literal(ALL)
        return f"{self.version} AS v, {self.role} AS r, {group} AS g"


def numeric_columns(
    layout: Layout, wanted: Mapping[str, Sequence[float]], attribute: str | None
) -> dict[Who, dict[str, NumericColumn]]:
    """Counts, sums and bins of numeric columns, for each version, role and group."""
    found: dict[Who, dict[str, NumericColumn]] = {}
    for chunk in _chunks(wanted):
        parts: list[str] = []
        given: dict[str, Any] = {}
        for i, (name, edges) in enumerate(chunk):
            given |= {f"e{i}": list(edges), f"lo{i}": edges[0], f"hi{i}": edges[-1]}
            names = {"raw": quoted(name), "x": f"TRY_CAST({quoted(name)} AS DOUBLE)"}
            parts += _counted(FeatureType.NUMERIC, i, **names, lo=f"$lo{i}", hi=f"$hi{i}")
        for row in _grouped(layout, attribute, parts, given):
            mine = found.setdefault((row["v"], row["r"], row["g"]), {})
            mine |= {name: _numeric(row, f"c{i}_", edges) for i, (name, edges) in enumerate(chunk)}
    return found


def category_columns(
    layout: Layout, wanted: Mapping[str, Sequence[str]], attribute: str | None
) -> dict[Who, dict[str, CategoryColumn]]:
    """Counts per known level, nulls, and what was new, for each version, role and group."""
    found: dict[Who, dict[str, CategoryColumn]] = {}
    for chunk in _chunks(wanted):
        given = {f"e{i}": list(levels) for i, (_, levels) in enumerate(chunk)}
        parts = [
            part for i, (name, _) in enumerate(chunk) for part in _counted(FeatureType.CATEGORY, i, x=layout.text(name))
        ]
        for row in _grouped(layout, attribute, parts, given):
            mine = found.setdefault((row["v"], row["r"], row["g"]), {})
            mine |= {name: _category(row, f"c{i}_") for i, (name, _) in enumerate(chunk)}
    return found


def _counted(kind: FeatureType, i: int, **names: str) -> list[str]:
    return [f"{lower(a, 'duckdb', e=f'$e{i}', **names)} AS c{i}_{a.name}" for a in counted_of(kind)]


def _grouped(layout: Layout, attribute: str | None, parts: Sequence[str], given: Mapping[str, Any]) -> Rows:
    sql = f"SELECT {layout.groups(attribute)}, count(*) AS n, {', '.join(parts)} FROM night GROUP BY 1, 2, 3"
    return dicts(layout.db, sql, given)


def _chunks(wanted: Mapping[str, Sequence[Any]]) -> Iterator[list[tuple[str, Sequence[Any]]]]:
    items = list(wanted.items())
    for i in range(0, len(items), CHUNK):
        yield items[i : i + CHUNK]


def bins_of(counted: Mapping[float, int] | None, edges: Sequence[float]) -> tuple[int, ...]:
    """DuckDB's histogram as bins: it leaves the overflow out when it is empty, and is null when nothing was counted.

    >>> bins_of({1.0: 2, 2.0: 0, float("inf"): 3}, (1.0, 2.0))
    (2, 0, 3)
    """
    found = counted or {}
    over = sum(n for key, n in found.items() if key > edges[-1])
    return (*(int(found.get(float(e), 0)) for e in edges), int(over))


def _numeric(row: Mapping[str, Any], prefix: str, edges: Sequence[float]) -> NumericColumn:
    values = {a.name: row[f"{prefix}{a.name}"] for a in counted_of(FeatureType.NUMERIC) if a.name != "bins"}
    zeros = {k: (v or 0) if k not in ("smallest", "largest") else v for k, v in values.items()}
    return NumericColumn(rows=row["n"], bins=bins_of(row[f"{prefix}bins"], edges), **zeros)


def _category(row: Mapping[str, Any], prefix: str) -> CategoryColumn:
    return CategoryColumn(
        rows=row["n"],
        nulls=row[f"{prefix}nulls"],
        levels=dict(sorted((row[f"{prefix}levels"] or {}).items())),
        new=row[f"{prefix}new"],
        new_examples=tuple(row[f"{prefix}new_examples"] or ()),
    )


def by_group(layout: Layout, attribute: str) -> dict[Who, Cell]:
    """Decision and confusion counts of each group of one protected attribute (binary tasks)."""
    decision = layout.monitor.decision
    if decision is None or layout.monitor.task is not Task.BINARY:
        return {}
    label, predicted = layout.label, layout.positive
    labelled, actual = f"{label} IS NOT NULL", f"{label} = {literal(decision.positive)}"
    deserving = f"{label} = {literal(decision.deserving)}"
    counts = {
        "favourable": layout.favourable,
        "labelled": labelled,
        "tp": f"({predicted}) AND {actual}",
        "fp": f"({predicted}) AND {labelled} AND NOT ({actual})",
        "tn": f"NOT ({predicted}) AND {labelled} AND NOT ({actual})",
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


Rows = list[dict[str, Any]]


def dicts(db: Any, sql: str, given: Mapping[str, Any] | None = None) -> Rows:
    """The rows of a query as dictionaries; `given` are its named parameters."""
    cursor = db.execute(sql, dict(given or {}))
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
