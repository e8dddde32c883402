"""One scan of a night with DuckDB: rows -> one profile for each version and role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from vigil.adapters.duckdb_columns import Layout, by_group, category_columns, numeric_columns
from vigil.adapters.duckdb_outcome import outcomes, services
from vigil.adapters.duckdb_rows import columns_of, connect, label_join, quoted
from vigil.core.errors import DataError
from vigil.core.words import Role, Task
from vigil.profiles.edges import SCORE_EDGES, edges_digest, fit
from vigil.profiles.layout import FeatureType
from vigil.profiles.types import Cell, Columns, Edges, Key, Outcome, Profile, Service

if TYPE_CHECKING:
    import pyarrow as pa
    from vigil.config.schema import Monitor
    from vigil.ports import Partition

TOP_LEVELS = 200  # category levels that a baseline keeps; others are counted together as new
ALL = "all"
MISSING = "(missing)"


class DuckDBScanner:
    """Implements the Scanner port."""

    def scan(self, monitor: Monitor, partition: Partition, edges: Edges, night: date) -> Mapping[Key, Profile]:
        """Profiles of a stored night. Raises DataError when a declared column is missing."""
        if not partition.files:
            return {}
        with connect() as db:
            label_join(db, monitor, partition)
            return _profiles(db, monitor, edges, night, start=partition.window.start)

    def scan_table(
        self, monitor: Monitor, rows: pa.Table, edges: Edges, *, night: date, version: str, role: Role
    ) -> Profile:
        """Profile of rows in memory, all as one version and role; what only a service knows is left at zero."""
        with connect() as db:
            _register(db, monitor, rows, night, version, role)
            found = _profiles(db, monitor, edges, night, start=None)
        key = Key(monitor=monitor.model, environment=monitor.environment, night=night, version=version, role=role)
        return found.get(key) or _empty(monitor, edges, key)

    def fit_edges(self, monitor: Monitor, rows: pa.Table) -> Edges:
        """Quantile edges and level lists from reference rows. Raises DataError for a column without values."""
        import numpy as np

        numeric: dict[str, tuple[float, ...]] = {}
        levels: dict[str, tuple[str, ...]] = {}
        _require(monitor.features, rows.column_names, "the reference")
        wanted = dict(monitor.features)
        if monitor.task is Task.REGRESSION:
            wanted[monitor.data.prediction] = FeatureType.NUMERIC
        for name, kind in wanted.items():
            column = rows.column(name)
            if kind is FeatureType.CATEGORY:
                counts = column.cast("string").drop_null().value_counts().to_pylist()
                top = sorted(counts, key=lambda c: (-c["counts"], c["values"]))[:TOP_LEVELS]
                levels[name] = tuple(sorted(c["values"] for c in top))
                continue
            values = np.asarray([_number(v) for v in column.to_pylist()], dtype=float)
            try:
                numeric[name] = fit(values, monitor.bins)
            except ValueError as error:
                raise DataError(f"{monitor.model}: reference column {name!r}: {error}") from error
        return Edges(numeric=numeric, levels=levels)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def _require(names: Sequence[str] | Mapping[str, Any], columns: Sequence[str], where: str) -> None:
    for name in names:
        if name not in columns:
            near = get_close_matches(name, columns, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(columns))}"
            raise DataError(f"column {name!r} is missing from {where}; {hint}")


def _register(db: Any, monitor: Monitor, rows: pa.Table, night: date, version: str, role: Role) -> None:
    """Rows in memory in the shape of a night; columns that only the log has get their defaults."""
    d, zone = monitor.data, ZoneInfo(monitor.timezone)
    noon = datetime(night.year, night.month, night.day, 12, tzinfo=zone).astimezone(UTC)
    db.register("given", rows)
    have = columns_of(db, "given")
    defaults = {
        d.prediction_id: "CAST(row_number() OVER () AS VARCHAR)",
        d.served_at: f"CAST('{noon.isoformat()}' AS TIMESTAMPTZ)",
        d.status: "'ok'",
        d.latency_ms: "CAST(NULL AS DOUBLE)",
        d.pipeline_version: "''",
        "label": "CAST(NULL AS VARCHAR)",
        "vigil_contradictory": "false",
        "vigil_hour": "CAST(NULL AS INTEGER)",
    }
    extra = [f"{sql} AS {quoted(name)}" for name, sql in defaults.items() if name not in have]
    drop = [quoted(n) for n in (d.model_version, d.role) if n in have]
    star = f"* EXCLUDE ({', '.join(drop)})" if drop else "*"
    told = [f"? AS {quoted(d.model_version)}", f"? AS {quoted(d.role)}"]
    db.execute(f"CREATE TEMP TABLE raw AS SELECT {', '.join([star, *extra, *told])} FROM given", [version, role.value])
    db.execute("CREATE TEMP TABLE night AS SELECT * FROM raw")


def _profiles(db: Any, monitor: Monitor, edges: Edges, night: date, *, start: datetime | None) -> dict[Key, Profile]:
    d, have = monitor.data, columns_of(db, "night")
    needed = [
        *monitor.features,
        *(p.attribute for p in monitor.protected),
        d.prediction,
        *([d.score] if d.score else []),
    ]
    _require(needed, list(have), f"the prediction log of {monitor.model} on {night}")
    layout = Layout(db=db, monitor=monitor, edges=edges, types=have)
    everyone = _columns(layout, None)
    prediction = _prediction(layout)
    cells = {p.attribute: by_group(layout, p.attribute) for p in monitor.protected if monitor.decision}
    group_columns = {p.attribute: _columns(layout, p.attribute) for p in monitor.protected}
    hours = _hours(layout, start)
    service, outcome = services(layout), outcomes(layout)
    found = {}
    for version, role, rows, duplicates, pipelines in _identities(layout):
        who = (version, role)
        key = Key(monitor=monitor.model, environment=monitor.environment, night=night, version=version, role=role)
        found[key] = Profile(
            monitor=monitor.model,
            environment=monitor.environment,
            task=monitor.task,
            nights=(night,),
            roles=(role,),
            versions={version: rows},
            pipelines=pipelines,
            edges_digest=edges_digest(edges),
            rows=rows,
            duplicates=duplicates,
            columns=everyone.get((*who, ALL), Columns()),
            prediction=prediction.get((*who, ALL), Columns()),
            groups={a: _of(cell, who) for a, cell in cells.items()},
            group_columns={
                f"{a}={g}": c for a, cols in group_columns.items() for (v, r, g), c in cols.items() if (v, r) == who
            },
            hours=hours.get(who, {}),
            service=service.get(who, Service()),
            outcome=outcome.get(who, Outcome()),
        )
    return found


def _of(cells: Mapping[tuple[str, Role, str], Cell], who: tuple[str, Role]) -> dict[str, Cell]:
    return {group: cell for (version, role, group), cell in cells.items() if (version, role) == who}


def _columns(layout: Layout, attribute: str | None) -> dict[tuple[str, str, str], Columns]:
    """(version, role, group) -> the feature columns of that group; the group is "all" without an attribute."""
    features = layout.monitor.features
    numeric = numeric_columns(
        layout, {n: layout.edges.numeric[n] for n, k in features.items() if k is FeatureType.NUMERIC}, attribute
    )
    category = category_columns(
        layout, {n: layout.edges.levels[n] for n, k in features.items() if k is FeatureType.CATEGORY}, attribute
    )
    return {
        who: Columns(numeric=numeric.get(who, {}), category=category.get(who, {}))
        for who in sorted({*numeric, *category})
    }


def _prediction(layout: Layout) -> dict[tuple[str, str, str], Columns]:
    d, edges = layout.monitor.data, {}
    if layout.monitor.task is Task.BINARY and d.score:
        edges = {d.score: SCORE_EDGES}
    elif layout.monitor.task is Task.REGRESSION:
        edges = {d.prediction: layout.edges.numeric[d.prediction]}
    found = numeric_columns(layout, edges, None)
    name = "score" if layout.monitor.task is Task.BINARY else "prediction"
    return {who: Columns(numeric={name: next(iter(columns.values()))}) for who, columns in found.items()}


def _identities(layout: Layout) -> Iterator[tuple[str, Role, int, int, dict[str, int]]]:
    """Version, role, rows, duplicates left out, rows by pipeline version."""
    d = layout.monitor.data
    pipeline = quoted(d.pipeline_version) if d.pipeline_version in layout.types else "''"
    who = f"{layout.version}, {layout.role}"
    rows = layout.db.execute(
        f"SELECT {who}, coalesce(CAST({pipeline} AS VARCHAR), ''), count(*) FROM night GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    raw = layout.db.execute(f"SELECT {who}, count(*) FROM raw GROUP BY ALL").fetchall()
    received = {(v, r): n for v, r, n in raw}
    for version, role in dict.fromkeys((v, r) for v, r, *_ in rows):
        pipelines = {p: n for v, r, p, n in rows if (v, r) == (version, role)}
        kept = sum(pipelines.values())
        yield version, Role(role), kept, max(0, received.get((version, role), kept) - kept), pipelines


def _hours(layout: Layout, start: datetime | None) -> dict[tuple[str, Role], dict[str, dict[str, tuple[int, int]]]]:
    """Counts by hour of the local day, so that an onset can be found; empty for rows without a time."""
    if start is None:
        return {}
    zone = ZoneInfo(layout.monitor.timezone)
    local = {
        h: str((datetime.fromtimestamp(start.timestamp() + 3600 * h, UTC)).astimezone(zone).hour) for h in range(26)
    }
    found: dict[tuple[str, Role], dict[str, dict[str, tuple[int, int]]]] = {}
    favourable = layout.favourable
    groups = [("all", f"'{ALL}'")]
    groups += [(p.attribute, f"'{p.attribute}=' || {layout.group(p.attribute)}") for p in layout.monitor.protected]
    for _, sql in groups:
        rows = layout.db.execute(
            f"SELECT {layout.version}, {layout.role}, vigil_hour, {sql} AS g, count(*), "
            f"count(*) FILTER ({favourable}) FROM night GROUP BY ALL"
        ).fetchall()
        for version, role, hour, group, n, good in rows:
            hours = found.setdefault((version, Role(role)), {}).setdefault(local.get(hour, "23"), {})
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
