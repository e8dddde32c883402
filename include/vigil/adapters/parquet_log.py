"""The prediction log on Parquet: `root/{predictions,outcomes}/model=<m>/date=<UTC date>/<batch>.parquet`.

A file appears by one rename, so a reader sees all of it or nothing. A batch that touches several dates is written as
`<batch>.part.parquet` files that do not count until `_batches/<batch>` exists, which is the commit of the batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.duckdb_rows import connect, label_join, outcomes_digest, quoted
from vigil.core.errors import DataError
from vigil.core.ids import digest, slug
from vigil.ports import Partition

if TYPE_CHECKING:
    import pyarrow as pa

    from vigil.config.schema import Monitor
    from vigil.core.window import Window

PREDICTIONS = {
    "prediction_id": "text",
    "served_at": "timestamp",
    "environment": "text",
    "model_version": "text",
    "role": "text",
    "status": "text",
    "latency_ms": "number",
}
OUTCOMES = {"prediction_id": "text", "label": "any", "observed_at": "timestamp"}


class ParquetLog:
    """Predictions and outcomes of all models below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = Path(root)

    def write_predictions(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]:
        """Commits a batch of predictions; the same batch twice is one batch. Raises DataError for bad columns."""
        checked = _checked(rows, PREDICTIONS, "predictions", model)
        if "model" not in checked.column_names:
            checked = checked.append_column("model", _constant(model, checked.num_rows))
        return self._write("predictions", model, checked, "served_at", batch_id)

    def write_outcomes(self, model: str, rows: pa.Table, *, batch_id: str) -> tuple[str, ...]:
        """Commits a batch of outcomes. Labels are kept as text. Raises DataError for bad columns."""
        import pyarrow as pa

        checked = _checked(rows, OUTCOMES, "outcomes", model)
        index = checked.column_names.index("label")
        labels = [None if v is None else _label(v) for v in checked.column("label").to_pylist()]
        checked = checked.set_column(index, "label", pa.array(labels, type=pa.string()))
        return self._write("outcomes", model, checked, "observed_at", batch_id)

    def partition(self, monitor: Monitor, window: Window) -> Partition:
        """The files whose dates the window touches. An unreadable file is reported, the others stay usable."""
        names = [n for day in window.utc_dates for n in self._visible("predictions", monitor.model, day)]
        files, broken = _readable(names, of=(monitor.data.served_at, window))
        outcome_files, _ = _readable(self._all("outcomes", monitor.model))
        identity = [[Path(f).name, _fingerprint(f)] for f in files] + [["broken", Path(f).name] for f, _ in broken]
        joined = outcomes_digest(monitor, window, files, outcome_files) if files and outcome_files else ""
        return Partition(
            model=monitor.model,
            environment=monitor.environment,
            window=window,
            files=files,
            outcome_files=outcome_files,
            broken=broken,
            digest=digest([identity, joined], length=32),
        )

    def find(self, prediction_id: str, *, model: str | None = None) -> Mapping[str, Any] | None:
        """One logged row by its id, or None."""
        for folder in sorted((self._root / "predictions").glob("model=*")):
            name = folder.name.removeprefix("model=")
            files, _ = _readable(self._all("predictions", name)) if model in (None, name) else ((), ())
            if not files:
                continue
            with connect() as db:
                source = "read_parquet(?, union_by_name=true, hive_partitioning=false)"
                sql = f"SELECT * FROM {source} WHERE prediction_id = ? LIMIT 1"
                found = db.sql(sql, params=[list(files), prediction_id]).to_arrow_table()
            if found.num_rows:
                row: dict[str, Any] = found.to_pylist()[0]
                return row
        return None

    def sample(self, monitor: Monitor, partition: Partition, *, rows: int) -> pa.Table:
        """De-duplicated rows of the window with their label, chosen by hash of the id: always the same ones."""
        import pyarrow as pa

        if not partition.files:
            return pa.table({})
        with connect() as db:
            label_join(db, monitor, partition)
            key = quoted(monitor.data.prediction_id)
            sql = f"SELECT * EXCLUDE (vigil_hour) FROM night ORDER BY hash({key}), {key} LIMIT {int(rows)}"
            found: pa.Table = db.sql(sql).to_arrow_table()
            return found

    def orphans(self, monitor: Monitor) -> int:
        """Outcomes whose prediction is not in the log (yet)."""
        predictions, _ = _readable(self._all("predictions", monitor.model))
        outcomes, _ = _readable(self._all("outcomes", monitor.model))
        if not outcomes:
            return 0
        with connect() as db:
            known = "SELECT prediction_id FROM read_parquet(?, union_by_name=true, hive_partitioning=false)"
            where = f"WHERE prediction_id NOT IN ({known})" if predictions else ""
            given = [list(outcomes), *([list(predictions)] if predictions else [])]
            sql = f"SELECT count(DISTINCT prediction_id) FROM read_parquet(?, hive_partitioning=false) {where}"
            return int(db.execute(sql, given).fetchall()[0][0])

    def _folder(self, kind: str, model: str) -> Path:
        return self._root / kind / f"model={model}"

    def _write(self, kind: str, model: str, rows: pa.Table, when: str, batch_id: str) -> tuple[str, ...]:
        import pyarrow.compute as pc

        name = f"{slug(batch_id, most=100)}-{digest(batch_id, length=8)}"
        folder, marker = self._folder(kind, model), self._folder(kind, model) / "_batches" / name
        days = sorted({d for d in pc.unique(pc.cast(rows.column(when), "date32")).to_pylist() if d is not None})
        if not days:
            return ()
        parts = len(days) > 1
        written = []
        for day in days:
            path = folder / f"date={day}" / f"{name}{'.part' if parts else ''}.parquet"
            if not path.exists():
                of_day = rows.filter(pc.equal(pc.cast(rows.column(when), "date32"), day)) if parts else rows
                _commit(of_day, path)
            written.append(str(path))
        if parts and not marker.exists():
            marker.parent.mkdir(parents=True, exist_ok=True)
            _atomically(marker, "\n".join(written).encode())
        return tuple(written)

    def _visible(self, kind: str, model: str, day: date) -> list[str]:
        folder = self._folder(kind, model)
        return [str(p) for p in sorted((folder / f"date={day}").glob("*.parquet")) if _is_committed(p, folder)]

    def _all(self, kind: str, model: str) -> list[str]:
        folder = self._folder(kind, model)
        return [str(p) for p in sorted(folder.glob("date=*/*.parquet")) if _is_committed(p, folder)]


