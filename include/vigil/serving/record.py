"""The rows of the prediction log that one request makes."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vigil.config.schema import Monitor
from vigil.core.errors import MonitorError
from vigil.core.spec import Spec
from vigil.core.words import Role, Task
from vigil.profiles.layout import FeatureType
from vigil.serving.answers import Answer

if TYPE_CHECKING:
    import pyarrow as pa

# The prediction log needs these under their own names, and a monitor may read them under others: both are written.
CANONICAL = ("prediction_id", "served_at", "model_version", "role", "status", "latency_ms")


class Served(Spec):
    """What all rows of one request have in common."""

    served_at: datetime  # UTC
    version: str
    role: Role
    status: str  # ok, error, timeout
    latency_ms: float
    pipeline_version: str = ""


def reserved(monitor: Monitor) -> frozenset[str]:
    """Column names that the gateway writes itself; no feature may have one of them."""
    d = monitor.data
    own = {"environment", "model", *CANONICAL, *(getattr(d, name) for name in CANONICAL)}
    return frozenset(own | {d.pipeline_version, d.prediction, d.score or "score"})


def check_names(monitor: Monitor, columns: Collection[str], *, where: str) -> None:
    """Raises MonitorError when a column would overwrite what the gateway writes."""
    clash = sorted(reserved(monitor) & set(columns))
    if clash:
        raise MonitorError(
            f"{where}: column(s) {', '.join(clash)} are written by the gateway itself; rename them in the model, "
            f"or map the log's own name in `data:` of the monitor of {monitor.model!r}"
        )


def named_columns(monitor: Monitor) -> dict[str, FeatureType]:
    """The columns that the monitor names: every logged row has them, null where the request did not say."""
    return dict.fromkeys((p.attribute for p in monitor.protected), FeatureType.CATEGORY) | monitor.features


def log_rows(
    monitor: Monitor, served: Served, *, ids: list[str], features: "pa.Table", answer: Answer | None
) -> "pa.Table":
    """One row for each id. Without an answer (error, timeout) prediction and score are null.

    features: the request's columns. Those that the monitor names and the request lacks are null.
    """
    import pyarrow as pa

    count, d = len(ids), monitor.data

    def same(value: Any, kind: pa.DataType) -> pa.Array:
        return pa.array([value] * count, kind)

    columns: dict[str, pa.Array] = {}
    for name, array in {
        "prediction_id": pa.array(ids, pa.string()),
        "served_at": same(served.served_at, pa.timestamp("us", tz="UTC")),
        "model_version": same(served.version, pa.string()),
        "role": same(served.role.value, pa.string()),
        "status": same(served.status, pa.string()),
        "latency_ms": same(served.latency_ms, pa.float64()),
    }.items():
        columns[name] = columns[getattr(d, name)] = array
    columns["environment"] = same(monitor.environment, pa.string())
    columns["model"] = same(monitor.model, pa.string())
    columns[d.pipeline_version] = same(served.pipeline_version, pa.string())
    for name in features.column_names:
        columns[name] = features.column(name).combine_chunks()
    for name, feature in named_columns(monitor).items():
        if name not in columns:  # typed all the same: a column of nulls must not change the log's type
            columns[name] = same(None, pa.float64() if feature is FeatureType.NUMERIC else pa.string())
    if d.score or monitor.task is Task.BINARY:
        scores = answer.scores if answer else None
        columns[d.score or "score"] = pa.array(scores, pa.float64()) if scores else same(None, pa.float64())
    columns[d.prediction] = pa.array(answer.texts, pa.string()) if answer else same(None, pa.string())
    return pa.table(columns)
