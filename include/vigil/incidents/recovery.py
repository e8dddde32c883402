"""How incidents end: each question by good nights of its own, by standing, or since nothing can answer it any more."""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from math import ceil
from statistics import median

from pydantic import Field

from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.incidents.episodes import NewEvent
from vigil.incidents.events import GoodNight, IncidentRecovered, IncidentResolved, QuietNight
from vigil.incidents.lifecycle import answered
from vigil.incidents.standing import is_bad
from vigil.incidents.types import Basis, Incident, Question, Standing, Status
from vigil.verdicts.types import Cause, Onset, State, Verdict

CAUSES = (Family.DRIFT, Family.QUALITY)  # not harm: what lasts may stand
NOTHING_THERE = (Cause.NO_DATA, Cause.TOO_FEW_ROWS, Cause.TOO_FEW_NIGHTS)  # an unknown that nobody's failure explains
USUAL_NIGHTS = 28
MOST_ROWS = 100


class AnswerKind(StrEnum):
    """How a night answers a question of an incident, other than badly."""

    GOOD = "good"
    KNOWN = "known"  # beyond a bound, and not worse than it has always been
    UNANSWERED = "unanswered"  # nothing there to answer it with


def kind_of(verdict: Verdict) -> AnswerKind | None:
    """The kind of an answer; None where it is bad, provisional, or an unknown that neither counts nor resets."""
    if verdict.cohort:
        return None
    if verdict.state is State.UNKNOWN:
        nothing = verdict.cause in NOTHING_THERE and not verdict.overdue
        return AnswerKind.UNANSWERED if nothing else None
    if not is_bad(verdict):
        return AnswerKind.GOOD
    return AnswerKind.KNOWN if verdict.onset is Onset.KNOWN and verdict.state is State.BREACH else None


def usual_rows_share(rows: Sequence[int]) -> int:
    """A quarter of a model's usual night, 1 to 100 rows. rows: of its nights, oldest first; empty ones do not count.

    >>> usual_rows_share([30, 28, 0, 33]), usual_rows_share([10_000]), usual_rows_share([])
    (8, 100, 1)
    """
    usual = median([r for r in rows if r > 0][-USUAL_NIGHTS:] or [1])
    return max(1, min(MOST_ROWS, ceil(usual / 4)))


class Recovery(Spec):
    """What an end takes.

    nights: good (or known) answers that settle a question.
    standing_nights: judged nights after which drift that stays, and a question without an answer, keep nothing open.
    review_days: after so many days a bad answer that stands is a signal again.
    """

    nights: int
    standing_nights: int = 10
    review_days: int = 90


class Answers(Spec):
    """One night's answers to an incident's questions, in the champion's role, over enough rows.

    good, known, unanswered: ids of questions. verdicts: what was judged, by id.
    """

    night: date
    version: str
    rows: int
    good: tuple[str, ...] = ()
    known: tuple[str, ...] = ()  # beyond a bound, and not worse than it has always been
    unanswered: tuple[str, ...] = ()  # nothing there to answer them with
    verdicts: dict[str, Verdict] = Field(default_factory=dict)


def night_events(incident: Incident, answers: Answers, policy: Recovery) -> tuple[NewEvent, ...]:
    """What a night's answers add: they are counted per question; recovery, and the end, when every question has its."""
    if not incident.is_open:
        return ()
    counted = _counted(incident, answers, policy)
    events = [NewEvent(key=_key(incident, counted), body=counted)] if counted else []
    after = answered(incident, counted) if counted else incident
    end = _end(after, answers, policy)
    since = f"{after.last_bad_night}/{after.tellings}"  # the same again after each bad night that was told
    if _recovered(after, policy) and after.status is not Status.RECOVERED:
        recovered = IncidentRecovered(night=answers.night, version=answers.version, rows=answers.rows)
        events.append(NewEvent(key=f"{recovered.type}/{since}", body=recovered))
    if end is not None:
        events.append(NewEvent(key=f"{end.type}/{since}", body=end))
    return tuple(events)


def _counted(incident: Incident, answers: Answers, policy: Recovery) -> GoodNight | QuietNight | None:
    """The answers that are not counted yet, of questions that are not settled."""

    def waits(name: str, kind: str) -> bool:
        q = incident.questions.get(name)
        new = q is not None and answers.night > q.last_bad and answers.night not in getattr(q, kind)
        return new and q is not None and not settled(q, policy)

    good = sorted(q for q in answers.good if waits(q, "good"))
    known = sorted(q for q in answers.known if waits(q, "known"))
    unanswered = sorted(q for q in answers.unanswered if waits(q, "unanswered"))
    if not (good or known or unanswered):
        return None
    kind = GoodNight if good else QuietNight
    return kind(
        night=answers.night,
        version=answers.version,
        rows=answers.rows,
        answered=tuple(good),
        known=tuple(known),
        unanswered=tuple(unanswered),
    )


