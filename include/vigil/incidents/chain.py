"""The hash chain of a ledger stream, and checkpoints of all heads: how lost or changed events show."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from vigil.core.errors import LedgerError
from vigil.core.ids import canonical
from vigil.core.spec import Spec
from vigil.incidents.events import CheckpointTaken, system_event
from vigil.incidents.types import Event

GENESIS = "0" * 64
SYSTEM = "system"  # the stream that checkpoints are events of
CHECKPOINT = CheckpointTaken.ledger_type()  # their type

Head = tuple[int, str]  # sequence and hash of a stream's last event
Stored = Mapping[str, Mapping[int, str]]  # stream -> sequence -> hash, as the database has them


class Checkpoint(Spec):
    """What was known at one moment: the head of every stream, and the system event that says so.

    One line of the file outside the database; the same heads are the payload of `system`'s event.
    """

    at: datetime
    heads: dict[str, Head]
    system: Head


def event_hash(
    *, stream: str, sequence: int, key: str, type: str, at: datetime, payload: Mapping[str, Any], previous: str
) -> str:
    """SHA-256 (64 hex digits) over everything that an event says, its place, and the hash of the event before it.

    >>> event_hash(stream="s", sequence=1, key="k", type="t", at=datetime(2026, 1, 1, tzinfo=UTC), payload={},
    ...            previous=GENESIS)[:12]
    '5fa1092ad1a8'
    """
    facts = [stream, sequence, key, type, at.astimezone(UTC).isoformat(), payload, previous]
    return sha256(canonical(facts).encode()).hexdigest()


def verify_chain(stream: str, events: Sequence[Event]) -> tuple[str, ...]:
    """What is wrong with the events 1, 2, 3, ... of a stream, a sentence each; empty when the chain holds.

    After a gap nothing more is said of the stream: the links behind it cannot be judged.
    """
    found = []
    previous = GENESIS
    for place, event in enumerate(events, 1):
        where = f"{stream} event {event.sequence} ({event.type})"
        if event.stream != stream:
            found.append(f"{where}: it was written to the stream {event.stream!r}")
        if event.sequence != place:
            found.append(f"{stream}: event {place} is missing; the next one found is event {event.sequence}")
            break
        if event.previous != previous:
            found.append(f"{where}: it does not follow the event before it")
        if event_hash(**event.model_dump(exclude={"hash"})) != event.hash:
            found.append(f"{where}: its content was changed after it was written")
        previous = event.hash
    return tuple(found)


def as_checkpoint(event: Event) -> Checkpoint | None:
    """The checkpoint that an event of the system stream is; None where its payload holds no heads (any more)."""
    try:
        body = system_event(event)
    except LedgerError:  # `verify_chain` says that the content was changed
        return None
    if not isinstance(body, CheckpointTaken):
        return None
    return Checkpoint(at=event.at, heads=body.heads, system=(event.sequence, event.hash))


def verify_checkpoints(stored: Stored, made: Sequence[Event], noted: Sequence[Checkpoint] | None) -> tuple[str, ...]:
    """Compares what is stored with what checkpoints saw; one sentence a problem, empty when nothing is lost.

    made: the checkpoint events of the system stream.
    noted: the lines of the file outside the database; None where there is no file.
    """
    inside = [point for point in map(as_checkpoint, made) if point is not None]
    seen = [*(noted or ()), *inside]
    if noted is None and inside:
        unlike = [f"checkpoint file: it is gone, though {len(inside)} checkpoints were written to it"]
    else:
        unlike = _unlike(inside, noted or ())
    return tuple(dict.fromkeys([*_lost(stored, seen), *_replaced(stored, seen), *unlike]))


def _lost(stored: Stored, seen: Iterable[Checkpoint]) -> list[str]:
    """Streams that are gone, or end before the event that a checkpoint saw."""
    furthest: dict[str, tuple[int, datetime]] = {}
    for point in seen:
        for stream, (sequence, _) in _all_heads(point):
            furthest[stream] = max(furthest.get(stream, (0, point.at)), (sequence, point.at))
    found = []
    for stream, (sequence, at) in sorted(furthest.items()):
        last = max(stored.get(stream, ()), default=0)
        if not last:
            found.append(f"{stream}: the whole stream is gone; it had {sequence} events at {_when(at)}")
        elif last < sequence:
            found.append(f"{stream}: it ends at event {last}, but event {sequence} was there at {_when(at)}")
    return found


def _replaced(stored: Stored, seen: Iterable[Checkpoint]) -> list[str]:
    """Events that are not the ones that a checkpoint saw: a chain that was rewritten as a whole."""
    return [
        f"{stream}: event {sequence} is not the one that was there at {_when(point.at)}"
        for point in seen
        for stream, (sequence, hash_) in _all_heads(point)
        if stored.get(stream, {}).get(sequence, hash_) != hash_
    ]


def _unlike(inside: Sequence[Checkpoint], noted: Sequence[Checkpoint]) -> list[str]:
    """Checkpoints of the system stream that the file does not have, or has differently."""
    lines = {point.system[0]: point for point in noted}
    found = []
    for point in inside:
        line = lines.get(point.system[0])
        if line is None:
            found.append(
                f"{SYSTEM} event {point.system[0]}: its checkpoint of {_when(point.at)} is not in the checkpoint file"
            )
        elif line.heads != point.heads:
            found.append(
                f"checkpoint file: the line of {_when(line.at)} names other heads than {SYSTEM} event {point.system[0]}"
            )
    return found


def _all_heads(point: Checkpoint) -> Iterable[tuple[str, Head]]:
    return {**point.heads, SYSTEM: point.system}.items()


def _when(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
