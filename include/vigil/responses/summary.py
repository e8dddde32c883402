"""The war room of an incident, and its pinned summary: always the present state.

The reader was woken at 3 a.m. In this order: what broke, since when, how bad, what Vigil did and saw, what to
decide next, who is here. Aggregates only, never rows; everything from data is escaped.
"""

from typing import Any

from vigil.core.ids import slug
from vigil.core.spec import Spec
from vigil.core.words import Family, Mitigation
from vigil.incidents.episodes import REOPEN_NIGHTS
from vigil.incidents.types import Incident, Severity, Status
from vigil.responses.phrases import (
    advice_words,
    by_harm,
    clip,
    code,
    day,
    escape,
    families,
    is_blind,
    mitigation_words,
    replay_lines,
    signal_lines,
    standing_lines,
    status_word,
)
from vigil.responses.types import Message, Room

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
    smallest_group_shown: int = 0

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
        topic=clip(_topic(incident, facts), SHORT),
        purpose=_purpose(incident, facts),
        invite=invited(facts),
        summary=summary(incident, facts),
        private=facts.private,
        bookmarks=facts.links,
    )


def invited(facts: RoomFacts) -> tuple[str, ...]:
    """The addresses to invite: those given, else owner and on call."""
    return facts.invite or tuple(dict.fromkeys((facts.owner, *facts.on_call)))


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
    return f"{clip(text, SHORT - len(marker) - 1)} {marker}"


def summary(incident: Incident, facts: RoomFacts) -> Message:
    """The pinned message: the same words as plain text and as blocks."""
    title = clip(
        f"{incident.severity.name}: {_what_kind(incident)} of {escape(facts.model)} ({escape(facts.environment)})",
        HEADER,
    )
    sections = [
        ("What broke", signal_lines(incident.findings, latest=incident.last_bad_night)),
        ("Since when", [_since(incident), *(f"• {escape(clue.text)}" for clue in incident.clues)]),
        ("How bad", _how_bad(incident)),
        ("What Vigil did and saw", _did(incident)),
        ("Next", next_steps(incident, facts)),
        ("Who is here", [_people(facts)]),
    ]
    bodies = [clip("\n".join([f"*{name}*", *lines]), SECTION) for name, lines in sections]
    links = " · ".join(f"<{url}|{name}>" for name, url in facts.links)
    foot = " · ".join(part for part in (links, _fine_print(incident, facts)) if part)
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": title}}]
    blocks += [{"type": "section", "text": {"type": "mrkdwn", "text": body}} for body in bodies]
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": foot}]})
    return Message(text="\n\n".join([f"*{title}*", *bodies, foot]), blocks=tuple(blocks))


def _since(incident: Incident) -> str:
    text = f"First bad night {day(incident.first_night)}"
    if incident.first_night < incident.opened_night:
        text += f" (known since later labels; opened for {day(incident.opened_night)})"
    if incident.last_bad_night != incident.first_night:
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


def next_steps(incident: Incident, facts: RoomFacts) -> list[str]:
    """What to press or decide, by state."""
    match incident.status:
        case Status.TRIAGE | Status.OPEN | Status.ACKNOWLEDGED:
            take = f"• Take it: {code(f'vigil incidents ack {incident.id} --by YOU')}"
            taken = f"• Taken by {escape(incident.acknowledged_by or '')}."
            return [*decide(incident, facts), taken if incident.acknowledged_by else take]
        case Status.MITIGATED:
            return _after_mitigation(incident, facts)
        case Status.RECOVERED:
            return ["• Nothing to press. More good nights of the champion close this incident."]
        case Status.RESOLVED:
            over = f"• Nothing to press: closed. A breach within {REOPEN_NIGHTS} nights reopens it here."
            return [over, *standing_lines(incident.standing, incident.monitor)]
        case Status.NEVER_WAS:
            return ["• Nothing to press: with the late labels there was no breach."]
        case Status.MERGED:
            return ["• Work goes on in the incident that this one was merged into."]


def decide(incident: Incident, facts: RoomFacts) -> list[str]:
    """What people must settle while nothing is mitigated."""
    if incident.held:
        return [f"• Held by people: Vigil changes nothing until {code(f'vigil incidents release {incident.id}')}."]
    if is_blind(s for f in incident.findings for s in f.signals):
        return ["• Make the monitor see again: open the Airflow DAG, repair the failed task, run the night anew."]
    if incident.proposed is Mitigation.FREEZE:
        return ["• *Decide:* no version is known to be better. Promotions are frozen; say whether the model may go on."]
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
    """Roles and addresses of those who were invited."""
    roles = (
        ("Owner", (facts.owner,)),
        ("on call", facts.on_call),
        ("data owner", (facts.data_owner,)),
        ("governance", (facts.governance,)),
    )
    here = [(role, [escape(p) for p in people if p and p in invited(facts)]) for role, people in roles]
    return " · ".join(f"{role} {', '.join(people)}" for role, people in here if people)


def _fine_print(incident: Incident, facts: RoomFacts) -> str:
    access = ", decides on access (credit, job, benefit)" if facts.affects_access else ""
    return f"incident {code(incident.id)} · tier {facts.tier}{access} · aggregates only, no rows"
