"""One scan of a night with DuckDB: rows -> one profile for each version and role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from vigil.adapters import duckdb_columns as columns
from vigil.adapters import duckdb_decisions as decisions
from vigil.adapters.duckdb_bounded import Bounded, bounded
from vigil.adapters.duckdb_cube import combinations, make_cube, make_tally
from vigil.adapters.duckdb_edges import fitted
from vigil.adapters.duckdb_layout import MISSING, By, Layout, dicts, select
from vigil.adapters.duckdb_night import EXTRA, label_join
from vigil.adapters.duckdb_outcome import group_overruled, group_scores, outcomes, services
from vigil.adapters.duckdb_places import elsewhere
from vigil.adapters.duckdb_rows import columns_of, connect, literal, quoted, require, stored_columns
from vigil.core.errors import DataError
from vigil.core.words import Role, Task
from vigil.profiles.edges import SCORE_EDGES, edges_digest
from vigil.profiles.layout import FeatureType
from vigil.profiles.row_ledger import Elsewhere
from vigil.profiles.types import Columns, Edges, Key, Profile

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.ports import Partition


class DuckDBScanner:
    """Implements the Scanner port."""

    def scan(self, monitor: Monitor, partition: Partition, edges: Edges, night: date) -> Mapping[Key, Profile]:
        """Profiles of a stored night; broken files are left out. Raises DataError when a declared column is missing."""
        if not partition.files:
            return {}
        d = monitor.data
        with connect() as db:
            have = stored_columns(db, monitor, partition.files)
            needed = [*_declared(monitor), *_further(monitor), d.status, d.latency_ms]
            require(needed, have, f"the prediction log of {monitor.model} on {night}")
            _check_edges(monitor, edges)
            optional = [n for n in (d.pipeline_version, *map("contrib__{}".format, monitor.features)) if n in have]
            identity = [d.prediction_id, d.served_at, d.model_version, d.role]
            label_join(db, monitor, partition, columns=[*identity, *needed, *optional])
            layout = bounded(Bounded(db=db, monitor=monitor, edges=edges, types=columns_of(db, "night")))
            return _profiles(layout, night, start=partition.window.start)

    def elsewhere(self, monitor: Monitor, partition: Partition) -> Elsewhere:
        """Rows of the night's files by whether they are of this night and environment. Raises DataError as `scan`."""
        return elsewhere(monitor, partition)

    def scan_table(
        self, monitor: Monitor, rows: pa.Table, edges: Edges, *, night: date, version: str, role: Role
    ) -> Profile:
        """Profile of rows in memory, all as one version and role; every row counts, and hours are not counted.

        What only a log has (flags, weights, strata, …) is counted where the rows have it too.
        """
        key = Key(monitor=monitor.model, environment=monitor.environment, night=night, version=version, role=role)
        if rows.num_rows == 0:
            return _empty(monitor, edges, key)
        require(_declared(monitor), rows.column_names, f"the rows for version {version} of {monitor.model}")
        _check_edges(monitor, edges)
        with connect() as db:
            _register(db, monitor, rows, version, role)
            layout = bounded(Bounded(db=db, monitor=monitor, edges=edges, types=columns_of(db, "night")))
            return _profiles(layout, night, start=None)[key]

    def fit_edges(self, monitor: Monitor, rows: pa.Table) -> Edges:
        """Quantile edges and level lists from reference rows. Raises DataError for a column without values."""
        return fitted(monitor, rows)


def _declared(monitor: Monitor) -> list[str]:
    d = monitor.data
    protected = [p.attribute for p in monitor.protected]
    return [*monitor.features, *protected, d.prediction, *([d.score] if d.score else [])]


def _further(monitor: Monitor) -> list[str]:
    """What else a monitor says that its log has: without it, what was asked for would be missing without a word."""
    named = [monitor.data.ranking, monitor.data.sampling_weight, monitor.strata, *monitor.sums]
    return [name for name in [*named, *(n for columns in monitor.flags.values() for n in columns)] if name is not None]


def _check_edges(monitor: Monitor, edges: Edges) -> None:
    wanted = {n: edges.numeric if k is FeatureType.NUMERIC else edges.levels for n, k in monitor.features.items()}
    if monitor.task is Task.REGRESSION:
        wanted[monitor.data.prediction] = edges.numeric
    missing = [name for name, known in wanted.items() if name not in known]
    if missing:
        raise DataError(
            f"{monitor.model}: {', '.join(map(repr, missing))} has no bin edges, because it is not in the baseline "
            "that the edges were fitted to: fit new edges with a reason, and promote the version again"
        )