def _is_committed(path: Path, folder: Path) -> bool:
    if path.name.startswith("."):
        return False
    if not path.name.endswith(".part.parquet"):
        return True
    return (folder / "_batches" / path.name.removesuffix(".part.parquet")).exists()


def _commit(rows: pa.Table, path: Path) -> None:
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(rows, draft, compression="zstd")
    _publish(draft, path)


def _atomically(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    _publish(draft, path)


def _publish(draft: Path, path: Path) -> None:
    """fsync, rename, fsync of the folder: after this the file survives a power cut, before it nobody sees it."""
    for place in (draft, None, path.parent):
        if place is None:
            draft.replace(path)
            continue
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _readable(
    names: Iterable[str], *, of: tuple[str, Window] | None = None
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """(readable files, (broken file, reason)); with `of`, only files whose times can lie in the window."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    good, broken = [], []
    for name in names:
        try:
            footer = pq.read_metadata(name)
            if of is None or _may_hold(footer, *of):
                good.append(name)
        except (pa.ArrowException, OSError, ValueError) as error:
            broken.append((name, str(error).splitlines()[0][:200]))
    return tuple(good), tuple(broken)


def _may_hold(footer: Any, column: str, window: Window) -> bool:
    """Whether the footer's statistics leave room for a row in the window."""
    for group in range(footer.num_row_groups):
        chunks = footer.row_group(group)
        found = [c for c in (chunks.column(i) for i in range(chunks.num_columns)) if c.path_in_schema == column]
        stats = found[0].statistics if found else None
        if stats is None or not stats.has_min_max or (stats.min < window.end and stats.max >= window.start):
            return True
    return False


def _fingerprint(name: str) -> str:
    """Size and hash of the last 64 kB: a Parquet file's footer holds the statistics of all its columns."""
    path = Path(name)
    size = path.stat().st_size
    with path.open("rb") as file:
        with suppress(OSError):
            file.seek(max(0, size - 65536))
        return f"{size}:{sha256(file.read()).hexdigest()[:16]}"


def _checked(rows: pa.Table, wanted: Mapping[str, str], what: str, model: str) -> pa.Table:
    import pyarrow as pa

    missing = [name for name in wanted if name not in rows.column_names]
    if missing:
        raise DataError(f"{what} of {model!r}: missing column(s) {', '.join(missing)}; it has {rows.column_names}")
    for name, kind in wanted.items():
        index, type_ = rows.column_names.index(name), rows.schema.field(name).type
        if kind == "timestamp" and not (pa.types.is_timestamp(type_) and type_.tz is not None):
            raise DataError(
                f"{what} of {model!r}: {name} is {type_}; it must be a timestamp with a time zone (UTC). "
                "A naive time is ambiguous twice a year: localise it first"
            )
        if kind == "timestamp":
            rows = rows.set_column(index, name, rows.column(name).cast(pa.timestamp("us", tz="UTC")))
        if kind == "number" and not (pa.types.is_integer(type_) or pa.types.is_floating(type_)):
            raise DataError(f"{what} of {model!r}: {name} is {type_}; it must be a number (milliseconds)")
        if kind == "text":
            rows = rows.set_column(index, name, rows.column(name).cast(pa.string()))
    for name in ("prediction_id", "served_at", "observed_at"):
        if name in rows.column_names and rows.column(name).null_count:
            raise DataError(f"{what} of {model!r}: {name} is null in {rows.column(name).null_count} row(s)")
    return rows


def _label(value: Any) -> str:
    """1, 1.0 and True are the same label, "1"."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _constant(value: str, rows: int) -> pa.Array:
    import pyarrow as pa

    return pa.array([value] * rows, type=pa.string())
