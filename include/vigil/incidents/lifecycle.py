"""An incident is a fold over the events of its ledger stream. No event, no state.

triage -> open -> acknowledged -> mitigated -> recovered -> resolved, also never_was and merged; flag held.

`fold` reads; `night_events` decides what a judged night adds. Neither writes.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.core.words import Mitigation
from vigil.incidents.correlate import findings
from vigil.incidents.types import (
    Event,
    Incident,
    Replay,
    Severity,
    SeverityAssessment,
    Signal,
    Status,
)

REOPEN_NIGHTS = 3
OVER = (Status.NEVER_WAS, Status.MERGED)  # for good: what is found later is another incident


class NewEvent(Spec):
    """An event that should be appended; `key` makes a second append harmless."""

    key: str
    type: str
    payload: dict[str, Any]


class GoodNight(Spec):
    """A night whose questions were all answered well, in the champion's role, with enough rows."""

    night: date
    version: str
    rows: int


def fold(events: Sequence[Event]) -> Incident | None:
    """The incident that these events tell of; None for an empty stream. Unknown types are skipped, not lost."""
    incident: Incident | None = None
    for event in events:
        if event.type == "opened":
            incident = _opened(event)
        elif incident is not None and event.type in APPLY:
            incident = APPLY[event.type](incident, event)
        if incident is not None:
            incident = incident.model_copy(update={"events": event.sequence})
    return incident


def _opened(event: Event) -> Incident:
    p = event.payload
    joined = tuple(Signal.model_validate(s) for s in p["signals"])
    assessment = SeverityAssessment.model_validate(p["assessment"])
    night = date.fromisoformat(p["night"])
    return Incident(
        id=event.stream.removeprefix("incident/"),
        monitor=p["monitor"],
        environment=p["environment"],
        status=Status.OPEN,
        severity=assessment.severity,
        assessment=assessment,
        opened_at=event.at,
        opened_night=night,
        last_bad_night=night,
        findings=findings((), joined),
        report_url=p.get("report_url"),
        clues=tuple(p.get("clues", ())),
        versions=p.get("versions", {}),
    )


def _bad_night(incident: Incident, event: Event) -> Incident:
    p = event.payload
    joined = tuple(Signal.model_validate(s) for s in p["signals"])
    assessment = SeverityAssessment.model_validate(p["assessment"])
    night = date.fromisoformat(p["night"])
    reopened = event.type == "reopened"
    back = Status.OPEN if reopened or incident.status is Status.RECOVERED else incident.status
    return incident.model_copy(
        update={
            "findings": findings(incident.findings, joined),
            "severity": min(incident.severity, assessment.severity),
            "assessment": assessment if assessment.severity <= incident.severity else incident.assessment,
            "last_bad_night": max(incident.last_bad_night, night),
            "good_nights": (),
            "status": back,
            "resolved_at": None,
            "mitigation": Mitigation.NONE if reopened else incident.mitigation,
            "replay": None if reopened else incident.replay,
            "reopened": incident.reopened + reopened,
            "report_url": p.get("report_url") or incident.report_url,
            "clues": tuple(p.get("clues") or incident.clues),
            "versions": p.get("versions") or incident.versions,
        }
    )


def _restated(incident: Incident, event: Event) -> Incident:
    joined = tuple(Signal.model_validate(s) for s in event.payload["signals"])
    return incident.model_copy(update={"findings": findings(incident.findings, joined)})


def _good_night(incident: Incident, event: Event) -> Incident:
    night = date.fromisoformat(event.payload["night"])
    if night <= incident.last_bad_night or night in incident.good_nights:
        return incident
    return incident.model_copy(update={"good_nights": (*incident.good_nights, night)})


def _mitigated(incident: Incident, event: Event) -> Incident:
    p = event.payload
    return incident.model_copy(
        update={
            "mitigation": Mitigation(p["mitigation"]),
            "mitigation_target": p.get("to"),
            "mitigation_over": False,
            "status": Status.MITIGATED if incident.is_open else incident.status,
        }
    )


def _mitigation_ended(incident: Incident, _event: Event) -> Incident:
    """The champion serves again: what breaks from now on is mitigated anew. What was done stays told."""
    back = Status.ACKNOWLEDGED if incident.acknowledged_by else Status.OPEN
    status = back if incident.status is Status.MITIGATED else incident.status
    return incident.model_copy(update={"mitigation_over": True, "status": status})


def _replayed(incident: Incident, event: Event) -> Incident:
    replay = Replay.model_validate(event.payload["replay"])
    return incident.model_copy(update={"replay": replay, "proposed": replay.mitigation})


def _acknowledged(incident: Incident, event: Event) -> Incident:
    status = Status.ACKNOWLEDGED if incident.status in (Status.OPEN, Status.TRIAGE) else incident.status
    return incident.model_copy(update={"acknowledged_by": event.payload["by"], "status": status})


def _receipt(incident: Incident, event: Event) -> Incident:
    p = event.payload
    room = p["reference"] if p["kind"] == "open_room" else incident.room
    return incident.model_copy(update={"receipts": {**incident.receipts, p["action"]: p}, "room": room})