def _register(db: Any, monitor: Monitor, rows: pa.Table, version: str, role: Role) -> None:
    """Rows in memory in the shape of a night; columns that only the log has get their defaults."""
    d = monitor.data
    db.register("given", rows)
    have = columns_of(db, "given")
    defaults = {
        d.status: "'ok'",
        d.latency_ms: "CAST(NULL AS DOUBLE)",
        d.pipeline_version: "''",
        "label": "CAST(NULL AS VARCHAR)",
    }
    extra = [f"{sql} AS {quoted(name)}" for name, sql in defaults.items() if name not in have]
    drop = [quoted(n) for n in (d.model_version, d.role, *EXTRA) if n in have]
    star = f"* EXCLUDE ({', '.join(drop)})" if drop else "*"
    told = [f"{literal(version)} AS {quoted(d.model_version)}", f"{literal(role)} AS {quoted(d.role)}"]
    own = ["false AS vigil_contradictory", "CAST(NULL AS INTEGER) AS vigil_slot"]
    for name in ("served", "night"):
        db.execute(f"CREATE TEMP VIEW {name} AS SELECT {', '.join([star, *extra, *told, *own])} FROM given")
    db.execute("CREATE TEMP TABLE dropped (version VARCHAR, role VARCHAR, conflicting BOOLEAN)")
    db.execute("CREATE TEMP TABLE unnamed (version VARCHAR, role VARCHAR)")


def _profiles(layout: Bounded, night: date, *, start: datetime | None) -> dict[Key, Profile]:
    """The profile of each version and role of `night`; without a `start`, hours are not counted."""
    parts = _parts(layout, start)
    found = {}
    for (version, role), pipelines in _identities(layout):
        key = Key(
            monitor=layout.monitor.model,
            environment=layout.monitor.environment,
            night=night,
            version=version,
            role=role,
        )
        own = {name: by[version, role] for name, by in parts.items() if (version, role) in by}
        rows = sum(pipelines.values())
        told = {"versions": {version: rows}, "pipelines": pipelines, "rows": rows}
        found[key] = _empty(layout.monitor, layout.edges, key).model_copy(update=told | own)
    return found


def _parts(layout: Layout, start: datetime | None) -> dict[str, Mapping[By, Any]]:
    """Field of the profile -> version and role -> its value."""
    make_cube(layout)
    together = layout.attributes and combinations(layout) > columns.TOGETHER
    groupings = [(a,) for a in layout.attributes] if together else [layout.attributes]
    features = columns.features(layout, groupings)
    parts: dict[str, Mapping[By, Any]] = {
        "duplicates": _set_apart(layout, "dropped"),
        "conflicting": _set_apart(layout, "dropped WHERE conflicting"),
        "unnamed": _set_apart(layout, "unnamed"),
        "columns": {who: by.get(columns.ALL, Columns()) for who, by in features.items()},
        "group_columns": {who: {g: c for g, c in by.items() if g != columns.ALL} for who, by in features.items()},
        "prediction": _prediction(layout),
        "groups": decisions.groups(layout),
        "crossed": decisions.crossed(layout),
        "strata": decisions.strata(layout),
        "sums": decisions.sums(layout),
        "service": services(layout),
        "outcome": outcomes(layout),
        "group_scores": group_scores(layout),
        "group_overruled": group_overruled(layout),
        "contributions": columns.contributions(layout),
        "flags": columns.flags(layout),
    }
    if start is not None:
        make_tally(layout)
        parts |= {"hours": decisions.hours(layout, start), "hours_service": decisions.hours_service(layout, start)}
    return parts


def _set_apart(layout: Layout, which: str) -> dict[By, int]:
    """Rows of a table of `duckdb_night` for each version and role: repeated ones, or those without an id."""
    version = f"coalesce(CAST(version AS VARCHAR), '{MISSING}')"
    rows = dicts(layout.db, f"SELECT {version} AS v, role AS r, count(*) AS n FROM {which} GROUP BY 1, 2")
    return {(row["v"], Role(row["r"])): row["n"] for row in rows}


def _prediction(layout: Layout) -> dict[By, Columns]:
    """The score (binary) or the predicted value (regression) as a column of its own."""
    d = layout.monitor.data
    if layout.monitor.task is Task.BINARY and d.score:
        found = columns.number(layout, d.score, SCORE_EDGES)
        return {who: Columns(numeric={"score": column}) for who, column in found.items()}
    if layout.monitor.task is Task.REGRESSION:
        found = columns.number(layout, d.prediction, layout.edges.numeric[d.prediction])
        return {who: Columns(numeric={"prediction": column}) for who, column in found.items()}
    return {}


def _identities(layout: Bounded) -> Iterator[tuple[By, dict[str, int]]]:
    """Each version and role, with its rows by pipeline version."""
    name = layout.monitor.data.pipeline_version
    pipeline = layout.short(name, f"coalesce({layout.name(name)}, '')") if name in layout.types else "''"
    keys = layout.who | {"p": (pipeline, pipeline)}
    rows = sorted((r["v"], r["r"], r["p"], r["n"]) for r in dicts(layout.db, select(keys, {"n": "count(*)"}, "served")))
    for version, role in dict.fromkeys((v, r) for v, r, *_ in rows):
        yield (version, Role(role)), {p: n for v, r, p, n in rows if (v, r) == (version, role)}


def _empty(monitor: Monitor, edges: Edges, key: Key) -> Profile:
    return Profile(
        monitor=monitor.model,
        environment=monitor.environment,
        task=monitor.task,
        nights=(key.night,),
        roles=(key.role,),
        edges_digest=edges_digest(edges),
    )
