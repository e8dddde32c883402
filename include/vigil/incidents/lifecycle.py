"""An incident is a fold over the events of its ledger stream. No event, no state.

triage -> open -> acknowledged -> mitigated -> recovered -> resolved, also never_was and merged; flag held.

It reads. What a judged night adds is decided in `episodes` (bad answers) and `recovery` (the others).
"""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from vigil.core.words import Mitigation
from vigil.incidents.events import (
    ActionDone,
    AnsweredNight,
    BadNight,
    FalseAlarm,
    FindingAccepted,
    GoodNight,
    IncidentAcknowledged,
    IncidentEvent,
    IncidentHeld,
    IncidentMerged,
    IncidentOpened,
    IncidentRecovered,
    IncidentReleased,
    IncidentReopened,
    IncidentResolved,
    IncidentRestated,
    MitigationDeclined,
    MitigationDone,
    MitigationEnded,
    MitigationFailed,
    NightReplayed,
    QuietNight,
    SeverityOverridden,
    SignalsAdded,
    UnknownEvent,
    incident_event,
)
from vigil.incidents.findings import contents, findings
from vigil.incidents.types import ActionKind, Event, Incident, Question, Receipt, Severity, Standing, Status


def fold(events: Sequence[Event]) -> Incident | None:
    """The incident that these events tell of; None for an empty stream. Unknown types are skipped, not lost."""
    incident: Incident | None = None
    for event in events:
        body = incident_event(event)
        if isinstance(body, IncidentOpened):
            incident = _opened(event, body)
        elif incident is not None:
            incident = _after(incident, event, body)
        if incident is not None:
            incident = incident.model_copy(update={"events": event.sequence})
    return incident


def _after(  # noqa: C901, PLR0911, PLR0912 - one case for each kind of event
    incident: Incident, event: Event, body: IncidentEvent
) -> Incident:
    """The incident with one event more."""
    match body:
        case IncidentOpened():
            return _opened(event, body)
        case SignalsAdded() | IncidentReopened():
            return _bad_night(incident, body)
        case IncidentRestated():
            return _restated(incident, body)
        case GoodNight() | QuietNight():
            return answered(incident, body)
        case FindingAccepted():
            return _stands(incident, body.standing)
        case NightReplayed():
            return incident.model_copy(update={"replay": body.replay, "proposed": body.replay.mitigation})
        case MitigationDone():
            return _mitigated(incident, body)
        case MitigationEnded():
            return _mitigation_ended(incident)
        case IncidentAcknowledged():
            return _acknowledged(incident, body.by)
        case ActionDone():
            return _done(incident, event, body)
        case IncidentRecovered():
            return incident.model_copy(update={"status": Status.RECOVERED, "resolved_at": None})
        case IncidentResolved():
            return _stands(_over(incident, event, Status.RESOLVED), body.standing)
        case FalseAlarm():
            return _over(incident, event, Status.NEVER_WAS)
        case IncidentMerged():
            return _over(incident, event, Status.MERGED)
        case IncidentHeld():
            return incident.model_copy(update={"held": True})
        case IncidentReleased():
            return incident.model_copy(update={"held": False})
        case SeverityOverridden():
            return incident.model_copy(update={"severity": body.severity})
        case MitigationFailed() | MitigationDeclined() | UnknownEvent():
            return incident
        case _:
            assert_never(body)


def _opened(event: Event, body: IncidentOpened) -> Incident:
    opened = Incident(
        id=event.stream.removeprefix("incident/"),
        monitor=body.monitor,
        environment=body.environment,
        status=Status.OPEN,
        severity=body.assessment.severity,
        assessment=body.assessment,
        opened_at=event.at,
        opened_night=body.night,
        last_bad_night=body.night,
        report_url=body.report_url,
        clues=body.clues,
        versions=body.versions,
    )
    return _with_signals(opened, body)


def _with_signals(incident: Incident, body: BadNight) -> Incident:
    """With the signals of an event: findings, and the nights on which each question was bad."""
    joined, assessments = contents(body)
    questions = dict(incident.questions)
    stood = {s.question for s in incident.standing if s.night < body.night}
    again = isinstance(body, IncidentReopened) or any(s.verdict.id in stood for s in joined)
    for signal in joined:
        v = signal.verdict
        question = questions.get(v.id) or Question(id=v.id, fingerprint=signal.fingerprint, family=v.family)
        questions[v.id] = _bad_on(question, signal.night)
    return incident.model_copy(
        update={
            "findings": findings(incident.findings, joined, assessments),
            "questions": questions,
            "nights": _with(incident.nights, body.night),
            "tellings": incident.tellings + 1,
            "renewed": max(body.night, incident.renewed or body.night) if again else incident.renewed,
        }
    )


