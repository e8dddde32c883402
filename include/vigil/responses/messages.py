"""The words of an incident: its war room, its pinned summary, and what is said when something happens.

The reader was woken at 3 a.m. In this order: what broke, since when, how bad, what Vigil did and saw, what to
decide next, who is here. Aggregates only, never rows; everything from data is escaped.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vigil.core.ids import slug
from vigil.core.spec import Spec
from vigil.core.words import Family, Mitigation
from vigil.incidents.lifecycle import REOPEN_NIGHTS
from vigil.incidents.types import Event, Incident, Replay, Severity, Signal, Status
from vigil.responses.phrases import (
    advice_words,
    by_harm,
    code,
    day,
    escape,
    families,
    is_blind,
    mitigation_words,
    replay_lines,
    short,
    signal_lines,
    status_word,
    verdict_line,
)
from vigil.responses.types import Message, Room

__all__ = ["RoomFacts", "escape", "room_for", "update_message"]

SECTION = 2_900  # characters; Slack takes 3,000
HEADER = 140
SHORT = 250


class RoomFacts(Spec):
    """What the words need to know beside the incident. People are e-mail addresses; links start with http."""

    model: str
    environment: str
    description: str = ""
    owner: str
    on_call: tuple[str, ...] = ()
    data_owner: str | None = None
    governance: str | None = None
    tier: int = 2
    affects_access: bool = False
    invite: tuple[str, ...] = ()
    report_url: str | None = None
    incident_url: str | None = None
    dag_url: str | None = None
    private: bool = False

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """(title, address) of what can be opened."""
        named = (
            ("Incident", self.incident_url),
            ("Nightly report", self.report_url),
            ("Airflow DAG", self.dag_url),
        )
        return tuple((title, url) for title, url in named if url and url.startswith(("http://", "https://")))


def room_for(incident: Incident, facts: RoomFacts) -> Room:
    """The war room as it should be now."""
    return Room(
        name=_name(incident, facts),
        topic=_clip(_topic(incident, facts), SHORT),
        purpose=_purpose(incident, facts),
        invite=facts.invite or tuple(dict.fromkeys((facts.owner, *facts.on_call))),
        summary=_summary(incident, facts),
        private=facts.private,
        bookmarks=facts.links,
    )


def update_message(
    incident: Incident, facts: RoomFacts, payload: Mapping[str, Any], events: Sequence[Event] = ()
) -> Message:
    """What people are told of one event.

    payload: `what` (a key of NEWS), and `sequence`, the number of the event among `events` where there is one.
    Raises ValueError for news that has no words.
    """
    what = str(payload.get("what", ""))
    words = NEWS.get(what)
    if words is None:
        raise ValueError(
            f"no words for the news {what!r}; add them to NEWS in responses/messages.py ({', '.join(NEWS)})"
        )
    if what == "opened":
        return _summary(incident, facts)
    event = next((e for e in events if e.sequence == payload.get("sequence")), None)
    told = {**(event.payload if event else {}), **payload}
    return Message(text=_clip("\n".join(words(incident, facts, told)), SECTION))


def _name(incident: Incident, facts: RoomFacts) -> str:
    """`inc-<yyyymmdd>-<model>-<family>`: night and model first, so that a cut never loses what is unique.

    The family is one of the first night, so that later findings do not change the name.
    """
    first = [f for f in by_harm(incident.findings) if f.first_night <= incident.opened_night]
    family = "blind" if not first or is_blind(s for f in first for s in f.signals) else first[0].family.value
    return f"inc-{incident.opened_night:%Y%m%d}-{slug(facts.model, most=56)}-{slug(family)}"[:80]


def _topic(incident: Incident, facts: RoomFacts) -> str:
    held = " · held" if incident.held else ""
    where = f"{escape(facts.model)} {escape(facts.environment)}"
    return f"{incident.severity.name} · {status_word(incident.status)}{held} · {where} · {_what_kind(incident)}"


def _what_kind(incident: Incident) -> str:
    if is_blind(s for f in incident.findings for s in f.signals):
        return "monitor blind"
    return ", ".join(f.value for f in families(incident)) or "no finding"


def _purpose(incident: Incident, facts: RoomFacts) -> str:
    marker = f"vigil:{incident.id}"
    about = escape(facts.description) or f"War room of {escape(facts.model)}"
    text = f"{about.rstrip('.')}. Night of {day(incident.opened_night)}."
    return f"{_clip(text, SHORT - len(marker) - 1)} {marker}"


def _summary(incident: Incident, facts: RoomFacts) -> Message:
    """The pinned message: the same words as plain text and as blocks."""
    title = _clip(
        f"{incident.severity.name}: {_what_kind(incident)} of {escape(facts.model)} ({escape(facts.environment)})",
        HEADER,
    )
    sections = [
        ("What broke", signal_lines(incident.findings, latest=incident.last_bad_night)),
        ("Since when", [_since(incident)]),
        ("How bad", _how_bad(incident)),
        ("What Vigil did and saw", _did(incident)),
        ("Next", _next(incident, facts)),
        ("Who is here", [_people(facts)]),
    ]
    bodies = [_clip("\n".join([f"*{name}*", *lines]), SECTION) for name, lines in sections]
    links = " · ".join(f"<{url}|{name}>" for name, url in facts.links)
    foot = " · ".join(part for part in (links, _fine_print(incident, facts)) if part)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": title}}]
    blocks += [{"type": "section", "text": {"type": "mrkdwn", "text": body}} for body in bodies]
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": foot}]})
    return Message(text="\n\n".join([f"*{title}*", *bodies, foot]), blocks=tuple(blocks))


def _since(incident: Incident) -> str:
    text = f"First bad night {day(incident.opened_night)}"
    if incident.last_bad_night != incident.opened_night:
        text += f", last bad night {day(incident.last_bad_night)}"
    text += f"; opened {incident.opened_at:%Y-%m-%d %H:%M} UTC."
    if incident.good_nights:
        text += f" Good nights since: {', '.join(day(n) for n in incident.good_nights)}."
    return text + (f" Reopened {incident.reopened} time(s)." if incident.reopened else "")


def _how_bad(incident: Incident) -> list[str]:
    why = "; ".join(escape(r) for r in incident.assessment.reasons) if incident.assessment else "set by hand"
    return [f"*{incident.severity.name}* ({Severity.SEV1.value} is the worst of {len(Severity)}). {why}."]


def _did(incident: Incident) -> list[str]:
    done = mitigation_words(incident.mitigation, incident.mitigation_target)
    lines = [f"Vigil *{done}*."] if incident.mitigation is not Mitigation.NONE else ["No version was changed."]
    if incident.replay is not None:
        return [*lines, *replay_lines(incident.replay)]
    if not {Family.FAIRNESS, Family.PERFORMANCE} & set(families(incident)):
        return [*lines, "No replay: another version cannot answer for what was found here."]
    return [*lines, "The replay through other versions has not been recorded yet."]


def _next(incident: Incident, facts: RoomFacts) -> list[str]:
    """What to press or decide, by state."""
    match incident.status:
        case Status.TRIAGE | Status.OPEN | Status.ACKNOWLEDGED:
            take = f"• Take it: {code(f'vigil incidents ack {incident.id} --by YOU')}"
            taken = f"• Taken by {escape(incident.acknowledged_by or '')}."
            return [*_decide(incident, facts), taken if incident.acknowledged_by else take]
        case Status.MITIGATED:
            return _after_mitigation(incident, facts)
        case Status.RECOVERED:
            return ["• Nothing to press. More good nights of the champion close this incident."]
        case Status.RESOLVED:
            return [f"• Nothing to press: closed. A breach within {REOPEN_NIGHTS} nights reopens it here."]
        case Status.NEVER_WAS:
            return ["• Nothing to press: with the late labels there was no breach."]
        case Status.MERGED:
            return ["• Work goes on in the incident that this one was merged into."]


def _decide(incident: Incident, facts: RoomFacts) -> list[str]:
    if incident.held:
        return [f"• Held by people: Vigil changes nothing until {code(f'vigil incidents release {incident.id}')}."]
    if is_blind(s for f in incident.findings for s in f.signals):
        return ["• Make the monitor see again: open the Airflow DAG, repair the failed task, run the night anew."]
    if incident.proposed is Mitigation.FREEZE:
        return ["• *Decide:* no version is known to be better. Freeze promotions, and say whether the model may go on."]
    if incident.proposed is not Mitigation.NONE and incident.replay is not None:
        advice = advice_words(incident.proposed, incident.replay.target_version)
        return [f"• The replay supports {advice}. If Airflow waits for approval: *approve or reject it there*."]
    who = f" ({escape(facts.data_owner)})" if facts.data_owner else ""
    return [f"• Ask the data owner{who} what changed upstream; the nightly report shows which inputs moved."]


def _after_mitigation(incident: Incident, facts: RoomFacts) -> list[str]:
    if incident.mitigation is Mitigation.ROLLBACK:
        bad = ", ".join(code(v) for v in incident.versions if v != incident.mitigation_target)
        return [
            f"• Nothing to press now. Find out what is wrong with version {bad or '(see the incident)'}.",
            "• Good nights of the champion close this incident by themselves.",
        ]
    who = escape(facts.data_owner or facts.owner)
    return [
        f"• {who}: repair the cause upstream.",
        f"• Then let the champion serve again: {code(f'vigil restore {facts.model} --reason WHY --actor YOU')}. "
        "Its good nights close this incident; nights of the rules do not.",
    ]


def _people(facts: RoomFacts) -> str:
    roles = [("Owner", (facts.owner,)), ("on call", facts.on_call)]
    roles += [("data owner", (facts.data_owner,))] if facts.data_owner else []
    roles += [("governance", (facts.governance,))] if facts.governance else []
    return " · ".join(f"{role} {', '.join(escape(p) for p in people)}" for role, people in roles if people)


def _fine_print(incident: Incident, facts: RoomFacts) -> str:
    access = ", decides on access (credit, job, benefit)" if facts.affects_access else ""
    return f"incident {code(incident.id)} · tier {facts.tier}{access} · aggregates only, no rows"


# --- news: one event -> the lines of one post --------------------------------------------------------------

Told = Mapping[str, Any]


def _text(told: Told, key: str, default: str = "") -> str:
    value = told.get(key)
    return short(str(value)) if value not in (None, "") else default


def _signals(told: Told) -> list[Signal]:
    return [Signal.model_validate(s) for s in told.get("signals", ())]


def _bad_night(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    signals = _signals(told)
    night = _text(told, "night", incident.last_bad_night.isoformat())
    new = [f.family for f in incident.findings if f.first_night.isoformat() == night > str(incident.opened_night)]
    if is_blind(signals):
        title = f":see_no_evil: *The monitor is blind* for the night of {night}: nothing was found, nothing is ok."
    elif new:
        title = f":mag: *New finding: {', '.join(f.value for f in new)}*, on the night of {night}."
    else:
        title = f":repeat: *It happened again*, on the night of {night}."
    mitigated = incident.mitigation is not Mitigation.NONE
    still = f"Mitigation so far: {mitigation_words(incident.mitigation, incident.mitigation_target)}."
    return [title, *_bullets(signals), still if mitigated else "Nothing is mitigated yet."]


def _bullets(signals: Sequence[Signal], most: int = 8) -> list[str]:
    more = [f"• _+{len(signals) - most} more_"] if len(signals) > most else []
    return [*(f"• {verdict_line(s.verdict)}" for s in signals[:most]), *more]


def _reopened(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    night = _text(told, "night", incident.last_bad_night.isoformat())
    title = f":rotating_light: *It came back* on the night of {night}: the incident is open again."
    return [title, *_bullets(_signals(told)), *_next(incident, facts)]


def _replayed(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    replay = Replay.model_validate(told["replay"]) if "replay" in told else incident.replay
    if replay is None:
        return [":arrows_counterclockwise: *The replay gave no answer.*"]
    advice = advice_words(replay.mitigation, replay.target_version)
    return [f":arrows_counterclockwise: *The replay supports {advice}.*", *replay_lines(replay)]


def _mitigation_done(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    mitigation = Mitigation(told.get("mitigation", incident.mitigation))
    done = mitigation_words(mitigation, _raw(told, "to") or incident.mitigation_target)
    before = f" (before: version {code(_raw(told, 'from'))})" if _raw(told, "from") else ""
    by = "by itself, as the policy allows" if told.get("automatic") else f"approved by {_text(told, 'by', 'people')}"
    lines = [f":white_check_mark: *Done: {done}*{before}, {by}."]
    lines += [f"Why: {_text(told, 'reason')}"] if told.get("reason") else []
    if told.get("verified") is True:
        lines.append(f"Verified: {_text(told, 'how', 'the serving layer answers with it')}.")
    elif told.get("verified") is False:
        lines.append(f":warning: *Not verified:* {_text(told, 'how', 'nobody asked the serving layer')}.")
    return [*lines, *(_next(incident, facts) if incident.status is Status.MITIGATED else ())]


def _raw(told: Told, key: str) -> str:
    return "" if told.get(key) is None else str(told[key])


def _mitigation_failed(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    return [
        f":x: *The mitigation failed: {_advice(incident, told)}.* {_text(told, 'why', 'No reason was recorded.')}",
        "• *Decide now:* nothing is mitigated. Trigger `vigil_rollback` in Airflow by hand, or freeze promotions.",
    ]


def _mitigation_declined(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    who = _text(told, "by", "people")
    title = f":no_entry: *Declined by {who}: {_advice(incident, told)}.* {_text(told, 'why')}"
    return [title.rstrip(), "• The harm goes on until somebody decides otherwise."]


def _propose(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    why = [f"Why: {escape(incident.replay.why)}."] if incident.replay else []
    if told.get("mitigation") == Mitigation.FREEZE.value:
        ask = "• Freeze promotions of this model, and say here whether it may go on serving."
    else:
        ask = "• The policy lets only people do this: trigger `vigil_rollback` in Airflow, or say here why not."
    return [f":raised_hand: *Decision needed: {_advice(incident, told)}.*", *why, ask]


def _advice(incident: Incident, told: Told) -> str:
    target = _raw(told, "to") or (incident.replay.target_version if incident.replay else None)
    return advice_words(Mitigation(told.get("mitigation", incident.proposed)), target)


def _recovered(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    night = f"The night of {_text(told, 'night', 'today')} was good"
    proof = f": version {code(_raw(told, 'version'))}, {told['rows']:,} rows." if "rows" in told else "."
    return [f":seedling: *Recovered.* {night}{proof}", *_next(incident, facts)]


def _resolved(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    why = _text(told, "why", "the good nights are there")
    return [
        f":tada: *Resolved:* {why}.",
        f"Opened {incident.opened_at:%Y-%m-%d %H:%M} UTC. {_next(incident, facts)[0][2:]}",
    ]


def _never_was(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    return [f":leftwards_arrow_with_hook: *It never was:* {_text(told, 'why', 'late labels moved the figures')}."]


def _held(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    by = _text(told, "by", "people")
    return [f":pause_button: *Held by {by}:* {_text(told, 'why')}", *_decide(incident, facts)[:1]]


def _released(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    return [f":arrow_forward: *Released by {_text(told, 'by', 'people')}:* {_text(told, 'why')}"]


def _severity(incident: Incident, facts: RoomFacts, told: Told) -> list[str]:
    by = _text(told, "by", "people")
    return [f":straight_ruler: *{incident.severity.name} now*, set by {by}: {_text(told, 'why', 'no reason given')}"]


def _clip(text: str, most: int) -> str:
    """Cut before a half entity or half link."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    for opening, closing in (("&", ";"), ("<", ">")):
        if head.rfind(opening) > head.rfind(closing):
            head = head[: head.rfind(opening)]
    return head + "…"


NEWS: Mapping[str, Callable[[Incident, RoomFacts, Told], list[str]]] = {
    "opened": lambda _incident, _facts, _told: [],  # told by the summary
    "signals": _bad_night,
    "reopened": _reopened,
    "replayed": _replayed,
    "mitigation_done": _mitigation_done,
    "mitigation_failed": _mitigation_failed,
    "mitigation_declined": _mitigation_declined,
    "propose": _propose,
    "recovered": _recovered,
    "resolved": _resolved,
    "never_was": _never_was,
    "held": _held,
    "released": _released,
    "severity_overridden": _severity,
}
