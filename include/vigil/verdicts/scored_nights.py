"""The scores of past nights as surprise reads them: on tonight's scale and yardstick, and which of them teach."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from math import nan
from typing import TYPE_CHECKING, NamedTuple

from vigil.metrics.types import Kind, Measurement
from vigil.verdicts.memory import is_bad, lesson, once_a_night
from vigil.verdicts.scales import Scaled, scaled
from vigil.verdicts.types import Cause, NightResult, Onset, Rule, State, Surprise, Verdict

if TYPE_CHECKING:
    import numpy as np

YOUNG = 14  # nights, below which their own spread is not known
FAR_OFF = 10.0  # robust sd of its nights, beyond which one warned night does not teach
MAD = 1.4826  # sd of normal values, in median absolute deviations
REST = 2  # nights of service before tonight that do not teach yet: they may be the first of a fault
REACH = 2  # times the nights that teach: how far their search goes, for questions with bad nights among the first
TAUGHT, WARNED, HELD_BACK = 0, 1, 2  # what a question's past night is to its memory


class Asked(NamedTuple):
    """One question to judge by surprise, and the rule that asks it."""

    measurement: Measurement
    rule: Rule


def measured(result: NightResult) -> dict[str, Measurement]:
    """Question -> what was measured that night; figures whose labels had not come are left out."""
    mine = {m.id: m for m in result.measurements}
    for v in result.verdicts:
        if v.measurement is not None and v.cause is not Cause.LABELS_PENDING:
            mine[v.id] = v.measurement
    return mine


def by_night(history: Sequence[NightResult]) -> dict[date, dict[str, Measurement]]:
    """Night -> question -> what was measured."""
    return {result.night: measured(result) for result in history}


class Then(NamedTuple):
    """One score of a past night: on its additive scale, with the holdout that a distance is from, and its counts.

    memory: TAUGHT, WARNED, or HELD_BACK: the night teaches this question nothing.
    """

    value: float
    variance: float
    scale: str
    yardstick: str
    k: float
    n: float
    memory: int


@once_a_night
def numbers(result: NightResult) -> Mapping[str, Then]:
    """Question -> its score that night; figures whose labels had not come are left out."""
    verdicts, left_out = {v.id: v for v in result.verdicts}, lesson(result)
    scores = {}
    for name, m in measured(result).items():
        held = left_out.holds_back(m)
        then = _then(m, HELD_BACK if held else _memory(verdicts.get(name)))
        if then is not None:
            scores[name] = then
    return scores


def _memory(v: Verdict | None) -> int:
    if v is None or v.ticket or v.onset is Onset.KNOWN:
        return TAUGHT
    return HELD_BACK if is_bad(v) else WARNED if v.state is State.WARN else TAUGHT


def _then(m: Measurement, memory: int) -> Then | None:
    number = scaled(m)
    if number is None:
        return None
    k, n = m.parts[:2] if len(m.parts) >= 2 else (nan, nan)
    return Then(number.value, number.variance, number.scale, m.yardstick if anchored(m) else "", k, n, memory)


def anchored(m: Measurement) -> bool:
    """Whether the score is 0 on the holdout."""
    return m.kind is Kind.NUMBER and m.baseline == 0


class Matrix(NamedTuple):
    """S scores on N nights, tonight last, on tonight's scale and yardstick.

    values, variances: (S, N), NaN where a night has none. counts: (2, S, N) successes and trials of shares.
    memory: (S, N) TAUGHT, WARNED or HELD_BACK.
    """

    values: "np.ndarray"
    variances: "np.ndarray"
    counts: "np.ndarray"
    memory: "np.ndarray"


def matrix(
    asked: Sequence[Asked], tonight: Sequence[Scaled], past: Mapping[date, Mapping[str, Then]], days: Sequence[date]
) -> Matrix:
    """The scores of `days`, oldest first, tonight last."""
    import numpy as np

    values = np.full((len(asked), len(days)), np.nan)
    variances, counts = np.full_like(values, np.nan), np.full((2, *values.shape), np.nan)
    memory = np.zeros(values.shape, dtype=int)
    questions = [
        (a.measurement.id, s.scale, a.measurement.yardstick if anchored(a.measurement) else "")
        for a, s in zip(asked, tonight, strict=True)
    ]
    for column, day in enumerate(days[:-1]):
        night = past[day]
        for row, (question, scale, yardstick) in enumerate(questions):
            then = night.get(question)
            if then is not None and then.scale == scale and then.yardstick == yardstick:
                memory[row, column] = then.memory
                values[row, column], variances[row, column] = then.value, then.variance
                counts[0, row, column], counts[1, row, column] = then.k, then.n
    values[:, -1] = [s.value for s in tonight]
    variances[:, -1] = [s.variance for s in tonight]
    counts[:, :, -1] = np.array([(*a.measurement.parts, nan, nan)[:2] for a in asked]).T
    return Matrix(values, np.maximum(variances, 1e-12), counts, memory)


class Teaching(NamedTuple):
    """taught: (S, N) nights that teach each score. bad: (S, N) nights before the last of them that are left out.

    learnt: (S,) whether tonight is the first on which YOUNG nights are known, so that they say what is usual.
    """

    taught: "np.ndarray"
    bad: "np.ndarray"
    learnt: "np.ndarray"


def teaching(scores: Matrix, days: Sequence[date], settings: Surprise) -> Teaching:
    """Which nights say what is usual.

    Each score has its own: the first `settings.nights` on which it was known and not bad, since the last re-baselining,
    and no later ones, so that a drift that is slow enough is not learnt as usual; of a rolling window the last ones.
    The last two nights of service before tonight wait: they may turn out to be the first of a fault. Declared nights
    (`since`, `until`) are taken as they are.
    """
    import numpy as np

    candidate = np.array(_candidates(days, settings))
    usable = candidate & np.isfinite(scores.values)
    bad = scores.memory == HELD_BACK
    bad |= _wild(scores, _window(usable & ~bad, settings))
    usable &= ~bad
    learnt = usable.sum(axis=1) == YOUNG
    if settings.until is None:
        rested = usable & (np.arange(len(days)) < len(days) - 1 - REST)
        enough = rested.sum(axis=1, keepdims=True) >= YOUNG
        usable = _window(np.where(enough, rested, usable), settings)
    before_last = usable[:, ::-1].cumsum(axis=1)[:, ::-1] > 0
    return Teaching(usable, bad & before_last, learnt)


def _candidates(days: Sequence[date], settings: Surprise) -> list[bool]:
    """The days among which the nights that teach are looked for; tonight is none."""
    first, last = settings.since or date.min, settings.until or date.max
    inside = [first <= day <= last for day in days[:-1]]
    if settings.until is None and settings.window == "first":
        seen = 0
        for place, one in enumerate(inside):
            seen += one
            inside[place] = one and seen <= REACH * settings.nights
    return [*inside, False]


def _window(usable: "np.ndarray", settings: Surprise) -> "np.ndarray":
    """The first usable nights of each score, or the last ones."""
    if settings.window == "rolling":
        return usable & (usable[:, ::-1].cumsum(axis=1)[:, ::-1] <= settings.nights)
    return usable & (usable.cumsum(axis=1) <= settings.nights)


def _wild(scores: Matrix, taught: "np.ndarray") -> "np.ndarray":
    """(S, N) warns that are so far from the other nights that one would blind the score.

    Other warns teach: leaving out what is odd makes the spread too small, and more nights odd. Not where so few nights
    are known that one is much of what is known, nor can tell how far is far.
    """
    import numpy as np

    usual = np.where(taught, scores.values, np.nan)
    known = np.isfinite(usual).sum(axis=1) >= YOUNG
    centre, spread = np.full(len(usual), np.nan), np.full(len(usual), np.inf)
    centre[known] = np.nanmedian(usual[known], axis=1)
    spread[known] = MAD * np.nanmedian(np.abs(usual[known] - centre[known, None]), axis=1)
    far = (np.abs(scores.values - centre[:, None]) > FAR_OFF * spread[:, None]) | ~known[:, None]
    return np.asarray((scores.memory == WARNED) & far)


def reference_nights(
    nights: Sequence[date], tonight: date, settings: Surprise, usable: Collection[date] | None = None
) -> tuple[date, ...]:
    """The nights that teach a question. nights: of the past, the last two of them nights of service.

    usable: those on which the question was known and not bad; by default all.

    >>> from datetime import timedelta
    >>> nights = [date(2026, 1, 1) + timedelta(days=n) for n in range(99)]
    >>> reference = reference_nights(nights, date(2026, 4, 10), Surprise(nights=56))
    >>> len(reference), reference[-1].isoformat()
    (56, '2026-02-25')
    """
    import numpy as np

    days = (*sorted(n for n in nights if n < tonight), tonight)
    values = np.array([[0.0 if usable is None or day in usable else nan for day in days]])
    taught = teaching(Matrix(values, values, values, np.zeros(values.shape, int)), days, settings).taught[0]
    return tuple(day for day, one in zip(days, taught, strict=True) if one)