def _key(incident: Incident, counted: GoodNight | QuietNight) -> str:
    questions = [incident.tellings, counted.answered, counted.known, counted.unanswered]
    return f"{counted.type}/{counted.night}/{digest(questions, length=12)}"


def settled(question: Question, policy: Recovery) -> bool:
    """Whether a question keeps its incident open no more."""
    return question.standing is not None or _often(question) >= policy.nights or _given_up(question, policy)


def _often(question: Question) -> int:
    """How many nights answered it well, or no worse than always, since it was bad last."""
    return len({*question.since(question.good), *question.since(question.known)})


def _given_up(question: Question, policy: Recovery) -> bool:
    return len(question.since(question.unanswered)) >= policy.standing_nights


def _recovered(incident: Incident, policy: Recovery) -> bool:
    """Whether every question was answered well, or is settled, one of them by a good answer at least."""
    each = list(incident.questions.values())
    return any(q.since(q.good) for q in each) and all(q.since(q.good) or settled(q, policy) for q in each)


def _end(incident: Incident, answers: Answers, policy: Recovery) -> IncidentResolved | None:
    """What the end of an incident says: why, what stands from now on, what was not answered; None: it goes on."""
    each = list(incident.questions.values())
    lasting = _lasting(incident, answers, policy)
    if not all(settled(q, policy) or q.id in lasting for q in each):
        return None
    standing = []
    for q in each:
        if q.standing is None and q.id in lasting:
            standing.append(_standing(incident, q, Basis.LASTING, answers, policy))
        elif q.standing is None and q.since(q.known) and _often(q) >= policy.nights:
            standing.append(_standing(incident, q, Basis.KNOWN, answers, policy))
    stand = {s.question for s in standing} | {s.question for s in incident.standing}
    good = [_often(q) for q in each if q.id not in stand and _often(q) >= policy.nights]
    lost = [q for q in each if q.id not in stand and _often(q) < policy.nights]
    return IncidentResolved(
        night=answers.night,
        version=answers.version,
        rows=answers.rows,
        why="; ".join(_why(incident, answers, good, lost, standing)),
        standing=tuple(standing),
        unanswered=tuple(q.id for q in lost),
    )


def _why(
    incident: Incident, answers: Answers, good: Sequence[int], lost: Sequence[Question], standing: Sequence[Standing]
) -> list[str]:
    said = []
    if good:
        said.append(f"{min(good)} good night(s) of version {answers.version} in the champion's role")
    if lost:
        named = ", ".join(f"{q.id} since {min(q.since(q.unanswered))}" for q in lost)
        said.append(f"not answered since: {named}")
    count = len(standing) + len(incident.standing)
    if count:
        said.append(f"{count} {'finding stands' if count == 1 else 'findings stand'}, known and to be reviewed")
    return said


def _lasting(incident: Incident, answers: Answers, policy: Recovery) -> frozenset[str]:
    """Questions of drift and quality that are still bad tonight, where for many nights nothing new was.

    Harm that is new never lasts into standing: as long as one such question is open, nothing does.
    """
    if sum(incident.newest_fault < n <= answers.night for n in incident.nights) < policy.standing_nights:
        return frozenset()
    left = [q for q in incident.questions.values() if not settled(q, policy)]
    bad = {s.verdict.id for f in incident.findings for s in f.signals if _may_last(s.verdict)}
    if not all(q.id in bad and q.last_bad == answers.night for q in left):
        return frozenset()
    return frozenset(q.id for q in left)


def _may_last(verdict: Verdict) -> bool:
    """Drift of any size; quality that is beyond a bound, and no failure of its own (a column that is gone)."""
    return is_bad(verdict) and verdict.family in CAUSES and (verdict.family is Family.DRIFT or not verdict.hard)


def _standing(incident: Incident, q: Question, basis: Basis, answers: Answers, policy: Recovery) -> Standing:
    found, signal = next((f, s) for f in incident.findings for s in f.signals if s.verdict.id == q.id)
    now = answers.verdicts.get(q.id)
    return Standing(
        question=q.id,
        fingerprint=q.fingerprint,
        basis=basis,
        night=answers.night,
        first_night=found.first_night,
        review=answers.night + timedelta(days=policy.review_days),
        verdict=now if now is not None and is_bad(now) else signal.verdict,
    )
