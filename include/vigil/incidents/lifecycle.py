"""An incident is a fold over the events of its ledger stream. No event, no state.

triage -> open -> acknowledged -> mitigated -> recovered -> resolved, also never_was and merged; flag held.

It reads. What a judged night adds is decided in `episodes` (bad answers) and `recovery` (the others).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from vigil.core.words import Mitigation
from vigil.incidents.findings import contents, findings
from vigil.incidents.types import (
    Event,
    Incident,
    Question,
    Replay,
    Severity,
    SeverityAssessment,
    Standing,
    Status,
)


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
    assessment = SeverityAssessment.model_validate(p["assessment"])
    night = date.fromisoformat(p["night"])
    opened = Incident(
        id=event.stream.removeprefix("incident/"),
        monitor=p["monitor"],
        environment=p["environment"],
        status=Status.OPEN,
        severity=assessment.severity,
        assessment=assessment,
        opened_at=event.at,
        opened_night=night,
        last_bad_night=night,
        report_url=p.get("report_url"),
        clues=tuple(p.get("clues", ())),
        versions=p.get("versions", {}),
    )
    return _told(opened, event)


def _told(incident: Incident, event: Event) -> Incident:
    """With the signals of an event: findings, and the nights on which each question was bad."""
    joined, assessments = contents(event)
    night = date.fromisoformat(event.payload["night"])
    questions = dict(incident.questions)
    stood = {s.question for s in incident.standing if s.night < night}
    again = event.type == "reopened" or any(s.verdict.id in stood for s in joined)
    for signal in joined:
        v = signal.verdict
        question = questions.get(v.id) or Question(id=v.id, fingerprint=signal.fingerprint, family=v.family)
        questions[v.id] = _bad_on(question, signal.night)
    return incident.model_copy(
        update={
            "findings": findings(incident.findings, joined, assessments),
            "questions": questions,
            "nights": _with(incident.nights, night),
            "tellings": incident.tellings + 1,
            "renewed": max(night, incident.renewed or night) if again else incident.renewed,
        }
    )


def _bad_on(question: Question, night: date) -> Question:
    stands = question.standing if question.standing and night <= question.standing.night else None
    return question.model_copy(update={"bad": _with(question.bad, night), "standing": stands})


def _with(nights: tuple[date, ...], night: date) -> tuple[date, ...]:
    return nights if night in nights else tuple(sorted((*nights, night)))


def _bad_night(incident: Incident, event: Event) -> Incident:
    p = event.payload
    assessment = SeverityAssessment.model_validate(p["assessment"])
    night = date.fromisoformat(p["night"])
    last = max(incident.last_bad_night, night)
    reopened = event.type == "reopened"
    back = Status.OPEN if reopened or incident.status is Status.RECOVERED else incident.status
    return _told(incident, event).model_copy(
        update={
            "severity": min(incident.severity, assessment.severity),
            "assessment": assessment if assessment.severity <= incident.severity else incident.assessment,
            "last_bad_night": last,
            "good_nights": tuple(n for n in incident.good_nights if n > last),
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
    """What is known later of nights that were told: a question that is bad again has no recovery any more."""
    told = _told(incident, event)
    back = told.status is Status.RECOVERED and not all(q.since(q.good) or q.standing for q in told.questions.values())
    return told.model_copy(update={"status": Status.OPEN}) if back else told


def answered(incident: Incident, payload: Mapping[str, Any]) -> Incident:
    """With the answers of a night. Events of older releases name no questions: all of them were answered well."""
    night = date.fromisoformat(payload["night"])
    given = {
        "good": payload.get("answered", tuple(incident.questions)),
        "known": payload.get("known", ()),
        "unanswered": payload.get("unanswered", ()),
    }
    questions = dict(incident.questions)
    for kind, names in given.items():
        for name in (n for n in names if n in questions):
            nights = _with(getattr(questions[name], kind), night)
            questions[name] = questions[name].model_copy(update={kind: nights})
    good = given["good"] and night > incident.last_bad_night
    return incident.model_copy(
        update={
            "questions": questions,
            "nights": _with(incident.nights, night),
            "good_nights": _with(incident.good_nights, night) if good else incident.good_nights,
        }
    )


def _answered(incident: Incident, event: Event) -> Incident:
    return answered(incident, event.payload)


def _stands(incident: Incident, event: Event) -> Incident:
    """With the bad answers that stand from this event on."""
    questions = dict(incident.questions)
    for stands in (Standing.model_validate(s) for s in event.payload.get("standing", ())):
        if stands.question in questions:
            questions[stands.question] = questions[stands.question].model_copy(update={"standing": stands})
    return incident.model_copy(update={"questions": questions})


def _resolved(incident: Incident, event: Event) -> Incident:
    return _stands(_to(Status.RESOLVED)(incident, event), event)


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
    "good_night": _answered,
    "quiet_night": _answered,
    "accepted": _stands,
    "replayed": _replayed,
    "mitigation_done": _mitigated,
    "mitigation_ended": _mitigation_ended,
    "acknowledged": _acknowledged,
    "receipt": _receipt,
    "recovered": _to(Status.RECOVERED),
    "resolved": _resolved,
    "never_was": _to(Status.NEVER_WAS),
    "merged": _to(Status.MERGED),
    "held": _set("held", to=True),
    "released": _set("held", to=False),
    "severity_overridden": _severity,
}
