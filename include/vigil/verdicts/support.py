"""On how many of the rows a number rests. Where that share fell far below the yardstick's, an `ok` is not known.

A number about the rows that have a score says nothing about those that lost it. What is usual for a model (a third of
its people never say their sex) is in the yardstick's share too, and changes nothing. Labels that have not come yet are
no loss: whether there are enough of them is the maturity of the cohort.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG, Entry, Scope
from vigil.metrics.lacking import ALL
from vigil.profiles.row_ledger import Lack, Place, Remainder, RowLedger
from vigil.verdicts.hard_failures import BY_CHANCE, RARE
from vigil.verdicts.memory import lesson
from vigil.verdicts.row_words import lack_of
from vigil.verdicts.types import Cause, NightResult, State, Verdict

KEPT = 0.8  # of the yardstick's share of rows: at or below it a number is about other rows
LEAST_NIGHTS = 7  # past nights that make a yardstick where the reference has none
RECENT = 28  # past nights that are looked at
CLOSED = (Lack.STATUS, Lack.ID)  # no row of a sound log is without it: no yardstick is needed
BY_SCORE = frozenset({"auc", "log_loss", "brier", "average_precision", "ece", "calibration_slope", "lift"})
OF_SCORES = frozenset({"score_shift", "prediction_psi", "score_gap", "calibration_gap"})
OF_ANSWERS = frozenset({"class_shift", "prediction_shift", "top_class_share", "prediction_psi", "score_shift"})
OF_LABELS = frozenset({"label_drift", "label_shift"})
OF_FLAGS = frozenset({"pii_rate", "out_of_scope_rate", "refusal_rate", "handoff_rate"})
OF_VALUES = frozenset({"out_of_range", "new_category", "new_levels"})
OF_GAPS = frozenset({"missing_shift", "group_missing_shift"})  # they measure what is missing


class Usual(NamedTuple):
    """Rows without something, of those that should have it, on what tonight is held against; how it is called."""

    rows: int
    of: int
    called: str

    @property
    def share(self) -> float:
        """Rows without it."""
        return self.rows / self.of if self.of else 0.0


def supported(verdict: Verdict, rows: RowLedger | None, history: Sequence[NightResult]) -> Verdict:
    """An ok that rests on a much smaller share of its rows than usual is `unknown`, with both shares.

    rows: of tonight; None where they were not counted. history: the nights before, oldest first.
    """
    if verdict.state is not State.OK or rows is None:
        return verdict
    fallen = [
        (r, usual)
        for lack, subject in rests_on(verdict.metric, verdict.subject)
        if (r := rows.without(lack, subject))
        and 1 - r.share <= KEPT  # else it cannot be so far below any yardstick
        and (usual := usual_of(r, rows, sound_nights(history, verdict.id)))
        and fell(r, usual, KEPT)
    ]
    if not fallen:
        return verdict
    worst, usual = max(fallen, key=lambda pair: pair[0].share)
    rest = f"it rests on {1 - worst.share:.1%} of {worst.of:,} rows, {held(worst, usual)}"
    # a young model's columns are still learnt
    told = worst.lack is not Lack.VALUE or len(sound_nights(history)) >= LEAST_NIGHTS
    changed = {"state": State.UNKNOWN, "cause": Cause.ROWS_MISSING, "overdue": told, "would_see": ""}
    return verdict.model_copy(update={**changed, "reason": f"{verdict.reason}; not known: {rest}"})


def sound_nights(history: Sequence[NightResult], question: str = "") -> tuple[RowLedger, ...]:
    """The rows of the past nights that say what is usual, oldest first: without those on which `question` was bad."""
    known = [(r, r.row_ledger) for r in history if r.rows and r.row_ledger is not None]
    return tuple(rows for r, rows in known if lesson(r).sound and question not in lesson(r).questions)


def held(r: Remainder, usual: Usual) -> str:
    """`100 (50.0%) are without a score, 0.0% were on the holdout of version 2`."""
    return f"{r.rows:,} ({r.share:.1%}) are without {lack_of(r)}, {usual.share:.1%} were on the {usual.called}"


def usual_of(r: Remainder, tonight: RowLedger, past: Sequence[RowLedger]) -> Usual | None:
    """What a remainder is held against: the reference, or where it has none, the worst of the past nights.

    A feature may be sparser in service than on the reference, or at weekends: for it, what a quarter of the past nights
    had too. None: nothing is known.
    """
    found = []
    if r.reference is not None:
        found.append(Usual(r.reference_rows or 0, r.reference_of or 0, tonight.yardstick or "reference"))
    if len(past) >= LEAST_NIGHTS and (not found or r.lack is Lack.VALUE):
        nights = sorted((_on(night, r.lack, r.subject) for night in past[-RECENT:]), key=lambda usual: usual.share)
        found.append(nights[len(nights) * 3 // 4] if r.lack is Lack.VALUE else nights[-1])
    if not found and r.lack in CLOSED:
        return Usual(0, 0, "usual night")
    return max(found, key=lambda usual: usual.share, default=None)


def _on(night: RowLedger, lack: Lack, subject: str) -> Usual:
    was = night.without(lack, subject)
    return Usual(was.rows if was else 0, was.of if was else night.at(Place.JUDGED), "past nights")


def fell(r: Remainder, usual: Usual, kept: float) -> bool:
    """Whether the rows with something are at most `kept` of the usual share, and chance does not explain it.

    >>> half = Remainder(lack=Lack.SCORE, subject="all", rows=100, of=200)
    >>> fell(half, Usual(0, 500, "holdout"), 0.8), fell(half, Usual(240, 500, "holdout"), 0.8)
    (True, False)
    """
    return 1 - r.share <= kept * (1 - usual.share) and by_chance(r, usual) < BY_CHANCE


def by_chance(r: Remainder, usual: Usual) -> float:
    """The chance of so many rows without it or more, were they as on the yardstick; that is no better than RARE."""
    from scipy.stats import binom

    was = max((usual.rows + 1) / (usual.of + 2), RARE) if usual.of else RARE
    return float(binom.sf(r.rows - 1, r.of, was))


def rests_on(metric: str, subject: str) -> Iterator[tuple[Lack, str]]:
    """What a row must have to be in a number.

    >>> [(lack.value, of) for lack, of in rests_on("selection_rate_ratio", "sex=female")]
    [('answer', 'all'), ('group', 'sex')]
    >>> [(lack.value, of) for lack, of in rests_on("level_shift", "city:Bonn")]
    [('value', 'city')]
    """
    entry = CATALOG.get(metric)
    if entry is None:
        return
    match entry.family:
        case Family.PERFORMANCE:
            yield from _of_performance(entry, subject)
        case Family.FAIRNESS:
            yield from _of_fairness(entry, subject)
        case Family.DRIFT:
            yield from _of_drift(entry, subject)
        case Family.QUALITY:
            if metric in OF_VALUES:
                yield Lack.VALUE, subject
            elif metric in OF_FLAGS:
                yield Lack.FLAG, subject
        case Family.SERVICE:
            if metric.startswith("latency_"):
                yield Lack.LATENCY, ALL


def _of_performance(entry: Entry, subject: str) -> Iterator[tuple[Lack, str]]:
    if entry.name in OF_FLAGS:
        yield Lack.FLAG, subject
    if entry.needs_labels:
        yield from ((lack, ALL) for lack in (Lack.ANSWER, Lack.LABEL_WORD, Lack.WEIGHT))
    if entry.name in BY_SCORE:
        yield from ((lack, ALL) for lack in (Lack.SCORE, Lack.SCORE_OF_LABELLED))
    if entry.estimate:
        yield Lack.SCORE, ALL
    if entry.name.startswith("top_"):
        yield Lack.RANKING, ALL


def _of_fairness(entry: Entry, subject: str) -> Iterator[tuple[Lack, str]]:
    if entry.scope is not Scope.GROUP:  # how many groups are known is itself the number
        return
    yield Lack.ANSWER, ALL
    attributes = subject.partition("=")[0].split("+")
    yield from ((Lack.GROUP, name) for name in attributes)
    if entry.needs_labels:
        yield from ((Lack.GROUP_OF_LABELLED, name) for name in attributes)
        yield Lack.LABEL_WORD, ALL
    if entry.name in OF_SCORES:
        yield Lack.SCORE, ALL
    if entry.name == "stratified_ratio":
        yield Lack.STRATUM, ALL


def _of_drift(entry: Entry, subject: str) -> Iterator[tuple[Lack, str]]:
    feature, _, groups = subject.partition("|")
    if entry.scope is not Scope.ALL and "=" not in feature.partition(":")[0] and entry.name not in OF_GAPS:
        yield Lack.VALUE, feature.partition(":")[0]
    if entry.scope is Scope.GROUP:
        named = groups.split("&") if groups else [feature]
        yield from ((Lack.GROUP, one.partition("=")[0]) for one in named)
    if entry.name in OF_ANSWERS:
        yield Lack.ANSWER, ALL
    if entry.name in OF_SCORES:
        yield Lack.SCORE, ALL
    if entry.name in OF_LABELS:
        yield Lack.LABEL_WORD, ALL
    if entry.name in OF_FLAGS:
        yield Lack.FLAG, subject
