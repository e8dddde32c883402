"""How the labels themselves moved: what happens in the world, whatever the model says."""

from collections import Counter
from collections.abc import Iterator
from math import sqrt

from vigil.metrics.drift.bins import same_levels
from vigil.metrics.drift.psi import psi_reading
from vigil.metrics.drift.scores import believed
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.readings import plain, unknown
from vigil.metrics.reasons import LABELS_PENDING, NO_BASELINE, NO_SPREAD
from vigil.metrics.types import Reading
from vigil.profiles.types import Outcome


def label_counts(outcome: Outcome) -> dict[str, int]:
    """Label -> labelled rows.

    >>> label_counts(Outcome(confusion={"1\\t1": 3, "0\\t1": 2, "0\\t0": 5}))
    {'1': 5, '0': 5}
    """
    counts: Counter[str] = Counter()
    for cell, n in outcome.confusion.items():
        counts[cell.partition("\t")[2]] += n
    return dict(counts)


def label_drift(given: Given) -> Iterator[Reading]:
    """PSI in nats of the labels' classes (binary and multiclass) against the baseline; over labelled rows only.

    One reading, "all"; the detail has the largest move. Where labels exist only for some (granted credits), it is the
    drift among those. See `divergence.psi`.

    >>> from vigil.metrics.example import told
    >>> was = Outcome(labelled=10_000, confusion={"1\\t1": 4000, "0\\t0": 6000})
    >>> now = Outcome(labelled=10_000, confusion={"1\\t1": 5000, "0\\t0": 5000})
    >>> reading = next(label_drift(told(now, was)))
    >>> round(reading.value, 4), reading.detail
    (0.0405, "'1' 40.0% -> 50.0%")
    """
    now = label_counts(given.tonight.outcome)
    was = label_counts(given.baseline.outcome) if given.baseline else {}
    n, m = sum(now.values()), sum(was.values())
    if not n:
        yield unknown("all", LABELS_PENDING)
    elif not m:
        yield unknown("all", NO_BASELINE, n=n)
    else:
        moves = {k: now.get(k, 0) / n - was.get(k, 0) / m for k in sorted({*now, *was}, reverse=True)}
        top = max(moves, key=lambda k: abs(moves[k]))
        detail = f"{top[:40]!r} {was.get(top, 0) / m:.1%} -> {now.get(top, 0) / n:.1%}"
        yield psi_reading("all", *same_levels(now, was)).model_copy(update={"detail": detail})


def label_shift(given: Given) -> Iterator[Reading]:
    """(mean label tonight - mean label of the baseline) / sd of the baseline's labels: regression, signed.

    Over labelled rows. Its interval has the noise of both means.

    >>> from vigil.core.words import Task
    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Errors
    >>> now = Outcome(labelled=400, errors=Errors(n=400, label_total=800.0, label_squared=2000.0))
    >>> was = Outcome(labelled=400, errors=Errors(n=400, label_total=400.0, label_squared=800.0))
    >>> next(label_shift(told(now, was, task=Task.REGRESSION))).value
    1.0
    """
    now, was = given.tonight.outcome.errors, given.baseline.outcome.errors if given.baseline else None
    if not now.n:
        yield unknown("all", LABELS_PENDING)
        return
    if was is None or was.n < 2:
        yield unknown("all", NO_BASELINE, n=now.n)
        return
    (mean1, mean0), variances = (e.label_total / e.n for e in (now, was)), []
    for e in (now, was):
        variances.append(max(0.0, e.label_squared / e.n - (e.label_total / e.n) ** 2))
    if variances[1] <= 0:
        yield unknown("all", NO_SPREAD, n=now.n)
        return
    value = (mean1 - mean0) / sqrt(variances[1])
    half = z_of() * sqrt(believed(variances[0] / variances[1], 1.0, now.n) / now.n + 1 / was.n)
    words = f"mean {plain(mean0)} -> {plain(mean1)}"
    yield Reading(subject="all", value=value, low=value - half, high=value + half, n=now.n, detail=words)
