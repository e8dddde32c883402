"""How a model's objectives stand on a night: what `vigil slo`, the pages and Prometheus show."""

from datetime import date, datetime

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.ports import Ports
from vigil.usecases.budget_policy import Report, newest, report
from vigil.verdicts.types import Budget, NightResult, Slo


class Objective(Spec):
    """An objective, and what is left of it; None where it was not counted on that night (it is newer)."""

    slo: Slo
    budget: Budget | None


class Overview(Spec):
    """The objectives of a monitor on a night. night: None where nothing was judged yet. policy: None without one."""

    monitor: str
    environment: str
    night: date | None
    rest: bool = False  # a day without service: the budgets are as they were before it
    objectives: tuple[Objective, ...]
    policy: Report | None


def overview(
    ports: Ports, monitor: Monitor, *, night: date | None = None, known_at: datetime | None = None
) -> Overview:
    """As judged on the newest night, or on `night`; known_at: as it was known then.

    Raises DataError for a night that was not judged, or not by then.
    """
    result: NightResult | None
    if night is None and known_at is None:
        result = newest(ports, monitor)
    else:
        found = ports.results.newest(monitor.model, monitor.environment)
        asked = night or (found[0] if found else None)
        result = None
        if asked is not None:
            result = ports.results.latest(monitor.model, monitor.environment, asked, known_at=known_at)
        if result is None:
            when = f" by {known_at:%Y-%m-%d %H:%M} UTC" if known_at else ""
            raise DataError(f"{monitor.model} {asked or ''}: nothing was judged{when}; "
                            f"`vigil backfill {monitor.model}` judges past nights")  # fmt: skip
    return overview_of(ports, monitor, result)


def overview_of(ports: Ports, monitor: Monitor, result: NightResult | None) -> Overview:
    """The same of a result that is at hand."""
    kept = {b.slo: b for b in result.budgets} if result else {}
    return Overview(
        monitor=monitor.model,
        environment=monitor.environment,
        night=result.night if result else None,
        rest=result.rest if result else False,
        objectives=tuple(Objective(slo=slo, budget=kept.get(slo.name)) for slo in monitor.slos),
        policy=report(ports, monitor, result=result) if monitor.budget_policy else None,
    )
