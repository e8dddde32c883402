"""How often each class is predicted."""

from collections.abc import Iterator

from vigil.metrics.drift.missing_shift import share_moved
from vigil.metrics.given import Given
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import NO_BASELINE
from vigil.metrics.types import Reading

OTHER = "(other)"
CLASSES = 12  # the most frequent of the baseline; the others are counted together


def class_shift(given: Given) -> Iterator[Reading]:
    """Of each predicted class's share (binary: the decisions'), on the scale 2 arcsin sqrt p; signed, 0 is no change.

    Subject: the class; the baseline's 12 most frequent, "(other)" for the rest together. Two classes move as one, so
    that only the first of a pair is measured.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> found = class_shift(told(Outcome(predictions={"1": 1, "0": 3}), Outcome(predictions={"0": 8, "1": 8})))
    >>> [(r.subject, r.detail) for r in found]
    [('0', '50.0% -> 75.0%')]
    """
    was = given.baseline.outcome.predictions if given.baseline else {}
    now = given.tonight.outcome.predictions
    n1, n0 = sum(now.values()), sum(was.values())
    if not n0:
        yield unknown("all", NO_BASELINE, n=n1)
        return
    kept = sorted(was, key=lambda k: (-was[k], k))[:CLASSES]
    pairs = {k: (now.get(k, 0), was[k]) for k in kept}
    rest = (n1 - sum(a for a, _ in pairs.values()), n0 - sum(b for _, b in pairs.values()))
    if any(rest):
        pairs[OTHER] = rest
    for name in list(pairs)[:1] if len(pairs) == 2 else pairs:
        yield share_moved(name, pairs[name][0], n1, pairs[name][1], n0)
