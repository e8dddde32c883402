"""A judged night as an MLflow run: metrics, tags and the report, logged once per judgement."""

import math
import re
from collections import Counter
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.adapters.mlflow_session import experiment_id
from vigil.adapters.mlflow_tags import NIGHT_KEY
from vigil.core.ids import digest

if TYPE_CHECKING:
    from vigil.config.schema import Monitor
    from vigil.verdicts.types import NightResult

BATCH = 900  # MLflow takes at most 1000 metrics in a request
LONGEST = 250


def metric_name(metric: str, subject: str) -> str:
    """A name MLflow accepts. Text that had to be changed gets a digest, so that two subjects never share a name.

    >>> metric_name("psi", "age")
    'psi/age'
    >>> metric_name("selection_ratio", "sex=female")
    'selection_ratio/sex.female'
    """
    plain = subject.replace("=", ".", 1)
    safe = re.sub(r"[^\w\-. :]", "_", plain, flags=re.ASCII)[: LONGEST - len(metric) - 12].strip(". ")
    if safe != plain or not safe:
        safe = f"{safe}-{digest(subject, length=8)}".lstrip("-")
    return f"{metric}/{safe}"


def log_night(
    client: Any,
    monitor: "Monitor",
    result: "NightResult",
    *,
    report: Path | None,
    incident: str | None,
    uri: str,
) -> str:
    """Logs the night in experiment `vigil/<model>` and returns the run id.

    The run carries the night's key (environment, night, digest of rows and config): the same judgement
    finds its run and adds nothing; a run that a crash left unfinished is finished.
    """
    experiment = experiment_id(client, f"vigil/{monitor.model}", uri=uri)
    key = f"{result.environment}/{result.night}/{digest(result.digest_key, length=32)}"
    found = client.search_runs([experiment], f"tags.`{NIGHT_KEY}` = '{key}'", max_results=1)
    if found and found[0].info.status == "FINISHED":
        return str(found[0].info.run_id)
    if found:
        run_id = found[0].info.run_id
    else:
        name = f"night-{result.night}-{digest(result.digest_key, length=8)}"
        tags = {NIGHT_KEY: key, "mlflow.runName": name, **_tags(result, incident)}
        run_id = client.create_run(experiment, tags=tags, run_name=name).info.run_id
    metrics = _metrics(result)
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + BATCH])
    if report is not None:
        client.log_artifact(run_id, str(report))
    client.set_terminated(run_id)
    return str(run_id)


def _tags(result: "NightResult", incident: str | None) -> dict[str, str]:
    states = Counter(v.state.value for v in result.verdicts)
    tags = {
        "vigil.environment": result.environment,
        "vigil.night": result.night.isoformat(),
        "vigil.states": " ".join(f"{state}={count}" for state, count in sorted(states.items())),
        "vigil.versions": " ".join(f"{version}={rows}" for version, rows in sorted(result.versions.items())),
        "vigil.partition_digest": result.partition_digest,
        "vigil.config_digest": result.config_digest,
    }
    return tags | ({"vigil.incident": incident} if incident else {})


def _metrics(result: "NightResult") -> list[Any]:
    """Finite numbers only: MLflow draws NaN as a point. The timestamp is the night's, so that a retry is the same."""
    from mlflow.entities import Metric

    at = int(datetime.combine(result.night, time(0), UTC).timestamp() * 1000)
    states = Counter(v.state.value for v in result.verdicts)
    values = {f"verdicts/{state}": float(count) for state, count in states.items()}
    values["rows"] = float(result.rows)
    for verdict in result.verdicts:
        number = verdict.measurement.value if verdict.measurement else None
        if number is not None and math.isfinite(number):
            values[metric_name(verdict.metric, verdict.subject)] = float(number)
    for budget in result.budgets:
        if budget.left is not None and math.isfinite(budget.left):
            values[metric_name("budget_left", budget.slo)] = budget.left
    return [Metric(name, value, at, 0) for name, value in sorted(values.items())]
