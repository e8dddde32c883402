"""The scores of past nights as surprise reads them: on tonight's scale and yardstick, and which of them teach."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import nan
from typing import TYPE_CHECKING, NamedTuple
from weakref import ref

from vigil.metrics.types import Kind, Measurement
from vigil.verdicts.scales import Scaled, scaled
from vigil.verdicts.types import Cause, NightResult, Rule, State

if TYPE_CHECKING:
    import numpy as np

YOUNG = 14  # nights, below which their own spread is not known
FAR_OFF = 10.0  # robust sd of its nights, beyond which one warned night does not teach
MAD = 1.4826  # sd of normal values, in median absolute deviations
ALARMS = {State.WARN: 1, State.BREACH: 2}


class Asked(NamedTuple):
    """One question to judge by surprise, and the rule that asks it."""

    measurement: Measurement
    rule: Rule


class Told(NamedTuple):
    """What the past is for the fit: days in order (tonight last) and which of them teach."""

    days: tuple[date, ...]
    taught: tuple[bool, ...]

    @property
    def reference(self) -> tuple[date, ...]:
        """The nights that teach."""
        return tuple(d for d, used in zip(self.days, self.taught, strict=True) if used)


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
    """One score of a past night: on its additive scale, with the holdout that a distance is from, and its counts."""

    value: float
    variance: float
    scale: str
    yardstick: str
    k: float
    n: float
    said: State  # that night, of alarms; what broke teaches nothing, whether or not anybody opened an incident


_READ: dict[int, tuple["ref[NightResult]", dict[str, Then]]] = {}


def numbers(result: NightResult) -> Mapping[str, Then]:
    """Question -> its score that night; figures whose labels had not come are left out.

    Kept as long as the result is: a backtest asks for the same nights again and again.
    """
    known = _READ.get(id(result))
    if known is not None and known[0]() is result:
        return known[1]
    said = {v.id: v.state for v in result.verdicts if not v.ticket}
    found = {}
    for name, m in measured(result).items():
        then = _then(m, said.get(name, State.OK))
        if then is not None:
            found[name] = then
    key = id(result)
    _READ[key] = (ref(result, lambda _: _READ.pop(key, None)), found)
    return found


def _then(m: Measurement, said: State) -> Then | None:
    number = scaled(m)
    if number is None:
        return None
    k, n = m.parts[:2] if len(m.parts) >= 2 else (nan, nan)
    return Then(number.value, number.variance, number.scale, m.yardstick if anchored(m) else "", k, n, said)


def anchored(m: Measurement) -> bool:
    """Whether the score is 0 on the holdout."""
    return m.kind is Kind.NUMBER and m.baseline == 0


def matrix(
    asked: Sequence[Asked], tonight: Sequence[Scaled], past: Mapping[date, Mapping[str, Then]], told: Told
) -> tuple["np.ndarray", "np.ndarray", "np.ndarray", "np.ndarray"]:
    """(values, variances), shape (S, N), the counts of shares, (2, S, N): past nights on tonight's scale and yardstick,
    NaN where they are not; and (S, N) 1 where a score was a warn that night, 2 where it was a breach."""
    import numpy as np

    values = np.full((len(asked), len(told.days)), np.nan)
    variances, counts = np.full_like(values, np.nan), np.full((2, *values.shape), np.nan)
    said = np.zeros(values.shape, dtype=int)
    questions = [
        (a.measurement.id, s.scale, a.measurement.yardstick if anchored(a.measurement) else "")
        for a, s in zip(asked, tonight, strict=True)
    ]
    for column, day in enumerate(told.days[:-1]):
        night = past[day]
        for row, (question, scale, yardstick) in enumerate(questions):
            then = night.get(question)
            if then is not None and then.scale == scale and then.yardstick == yardstick:
                said[row, column] = ALARMS.get(then.said, 0)
                values[row, column], variances[row, column] = then.value, then.variance
                counts[0, row, column], counts[1, row, column] = then.k, then.n
    values[:, -1] = [s.value for s in tonight]
    variances[:, -1] = [s.variance for s in tonight]
    counts[:, :, -1] = np.array([(*a.measurement.parts, nan, nan)[:2] for a in asked]).T
    return values, np.maximum(variances, 1e-12), counts, said


def spoilt(values: "np.ndarray", taught: "np.ndarray", said: "np.ndarray") -> "np.ndarray":
    """(S, N) what does not teach: breaches, and warns that are so far from the others that one would blind the rest.

    Other warns teach: leaving out what is odd makes the spread too small, and more nights odd. Not where so few nights
    are known that one is much of what is known, nor can tell how far is far.
    """
    import numpy as np

    usual = np.where(taught & (said < ALARMS[State.BREACH]), values, np.nan)
    known = np.isfinite(usual).sum(axis=1) >= YOUNG
    centre, spread = np.full(len(values), np.nan), np.full(len(values), np.inf)
    centre[known] = np.nanmedian(usual[known], axis=1)
    spread[known] = MAD * np.nanmedian(np.abs(usual[known] - centre[known, None]), axis=1)
    far = (np.abs(values - centre[:, None]) > FAR_OFF * spread[:, None]) | ~known[:, None]
    return np.asarray(taught & ((said == ALARMS[State.BREACH]) | ((said == ALARMS[State.WARN]) & far)))
