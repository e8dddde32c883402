"""Appending to a stream from any worker, at any time, once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from vigil.core.errors import Conflict
from vigil.incidents.events import EventBody
from vigil.incidents.types import Event
from vigil.ports import Ports, ReadPorts

Body = TypeVar("Body", bound=EventBody)


@dataclass(frozen=True)
class Recorded(Generic[Body]):
    """What an event says, where it stands in its stream, and when it was written."""

    sequence: int
    at: datetime
    body: Body


def recorded(ports: ReadPorts, stream: str, kind: type[Body]) -> list[Recorded[Body]]:
    """The events of one kind in a stream, oldest first."""
    events = [e for e in ports.ledger.read(stream) if e.type == kind.ledger_type()]
    return [Recorded(e.sequence, e.at, kind.read(e)) for e in events]


@retry(
    retry=retry_if_exception_type(Conflict),
    stop=stop_after_attempt(8),
    wait=wait_random_exponential(multiplier=0.05, max=1),
    reraise=True,
)
def append(ports: Ports, stream: str, *, key: str, body: Body) -> Body:
    """Appends behind whatever is there. Only for facts that stay true whoever else wrote in between.

    Returns what the stream has under the key: a retry gets what was written first.
    """
    at = len(ports.ledger.read(stream))
    event: Event = ports.ledger.append(
        stream, expected=at, key=key, type=body.type, at=ports.clock.now(), payload=body.payload
    )
    return type(body).read(event)
