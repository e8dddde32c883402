"""Signals -> findings: one fault each. The same signals make the same findings, in whatever order they come."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.incidents.events import BadNight, incident_event
from vigil.incidents.subjects import subject_key
from vigil.incidents.types import Event, Finding, SeverityAssessment, Signal

About = tuple[Family, str]  # a family, and the column or group of it that is bad


class Telling(Spec):
    """What an event with signals tells: faults that were not there before, or more of those that were.

    thread: sequence of the event that told of the fault first, where all its signals are about that one fault.
    """

    new: tuple[Finding, ...] = ()
    thread: int | None = None


def about(signal: Signal) -> About:
    """The family and the subject key of a signal."""
    return signal.verdict.family, subject_key(signal.verdict)


def findings(
    known: Sequence[Finding], new: Sequence[Signal], assessments: Mapping[str, SeverityAssessment] | None = None
) -> tuple[Finding, ...]:
    """The findings with more signals.

    A subject that is known in its family stays with its finding; subjects that went bad on the same night are one.

    assessments: `family/subject key` -> how bad that is by itself.
    """
    began: dict[About, date] = {}
    latest: dict[str, Signal] = {}
    worst: dict[About, SeverityAssessment] = {}
    for finding in known:
        began |= {about(s): finding.first_night for s in finding.signals}
        worst |= {(finding.family, subject): a for subject, a in finding.assessments.items()}
        latest |= {s.fingerprint: s for s in finding.signals}
    for signal in new:
        key = about(signal)
        began[key] = min(signal.night, began.get(key, signal.night))
        kept = latest.get(signal.fingerprint)
        if kept is None or kept.night <= signal.night:
            latest[signal.fingerprint] = signal
        told = (assessments or {}).get(f"{key[0].value}/{key[1]}")
        if told is not None:
            worst[key] = min(told, worst.get(key, told), key=lambda a: (a.severity, a.impact, a.reasons))
    return _faults(latest.values(), began, worst)


def _faults(
    signals: Iterable[Signal], began: Mapping[About, date], worst: Mapping[About, SeverityAssessment]
) -> tuple[Finding, ...]:
    each: dict[tuple[date, Family], list[Signal]] = {}
    for signal in signals:
        key = about(signal)
        each.setdefault((began[key], key[0]), []).append(signal)
    order = list(Family)
    return tuple(
        Finding(
            family=family,
            first_night=first,
            last_night=max(s.night for s in mine),
            signals=tuple(mine),
            assessments={key[1]: worst[key] for key in dict.fromkeys(map(about, mine)) if key in worst},
        )
        for (first, family), mine in sorted(each.items(), key=lambda item: (item[0][0], order.index(item[0][1])))
    )


def contents(body: BadNight) -> tuple[tuple[Signal, ...], dict[str, SeverityAssessment]]:
    """The signals of an event, and how bad each subject is by itself (events of older releases: as bad as all)."""
    if body.assessment is None:
        return body.signals, body.assessments
    whole = {f"{family.value}/{key}": body.assessment for family, key in map(about, body.signals)}
    return body.signals, whole | body.assessments


def tellings(events: Sequence[Event]) -> dict[int, Telling]:
    """Sequence of each event with signals -> what it tells."""
    known: tuple[Finding, ...] = ()
    origin: dict[About, int] = {}  # where a subject's fault was told first
    told = {}
    for event in events:
        body = incident_event(event)
        if not isinstance(body, BadNight):
            continue
        signals, assessments = contents(body)
        after = findings(known, signals, assessments)
        new = tuple(f for f in after if not any((f.family, s) in origin for s in f.subjects))
        for finding in after:
            mine = [(finding.family, s) for s in finding.subjects]
            first = min((origin[key] for key in mine if key in origin), default=event.sequence)
            origin |= {key: origin.get(key, first) for key in mine}
        roots = {origin[about(s)] for s in signals}
        opened = {events[0].sequence, event.sequence}
        thread = roots.pop() if not new and len(roots) == 1 and not roots & opened else None
        told[event.sequence] = Telling(new=new, thread=thread)
        known = after
    return told
