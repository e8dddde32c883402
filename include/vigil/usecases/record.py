"""Appending to a stream from any worker, at any time, once."""

from collections.abc import Mapping
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from vigil.core.errors import Conflict
from vigil.incidents.types import Event
from vigil.ports import Ports


@retry(
    retry=retry_if_exception_type(Conflict),
    stop=stop_after_attempt(8),
    wait=wait_random_exponential(multiplier=0.05, max=1),
    reraise=True,
)
def append(ports: Ports, stream: str, *, key: str, type: str, payload: Mapping[str, Any]) -> Event:
    """Appends behind whatever is there. Only for facts that stay true whoever else wrote in between."""
    at = len(ports.ledger.read(stream))
    event: Event = ports.ledger.append(
        stream, expected=at, key=key, type=type, at=ports.clock.now(), payload=dict(payload)
    )
    return event
