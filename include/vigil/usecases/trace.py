"""From one prediction back to everything that made it, and forward to what became of it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from vigil.config.schema import Monitor
from vigil.core.errors import DataError, RegistryError
from vigil.core.spec import Spec
from vigil.incidents.types import Incident
from vigil.ports import Ports, VersionInfo
from vigil.usecases.nights import incidents
from vigil.verdicts.types import NightResult, State


class Trace(Spec):
    """version -> run -> git commit -> dataset -> night -> verdicts -> incident."""

    prediction_id: str
    model: str
    row: dict[str, Any]
    night: date
    version: VersionInfo | None
    result: NightResult | None
    not_ok: tuple[str, ...]
    incident: str | None
    findings: tuple[str, ...] = ()  # of that incident, as far as they had begun by that night


def trace(ports: Ports, monitors: Mapping[str, Monitor], prediction_id: str) -> Trace:
    """Raises DataError when no log has the id."""
    row = ports.log.find(prediction_id)
    if row is None:
        raise DataError(f"no prediction {prediction_id!r} in the log; is it older than the retention?")
    monitor = monitors.get(str(row["model"]))
    if monitor is None:
        raise DataError(f"prediction {prediction_id!r} belongs to {row['model']!r}, which no monitor watches")
    served_at = row.get(monitor.data.served_at)
    if not isinstance(served_at, datetime):
        raise DataError(f"prediction {prediction_id!r} of {monitor.model} has no time in {monitor.data.served_at!r}")
    night = served_at.astimezone(ZoneInfo(monitor.timezone)).date()
    result = ports.results.latest(monitor.model, monitor.environment, night)
    known = [i for i in incidents(ports, monitor) if i.opened_night <= night <= i.last_bad_night or _known(i, night)]
    return Trace(
        prediction_id=prediction_id,
        model=monitor.model,
        row={k: v for k, v in row.items() if k not in monitor.features},
        night=night,
        version=_version(ports, monitor, row),
        result=result,
        not_ok=_not_ok(result, night),
        incident=known[-1].id if known else None,
        findings=tuple(
            f"{f.named} since {f.first_night}" for i in known[-1:] for f in i.findings if f.first_night <= night
        ),
    )


def _known(incident: Incident, night: date) -> bool:
    """Whether something was as bad on a night as the incident says that it always was."""
    return any(night in q.known for q in incident.questions.values())


def _version(ports: Ports, monitor: Monitor, row: Mapping[str, Any]) -> VersionInfo | None:
    """What the registry knows of the version that answered; None for a model or version that it does not have."""
    try:
        version: VersionInfo = ports.registry.version(monitor.model, str(row[monitor.data.model_version]))
    except RegistryError:
        return None
    return version


def _not_ok(result: NightResult | None, night: date) -> tuple[str, ...]:
    if result is None:
        return (f"the night of {night} was not judged",)
    return tuple(v.reason for v in result.verdicts if v.state is not State.OK)
