"""What the rows of a night say that no rule asks: that many of them lost something, or went to another environment."""

from collections.abc import Iterator, Sequence
from statistics import median

from vigil.core.words import Family
from vigil.metrics.lacking import ALL
from vigil.metrics.types import Measurement
from vigil.profiles.row_ledger import Lack, Place, Remainder, RowLedger
from vigil.verdicts.hard_failures import BY_CHANCE
from vigil.verdicts.limits import HARD_FAILURE
from vigil.verdicts.support import LEAST_NIGHTS, RECENT, Usual, by_chance, fell, held, sound_nights, usual_of
from vigil.verdicts.types import NightResult, State, Verdict

LOST = 0.9  # of the usual share of rows with a group, a score or an answer: at or below it, it is a breach
FEW = 0.01  # of the rows, up to which a wrong status or a blank id is shown and no more
WATCHED = {Lack.GROUP: "missing", Lack.SCORE: "missing_score", Lack.ANSWER: "missing_prediction"}
CLOSED = {Lack.STATUS: "unknown_status", Lack.ID: "empty_id"}
CONFLICTING, ENVIRONMENT = "conflicting_ids", "other_environment"
MANY = 0.05  # of the rows that would be this environment's: from here on they are missed, and it is a breach
SHRUNK = 0.8  # of the usual rows
NAMED = 3  # environments that are named
SAME = (
    frozenset({"production", "prod", "prd", "live"}),
    frozenset({"staging", "stage", "stg"}),
    frozenset({"development", "develop", "dev"}),
    frozenset({"testing", "test", "tst"}),
)  # words that mean one environment


def missing_rows(
    rows: RowLedger | None, history: Sequence[NightResult], measurements: Sequence[Measurement]
) -> Iterator[Verdict]:
    """A breach for each protected attribute, the score and the answer that many rows lost since the yardstick, and for
    ids that stand for several rows; a warn for ids that are blank and for a status in other words.

    history: the nights before. measurements: tonight's, of which the same questions are told with their number.
    """
    if rows is None:
        return
    numbers = {m.id: m for m in measurements}
    for r in rows.remainders:
        metric = WATCHED.get(r.lack) or CLOSED.get(r.lack)
        if metric is None:
            continue
        usual = usual_of(r, rows, sound_nights(history, f"{metric}/{r.subject}"))
        state = _state(r, usual) if usual is not None else State.OK
        if usual is not None and state is not State.OK:
            told = _verdict(metric, r.subject, state, f"of {r.of:,} rows {held(r, usual)}")
            yield told.model_copy(update={"measurement": numbers.get(told.id)})
    yield from _conflicting(rows, history)


def _state(r: Remainder, usual: Usual) -> State:
    if r.lack in WATCHED:
        return State.BREACH if fell(r, usual, LOST) else State.OK
    return State.WARN if r.share - usual.share > FEW and by_chance(r, usual) < BY_CHANCE else State.OK


def _conflicting(rows: RowLedger, history: Sequence[NightResult]) -> Iterator[Verdict]:
    """Of rows with one id and different content, one is judged: the others are lost."""
    lost, usual = _of_conflicting(rows), Usual(0, 0, "usual night")
    before = sound_nights(history, f"{CONFLICTING}/{ALL}")[-RECENT:]
    if len(before) >= LEAST_NIGHTS:
        nights = [Usual(c.rows, c.of, "past nights") for c in map(_of_conflicting, before)]
        usual = max(nights, key=lambda night: night.share)
    if lost.share - usual.share <= FEW or by_chance(lost, usual) >= BY_CHANCE:
        return
    state = State.BREACH if fell(lost, usual, LOST) else State.WARN
    said = f"{lost.rows:,} of {lost.of:,} rows have the id of another row, and other content: they are not judged"
    yield _verdict(CONFLICTING, ALL, state, f"{said}; {usual.share:.1%} on the {usual.called}")


def _of_conflicting(rows: RowLedger) -> Remainder:
    lost = rows.at(Place.CONFLICTING)
    return Remainder(lack=Lack.ID, subject=ALL, rows=lost, of=lost + rows.at(Place.JUDGED) + rows.at(Place.CHALLENGER))


def other_environment(own: str, rows: RowLedger | None, history: Sequence[NightResult]) -> Verdict | None:
    """Rows that went to another environment, and were meant to be of `own`; None where nothing says so.

    They are where its name is another word for the same, or where it never had rows before while our own rows shrank.
    An environment that always had rows in this log is somebody else's: it is shown, and nothing is said.
    """
    if rows is None:
        return None
    mine = rows.at(Place.JUDGED) + rows.at(Place.NOT_PROFILED)
    before = [r for r in history if r.row_ledger is not None and not any(v.metric == ENVIRONMENT for v in r.verdicts)]
    known = {word for r in before if r.row_ledger is not None for word in r.row_ledger.environments}
    meant = {word: n for word, n in rows.environments.items() if _alike(word, own)}
    if not meant and _shrank(mine, before):
        meant = {word: n for word, n in rows.environments.items() if word not in known}
    lost = sum(meant.values())
    if not lost:
        return None
    named = ", ".join(f"{word!r} ({n:,})" if len(meant) > 1 else repr(word) for word, n in list(meant.items())[:NAMED])
    more = f" and {len(meant) - NAMED} more" if len(meant) > NAMED else ""
    state = State.BREACH if lost >= MANY * (mine + lost) else State.WARN
    advice = f"log them as {own!r}" if any(_alike(word, own) for word in meant) else f"are they rows of {own!r}?"
    reason = (
        f"{lost:,} rows are of the environment {named}{more}, and {mine:,} of {own!r}, which is all that this monitor "
        f"judges; {advice}"
    )
    return _verdict(ENVIRONMENT, ALL, state, reason)


def _alike(word: str, own: str) -> bool:
    """Whether a word is another way to write an environment.

    >>> _alike("Prod ", "production"), _alike("staging", "production")
    (True, False)
    """
    a, b = (text.strip().casefold() for text in (word, own))
    return word != own and (a == b or any({a, b} <= words for words in SAME))


def _shrank(mine: int, before: Sequence[NightResult]) -> bool:
    """Whether far fewer rows are there than on any recent night."""
    usual = [r.rows for r in before if r.rows][-RECENT:]
    if not usual:
        return False
    return not mine or (len(usual) >= LEAST_NIGHTS and mine < min(usual) and mine <= SHRUNK * median(usual))


def _verdict(metric: str, subject: str, state: State, reason: str) -> Verdict:
    return Verdict(
        metric=metric,
        subject=subject,
        family=Family.QUALITY,
        state=state,
        reason=f"{metric}({subject}): {reason}",
        hard=state is State.BREACH,
        limit=HARD_FAILURE if state is State.BREACH else None,
    )
