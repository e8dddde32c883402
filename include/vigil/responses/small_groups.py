"""Numbers of groups so small that they are about persons stay out of chat, where the policy asks for it."""

from typing import assert_never

from vigil.core.words import Family
from vigil.incidents.events import (
    FalseAlarm,
    FindingAccepted,
    IncidentHeld,
    IncidentRecovered,
    IncidentReleased,
    IncidentReopened,
    IncidentResolved,
    MitigationDeclined,
    MitigationDone,
    MitigationFailed,
    NightReplayed,
    SeverityOverridden,
    SignalsAdded,
)
from vigil.incidents.types import Finding, Incident, Replay, ReplayedVersion, Signal, Standing
from vigil.responses.plan import Announced
from vigil.verdicts.types import Verdict


def is_small(verdict: Verdict, smallest: int) -> bool:
    """Whether a verdict is about a group, or one it is compared with, of fewer rows than may be shown."""
    m = verdict.measurement
    if m is None or not (verdict.family is Family.FAIRNESS or "=" in verdict.subject):
        return False
    return min((int(n) for n in m.parts[1::2]), default=m.n) < smallest


def hidden(verdict: Verdict, smallest: int) -> Verdict:
    """The verdict without its numbers where its group is small: that it is so, and about whom, is still said."""
    if not is_small(verdict, smallest):
        return verdict
    why = f"groups of fewer than {smallest} rows are shown without numbers here; the incident page has them"
    return verdict.model_copy(update={"measurement": None, "reason": why, "trend": "", "would_see": ""})


def without_small_groups(incident: Incident, smallest: int) -> Incident:
    """An incident as chat may show it. `smallest`: `response.smallest_group_shown`; 0 shows everything."""
    if smallest <= 0:
        return incident
    small = {s.verdict.subject for f in incident.findings for s in f.signals if is_small(s.verdict, smallest)}
    clues = tuple(c for c in incident.clues if c.group not in small)
    replay = _replay(incident.replay, smallest) if incident.replay else None
    findings = tuple(_finding(f, smallest) for f in incident.findings)
    questions = {
        name: q.model_copy(update={"standing": _standing(q.standing, smallest)}) if q.standing else q
        for name, q in incident.questions.items()
    }
    changes = {"findings": findings, "questions": questions, "clues": clues, "replay": replay}
    return incident.model_copy(update=changes)


def event_without_small_groups(body: Announced, smallest: int) -> Announced:
    """An event as chat may show it, in the same way."""
    if smallest <= 0:
        return body
    match body:
        case SignalsAdded() | IncidentReopened():
            return body.model_copy(update={"signals": tuple(_signal(s, smallest) for s in body.signals)})
        case FindingAccepted() | IncidentResolved():
            return body.model_copy(update={"standing": tuple(_standing(s, smallest) for s in body.standing)})
        case NightReplayed():
            return body.model_copy(update={"replay": _replay(body.replay, smallest)})
        case IncidentRecovered() | IncidentHeld() | IncidentReleased() | FalseAlarm() | SeverityOverridden():
            return body
        case MitigationDone() | MitigationFailed() | MitigationDeclined():
            return body
        case _:
            assert_never(body)


def _finding(finding: Finding, smallest: int) -> Finding:
    return finding.model_copy(update={"signals": tuple(_signal(s, smallest) for s in finding.signals)})


def _standing(standing: Standing, smallest: int) -> Standing:
    return standing.model_copy(update={"verdict": hidden(standing.verdict, smallest)})


def _signal(signal: Signal, smallest: int) -> Signal:
    return signal.model_copy(update={"verdict": hidden(signal.verdict, smallest)})


def _replay(replay: Replay, smallest: int) -> Replay:
    return replay.model_copy(update={"versions": tuple(_version(v, smallest) for v in replay.versions)})


def _version(version: ReplayedVersion, smallest: int) -> ReplayedVersion:
    verdicts = tuple(hidden(v, smallest) for v in version.verdicts)
    why = version.why if verdicts == version.verdicts else "see the incident page"
    return version.model_copy(update={"verdicts": verdicts, "why": why})
