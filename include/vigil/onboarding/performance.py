"""Chooses the performance metrics that nights of this size can estimate, and bounds for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, floor, log10, sqrt
from statistics import median
from typing import Any

from vigil.core.words import Task
from vigil.metrics.types import Measurement
from vigil.onboarding.evidence import Evidence, between, error_of, share_of

CLASS = 50  # labelled rows of a class, below which neither AUC nor a rate is known
POOL = 28  # nights that counts are added up over
WIDER = 1.5  # times, each time that a night of the reference breaks a bound
LEAST_ROOM = {"auc": 0.03, "recall": 0.05, "accuracy": 0.03}
MOST_ROOM = 0.30
OF_ERROR = 0.10  # of a mean error, at least
MOST_OF_ERROR = 1.5
LEAST_ROWS = 5

Rule = tuple[dict[str, Any] | None, str, str]  # the rule and its note; or None, the metric, and why it is not asked


def performance(task: Task, shown: Evidence, steps: Mapping[str, int], *, scored: bool) -> Iterator[Rule]:
    """The rules, and the metrics that would be asked if nights were larger."""
    if task is Task.REGRESSION:
        yield _mean_error(shown, steps.get("mae/all", 0))
        return
    if task is Task.MULTICLASS:
        yield _rate("accuracy", shown, steps, "labels")
        return
    positives, negatives = (median([m.n for m in shown.all_of(name)] or [0]) for name in ("recall", "specificity"))
    if scored:
        yield _auc(shown, steps.get("auc/all", 0), int(positives), int(negatives))
    yield _rate("recall", shown, steps, "positive labels")


def _auc(shown: Evidence, step: int, positives: int, negatives: int) -> Rule:
    known = shown.all_of("auc")
    if min(positives, negatives) < CLASS or not known:
        why = f"a night has {positives:,} positive and {negatives:,} negative labels; {CLASS} of each are needed"
        return None, "auc", why
    return _room("auc", median(m.value or 0.0 for m in known), median(map(error_of, known)), between(known), step)


def _rate(metric: str, shown: Evidence, steps: Mapping[str, int], counted: str) -> Rule:
    """A share of labelled rows: it adds up over nights."""
    known = shown.all_of(metric)
    night = int(median([m.n for m in known])) if known else 0
    if night * POOL < CLASS:
        return None, metric, f"a night has {night:,} {counted}, {POOL} nights {night * POOL:,}; {CLASS} are needed"
    was = share_of(known)
    error = sqrt(max(was * (1 - was), 0.01) / (night if night >= CLASS else night * POOL))
    rule, note, why = _room(metric, was, error, between(known), steps.get(f"{metric}/all", 0))
    if rule is not None and night < CLASS:
        note = f"a night has {night:,} {counted}: they are added up over {POOL} nights"
    return rule, note, why


def _room(metric: str, was: float, error: float, spread: float, step: int) -> Rule:
    """A bound below the reference's value: what nights differ by, and what sampling does, twice each."""
    room = max(LEAST_ROOM[metric], 2 * spread + 2 * error) * WIDER**step
    if was - room <= 0.0 or room > MOST_ROOM:
        apart = sqrt(spread**2 + error**2)
        return None, metric, f"{was:.2f} on the reference, and its nights differ by {apart:.2f}: no bound would tell"
    allowed = -ceil(100 * room - 1e-9) / 100
    return {"metric": metric, "holdout": allowed}, "", ""


def _mean_error(shown: Evidence, step: int) -> Rule:
    """MAE: the interval of a mean holds where the fourth moment of a squared error does not exist."""
    known: list[Measurement] = shown.all_of("mae")
    rows = int(median([m.n for m in known])) if known else 0
    was = median(m.value or 0.0 for m in known) if known else 0.0
    if rows < LEAST_ROWS or not was > 0:
        return None, "mae", f"a night has {rows:,} labels and its mean error is {was:.3g}: too little to compare with"
    room = max(OF_ERROR * was, 2 * between(known) + 2 * median(map(error_of, known))) * WIDER**step
    if room > MOST_OF_ERROR * was:
        return None, "mae", f"{was:.3g} on the reference, and its nights differ by as much: no bound would tell"
    rule = {"metric": "mae", "holdout": two_digits(room), "min_rows": max(LEAST_ROWS, min(30, rows // 2))}
    return rule, f"{was:.3g} on the reference, give or take {median(map(error_of, known)):.2g} a night", ""


def two_digits(number: float) -> float:
    """Upwards.

    >>> two_digits(0.01234), two_digits(12.31)
    (0.013, 13.0)
    """
    step = 10.0 ** (floor(log10(number)) - 1)
    return float(f"{ceil(number / step - 1e-9) * step:.6g}")
