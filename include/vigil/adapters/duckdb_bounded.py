"""Columns with more names than a profile can hold: the largest keep theirs, the others are one.

A profile has a cell for each group, for each level of the strata and for each pipeline, in each of its tables. A column
of thousands of them (an id that was taken for a group) would make megabytes of every night.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from vigil.adapters.duckdb_layout import MISSING, Layout
from vigil.adapters.duckdb_rows import literal

MOST = 50  # names of a column that are kept beside those that the monitor or the baseline has
OTHER = "(other)"
log = logging.getLogger("vigil")


@dataclass(frozen=True)
class Bounded(Layout):
    """A layout in which groups, strata and pipelines have at most so many names. kept: column -> names, where it has
    others too."""

    kept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def named(self, column: str) -> str:
        """SQL of a column's value as text, or of the name of all that are not kept."""
        return self.short(column, super().named(column))

    def short(self, column: str, text: str) -> str:
        """SQL of a text of the column, or of the name of all that are not kept."""
        if column not in self.kept:
            return text
        return f"CASE WHEN {text} IN ({', '.join(map(literal, self.kept[column]))}) THEN {text} ELSE '{OTHER}' END"

    def groups(self, attributes: Iterable[str]) -> dict[str, tuple[str, str]]:
        """The groups of a row; where they are not all kept, they are counted by name."""
        names = tuple(attributes)
        found = super().groups(names)
        return {
            alias: (sql, sql if name in self.kept else by)
            for (alias, (sql, by)), name in zip(found.items(), names, strict=True)
        }


def bounded(layout: Bounded) -> Bounded:
    """The layout with the names to keep of the columns that have too many: of all versions the same ones."""
    kept = {}
    for column, (text, known) in _counted(layout).items():
        listed = ", ".join(map(literal, sorted(known)))
        sql = (
            f"SELECT {text} AS x FROM served s WHERE {text} NOT IN ({listed}) GROUP BY {text} "
            f"ORDER BY count(*) DESC, x LIMIT {MOST + 1}"
        )
        found = [name for (name,) in layout.db.execute(sql).fetchall()]
        if len(found) > MOST:
            told = "model=%s: %r has too many names; those beyond the %d largest are counted as %s"
            log.warning(told, layout.monitor.model, column, MOST, OTHER)
            kept[column] = tuple(sorted({*known, *found[:MOST]}))
    return replace(layout, kept=kept)


def _counted(layout: Layout) -> dict[str, tuple[str, set[str]]]:
    """Column -> (SQL of its text, the names that are kept in any case: those of the monitor and of the edges)."""
    monitor, levels = layout.monitor, layout.edges.levels
    declared: dict[str, set[str]] = {name: set() for name in [monitor.strata] if name in layout.types and name}
    for one in monitor.protected:
        declared.setdefault(one.attribute, set()).update({one.reference, *one.groups})
    found = {name: (layout.named(name), {MISSING, *names, *levels.get(name, ())}) for name, names in declared.items()}
    pipeline = monitor.data.pipeline_version
    if pipeline in layout.types and pipeline not in found:
        found[pipeline] = (f"coalesce({layout.name(pipeline)}, '')", {""})
    return found
