"""The dead man's switch: runs outside Airflow and says when Airflow, or a model's nights, have gone silent."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from vigil.config.schema import Monitor
from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.ports import Ports
from vigil.responses.messages import escape
from vigil.responses.types import Message, Receipt
from vigil.usecases.watch import due_night


class Problem(Spec):
    """Something that keeps Vigil from seeing. since: the last heartbeat; the same trouble goes on with another one."""

    what: str
    since: str = ""

    def __str__(self) -> str:
        return f"{self.what} (last heartbeat {self.since})" if self.since else self.what


COMPONENTS = ("metadatabase", "scheduler", "dag_processor")


def check(
    ports: Ports,
    monitors: Mapping[str, Monitor],
    broken: Mapping[str, str],
    *,
    health: Callable[[], Mapping[str, object]],
    now: datetime,
) -> list[Problem]:
    """What is wrong. `health` returns the body of Airflow's health endpoint, whose HTTP status
    is 200 even when the scheduler is dead: the body decides."""
    problems = [*airflow_problems(health), *(Problem(what=f"monitor broken: {error}") for error in broken.values())]
    for name, monitor in monitors.items():
        newest = ports.results.newest(monitor.model, monitor.environment)
        due = due_night(monitor, now)
        if newest is None:
            problems.append(Problem(what=f"{name}: no night was ever judged"))
        elif newest[0] < due:
            problems.append(Problem(what=f"{name}: the newest judged night is {newest[0]}; {due} is due"))
    return problems


def airflow_problems(health: Callable[[], Mapping[str, object]]) -> list[Problem]:
    """What is wrong with Airflow's components."""
    try:
        body = health()
    except (OSError, ValueError) as error:
        return [Problem(what=f"Airflow's API does not answer: {error}")]
    except Exception as error:  # noqa: BLE001 - whatever the HTTP client raises, Airflow did not answer
        return [Problem(what=f"Airflow's API does not answer: {type(error).__name__}: {error}")]
    problems = []
    for component in COMPONENTS:
        told = body.get(component)
        status = told.get("status") if isinstance(told, dict) else None
        if status != "healthy":
            since = told.get(f"latest_{component}_heartbeat") if isinstance(told, dict) else None
            what = f"Airflow's {component} is {status or 'unknown'}"
            problems.append(Problem(what=what, since=str(since or "never")))
    return problems


def tell(ports: Ports, monitors: Mapping[str, Monitor], problems: Sequence[Problem], *, now: datetime) -> Receipt:
    """One message for the same trouble in the same hour, to the digest channel of the first monitor."""
    channel = next((m.response.digest_channel for m in monitors.values()), "ml-incidents")
    text = ":rotating_light: *Vigil cannot see.* No model night is judged until this is fixed.\n" + "\n".join(
        f"• {escape(str(p))}" for p in problems
    )
    text += "\nNext: look at the scheduler's log, start it again, then `vigil heartbeat` must say ok."
    action = f"heartbeat-{digest([sorted(p.what for p in problems), f'{now:%Y-%m-%dT%H}'], length=16)}"
    sent: Receipt = ports.notifier().post(action, f"#{channel}", Message(text=text))
    return sent
