"""What is measured on a stream: coverage of drift questions, false alarms, incidents without end, equal verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from field_play import MODEL, Failed, Home, Nightly, Past
from field_streams import Stream

from vigil.core.words import Family
from vigil.incidents.types import Incident
from vigil.verdicts.types import Cause, NightResult, Onset, State, Verdict

LEARNT = 14  # nights with rows before those on which drift questions are due
QUIET_FOR = 10  # judged nights without anything new, after which an incident should have ended
SHOWN = 6  # examples
Answers = dict[tuple[date, str], str]  # (night, question) -> state


def measured(stream: Stream, past: Past) -> dict[str, Any]:
    """Everything about one stream that was judged by `vigil backtest`."""
    served = [r for r in past.results if r.rows]
    return {
        "stream": stream.name, "says": stream.says, "order": stream.order.value, "quiet": stream.quiet,
        "nights": len(served), "rest_nights": len(past.results) - len(served), "rows": sum(r.rows for r in served),
        "coverage": coverage(served), "alarms": alarms(stream, past.results), "incidents": len(past.incidents),
        "endless": endless(past), "states": states(past.results),
    }  # fmt: skip


def coverage(served: Sequence[NightResult]) -> dict[str, Any]:
    """Drift questions that got an answer, of those that were due; and why the others got none."""
    drift_verdicts = [v for r in served[LEARNT:] for v in r.verdicts if v.family is Family.DRIFT]
    due = [v for v in drift_verdicts if v.cause is not Cause.LABELS_PENDING]
    conclusive = [v for v in due if v.state is not State.UNKNOWN]
    nightly = [sum(v.family is Family.DRIFT for v in r.verdicts) for r in served]
    why = Counter(v.cause.value for v in due if v.cause)
    return {
        "judged": len(conclusive), "due": len(due), "share": len(conclusive) / len(due) if due else None,
        "questions_a_night": median(nightly) if nightly else 0, "why": dict(why.most_common()),
    }  # fmt: skip


def is_known(stream: Stream, verdict: Verdict) -> bool:
    """Whether an alarm is about what is so since the reference: the judge says so, or the stream was built so."""
    built = any(verdict.family.value == family and part in verdict.id for family, part in stream.known)
    return built or getattr(verdict, "onset", None) is Onset.KNOWN


def alarms(stream: Stream, results: Sequence[NightResult]) -> dict[str, Any]:
    """Nights with a breach, and with a warn at most; those whose alarms are all known counted apart. An overdue
    unknown counts as a breach: people are told of it."""
    kinds: Counter[str] = Counter()
    of: Counter[str] = Counter()
    examples: list[str] = []
    for r in results:
        bad = [v for v in r.verdicts if v.state is State.BREACH or (v.state is State.UNKNOWN and v.overdue)]
        warned = [v for v in r.verdicts if v.state is State.WARN]
        new = [v for v in bad if not is_known(stream, v)]
        if new:
            kinds["breach"] += 1
            of.update(v.id for v in new)
            examples += [f"{r.night} {v.reason}" for v in new]
        elif any(not is_known(stream, v) for v in warned):
            kinds["warn"] += 1
        elif bad or warned:
            kinds["known"] += 1
    return {
        "nights": len(results), "breach": kinds["breach"], "warn": kinds["warn"], "known": kinds["known"],
        "questions": dict(of.most_common(SHOWN)), "examples": examples[:SHOWN],
    }  # fmt: skip


def endless(past: Past) -> list[dict[str, Any]]:
    """Incidents that are open at the end although nothing new was bad on the last judged nights."""
    served = [r for r in past.results if r.rows]
    incidents = []
    for incident in past.incidents:
        newest = newest_bad(incident, served)
        since = sum(r.night > newest for r in served)
        if incident.is_open and since >= QUIET_FOR:
            names = sorted({s.verdict.id for f in incident.findings for s in f.signals})
            incidents.append(
                {
                    "incident": incident.id, "severity": incident.severity.name, "newest_bad": newest.isoformat(),
                    "nights_since": since, "questions": names[:SHOWN],
                }
            )  # fmt: skip
    return incidents


def newest_bad(incident: Incident, served: Sequence[NightResult]) -> date:
    """The last night on which one of the incident's questions was bad that had not been on the nights before it."""
    questions = {s.verdict.id for f in incident.findings for s in f.signals}
    bad = [{v.id for v in r.verdicts if v.id in questions and _told(v)} for r in served]
    newest = incident.opened_night
    for place, r in enumerate(served):
        before = set().union(*bad[max(0, place - QUIET_FOR) : place])
        if bad[place] - before and r.night > newest:
            newest = r.night
    return newest


def _told(verdict: Verdict) -> bool:
    return verdict.state is State.BREACH or verdict.ticket or (verdict.state is State.UNKNOWN and verdict.overdue)


def states(results: Sequence[NightResult]) -> dict[str, int]:
    """State -> verdicts."""
    return dict(sorted(Counter(v.state.value for r in results for v in r.verdicts).items()))


def ways(stream: Stream, folder: Path) -> dict[str, Any]:
    """One log, judged by the preview of `vigil init`, by a backfill, by a backtest and night by night."""
    whole_home = Home(folder / "shown", stream).whole_log()
    whole_home.onboarded(len(stream.nights))
    answers_by_way = {"init": answers(whole_home.stored(stream.nights))}
    home = Home(folder / "home", stream).whole_log()
    home.onboarded(0)
    return compared(home, folder, answers_by_way)


def compared(home: Home, folder: Path, others: Mapping[str, Answers]) -> dict[str, Any]:
    """A home before its first judgement: backfilled in one copy, night by night in another, each beside a backtest."""
    stream = home.stream
    filled, coming = home.copied(folder / "filled"), home.copied(folder / "coming").unlearnt()
    filled.backfilled(stream.nights)
    nightly = Nightly(coming)
    for night in stream.nights:
        nightly.night(night)
    base = answers(home.rehearsed())
    stored = {"backfill": filled.stored(stream.nights), "nightly": coming.stored(stream.nights)}
    answers_by_way = {**others, **{name: answers(past) for name, past in stored.items()}}
    return {
        "stream": stream.name, "nights": len(stream.nights), "verdicts": len(base),
        "why": {name: rebuilt(which) for name, which in (("backfill", filled), ("nightly", coming))},
        "differs": {name: difference(base, other) for name, other in answers_by_way.items()},
    }  # fmt: skip


def answers(past: Past) -> Answers:
    """(night, question) -> state."""
    return {(r.night, v.id): v.state.value for r in past.results for v in r.verdicts}


def difference(base: Answers, other: Answers) -> dict[str, Any]:
    """How many verdicts of the backtest another way gave otherwise, and which."""
    odd = sorted(key for key in {*base, *other} if base.get(key) != other.get(key))
    by = Counter(question.split("/")[0] for _, question in odd)
    examples = [f"{n} {q}: backtest {base.get((n, q))}, here {other.get((n, q))}" for n, q in odd]
    return {
        "verdicts": len(odd),
        "metrics": dict(by.most_common(SHOWN)),
        "examples": examples[:: max(1, len(odd) // SHOWN)],
    }


def rebuilt(home: Home) -> bool:
    """Whether `vigil why` makes a night in the middle again, byte for byte."""
    try:
        home.vigil("why", MODEL, str(home.stream.days[len(home.stream.days) // 2]))
    except Failed:
        return False
    return True
