"""One event -> the lines of one post. Every kind of event that people are told of has its words here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from vigil.core.words import Mitigation
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
from vigil.incidents.types import Finding, Incident, Replay, Signal, Status
from vigil.responses.phrases import (
    advice_words,
    code,
    escape,
    finding_words,
    is_blind,
    mitigation_words,
    replay_lines,
    short,
    signal_line,
    standing_lines,
)
from vigil.responses.plan import Announced
from vigil.responses.summary import RoomFacts, decide, next_steps
from vigil.responses.types import MitigationOrder


@dataclass(frozen=True)
class News:
    """To which incident something happened. is_reply: the post goes below the one that told of the same fault."""

    incident: Incident
    facts: RoomFacts
    is_reply: bool = False


def lines(  # noqa: C901, PLR0911, PLR0912 - one case for each kind of event
    news: News, body: Announced
) -> list[str]:
    """What people are told of an event."""
    match body:
        case SignalsAdded():
            return _bad_night(news, body)
        case IncidentReopened():
            return _reopened(news, body)
        case NightReplayed():
            return _replayed(body.replay)
        case MitigationDone():
            return _mitigation_done(news, body)
        case MitigationFailed():
            return _mitigation_failed(news, body)
        case MitigationDeclined():
            return _mitigation_declined(news, body)
        case IncidentRecovered():
            return _recovered(news, body)
        case IncidentResolved():
            return _resolved(news, body)
        case FalseAlarm():
            return [f":leftwards_arrow_with_hook: *It never was:* {_or(body.why, 'late labels moved the figures')}."]
        case FindingAccepted():
            title = f":memo: *Accepted by {_or(body.by, 'people')}:* {_or(body.why, 'no reason given')}"
            return [title, *standing_lines(body.standing, news.incident.monitor)]
        case IncidentHeld():
            title = f":pause_button: *Held by {_or(body.by, 'people')}:* {_or(body.why, '')}"
            return [title, *decide(news.incident, news.facts)[:1]]
        case IncidentReleased():
            return [f":arrow_forward: *Released by {_or(body.by, 'people')}:* {_or(body.why, '')}"]
        case SeverityOverridden():
            now, by = news.incident.severity.name, _or(body.by, "people")
            return [f":straight_ruler: *{now} now*, set by {by}: {_or(body.why, 'no reason given')}"]
        case _:
            assert_never(body)


def proposal(incident: Incident, order: MitigationOrder) -> list[str]:
    """A mitigation that only people may do, or decide about."""
    why = [f"Why: {escape(incident.replay.why)}."] if incident.replay else []
    if order.mitigation is Mitigation.FREEZE:
        ask = "• Promotions of this model are frozen until this is resolved; say here whether it may go on serving."
    else:
        ask = "• The policy lets only people do this: trigger `vigil_rollback` in Airflow, or say here why not."
    return [f":raised_hand: *Decision needed: {_advice(incident, order.mitigation, order.to_version)}.*", *why, ask]


def _or(text: str, default: str) -> str:
    """A text as harmless text."""
    return short(text) if text else default


def _bad_night(news: News, body: SignalsAdded) -> list[str]:
    incident, night = news.incident, body.night
    fresh = night > incident.opened_night and not news.is_reply  # what replies to a message was told of there
    new = [f for f in incident.findings if fresh and f.first_night == night]
    if is_blind(body.signals):
        title = f":see_no_evil: *The monitor is blind* for the night of {night}: nothing was found, nothing is ok."
    elif new:
        named = "; ".join(f"{finding_words(f)}{_severity_of(f)}" for f in new)
        title = f":mag: *New finding: {named}*, on the night of {night}."
    else:
        title = f":repeat: *It happened again*, on the night of {night}."
    mitigated = incident.mitigation is not Mitigation.NONE
    still = f"Mitigation so far: {mitigation_words(incident.mitigation, incident.mitigation_target)}."
    return [title, *_bullets(body.signals), still if mitigated else "Nothing is mitigated yet."]


def _bullets(signals: Sequence[Signal], most: int = 8) -> list[str]:
    more = [f"• _+{len(signals) - most} more_"] if len(signals) > most else []
    return [*(f"• {signal_line(s)}" for s in signals[:most]), *more]


def _severity_of(finding: Finding) -> str:
    return f" ({finding.assessment.severity.name})" if finding.assessment else ""


def _reopened(news: News, body: IncidentReopened) -> list[str]:
    title = f":rotating_light: *It came back* on the night of {body.night}: the incident is open again."
    return [title, *_bullets(body.signals), *next_steps(news.incident, news.facts)]


def _replayed(replay: Replay) -> list[str]:
    advice = advice_words(replay.mitigation, replay.target_version)
    return [f":arrows_counterclockwise: *The replay supports {advice}.*", *replay_lines(replay)]


def _mitigation_done(news: News, body: MitigationDone) -> list[str]:
    done = mitigation_words(body.mitigation, body.to_version or news.incident.mitigation_target)
    before = f" (before: version {code(body.from_version)})" if body.from_version else ""
    by = "by itself, as the policy allows" if body.automatic else f"approved by {_or(body.by, 'people')}"
    told = [f":white_check_mark: *Done: {done}*{before}, {by}."]
    told += [f"Why: {_or(body.reason, '')}"] if body.reason else []
    if body.verified is True:
        told.append(f"Verified: {_or(body.how, 'the serving layer answers with it')}.")
    elif body.verified is False:
        told.append(f":warning: *Not verified:* {_or(body.how, 'nobody asked the serving layer')}.")
    return [*told, *(next_steps(news.incident, news.facts) if news.incident.status is Status.MITIGATED else ())]


def _mitigation_failed(news: News, body: MitigationFailed) -> list[str]:
    advice = _advice(news.incident, body.mitigation, body.to_version)
    return [
        f":x: *The mitigation failed: {advice}.* Why: {_or(body.why, 'no reason was recorded')}.",
        "• *Decide now:* nothing is mitigated. Trigger `vigil_rollback` in Airflow by hand, or freeze promotions.",
    ]


def _mitigation_declined(news: News, body: MitigationDeclined) -> list[str]:
    advice = _advice(news.incident, body.mitigation, body.to_version)
    why = _or(body.why, "no reason was given")
    title = f":no_entry: *Declined by {_or(body.by, 'people')}: {advice}.* Why: {why}."
    return [title, "• The harm goes on until somebody decides otherwise."]


def _advice(incident: Incident, mitigation: Mitigation, target: str | None) -> str:
    replayed = incident.replay.target_version if incident.replay else None
    return advice_words(mitigation, target or replayed)


def _recovered(news: News, body: IncidentRecovered) -> list[str]:
    night = f"The night of {body.night or 'today'} was good"
    proof = f": version {code(body.version or '')}, {body.rows:,} rows." if body.rows is not None else "."
    return [f":seedling: *Recovered.* {night}{proof}", *next_steps(news.incident, news.facts)]


def _resolved(news: News, body: IncidentResolved) -> list[str]:
    return [
        f":tada: *Resolved:* {_or(body.why, 'the good nights are there')}.",
        *standing_lines(body.standing, news.incident.monitor),
        f"Opened {news.incident.opened_at:%Y-%m-%d %H:%M} UTC. {next_steps(news.incident, news.facts)[0][2:]}",
    ]