def _bad_on(question: Question, night: date) -> Question:
    stands = question.standing if question.standing and night <= question.standing.night else None
    return question.model_copy(update={"bad": _with(question.bad, night), "standing": stands})


def _with(nights: tuple[date, ...], night: date) -> tuple[date, ...]:
    return nights if night in nights else tuple(sorted((*nights, night)))


def _bad_night(incident: Incident, body: SignalsAdded | IncidentReopened) -> Incident:
    last = max(incident.last_bad_night, body.night)
    reopened = isinstance(body, IncidentReopened)
    back = Status.OPEN if reopened or incident.status is Status.RECOVERED else incident.status
    severity = body.assessment.severity if body.assessment else Severity.SEV4
    return _with_signals(incident, body).model_copy(
        update={
            "severity": min(incident.severity, severity),
            "assessment": body.assessment if severity <= incident.severity else incident.assessment,
            "last_bad_night": last,
            "good_nights": tuple(n for n in incident.good_nights if n > last),
            "status": back,
            "resolved_at": None,
            "mitigation": Mitigation.NONE if reopened else incident.mitigation,
            "replay": None if reopened else incident.replay,
            "reopened": incident.reopened + reopened,
            "report_url": body.report_url or incident.report_url,
            "clues": body.clues or incident.clues,
            "versions": body.versions or incident.versions,
        }
    )


def _restated(incident: Incident, body: IncidentRestated) -> Incident:
    """What is known later of nights that were told: a question that is bad again has no recovery any more."""
    told = _with_signals(incident, body)
    back = told.status is Status.RECOVERED and not all(q.since(q.good) or q.standing for q in told.questions.values())
    return told.model_copy(update={"status": Status.OPEN}) if back else told


def answered(incident: Incident, body: AnsweredNight) -> Incident:
    """With the answers of a night. Events of older releases name no questions: all of them were answered well."""
    good = tuple(incident.questions) if body.answered is None else body.answered
    questions = dict(incident.questions)
    for kind, names in (("good", good), ("known", body.known), ("unanswered", body.unanswered)):
        for name in (n for n in names if n in questions):
            nights = _with(getattr(questions[name], kind), body.night)
            questions[name] = questions[name].model_copy(update={kind: nights})
    counts = bool(good) and body.night > incident.last_bad_night
    return incident.model_copy(
        update={
            "questions": questions,
            "nights": _with(incident.nights, body.night),
            "good_nights": _with(incident.good_nights, body.night) if counts else incident.good_nights,
        }
    )


def _stands(incident: Incident, standing: Sequence[Standing]) -> Incident:
    """With the bad answers that stand from an event on."""
    questions = dict(incident.questions)
    for stands in standing:
        if stands.question in questions:
            questions[stands.question] = questions[stands.question].model_copy(update={"standing": stands})
    return incident.model_copy(update={"questions": questions})


def _mitigated(incident: Incident, body: MitigationDone) -> Incident:
    return incident.model_copy(
        update={
            "mitigation": body.mitigation,
            "mitigation_target": body.to_version,
            "mitigation_over": False,
            "status": Status.MITIGATED if incident.is_open else incident.status,
        }
    )


def _mitigation_ended(incident: Incident) -> Incident:
    """The champion serves again: what breaks from now on is mitigated anew. What was done stays told."""
    back = Status.ACKNOWLEDGED if incident.acknowledged_by else Status.OPEN
    status = back if incident.status is Status.MITIGATED else incident.status
    return incident.model_copy(update={"mitigation_over": True, "status": status})


def _acknowledged(incident: Incident, by: str) -> Incident:
    status = Status.ACKNOWLEDGED if incident.status in (Status.OPEN, Status.TRIAGE) else incident.status
    return incident.model_copy(update={"acknowledged_by": by, "status": status})


def _done(incident: Incident, event: Event, body: ActionDone) -> Incident:
    if not isinstance(body.kind, ActionKind):
        return incident  # an action that this release does not plan
    receipt = Receipt(
        action=body.action, kind=body.kind, at=body.at or event.at, reference=body.reference, as_of=body.shows
    )
    room = receipt.reference if receipt.kind is ActionKind.OPEN_ROOM else incident.room
    return incident.model_copy(update={"receipts": {**incident.receipts, receipt.action: receipt}, "room": room})


def _over(incident: Incident, event: Event, status: Status) -> Incident:
    return incident.model_copy(update={"status": status, "resolved_at": event.at})
