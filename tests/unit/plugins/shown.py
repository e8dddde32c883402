"""What the pages show, built by hand: a monitor, judged nights, an incident, and text that would like to be code."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.golden.messages.stories import NIGHT, air, credit_fallback, event
from tests.unit.examples.played import HOME
from vigil.config.load import load_monitor
from vigil.config.schema import Monitor
from vigil.core.words import Family
from vigil.incidents.types import Event, Incident
from vigil.verdicts.types import Budget, Cause, NightResult, State, Verdict

HOSTILE = "<script>document.title='owned'</script><!channel>\"'><img src=x onerror=alert(1)>"
MONITOR = load_monitor(HOME / "monitors" / "credit_scoring.yaml")


def pending(*, overdue: bool = False) -> Verdict:
    """A question whose labels are not there."""
    return Verdict(
        metric="auc",
        subject="all",
        family=Family.PERFORMANCE,
        state=State.UNKNOWN,
        cause=Cause.LABELS_PENDING,
        reason="auc(all): labels pending",
        overdue=overdue,
    )


def night(*verdicts: Verdict, on: date = NIGHT, **more: Any) -> NightResult:
    """One judged night."""
    fields = {"partition_digest": "d", "config_digest": "c", "edges_digest": "e", "rows": 2410, "versions": {"3": 2410}}
    about = {"monitor": MONITOR.model, "environment": MONITOR.environment}
    return NightResult(**about, night=on, verdicts=verdicts, **{**fields, **more})


def quiet(nights: int, *, until: date = NIGHT) -> list[NightResult]:
    """So many nights without anything, the last one on `until`."""
    fine = air(0.97, 0.9, 1.04, state=State.OK)
    return [night(fine, on=until - timedelta(days=n)) for n in reversed(range(nights))]


def spent(attained: float | None, left: float | None, **more: Any) -> Budget:
    """An error budget of 28 nights."""
    fields = {"slo": "availability", "target": 0.99, "nights": 28, "good": 1, "total": 1, "burn": None}
    return Budget(**{**fields, "attained": attained, "left": left, **more})


def incident(**changes: Any) -> Incident:
    """The credit model's, mitigated by the fallback."""
    room = {"name": "inc-20261121-credit", "url": "http://127.0.0.1:1/archives/C1"}
    return credit_fallback()[0].model_copy(update={"room": room, **changes})


def told(type: str, at: str = "02:07:31", **payload: Any) -> Event:
    """An event of the incident, at a time of its first night."""
    when = datetime.combine(NIGHT + timedelta(days=1), datetime.strptime(at, "%H:%M:%S").time(), UTC)  # noqa: DTZ007
    return event(type, **payload).model_copy(update={"at": when})


def hostile(monitor: Monitor) -> Monitor:
    """The monitor as somebody would write it who wants to run a script in another person's browser."""
    people = monitor.people.model_copy(update={"owner": HOSTILE})
    return monitor.model_copy(update={"description": HOSTILE, "people": people})
