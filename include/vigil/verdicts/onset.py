"""Since when a value has been beyond its bound: known since the reference, or new.

A weakness that the reference already had, or that every night so far had, is told once and reviewed on a date; what got
worse is told at once. Known is said only where everything that is known says so.
"""

from collections.abc import Sequence
from math import log, sqrt
from statistics import NormalDist
from typing import Literal

from vigil.metrics.catalog import CATALOG, Against
from vigil.metrics.types import Kind, Measurement
from vigil.verdicts.bounds import BREACH_LEVEL
from vigil.verdicts.disparity import LEAST, NIGHTS, Place, place, usual
from vigil.verdicts.memory import Remembered, remembered
from vigil.verdicts.types import NightResult, Onset, State, Verdict

Side = Literal["<", ">"]

ALWAYS = 7  # nights, all of them bad, that show without a reference that a value has always been so
# a smaller change is none
MATTERS = {
    Kind.RATIO: 0.06,
    Kind.PROPORTION: 0.025,
    Kind.DIFFERENCE: 0.05,
}  # on the scale of `place`; less is no change
MATTERS_OF_NUMBER = 0.05  # of the value that it is compared with
ALARMS = (State.WARN, State.BREACH)
_NORMAL = NormalDist()


def onset(m: Measurement, nights: Sequence[Remembered], side: Side) -> Onset:
    """Whether tonight's bad value is known or new.

    nights: the question on past nights, of any version, oldest first. side: the bad side of the bound.
    It is known where it is not worse than the reference's value and not worse than the nights that teach; where the
    reference has no value, or the number is the distance from it, where each of at least 7 judged nights was beyond its
    bound too, and it is not worse than they were.

    >>> from vigil.core.words import Family
    >>> from vigil.metrics.pool import interval
    >>> def ratio(*parts, baseline=0.7):
    ...     value, low, high = interval(Kind.RATIO, parts)
    ...     return Measurement(metric="selection_rate_ratio", subject="sex=female", family=Family.FAIRNESS,
    ...                        kind="ratio", value=value, low=low, high=high, n=parts[1], parts=parts,
    ...                        unit="ratio", worse="lower", baseline=baseline)
    >>> onset(ratio(350, 1000, 500, 1000), [], "<").value, onset(ratio(250, 1000, 500, 1000), [], "<").value
    ('known', 'new')
    """
    teach = [one.measurement for one in nights if one.teaches][-NIGHTS:]
    if m.baseline is not None and not _is_distance(m):
        known = not _worse(m, _reference(m), side) and (len(teach) < LEAST or not _worse(m, _past(teach), side))
    else:
        every = [one.measurement for one in nights]
        always = len(nights) >= ALWAYS and all(one.verdict.state in ALARMS for one in nights)
        known = always and not _worse(m, _past(every[-NIGHTS:]), side)
    return Onset.KNOWN if known else Onset.NEW


def with_onset(verdicts: Sequence[Verdict], history: Sequence[NightResult]) -> tuple[Verdict, ...]:
    """The same verdicts of a suite, with their onset: each expectation is a bound on what does not meet it."""
    past = remembered(history, {v.metric for v in verdicts if v.state in ALARMS})

    def dated(v: Verdict) -> Verdict:
        if v.state not in ALARMS or v.hard or v.measurement is None:
            return v
        return v.model_copy(update={"onset": onset(v.measurement, past.get(v.id, ()), ">")})

    return tuple(dated(v) for v in verdicts)


def burning(verdict: Verdict, history: Sequence[NightResult]) -> Verdict:
    """The same verdict of a budget, with its onset: known where it burnt on each of the nights before too."""
    if verdict.state not in ALARMS:
        return verdict
    before = [v.state for r in history for v in r.verdicts if v.id == verdict.id and v.state is not State.UNKNOWN]
    always = len(before) >= ALWAYS and all(state in ALARMS for state in before)
    return verdict.model_copy(update={"onset": Onset.KNOWN if always else Onset.NEW})


def _is_distance(m: Measurement) -> bool:
    """Whether a number is 0 on the reference by definition, so that the reference cannot have been beyond a bound."""
    entry = CATALOG.get(m.metric)
    return entry is not None and entry.against is Against.WITHIN


def _reference(m: Measurement) -> Place | None:
    """The value on the reference. How many rows it rests on is not kept: it is taken to be as noisy as tonight's."""
    tonight = place(m)
    if m.baseline is None or tonight is None:
        return Place(m.baseline, 0.0) if m.baseline is not None else None
    if m.kind is not Kind.RATIO:
        return Place(m.baseline, tonight.variance)
    return Place(log(m.baseline), tonight.variance) if m.baseline > 0 else None


def _past(nights: Sequence[Measurement]) -> Place | None:
    """Where past nights were, with all that they vary."""
    places = [p for m in nights if (p := place(m)) is not None]
    if places:
        centre, variance, between = usual(places)
        return Place(centre, variance + between)
    values = [m.value for m in nights if m.value is not None]  # exact numbers: none of them was further
    return Place(max(values, key=abs), 0.0) if values else None


def _worse(m: Measurement, before: Place | None, side: Side) -> bool:
    """Whether tonight is certainly, and noticeably, further on the bad side; so is what cannot be compared."""
    tonight = place(m) or (Place(m.value, 0.0) if m.value is not None else None)
    if tonight is None or before is None:
        return True
    away = tonight.at - before.at if side == ">" else before.at - tonight.at
    if away <= MATTERS.get(m.kind, MATTERS_OF_NUMBER * abs(before.at)):
        return False
    noise = sqrt(tonight.variance + before.variance)
    return noise <= 0 or _NORMAL.cdf(-away / noise) < BREACH_LEVEL
