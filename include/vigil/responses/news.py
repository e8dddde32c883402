"""One event -> the lines of one post. Every kind of event that people are told of has its words here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vigil.core.words import Mitigation
from vigil.incidents.types import Finding, Incident, Replay, Signal, Standing, Status
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
from vigil.responses.summary import RoomFacts, decide, next_steps


@dataclass(frozen=True)
class News:
    """What happened (`told`: the event's payload, and the action's), to which incident."""

    incident: Incident
    facts: RoomFacts
    told: Mapping[str, Any]

    def text(self, key: str, default: str = "") -> str:
        """A value as harmless text."""
        value = self.told.get(key)
        return short(str(value)) if value not in (None, "") else default

    def raw(self, key: str) -> str:
        """A value as it came, for `code`, which escapes."""
        return "" if self.told.get(key) is None else str(self.told[key])

    @property
    def signals(self) -> list[Signal]:
        """The signals of the event."""
        return [Signal.model_validate(s) for s in self.told.get("signals", ())]

    @property
    def standing(self) -> list[Standing]:
        """What stands from the event on."""
        return [Standing.model_validate(s) for s in self.told.get("standing", ())]


def _bad_night(news: News) -> list[str]:
    signals = news.signals
    night = news.text("night", news.incident.last_bad_night.isoformat())
    later = night > news.incident.opened_night.isoformat()
    fresh = later and "thread" not in news.told  # what replies to a message was told of there
    new = [f for f in news.incident.findings if fresh and f.first_night.isoformat() == night]
    if is_blind(signals):
        title = f":see_no_evil: *The monitor is blind* for the night of {night}: nothing was found, nothing is ok."
    elif new:
        named = "; ".join(f"{finding_words(f)}{_severity_of(f)}" for f in new)
        title = f":mag: *New finding: {named}*, on the night of {night}."
    else:
        title = f":repeat: *It happened again*, on the night of {night}."
    mitigated = news.incident.mitigation is not Mitigation.NONE
    still = f"Mitigation so far: {mitigation_words(news.incident.mitigation, news.incident.mitigation_target)}."
    return [title, *_bullets(signals), still if mitigated else "Nothing is mitigated yet."]


def _bullets(signals: Sequence[Signal], most: int = 8) -> list[str]:
    more = [f"• _+{len(signals) - most} more_"] if len(signals) > most else []
    return [*(f"• {signal_line(s)}" for s in signals[:most]), *more]


def _severity_of(finding: Finding) -> str:
    return f" ({finding.assessment.severity.name})" if finding.assessment else ""


def _reopened(news: News) -> list[str]:
    night = news.text("night", news.incident.last_bad_night.isoformat())
    title = f":rotating_light: *It came back* on the night of {night}: the incident is open again."
    return [title, *_bullets(news.signals), *next_steps(news.incident, news.facts)]


def _replayed(news: News) -> list[str]:
    replay = Replay.model_validate(news.told["replay"]) if "replay" in news.told else news.incident.replay
    if replay is None:
        return [":arrows_counterclockwise: *The replay gave no answer.*"]
    advice = advice_words(replay.mitigation, replay.target_version)
    return [f":arrows_counterclockwise: *The replay supports {advice}.*", *replay_lines(replay)]


def _mitigation_done(news: News) -> list[str]:
    mitigation = Mitigation(news.told.get("mitigation", news.incident.mitigation))
    done = mitigation_words(mitigation, news.raw("to") or news.incident.mitigation_target)
    before = f" (before: version {code(news.raw('from'))})" if news.raw("from") else ""
    by = "by itself, as the policy allows" if news.told.get("automatic") else f"approved by {news.text('by', 'people')}"
    lines = [f":white_check_mark: *Done: {done}*{before}, {by}."]
    lines += [f"Why: {news.text('reason')}"] if news.told.get("reason") else []
    if news.told.get("verified") is True:
        lines.append(f"Verified: {news.text('how', 'the serving layer answers with it')}.")
    elif news.told.get("verified") is False:
        lines.append(f":warning: *Not verified:* {news.text('how', 'nobody asked the serving layer')}.")
    return [*lines, *(next_steps(news.incident, news.facts) if news.incident.status is Status.MITIGATED else ())]


def _mitigation_failed(news: News) -> list[str]:
    return [
        f":x: *The mitigation failed: {_advice(news)}.* Why: {news.text('why', 'no reason was recorded')}.",
        "• *Decide now:* nothing is mitigated. Trigger `vigil_rollback` in Airflow by hand, or freeze promotions.",
    ]


def _mitigation_declined(news: News) -> list[str]:
    who = news.text("by", "people")
    title = f":no_entry: *Declined by {who}: {_advice(news)}.* Why: {news.text('why', 'no reason was given')}."
    return [title, "• The harm goes on until somebody decides otherwise."]


def _propose(news: News) -> list[str]:
    why = [f"Why: {escape(news.incident.replay.why)}."] if news.incident.replay else []
    if news.told.get("mitigation") == Mitigation.FREEZE.value:
        ask = "• Promotions of this model are frozen until this is resolved; say here whether it may go on serving."
    else:
        ask = "• The policy lets only people do this: trigger `vigil_rollback` in Airflow, or say here why not."
    return [f":raised_hand: *Decision needed: {_advice(news)}.*", *why, ask]


def _advice(news: News) -> str:
    target = news.raw("to") or (news.incident.replay.target_version if news.incident.replay else None)
    return advice_words(Mitigation(news.told.get("mitigation", news.incident.proposed)), target)


def _recovered(news: News) -> list[str]:
    night = f"The night of {news.text('night', 'today')} was good"
    proof = f": version {code(news.raw('version'))}, {news.told['rows']:,} rows." if "rows" in news.told else "."
    return [f":seedling: *Recovered.* {night}{proof}", *next_steps(news.incident, news.facts)]


def _resolved(news: News) -> list[str]:
    why = news.text("why", "the good nights are there")
    return [
        f":tada: *Resolved:* {why}.",
        *standing_lines(news.standing, news.incident.monitor),
        f"Opened {news.incident.opened_at:%Y-%m-%d %H:%M} UTC. {next_steps(news.incident, news.facts)[0][2:]}",
    ]


def _never_was(news: News) -> list[str]:
    return [f":leftwards_arrow_with_hook: *It never was:* {news.text('why', 'late labels moved the figures')}."]


def _accepted(news: News) -> list[str]:
    title = f":memo: *Accepted by {news.text('by', 'people')}:* {news.text('why', 'no reason given')}"
    return [title, *standing_lines(news.standing, news.incident.monitor)]


def _held(news: News) -> list[str]:
    by = news.text("by", "people")
    return [f":pause_button: *Held by {by}:* {news.text('why')}", *decide(news.incident, news.facts)[:1]]


def _released(news: News) -> list[str]:
    return [f":arrow_forward: *Released by {news.text('by', 'people')}:* {news.text('why')}"]


def _severity(news: News) -> list[str]:
    by = news.text("by", "people")
    return [f":straight_ruler: *{news.incident.severity.name} now*, set by {by}: {news.text('why', 'no reason given')}"]


NEWS: Mapping[str, Callable[[News], list[str]]] = {
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
    "accepted": _accepted,
    "held": _held,
    "released": _released,
    "severity_overridden": _severity,
}
