"""The hash chain of a ledger stream: each event's hash covers its content and the hash before it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from vigil.core.ids import canonical
from vigil.incidents.types import Event

GENESIS = "0" * 64


def event_hash(
    *, stream: str, sequence: int, key: str, type: str, at: datetime, payload: Mapping[str, Any], previous: str
) -> str:
    """SHA-256 over everything that an event says, its place, and the hash of the event before it."""
    facts = [stream, sequence, key, type, at.astimezone(UTC).isoformat(), payload, previous]
    return sha256(canonical(facts).encode()).hexdigest()


def problems(stream: str, events: Sequence[Event]) -> tuple[str, ...]:
    """What is wrong with a chain, in sentences; empty when it holds."""
    found = []
    previous = GENESIS
    for place, event in enumerate(events, 1):
        where = f"{stream} event {event.sequence}"
        if event.sequence != place:
            found.append(f"{stream}: event {place} is missing; the next one found is number {event.sequence}")
            return tuple(found)
        if event.previous != previous:
            found.append(f"{where}: it does not follow the event before it")
        made = event_hash(**event.model_dump(exclude={"hash"}))
        if made != event.hash:
            found.append(f"{where} ({event.type}): its content was changed after it was written")
        previous = event.hash
    return tuple(found)