def _to(status: Status) -> Callable[[Incident, Event], Incident]:
    def apply(incident: Incident, event: Event) -> Incident:
        ended = event.at if status in (Status.RESOLVED, Status.NEVER_WAS, Status.MERGED) else None
        return incident.model_copy(update={"status": status, "resolved_at": ended})

    return apply


def _set(field: str, *, to: bool) -> Callable[[Incident, Event], Incident]:
    return lambda incident, _event: incident.model_copy(update={field: to})


def _severity(incident: Incident, event: Event) -> Incident:
    return incident.model_copy(update={"severity": Severity(event.payload["severity"])})


APPLY: Mapping[str, Callable[[Incident, Event], Incident]] = {
    "signals": _bad_night,
    "reopened": _bad_night,
    "restated": _restated,
    "good_night": _good_night,
    "replayed": _replayed,
    "mitigation_done": _mitigated,
    "mitigation_ended": _mitigation_ended,
    "acknowledged": _acknowledged,
    "receipt": _receipt,
    "recovered": _to(Status.RECOVERED),
    "resolved": _to(Status.RESOLVED),
    "never_was": _to(Status.NEVER_WAS),
    "merged": _to(Status.MERGED),
    "held": _set("held", to=True),
    "released": _set("held", to=False),
    "severity_overridden": _severity,
}


def may_join(incident: Incident, night: date) -> bool:
    """Whether signals of `night` belong to this episode: it is open, or was resolved within 3 nights.

    A night more than 3 nights before its first, which late labels made bad, was an episode of its own.
    """
    if night < incident.first_night - timedelta(days=REOPEN_NIGHTS):
        return False
    if incident.is_open:
        return True
    last_good = max(incident.good_nights, default=incident.last_bad_night)
    return incident.status is Status.RESOLVED and night <= last_good + timedelta(days=REOPEN_NIGHTS)


def has_night(incident: Incident, night: date) -> bool:
    """Whether a signal of `night` was told of this incident."""
    return any(s.night == night for f in incident.findings for s in f.signals)


def episode_of(known: Sequence[Incident], night: date) -> Incident | None:
    """The incident of a night's signals: the one that has the night already, else the newest that it may join.

    One that never was, or was merged, takes no more signals: a night of it that is bad after all opens another.
    """
    live = [i for i in known if i.status not in OVER]
    own = next((i for i in reversed(live) if has_night(i, night)), None)
    return own or next((i for i in reversed(live) if may_join(i, night)), None)


def bad_night_events(  # noqa: PLR0913 - what one bad night is made of
    incident: Incident | None,
    new: Sequence[Signal],
    *,
    monitor: str,
    environment: str,
    night: date,
    knowledge: str,
    assessment: SeverityAssessment,
    versions: Mapping[str, int],
    report_url: str | None,
    clues: Sequence[str] = (),
) -> tuple[NewEvent, ...]:
    """What a night with signals adds: it opens, joins, reopens, or restates. `knowledge`: digest of what was judged."""
    if incident is not None and not _news(incident, new, night):
        return ()
    kind = _kind(incident, night)
    payload: dict[str, Any] = {
        "monitor": monitor,
        "environment": environment,
        "night": night.isoformat(),
        "signals": [s.model_dump(mode="json") for s in new],
        "assessment": assessment.model_dump(mode="json"),
        "versions": dict(versions),
        "report_url": report_url,
        "clues": list(clues),
    }
    key = "opened" if kind == "opened" else f"{kind}/{night}/{digest(knowledge, length=12)}"
    return (NewEvent(key=key, type=kind, payload=payload),)


def _kind(incident: Incident | None, night: date) -> str:
    """A closed incident is reopened by a later night; what labels tell later about its own nights is only added."""
    if incident is None:
        return "opened"
    if night < incident.first_night:
        return "restated"
    if incident.is_open:
        return "signals"
    return "restated" if night <= incident.last_bad_night else "reopened"


def _news(incident: Incident, new: Sequence[Signal], night: date) -> bool:
    """A night tells something new if it is later than the last bad one or before the first, or has an unseen signal."""
    if night > incident.last_bad_night or night < incident.first_night:
        return True
    known = {(s.fingerprint, s.night) for f in incident.findings for s in f.signals}
    seen = {f for f, _ in known}
    return any((s.fingerprint, s.night) not in known and s.fingerprint not in seen for s in new)


def good_night_events(incident: Incident, good: GoodNight, *, needed: int) -> tuple[NewEvent, ...]:
    """What a good night adds: it is counted; the first brings recovery, the `needed`-th resolves."""
    if not incident.is_open or good.night <= incident.last_bad_night:
        return ()
    nights = {*incident.good_nights, good.night}
    payload = {"night": good.night.isoformat(), "version": good.version, "rows": good.rows}
    since = f"{incident.last_bad_night}/{incident.reopened}"  # a night counts again after a late bad one before it
    events = [NewEvent(key=f"good_night/{since}/{good.night}", type="good_night", payload=payload)]
    if incident.status is not Status.RECOVERED:
        events.append(NewEvent(key=f"recovered/{since}", type="recovered", payload=payload))
    if len(nights) >= needed:
        why = f"{len(nights)} good night(s) of version {good.version} in the champion's role"
        events.append(NewEvent(key=f"resolved/{since}", type="resolved", payload={**payload, "why": why}))
    return tuple(events)
