"""One scan of a night with DuckDB: rows -> one profile for each version and role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from vigil.adapters.duckdb_columns import ALL, Layout, by_group, category_columns, numeric_columns
from vigil.adapters.duckdb_outcome import outcomes, services
from vigil.adapters.duckdb_rows import (
    EXTRA,
    SLOT,
    columns_of,
    connect,
    label_join,
    literal,
    quoted,
    require,
    stored_columns,
    text_of,
)
from vigil.core.errors import DataError
from vigil.core.words import Role, Task
from vigil.profiles.edges import SCORE_EDGES, edges_digest, fit
from vigil.profiles.layout import FeatureType
from vigil.profiles.merge import merge_columns
from vigil.profiles.types import Cell, Columns, Edges, Key, Outcome, Profile, Service

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.ports import Partition

TOP_LEVELS = 200  # category levels that a baseline keeps; others are counted together as new
By = tuple[str, Role]  # version, role
T = TypeVar("T", Cell, Columns)


class DuckDBScanner:
    """Implements the Scanner port."""

    def scan(self, monitor: Monitor, partition: Partition, edges: Edges, night: date) -> Mapping[Key, Profile]:
        """Profiles of a stored night; broken files are left out. Raises DataError when a declared column is missing."""
        if not partition.files:
            return {}
        d = monitor.data
        with connect() as db:
            have = stored_columns(db, monitor, partition.files)
            needed = [*_declared(monitor), d.status, d.latency_ms]
            require(needed, have, f"the prediction log of {monitor.model} on {night}")
            _check_edges(monitor, edges)
            optional = [d.pipeline_version] if d.pipeline_version in have else []
            identity = [d.prediction_id, d.served_at, d.model_version, d.role]
            label_join(db, monitor, partition, columns=[*identity, *needed, *optional])
            layout = Layout(db=db, monitor=monitor, edges=edges, types=columns_of(db, "night"))
            return _profiles(layout, night, start=partition.window.start, received=_received(layout))

    def scan_table(
        self, monitor: Monitor, rows: pa.Table, edges: Edges, *, night: date, version: str, role: Role
    ) -> Profile:
        """Profile of rows in memory, all as one version and role; every row counts, and hours are not counted."""
        key = Key(monitor=monitor.model, environment=monitor.environment, night=night, version=version, role=role)
        if rows.num_rows == 0:
            return _empty(monitor, edges, key)
        require(_declared(monitor), rows.column_names, f"the rows for version {version} of {monitor.model}")
        _check_edges(monitor, edges)
        with connect() as db:
            _register(db, monitor, rows, version, role)
            layout = Layout(db=db, monitor=monitor, edges=edges, types=columns_of(db, "night"))
            return _profiles(layout, night, start=None, received={})[key]

    def fit_edges(self, monitor: Monitor, rows: pa.Table) -> Edges:
        """Quantile edges and level lists from reference rows. Raises DataError for a column without values."""
        wanted = dict(monitor.features)
        if monitor.task is Task.REGRESSION:
            wanted[monitor.data.prediction] = FeatureType.NUMERIC
        require(wanted, rows.column_names, f"the reference rows of {monitor.model}")
        numeric: dict[str, tuple[float, ...]] = {}
        levels: dict[str, tuple[str, ...]] = {}
        with connect() as db:
            db.register("given", rows)
            types = columns_of(db, "given")
            for name, kind in wanted.items():
                if kind is FeatureType.CATEGORY:
                    levels[name] = _levels(db, text_of(name, types[name]))
                else:
                    numeric[name] = _fitted(db, monitor, name)
        return Edges(numeric=numeric, levels=levels)


def _levels(db: Any, text: str) -> tuple[str, ...]:
    """The most frequent values, in text order."""
    counted = db.execute(
        f"SELECT {text} AS level FROM given WHERE {text} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?",
        [TOP_LEVELS],
    ).fetchall()
    return tuple(sorted(level for (level,) in counted))


def _fitted(db: Any, monitor: Monitor, name: str) -> tuple[float, ...]:
    import numpy as np

    found = db.execute(f"SELECT TRY_CAST({quoted(name)} AS DOUBLE) AS x FROM given").fetchnumpy()["x"]
    try:
        return fit(np.ma.filled(found.astype(float), np.nan), monitor.bins)
    except ValueError as error:
        raise DataError(f"{monitor.model}: reference column {name!r}: {error}") from error


def _declared(monitor: Monitor) -> list[str]:
    d = monitor.data
    protected = [p.attribute for p in monitor.protected]
    return [*monitor.features, *protected, d.prediction, *([d.score] if d.score else [])]


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
    told = [f"? AS {quoted(d.model_version)}", f"? AS {quoted(d.role)}"]
    own = ["false AS vigil_contradictory", "CAST(NULL AS INTEGER) AS vigil_slot"]
    db.execute(
        f"CREATE TEMP TABLE night AS SELECT {', '.join([star, *extra, *told, *own])} FROM given", [version, role.value]
    )


def _received(layout: Layout) -> dict[By, int]:
    """Rows by version and role before de-duplication."""
    rows = layout.db.execute(f"SELECT {layout.version}, {layout.role}, count(*) FROM raw GROUP BY 1, 2").fetchall()
    return {(version, Role(role)): n for version, role, n in rows}


def _profiles(layout: Layout, night: date, *, start: datetime | None, received: Mapping[By, int]) -> dict[Key, Profile]:
    monitor = layout.monitor
    cells = {p.attribute: by_group(layout, p.attribute) for p in monitor.protected}
    group_columns = {p.attribute: _columns(layout, p.attribute) for p in monitor.protected}
    everyone, prediction = _everyone(layout, list(group_columns.values())), _prediction(layout)
    hours, service, outcome = _hours(layout, start), services(layout), outcomes(layout)
    found = {}
    for who, pipelines in _identities(layout):
        version, role = who
        rows = sum(pipelines.values())
        key = Key(monitor=monitor.model, environment=monitor.environment, night=night, version=version, role=role)
        found[key] = _empty(monitor, layout.edges, key).model_copy(
            update={
                "versions": {version: rows},
                "pipelines": pipelines,
                "rows": rows,
                "duplicates": received.get(who, rows) - rows,
                "columns": everyone.get(who, Columns()),
                "prediction": prediction.get((*who, ALL), Columns()),
                "groups": {a: _of(cell, who) for a, cell in cells.items()},
                "group_columns": {
                    f"{a}={g}": c for a, cols in group_columns.items() for g, c in _of(cols, who).items()
                },
                "hours": hours.get(who, {}),
                "service": service.get(who, Service()),
                "outcome": outcome.get(who, Outcome()),
            }
        )
    return found


def _of(found: Mapping[tuple[str, str, str], T], who: By) -> dict[str, T]:
    """Group -> value, of one version and role."""
    return {group: value for (version, role, group), value in found.items() if (version, role) == who}


def _columns(layout: Layout, attribute: str | None) -> dict[tuple[str, str, str], Columns]:
    """(version, role, group) -> the feature columns of that group; the group is "all" without an attribute."""
    features, edges = layout.monitor.features, layout.edges
    numeric = numeric_columns(
        layout, {n: edges.numeric[n] for n, k in features.items() if k is FeatureType.NUMERIC}, attribute
    )
    category = category_columns(
        layout, {n: edges.levels[n] for n, k in features.items() if k is FeatureType.CATEGORY}, attribute
    )
    return {
        who: Columns(numeric=numeric.get(who, {}), category=category.get(who, {}))
        for who in sorted({*numeric, *category})
    }


def _everyone(layout: Layout, by_attribute: Sequence[Mapping[tuple[str, str, str], Columns]]) -> dict[By, Columns]:
    """The columns of all rows: each row is in one group of any attribute, so its groups add up to all."""
    groups = by_attribute[0] if by_attribute else _columns(layout, None)
    found: dict[By, Columns] = {}
    for (version, role, _), columns in groups.items():
        who = (version, Role(role))
        found[who] = merge_columns(found[who], columns) if who in found else columns
    return found


def _prediction(layout: Layout) -> dict[tuple[str, str, str], Columns]:
    """The score (binary) or the predicted value (regression) as a column of its own."""
    d, name = layout.monitor.data, "prediction"
    edges: dict[str, Sequence[float]] = {}
    if layout.monitor.task is Task.BINARY and d.score:
        edges, name = {d.score: SCORE_EDGES}, "score"
    elif layout.monitor.task is Task.REGRESSION:
        edges = {d.prediction: layout.edges.numeric[d.prediction]}
    found = numeric_columns(layout, edges, None)
    return {who: Columns(numeric={name: next(iter(columns.values()))}) for who, columns in found.items()}


def _identities(layout: Layout) -> Iterator[tuple[By, dict[str, int]]]:
    """Each version and role, with its rows by pipeline version."""
    name = layout.monitor.data.pipeline_version
    pipeline = f"coalesce({layout.text(name)}, '')" if name in layout.types else "''"
    rows = layout.db.execute(
        f"SELECT {layout.version}, {layout.role}, {pipeline}, count(*) FROM night GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ).fetchall()
    for version, role in dict.fromkeys((v, r) for v, r, *_ in rows):
        yield (version, Role(role)), {p: n for v, r, p, n in rows if (v, r) == (version, role)}


def _hours(layout: Layout, start: datetime | None) -> dict[By, dict[str, dict[str, tuple[int, int]]]]:
    """Decisions by hour of the local day, so that an onset can be found; empty for rows without a time.

    On the night that clocks go back, both hours of that name are counted together.
    """
    if start is None:
        return {}
    zone = ZoneInfo(layout.monitor.timezone)
    groups = [literal(ALL)]
    groups += [f"{literal(p.attribute + '=')} || {layout.group(p.attribute)}" for p in layout.monitor.protected]
    found: dict[By, dict[str, dict[str, tuple[int, int]]]] = {}
    for group_sql in groups:
        rows = layout.db.execute(
            f"SELECT {layout.version}, {layout.role}, vigil_slot, {group_sql} AS g, count(*), "
            f"count(*) FILTER ({layout.favourable}) FROM night WHERE {layout.answer} IS NOT NULL "
            "GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        ).fetchall()
        for version, role, slot, group, n, good in rows:
            hour = str((start.astimezone(UTC) + timedelta(seconds=SLOT * slot)).astimezone(zone).hour)
            hours = found.setdefault((version, Role(role)), {}).setdefault(hour, {})
            before = hours.get(group, (0, 0))
            hours[group] = (before[0] + n, before[1] + good)
    return found


def _empty(monitor: Monitor, edges: Edges, key: Key) -> Profile:
    return Profile(
        monitor=monitor.model,
        environment=monitor.environment,
        task=monitor.task,
        nights=(key.night,),
        roles=(key.role,),
        edges_digest=edges_digest(edges),
    )
