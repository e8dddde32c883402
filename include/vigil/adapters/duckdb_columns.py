"""Columns of the view `served`, counted a few at a time, for everyone and for each protected group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from vigil.adapters.duckdb_layout import By, Layout, Rows, bins_of, dicts, select
from vigil.adapters.duckdb_rows import compared, literal, quoted
from vigil.core.value_word import word
from vigil.core.words import Role
from vigil.profiles.aggregates import FINITE, Counted, counted_of, lower
from vigil.profiles.edges import tails
from vigil.profiles.layout import FeatureType
from vigil.profiles.merge import add_category, add_numeric
from vigil.profiles.types import CategoryColumn, Columns, Contribution, NumericColumn

CHUNK = 8  # columns a query; see profiles/aggregates
TOGETHER = 64  # combinations of groups that are counted in one pass; beyond, each attribute has its own
ALL = "all"
Grouping = tuple[str, ...]  # attributes that are counted in one pass
T = TypeVar("T", NumericColumn, CategoryColumn)
Found = dict[By, dict[str, dict[str, T]]]  # who -> "all" or "attribute=group" -> column


def features(layout: Layout, groupings: Sequence[Grouping]) -> dict[By, dict[str, Columns]]:
    """The feature columns of all rows ("all") and of each group ("attribute=group"), by version and role."""
    numeric: Found[NumericColumn] = {}
    category: Found[CategoryColumn] = {}
    kinds, edges = layout.monitor.features, layout.edges
    for i, grouping in enumerate(groupings):
        names = [n for n, kind in kinds.items() if kind is FeatureType.NUMERIC]
        for row, found in _numeric(layout, {n: edges.numeric[n] for n in names}, grouping):
            for target in _targets(row, grouping, everyone=i == 0):
                _add(numeric, row, target, found, add_numeric)
        for name in (n for n, kind in kinds.items() if kind is FeatureType.CATEGORY):
            for row, column in _category(layout, name, grouping):
                for target in _targets(row, grouping, everyone=i == 0):
                    _add(category, row, target, {name: column}, add_category)
    return {
        who: {
            target: Columns(
                numeric=numeric.get(who, {}).get(target, {}), category=category.get(who, {}).get(target, {})
            )
            for target in sorted({*numeric.get(who, {}), *category.get(who, {})})
        }
        for who in sorted({*numeric, *category})
    }


def number(layout: Layout, name: str, edges: Sequence[float]) -> dict[By, NumericColumn]:
    """One numeric column of all rows."""
    found: Found[NumericColumn] = {}
    for row, columns in _numeric(layout, {name: edges}, ()):
        _add(found, row, ALL, columns, add_numeric)
    return {who: by[ALL][name] for who, by in found.items()}


def contributions(layout: Layout) -> dict[By, dict[str, Contribution]]:
    """Sums of the contributions of each feature that has them in the log."""
    wanted = {n: f"contrib__{n}" for n in layout.monitor.features if f"contrib__{n}" in layout.types}
    found: dict[By, dict[str, Contribution]] = {}
    for chunk in _chunks(list(wanted.items())):
        counted = {
            f"c{i}_{a.name}": lower(a, "duckdb", **_values(layout, column))
            for i, (_, column) in enumerate(chunk)
            for a in counted_of(Counted.CONTRIBUTION)
        }
        for row in dicts(layout.db, select(layout.who, counted, "served")):
            mine = found.setdefault((row["v"], Role(row["r"])), {})
            for i, (name, _) in enumerate(chunk):
                mine[name] = Contribution(**{f: row[f"c{i}_{f}"] or 0 for f in Contribution.model_fields})
    return found


def flags(layout: Layout) -> dict[By, dict[str, tuple[int, int]]]:
    """Rows where each yes/no column is true, and where it is known."""
    declared = dict.fromkeys(name for columns in layout.monitor.flags.values() for name in columns)
    wanted = [name for name in declared if name in layout.types]
    found: dict[By, dict[str, tuple[int, int]]] = {}
    for chunk in _chunks(wanted):
        counted = {
            f"c{i}_{a.name}": lower(a, "duckdb", x=layout.text(name))
            for i, name in enumerate(chunk)
            for a in counted_of(Counted.FLAG)
        }
        for row in dicts(layout.db, select(layout.who, counted, "served")):
            mine = found.setdefault((row["v"], Role(row["r"])), {})
            mine |= {name: (row[f"c{i}_true"], row[f"c{i}_known"]) for i, name in enumerate(chunk)}
    return found


def _values(layout: Layout, column: str) -> dict[str, str]:
    x = layout.number(column)
    return {"raw": quoted(column), "x": x, "f": FINITE.format(x=x)}


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for i in range(0, len(items), CHUNK):
        yield items[i : i + CHUNK]


def _targets(row: Mapping[str, Any], grouping: Grouping, *, everyone: bool) -> list[str]:
    """What a counted combination of groups is a part of: each row is in one group of every attribute."""
    return [*([ALL] if everyone else []), *(f"{a}={row[f'g{i}']}" for i, a in enumerate(grouping))]


def _add(to: Found[T], row: Mapping[str, Any], target: str, columns: Mapping[str, T], add: Any) -> None:
    mine = to.setdefault((row["v"], Role(row["r"])), {}).setdefault(target, {})
    for name, column in columns.items():
        mine[name] = add(mine[name], column) if name in mine else column


def _numeric(
    layout: Layout, wanted: Mapping[str, Sequence[float]], grouping: Grouping
) -> Iterator[tuple[dict[str, Any], dict[str, NumericColumn]]]:
    keys = layout.who | layout.groups(grouping)
    for chunk in _chunks(list(wanted.items())):
        counted = {"n": "count(*)"}
        given: dict[str, Any] = {}
        for i, (name, edges) in enumerate(chunk):
            mine = compared(edges, layout.types[name])
            lo, hi = tails(mine)
            given |= {f"e{i}": list(dict.fromkeys(mine)), f"lo{i}": lo, f"hi{i}": hi}
            names = _values(layout, name) | {"e": f"$e{i}", "lo": f"$lo{i}", "hi": f"$hi{i}"}
            counted |= {f"c{i}_{a.name}": lower(a, "duckdb", **names) for a in counted_of(Counted.NUMERIC)}
        for row in dicts(layout.db, select(keys, counted, "served"), given):
            yield (
                row,
                {
                    name: _numeric_column(row, f"c{i}_", compared(edges, layout.types[name]))
                    for i, (name, edges) in enumerate(chunk)
                },
            )


def _numeric_column(row: Mapping[str, Any], prefix: str, edges: Sequence[float]) -> NumericColumn:
    values = {a.name: row[f"{prefix}{a.name}"] for a in counted_of(Counted.NUMERIC) if a.name != "bins"}
    zeros = {k: (v or 0) if k not in ("smallest", "largest") else v for k, v in values.items()}
    return NumericColumn(rows=row["n"], bins=_bins(row[f"{prefix}bins"], edges), **zeros)


def _bins(counted: Mapping[float, int] | None, edges: Sequence[float]) -> tuple[int, ...]:
    """As many bins as there are edges, and one: between two edges that are equal there is nothing."""
    apart = list(dict.fromkeys(edges))
    found = bins_of(counted, apart)
    of_edge = dict(zip(apart, found, strict=False))
    return (*(of_edge.pop(e, 0) for e in edges), found[-1])


def _by_word(levels: Sequence[str], tail: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Word -> (the level as the edges write it, what they know it as). Older edges write some levels otherwise."""
    found: dict[str, tuple[str, str]] = {}
    for level, kind in (*((one, "level") for one in levels), *((one, "tail") for one in tail)):
        found.setdefault(word(level) or level, (level, kind))
    return found


