"""Clauses that messages are made of. Everything that may come from data goes through `escape` or `code`."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date

from vigil.core.words import Family, Mitigation
from vigil.incidents.subjects import ALL
from vigil.incidents.types import Basis, Finding, Incident, Replay, ReplayedVersion, Signal, Standing, Status
from vigil.metrics.types import Worse
from vigil.verdicts.types import State, Verdict
from vigil.verdicts.words import counted, interval, number

MOST_SIGNALS = 8
LONGEST_NAME = 80
LONGEST_REASON = 300
HARM_FIRST = (Family.FAIRNESS, Family.PERFORMANCE, Family.SERVICE, Family.QUALITY, Family.DRIFT)
METRICS = {  # how people say it; other metrics are said by their name
    "selection_rate_ratio": "selection-rate ratio (AIR)",
    "parity_difference": "selection-rate difference",
    "equal_opportunity": "equal opportunity (difference of true-positive rates)",
    "psi": "population stability index (PSI)",
    "js": "Jensen-Shannon divergence",
    "auc": "AUC",
    "expectation": "data expectation",
    "judged": "questions judged",
}


def escape(text: str) -> str:
    """Text from data, made harmless for Slack: no mention, link or control character comes through.

    >>> escape("<!channel> A&B")
    '&lt;!channel&gt; A&amp;B'
    """
    visible = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return visible.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(text: str, most: int = LONGEST_REASON) -> str:
    """Cut, then escaped."""
    return escape(text if len(text) <= most else text[: most - 1] + "…")


def clip(text: str, most: int) -> str:
    """Text that is already escaped, cut before a half entity or half link.

    >>> clip("a &amp; b", 5)
    'a …'
    """
    if len(text) <= most:
        return text
    head = text[: most - 1]
    for opening, closing in (("&", ";"), ("<", ">")):
        if head.rfind(opening) > head.rfind(closing):
            head = head[: head.rfind(opening)]
    return head + "…"


def code(text: str) -> str:
    """A name from data as inline code, cut to 80 characters.

    >>> code("sex=`<b>`")
    "`sex='&lt;b&gt;'`"
    """
    return f"`{short(text.replace('`', chr(39)), LONGEST_NAME)}`"


def day(night: date) -> str:
    """`Sat 21 Nov 2026`."""
    return f"{night:%a} {night.day} {night:%b %Y}"


def question(verdict: Verdict) -> str:
    """What was asked, in words: the metric, and of what."""
    words = METRICS.get(verdict.metric) or escape(verdict.metric.replace("_", " "))
    words = words[:1].upper() + words[1:]
    return words if verdict.subject == "all" else f"{words} for {code(verdict.subject)}"


def verdict_line(verdict: Verdict) -> str:
    """`*Selection-rate ratio (AIR) for sex=female: 0.61* [0.55, 0.68], n = 1,204, was 0.97 on …; limit < 0.8`."""
    m = verdict.measurement
    if verdict.state is State.UNKNOWN or m is None or m.value is None:
        cause = f"unknown ({verdict.cause.value})" if verdict.cause else verdict.state.value
        return f"*{question(verdict)}: {cause}.* {short(verdict.reason)}"
    value = escape(number(m.value, m.unit))
    text = f"*{question(verdict)}: {value}*{escape(interval(m))}, {escape(counted(m))}"
    if verdict.limit is not None:
        text += f"; limit {escape(verdict.limit.words())}"
    if verdict.hard:
        text += ", beyond the hard bound"
    return ". ".join([text, *(short(part) for part in (verdict.trend, m.detail) if part)])


def finding_words(finding: Finding, most: int = 4) -> str:
    """`drift of income, age and 2 more`: the family, and what went bad, unless that is the model as a whole."""
    named = [code(s) for s in finding.subjects if s != ALL]
    shown = ", ".join(named[:most]) + (f" and {len(named) - most} more" if len(named) > most else "")
    return f"{finding.family.value} of {shown}" if shown else finding.family.value


def signal_line(signal: Signal) -> str:
    """A verdict in words, and whether it is told because its review is due."""
    due = f". *Review due* since {day(signal.review)}: it stood as known." if signal.review else ""
    return f"{verdict_line(signal.verdict)}{due}"


def standing_lines(standing: Sequence[Standing], model: str) -> list[str]:
    """What stays bad and is known, until when, and what to do if the world has changed for good."""
    lines = [f"• Known until the review on {day(s.review)}: {verdict_line(s.verdict)}" for s in standing[:MOST_SIGNALS]]
    if len(standing) > MOST_SIGNALS:
        lines.append(f"• _+{len(standing) - MOST_SIGNALS} more; all are on the incident page_")
    lasting = [s.first_night for s in standing if s.basis is Basis.LASTING and s.verdict.family is Family.DRIFT]
    if lasting:
        command = code(f"vigil rebaseline {model} --since {min(lasting)}")
        lines.append(
            f"• The world seems to have changed. If it has, for good: {command} with `--reason` and `--actor`."
        )
    return lines


def by_harm(findings: Iterable[Finding]) -> list[Finding]:
    """Harm before causes."""
    return sorted(findings, key=lambda f: HARM_FIRST.index(f.family))


def families(incident: Incident) -> list[Family]:
    """The families of an incident, harm first."""
    return list(dict.fromkeys(f.family for f in by_harm(incident.findings)))


def is_blind(signals: Iterable[Signal]) -> bool:
    """Whether nothing was measured: every signal is an unknown."""
    states = [s.verdict.state for s in signals]
    return bool(states) and all(s is State.UNKNOWN for s in states)


def signal_lines(findings: Sequence[Finding], *, latest: date) -> list[str]:
    """The worst signals of each family as bullets, about eight in all, and how many more there are."""
    each = max(2, MOST_SIGNALS // max(1, len(findings)))
    lines: list[str] = []
    for finding in by_harm(findings):
        ordered = _worst_first(finding.signals)
        for signal in ordered[:each]:
            when = "" if signal.night == latest else f" (night of {day(signal.night)})"
            lines.append(f"• {signal_line(signal)}{when}")
        if len(ordered) > each:
            lines.append(f"• _+{len(ordered) - each} more in {finding.family.value}; all are on the incident page_")
    return lines


def _worst_first(signals: Sequence[Signal]) -> list[Signal]:
    """Known before unknown, hard before soft; within a metric the worst value first."""
    metrics = list(dict.fromkeys(s.verdict.metric for s in signals))

    def badness(signal: Signal) -> tuple[bool, bool, int, float]:
        v = signal.verdict
        value = v.measurement.value if v.measurement else None
        lower = v.measurement is not None and v.measurement.worse is Worse.LOWER
        rank = 0.0 if value is None else (value if lower else -abs(value))
        return (v.state is State.UNKNOWN, not v.hard, metrics.index(v.metric), rank)

    return sorted(signals, key=badness)


def replay_lines(replay: Replay) -> list[str]:
    """What each other version would have done, with its numbers, and the conclusion."""
    lines = [f"Replay of the inputs of {day(replay.night)}:"]
    lines += [f"• {_replayed(version)}" for version in replay.versions]
    return [*lines, f"→ {escape(replay.why[:1].upper() + replay.why[1:])}."]


def _replayed(version: ReplayedVersion) -> str:
    name = f"{escape(version.role)} version {code(version.version)}"
    if not version.verdicts:
        return f"{name}: *could not be told.* {short(version.why)}"
    answer = {True: "would help", False: "would not help", None: "could not be told"}[version.helps]
    seen = "; ".join(f"{_state(v)} {verdict_line(v)}" for v in version.verdicts[:3])
    more = f"; +{len(version.verdicts) - 3} more" if len(version.verdicts) > 3 else ""
    return f"{name} *{answer}* ({version.rows:,} rows): {seen}{more}"


def _state(verdict: Verdict) -> str:
    match verdict.state:
        case State.OK | State.WARN | State.BREACH:
            return verdict.state.value + ","
        case State.UNKNOWN:
            return ""


def mitigation_words(mitigation: Mitigation, target: str | None) -> str:
    """What was done, as a clause."""
    version = code(target) if target else "(not named)"
    match mitigation:
        case Mitigation.ROLLBACK:
            return f"rolled back: version {version} is the champion again"
        case Mitigation.FALLBACK:
            return f"fell back: the rules of version {version} answer in the champion's place"
        case Mitigation.FREEZE:
            return "froze promotions of this model"
        case Mitigation.NONE:
            return "changed nothing"


def advice_words(mitigation: Mitigation, target: str | None) -> str:
    """What is proposed, as a noun clause."""
    version = f" to version {code(target)}" if target else ""
    match mitigation:
        case Mitigation.ROLLBACK:
            return f"a rollback{version}"
        case Mitigation.FALLBACK:
            return f"the fallback{version.replace(' to ', ', ')}"
        case Mitigation.FREEZE:
            return "a freeze of promotions"
        case Mitigation.NONE:
            return "no change"


def status_word(status: Status) -> str:
    """The state as the topic says it.

    >>> status_word(Status.NEVER_WAS)
    'never was'
    """
    return status.value.replace("_", " ")
