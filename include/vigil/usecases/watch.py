"""Silence is not green: nights that never ran, DAGs that are paused, monitors that are broken."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from vigil.config.schema import Monitor
from vigil.core.words import Family
from vigil.incidents.correlate import fingerprint, free_id
from vigil.incidents.episodes import bad_night_events, may_join
from vigil.incidents.events import MonitorBroken
from vigil.incidents.severity import assess
from vigil.incidents.types import Signal
from vigil.ports import Ports
from vigil.usecases.incidents import write
from vigil.usecases.last_known import last_known
from vigil.usecases.nights import incidents
from vigil.usecases.record import append
from vigil.verdicts.types import Cause, State, Verdict

GRACE = timedelta(hours=6)  # after the scheduled run of a night, it must be judged


def due_night(monitor: Monitor, now: datetime) -> date:
    """The newest night that must have been judged by `now`: that of the last scheduled run that is GRACE old.

    >>> from datetime import UTC
    >>> weekly = Monitor.model_construct(schedule="0 2 * * mon", timezone="Europe/Berlin")
    >>> due_night(weekly, datetime(2026, 11, 22, 12, tzinfo=UTC)).isoformat()
    '2026-11-15'
    """
    from croniter import croniter  # type: ignore[import-untyped]

    last = (now - GRACE).astimezone(ZoneInfo(monitor.timezone))
    run: datetime = croniter(monitor.schedule, last + timedelta(seconds=1)).get_prev(datetime)
    return run.date() - timedelta(days=1)


def overdue(
    ports: Ports,
    monitors: Mapping[str, Monitor],
    broken: Mapping[str, str],
    *,
    now: datetime,
    paused: Collection[str] = (),
    missing_dags: Collection[str] = (),
) -> list[str]:
    """Opens (or joins) a monitor-blind incident for every model that nobody watched. Returns their ids.

    broken: model -> what is wrong with its YAML. A model whose nights were judged before is blind at once, with the
    people of its last known settings; one that never loaded has nobody to tell, and `vigil heartbeat` names it.
    """
    touched = []
    for monitor in monitors.values():
        why = _why_blind(ports, monitor, now, paused, missing_dags)
        if why is not None:
            touched.append(blind(ports, monitor, due_night(monitor, now), reason=why))
    for model, error in broken.items():
        body = MonitorBroken(model=model, error=error)
        append(ports, "system", key=f"broken/{model}/{now:%Y-%m-%d}", body=body)
        known = last_known(ports, model)
        if known is not None:
            touched.append(blind(ports, known, due_night(known, now), reason=f"its YAML no longer loads: {error}"))
    return touched


def _why_blind(
    ports: Ports, monitor: Monitor, now: datetime, paused: Collection[str], missing_dags: Collection[str]
) -> str | None:
    if monitor.dag_id in missing_dags:
        return f"Airflow does not know the DAG {monitor.dag_id}: is its YAML or the DAG file broken?"
    if monitor.dag_id in paused:
        return f"the DAG {monitor.dag_id} is paused: nobody watches {monitor.model}; unpause it"
    newest = ports.results.newest(monitor.model, monitor.environment)
    due = due_night(monitor, now)
    if newest is None:
        return None  # never judged yet: not a lost night, and `vigil doctor` says what is missing
    if newest[0] < due:
        return f"the night of {due} was not judged; the newest judged night is {newest[0]}"
    return None


def blind(ports: Ports, monitor: Monitor, night: date, *, reason: str) -> str:
    """Opens or joins the incident of a monitor that could not judge `night`."""
    verdict = Verdict(
        metric="monitor",
        subject="night",
        family=Family.SERVICE,
        state=State.UNKNOWN,
        cause=Cause.CHECK_FAILED,
        reason=f"the monitor is blind: {reason}",
        overdue=True,
    )
    signal = Signal(fingerprint=fingerprint(monitor.model, monitor.environment, verdict), night=night, verdict=verdict)
    known = incidents(ports, monitor)
    current = next((i for i in reversed(known) if may_join(i, night)), None)
    assessment = assess([signal], monitor.risk, environment=monitor.environment, has_fallback=True, mitigated=False)
    events = bad_night_events(
        current,
        [signal],
        monitor=monitor.model,
        environment=monitor.environment,
        night=night,
        knowledge=f"blind/{night}",
        assessment=assessment,
        versions={},
        report_url=None,
    )
    where = current.id if current else free_id([i.id for i in known], monitor.model, monitor.environment, night)
    write(ports, where, events)
    return where