def _level(layout: Layout, name: str, known: Mapping[str, tuple[str, str]]) -> str:
    """SQL of a value's word. Edges of before blanks were missing have a blank level: there they are that one."""
    blank, text = next((key for key in known if not word(key)), None), layout.text(name)
    if blank is None or layout.types[name] != "VARCHAR":
        return text
    return f"coalesce({text}, CASE WHEN s.{quoted(name)} IS NOT NULL THEN {literal(blank)} END)"


def _category(layout: Layout, name: str, grouping: Grouping) -> Iterator[tuple[dict[str, Any], CategoryColumn]]:
    """Its distinct values are counted first, and looked up once each: a night may have thousands of them."""
    groups = layout.groups(grouping)
    known = _by_word(layout.edges.levels[name], layout.edges.tails.get(name, ()))
    keys = layout.who | groups | {"x": (_level(layout, name, known), f"s.{quoted(name)}")}
    counted = {a.name: lower(a, "duckdb", x="x", n="n", k="kind", o="$open") for a in counted_of(Counted.CATEGORY)}
    by = ", ".join([*layout.who, *groups])
    sql = (
        "WITH known AS (SELECT unnest(CAST($levels AS VARCHAR[])) AS level, unnest(CAST($words AS VARCHAR[])) AS word, "
        "unnest(CAST($kinds AS VARCHAR[])) AS kind), "
        f"counted AS ({select(keys, {'n': 'count(*)'}, 'served')}), "
        f"whole AS (SELECT {by}, x, sum(n) AS n FROM counted GROUP BY {by}, x), "
        f"named AS (SELECT {by}, coalesce(level, x) AS x, n, kind FROM whole LEFT JOIN known ON x = word) "
        f"SELECT {by}, sum(n) AS n, {', '.join(f'{sql} AS c_{key}' for key, sql in counted.items())} "
        f"FROM named GROUP BY {by}"
    )
    given = {
        "words": list(known),
        "levels": [level for level, _ in known.values()],
        "kinds": [kind for _, kind in known.values()],
        "open": name in layout.edges.open,
    }
    rows: Rows = dicts(layout.db, sql, given)
    for row in rows:
        yield (
            row,
            CategoryColumn(
                rows=row["n"],
                nulls=row["c_nulls"] or 0,
                levels=dict(sorted((row["c_levels"] or {}).items())),
                other=row["c_other"] or 0,
                new=row["c_new"] or 0,
                new_hashes=tuple(sorted(row["c_new_hashes"] or ())),
                new_examples=tuple(sorted(row["c_new_examples"] or ())),
            ),
        )
