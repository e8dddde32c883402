"""What a night must know that its rows do not tell: requests counted elsewhere, versions that were in service."""

from collections.abc import Sequence
from datetime import date

from vigil.config.schema import Monitor
from vigil.core.window import Window, night_window
from vigil.incidents.types import Event
from vigil.metrics.catalog import CATALOG
from vigil.metrics.evaluate import evaluate
from vigil.metrics.types import Measurement, View
from vigil.ports import Ports, ReadPorts, TrafficCount
from vigil.profiles.types import Profile
from vigil.responses.model_history import history
from vigil.usecases.model_stream import stream
from vigil.usecases.night.notes import TrafficNote
from vigil.usecases.nights import Night, view

ANSWERING = ("champion", "fallback")  # aliases of versions that people get answers from


def count_traffic(ports: Ports, monitor: Monitor, night: date) -> TrafficCount | None:
    """Asks whoever counts requests, and keeps the answer: a past night is judged again by what was known then.

    None where the monitor names no source. What could not be counted is asked for again the next time.
    """
    if monitor.traffic is None:
        return None
    note: TrafficNote | None = ports.notes.get(monitor.model, night, TrafficNote)
    if note is not None and note.content.requests is not None:
        return note.content
    counted: TrafficCount = ports.traffic.requests(monitor, night)
    ports.notes.put(monitor.model, night, TrafficNote(content=counted))
    return counted


def about(ports: ReadPorts, monitor: Monitor, night: date) -> View:
    """The monitor's view of this night."""
    note: TrafficNote | None = None
    if monitor.traffic is not None:
        note = ports.notes.get(monitor.model, night, TrafficNote)
    counted = note.content if note else TrafficCount(why_not="it was not asked for this night")
    window = night_window(night, monitor.timezone)
    expected = in_service(ports.ledger.read(stream(monitor.model)), window)
    why = counted.why_not if monitor.traffic is not None else ""
    seen = {"requests": counted.requests, "no_requests": why, "expected_versions": expected}
    return view(monitor).model_copy(update=seen)


def measured(ports: ReadPorts, monitor: Monitor, night: date, made: Profile, loaded: Night) -> tuple[Measurement, ...]:
    """Everything that is measured of a profile of this night: the whole one's, or the champion's share."""
    found: tuple[Measurement, ...] = evaluate(
        made,
        loaded.baseline,
        about(ports, monitor, night),
        yardstick=loaded.yardstick,
        ruled=monitor.rules.metrics & CATALOG.keys(),
        edges=ports.profiles.edges(monitor.model),
    )
    return found


def in_service(events: Sequence[Event], window: Window) -> tuple[str, ...]:
    """The versions that were champion or fallback at some time of the window, as the ledger has it; empty: it has none.

    events: of the stream `model/<name>`, in order. A change needs a moment to reach every server: a version that was in
    service when the window began counts for all of it.
    """
    before = [e for e in events if e.at < window.start]
    within = [e for e in events if window.start <= e.at < window.end]
    moments = [events[: len(before) + n] for n in range(len(within) + 1)]
    states = [history(moment).aliases for moment in moments]
    return tuple(sorted({state[alias] for state in states for alias in ANSWERING if alias in state}))
