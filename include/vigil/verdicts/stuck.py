"""A column that is stuck at one or two values, where the yardstick and past nights have many; and the opposite: a
number that never changed, and does tonight."""

from collections.abc import Iterator, Sequence

from vigil.core.words import Family
from vigil.metrics.types import Measurement
from vigil.verdicts.hard_failures import BY_CHANCE, RARE
from vigil.verdicts.limits import HARD_FAILURE
from vigil.verdicts.types import NightResult, Onset, Rule, State, Verdict

METRIC = "distinct_values"
FEW = 2
LEAST_ROWS = 20
OFTEN = 0.5  # of the yardstick's values are the one or two commonest: then only past nights can tell
QUANTITY = 20  # different values of a yardstick that is a quantity: a code or a weekday has fewer
NIGHTS_OF_CODES, NIGHTS_OF_RARE = 5, 14  # past nights, all with more values, that make a breach of few values
ALWAYS = 7  # nights, all of them a breach, after which it is known


def frozen(
    measurements: Sequence[Measurement], history: Sequence[NightResult], drift: Sequence[Rule]
) -> Iterator[Verdict]:
    """A breach for each column that is stuck, and for each constant that changes."""
    yield from stuck(measurements, history, drift)
    yield from unstuck(measurements, history)


def stuck(
    measurements: Sequence[Measurement], history: Sequence[NightResult], drift: Sequence[Rule]
) -> Iterator[Verdict]:
    """A breach for each column whose values tonight are so few as chance explains in less than 1 of 10,000 nights.

    history: past nights. Where one of them had as few values (a season, a holiday, a price of the day), that is usual,
    and nothing is said. drift: the rules of drift; a column that none of them asks about is left out, because it moves
    by nature. A yardstick of few values (codes, a weekday), or with one that is frequent, says little of one night:
    then past nights must show more values, and nothing is said before there are enough of them.
    """
    for m in measurements:
        if m.metric == METRIC and _too_few(m) and not _left_out(m.subject, drift):
            past = list(_past(m, history))
            if len(past) >= _nights_needed(m) and all(value > (m.value or 0) for value in past):
                yield _verdict(m, history)


def unstuck(measurements: Sequence[Measurement], history: Sequence[NightResult]) -> Iterator[Verdict]:
    """A breach for each number that is constant on the yardstick and on all past nights, and has other values tonight.

    Rows with another value must be more than chance gives where 1 % of all rows have one.
    """
    from scipy.special import bdtrc

    constant = {m.subject: m for m in measurements if m.metric == METRIC and m.baseline == 1}
    for m in measurements:
        if m.metric != "out_of_range" or m.subject not in constant or not m.value or not m.parts:
            continue
        past = [_answer(m, result) for result in history if not _was_breach(m, result)]
        others = m.parts[0]
        if not any(known.value for known in past if known) and bdtrc(others - 1, m.n, RARE) < BY_CHANCE:
            yield Verdict(
                metric=m.metric,
                subject=m.subject,
                family=Family.QUALITY,
                state=State.BREACH,
                reason=f"{m.subject} never changed on the {m.yardstick or 'reference'} and changes tonight: "
                f"{others:,.0f} of {m.n:,} values are others ({m.detail})",
                hard=True,
                measurement=m,
                limit=HARD_FAILURE,
            )


def _too_few(m: Measurement) -> bool:
    """Whether as few values would be rare if each row were drawn from the yardstick."""
    if m.value is None or m.value > FEW or not m.parts or m.baseline is None or m.baseline <= m.value:
        return False
    return m.n >= LEAST_ROWS and m.parts[0] ** m.n < BY_CHANCE


def _left_out(column: str, drift: Sequence[Rule]) -> bool:
    """Whether the drift rules leave the column out by name."""
    return any(column in rule.without for rule in drift)


def _past(m: Measurement, history: Sequence[NightResult]) -> Iterator[float]:
    """The question on past nights with rows enough, without those on which the column was stuck."""
    for result in history:
        known = _answer(m, result)
        if known is not None and known.n >= min(m.n, LEAST_ROWS) and not _was_breach(m, result):
            yield known.value or 0.0


def _answer(m: Measurement, result: NightResult) -> Measurement | None:
    return next((one for one in result.all_measurements if one.id == m.id and one.value is not None), None)


def _was_breach(m: Measurement, result: NightResult) -> bool:
    return any(v.id == m.id and v.state is State.BREACH for v in result.verdicts)


def _nights_needed(m: Measurement) -> int:
    """How many past nights must show that so few values are not usual; 0 where the yardstick itself shows it."""
    if m.parts[0] > OFTEN:
        return NIGHTS_OF_RARE
    return NIGHTS_OF_CODES if (m.baseline or 0) < QUANTITY else 0


def _verdict(m: Measurement, history: Sequence[NightResult]) -> Verdict:
    return Verdict(
        metric=m.metric,
        subject=m.subject,
        family=Family.QUALITY,
        state=State.BREACH,
        reason=f"{m.subject} is stuck: all {m.n:,} values are {m.detail.removeprefix('only ')}; "
        f"the {m.yardstick or 'baseline'} has at least {m.baseline:,.0f} different ones",
        hard=True,
        onset=Onset.KNOWN if _always(m, history) else Onset.NEW,
        measurement=m,
        limit=HARD_FAILURE,
    )


def _always(m: Measurement, history: Sequence[NightResult]) -> bool:
    """Whether the column was stuck on each of the past nights on which it had values, and on at least 7 of them."""
    nights = [result for result in history if _answer(m, result) is not None]
    return len(nights) >= ALWAYS and all(_was_breach(m, result) for result in nights)
