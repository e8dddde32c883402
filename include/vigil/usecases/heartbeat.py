"""The dead man's switch: runs outside Airflow and says when Airflow, or a model's nights, have gone silent."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from vigil.config.schema import Monitor
from vigil.core.ids import digest
from vigil.ports import Ports
from vigil.responses.messages import escape
from vigil.responses.types import Message, Receipt
from vigil.usecases.watch import due_night

COMPONENTS = ("metadatabase", "scheduler", "dag_processor")


def check(
    ports: Ports,
    monitors: Mapping[str, Monitor],
    broken: Mapping[str, str],
    *,
    health: Callable[[], Mapping[str, object]],
    now: datetime,
) -> list[str]:
    """What is wrong, in sentences. `health` returns the body of Airflow's health endpoint, whose HTTP status
    is 200 even when the scheduler is dead: the body decides."""
    problems = [*airflow_problems(health), *(f"monitor broken: {error}" for error in broken.values())]
    for name, monitor in monitors.items():
        newest = ports.results.newest(monitor.model, monitor.environment)
        due = due_night(monitor, now)
        if newest is None:
            problems.append(f"{name}: no night was ever judged")
        elif newest[0] < due:
            problems.append(f"{name}: the newest judged night is {newest[0]}; {due} is due")
    return problems


def airflow_problems(health: Callable[[], Mapping[str, object]]) -> list[str]:
    """What is wrong with Airflow's components, in sentences."""
    try:
        body = health()
    except (OSError, ValueError) as error:
        return [f"Airflow's API does not answer: {error}"]
    except Exception as error:  # noqa: BLE001 - whatever the HTTP client raises, Airflow did not answer
        return [f"Airflow's API does not answer: {type(error).__name__}: {error}"]
    problems = []
    for component in COMPONENTS:
        told = body.get(component)
        status = told.get("status") if isinstance(told, dict) else None
        if status != "healthy":
            since = told.get(f"latest_{component}_heartbeat") if isinstance(told, dict) else None
            problems.append(f"Airflow's {component} is {status or 'unknown'} (last heartbeat {since or 'never'})")
    return problems


def tell(ports: Ports, monitors: Mapping[str, Monitor], problems: Sequence[str], *, now: datetime) -> Receipt:
    """One message for the same trouble in the same hour, to the digest channel of the first monitor."""
    channel = next((m.response.digest_channel for m in monitors.values()), "ml-incidents")
    text = ":rotating_light: *Vigil cannot see.* No model night is judged until this is fixed.\n" + "\n".join(
        f"• {escape(p)}" for p in problems
    )
    text += "\nNext: look at the scheduler's log, start it again, then `vigil heartbeat` must say ok."
    action = f"heartbeat-{digest([sorted(problems_key(problems)), f'{now:%Y-%m-%dT%H}'], length=16)}"
    sent: Receipt = ports.notifier().post(action, f"#{channel}", Message(text=text))
    return sent


def problems_key(problems: Sequence[str]) -> list[str]:
    """The problems without their clock times, so that the same trouble is told once an hour."""
    return [p.split(" (last heartbeat")[0] for p in problems]
