"""What a past night teaches: each question has a memory of its own, so that one weakness blinds no other question.

A night is left out of a question's memory where that question was a breach, where its column was one (drift or
quality), where the rows themselves were wrong, and, for what the model answers, where the fallback answered most rows.
Nothing here knows of incidents: an open one holds no learning back, and every way to judge a night (nightly, backfill,
backtest, why) reads the same past from the same results.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import wraps
from typing import NamedTuple, TypeVar
from weakref import ref

from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG, Scope
from vigil.metrics.types import Measurement
from vigil.verdicts.types import PROVISIONAL, Cause, NightResult, Onset, State, Verdict

T = TypeVar("T")
OF_THE_ROWS = (
    "schema",
    "rows",
    "baseline",
    "monitor",
    "other_environment",
)  # metrics that are about all rows of a night
ENDED = 2  # good answers after a breach, and its nights are added up with later ones no more


class Lesson(NamedTuple):
    """What one night must not teach.

    sound: all rows could be read, and no gate failed; a night that is not sound teaches nothing.
    questions: those that were a breach, or rested on too few of the rows. columns: those that drifted, or whose values
    were wrong.
    stood_in: the fallback answered most rows, so that answers, performance and fairness are not the champion's.
    """

    sound: bool
    questions: frozenset[str]
    columns: frozenset[str]
    stood_in: bool

    def holds_back(self, m: Measurement) -> bool:
        """Whether the night teaches nothing about this question."""
        if not self.sound or m.id in self.questions:
            return True
        if self.stood_in and _of_answers(m):
            return True
        return bool(self.columns) and not self.columns.isdisjoint(columns(m.subject))


def once_a_night(make: Callable[[NightResult], T]) -> Callable[[NightResult], T]:
    """Keeps what is made of a result as long as the result lives: a backtest asks for the same nights often."""
    kept: dict[int, tuple[ref[NightResult], T]] = {}

    @wraps(make)
    def made(result: NightResult) -> T:
        known = kept.get(id(result))
        if known is not None and known[0]() is result:
            return known[1]
        value, key = make(result), id(result)
        kept[key] = (ref(result, lambda _: kept.pop(key, None)), value)
        return value

    return made


@once_a_night
def lesson(result: NightResult) -> Lesson:
    """What a night must not teach, from how it was judged."""
    breaches = [v for v in result.verdicts if is_bad(v)]
    return Lesson(
        sound=bool(result.rows) and not any(_rows_wrong(v) for v in result.verdicts),
        questions=frozenset(v.id for v in result.verdicts if is_bad(v) or v.cause is Cause.ROWS_MISSING),
        columns=frozenset(c for v in breaches if v.family in (Family.DRIFT, Family.QUALITY) for c in _blamed(v)),
        stood_in=result.champion_rows is not None and 2 * result.champion_rows < result.rows,
    )


def is_bad(v: Verdict) -> bool:
    """Whether a verdict is a breach that was not known before: what has always been beyond its bound is usual."""
    return v.state is State.BREACH and v.onset is not Onset.KNOWN


def _rows_wrong(v: Verdict) -> bool:
    """Whether the rows of the night are not what they should be: no file of them, a failed gate, an unread file."""
    if v.metric in OF_THE_ROWS and v.state in (State.BREACH, State.UNKNOWN):
        return True
    measured = v.measurement is not None and v.measurement.value is not None
    return v.cause is Cause.GATE_FAILED or (v.cause is Cause.CHECK_FAILED and measured)


def _blamed(v: Verdict) -> tuple[str, ...]:
    """The columns that a bad verdict is about; a shift within a group blames the feature, not the group."""
    if v.columns:
        return v.columns
    entry = CATALOG.get(v.metric)
    return columns(v.subject)[:1] if entry is not None and entry.scope is not Scope.ALL else ()


def columns(subject: str) -> tuple[str, ...]:
    """The columns that a subject is about, the feature first.

    >>> columns("income"), columns("income:high|sex=female"), columns("sex=female"), columns("all")
    (('income',), ('income', 'sex'), ('sex',), ('all',))
    """
    feature, _, groups = subject.partition("|")
    first = feature.partition(":")[0]
    named = first.partition("=")[0] if "=" in first else first
    return (named, *(g.partition("=")[0] for g in groups.split("&") if groups))


def _of_answers(m: Measurement) -> bool:
    """Whether a number is about what the model answers, and not about what it was asked."""
    entry = CATALOG.get(m.metric)
    about_all = entry is not None and entry.scope is Scope.ALL
    return m.family in (Family.PERFORMANCE, Family.FAIRNESS) or (m.family is Family.DRIFT and about_all)


def waits(v: Verdict) -> bool:
    """Whether a number was not believed yet: its cohort had too few labels to be held against anything."""
    return v.cause is Cause.LABELS_PENDING or v.cohort == PROVISIONAL


class Remembered(NamedTuple):
    """One question on one past night."""

    night: date
    version: str  # that answered most of the night's rows
    measurement: Measurement
    verdict: Verdict
    teaches: bool


def remembered(history: Iterable[NightResult], metrics: Iterable[str]) -> dict[str, list[Remembered]]:
    """Question -> its past nights, oldest first, of these metrics; nights whose labels had not come are left out."""
    wanted, past = frozenset(metrics), dict[str, list[Remembered]]()
    for result in history:
        taught, version = lesson(result), main_version(result.versions)
        for v in result.verdicts:
            m = v.measurement
            if v.metric in wanted and m is not None and not waits(v) and v.cause is not Cause.ROWS_MISSING:
                past.setdefault(v.id, []).append(Remembered(result.night, version, m, v, not taught.holds_back(m)))
    return past


def taught(nights: Sequence[Remembered]) -> list[Measurement]:
    """The numbers that say what is usual."""
    return [one.measurement for one in nights if one.teaches]


def added_up(nights: Sequence[Remembered], version: str) -> list[Measurement]:
    """The numbers that may be added up with tonight's: of the same version, and of no fault that has ended.

    The bad nights of a fault that goes on are among them: without them each bad night would be thinned with the good
    ones before. A fault has ended when ENDED nights since its last breach were answered well.
    """
    same = [one for one in nights if not version or not one.version or one.version == version]
    over, going_on, good = set[date](), set[date](), 0
    for one in same:
        if is_bad(one.verdict):
            going_on.add(one.night)
            good = 0
        elif one.verdict.state in (State.OK, State.WARN) and not one.verdict.ticket:
            good += 1
            if good >= ENDED:
                over |= going_on
                going_on.clear()
    return [one.measurement for one in same if one.night not in over]


def main_version(versions: Mapping[str, int]) -> str:
    """The version that answered most rows; "" where none did.

    >>> main_version({"1": 10, "2": 90})
    '2'
    """
    return max(versions, key=lambda v: (versions[v], v), default="")
