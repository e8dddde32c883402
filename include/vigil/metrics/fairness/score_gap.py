"""The score itself by group: how far apart the groups' scores lie, and whether they mean the same."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import NamedTuple

from vigil.metrics.fairness.cells import others
from vigil.metrics.given import Given
from vigil.metrics.intervals import z_of
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import LABELS_PENDING, NO_ROWS, NO_SPREAD, NOT_LOGGED, TOO_FEW, because
from vigil.metrics.types import Reading
from vigil.profiles.edges import SCORE_EDGES

NO_SCORE = because(NOT_LOGGED, "no score")
MIDDLES: tuple[float, ...] = tuple((a + b) / 2 for a, b in pairwise((0.0, *SCORE_EDGES, 1.0)))
LEAST = 30  # labelled rows of a group below which calibration says nothing


class Scored(NamedTuple):
    """Mean and sd of a group's score (in the middles of its bins), and the rows."""

    mean: float
    sd: float
    n: int


def scored(bins: Sequence[int]) -> Scored:
    """Of counts on `profiles.edges.SCORE_EDGES`; a bin is at most 0.035 wide.

    >>> scored([0] * 50 + [10] + [0] * 49).sd
    0.0
    """
    n = sum(bins)
    if not n:
        return Scored(0.0, 0.0, 0)
    mean = sum(b * m for b, m in zip(bins, MIDDLES, strict=True)) / n
    return Scored(mean, sqrt(sum(b * (m - mean) ** 2 for b, m in zip(bins, MIDDLES, strict=True)) / n), n)


def _groups(given: Given) -> Iterator[tuple[str, str, Mapping[str, Sequence[int]], Mapping[str, Sequence[int]]]]:
    """(subject, name of the reference group, the group's score bins by label, those of the reference group)."""
    scores, before = given.tonight.group_scores, given.baseline.group_scores if given.baseline else {}
    for p in given.view.protected:
        mine = f"{p.attribute}="
        tonight, was = ([k[len(mine) :] for k in known if k.startswith(mine)] for known in (scores, before))
        for group in others(p, tonight, was):
            yield (
                f"{mine}{group}",
                p.reference,
                scores.get(f"{mine}{group}", {}),
                scores.get(f"{mine}{p.reference}", {}),
            )


def _sum(by_label: Mapping[str, Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*by_label.values(), strict=True)] if by_label else []


def score_gap(given: Given) -> Iterator[Reading]:
    """(mean score of the group - mean score of the reference group) / pooled sd: Cohen's d, signed; 0 is equal.

    From the score's bins, labelled or not. Variance: 1/n1 + 1/n0 + d^2 / (2 (n1 + n0)). Source: Cohen (1988); Hedges
    and Olkin (1985) for the variance.

    >>> from vigil.metrics.example import SEX, profile, view
    >>> low, high = [0] * 100, [0] * 100
    >>> low[40], low[60], high[50], high[70] = 50, 50, 50, 50
    >>> night = profile(rows=200, group_scores={"sex=female": {"none": tuple(high)}, "sex=male": {"none": tuple(low)}})
    >>> reading = next(score_gap(Given(night, None, view(protected=(SEX,)))))
    >>> reading.detail
    'mean score 0.732, male 0.511'
    """
    for subject, reference, mine, other in _groups(given):
        one, two = scored(_sum(mine)), scored(_sum(other))
        if not one.n or not two.n:
            unscored = given.tonight.rows and not given.tonight.group_scores
            who = "of this group" if not one.n else f"of the reference group {reference}"
            yield unknown(subject, NO_SCORE if unscored else because(NO_ROWS, f"no scores {who}"), n=one.n)
            continue
        sd = sqrt((one.n * one.sd**2 + two.n * two.sd**2) / (one.n + two.n))
        if sd == 0:
            yield unknown(subject, NO_SPREAD, n=one.n)
            continue
        value = (one.mean - two.mean) / sd
        half = z_of() * sqrt(1 / one.n + 1 / two.n + value**2 / (2 * (one.n + two.n)))
        detail = f"mean score {one.mean:.3f}, {reference} {two.mean:.3f}"
        yield Reading(subject=subject, value=value, low=value - half, high=value + half, n=one.n, detail=detail)


def calibration_gap(given: Given) -> Iterator[Reading]:
    """(observed rate - mean score) of the group minus the same of the reference group, in [-2, 2]; 0 is equal.

    Over labelled rows. Above 0 the score is too low for the group: the same score means a higher rate than for the
    reference group. Interval: normal, with the variance of label minus score in both groups. Source: Kleinberg,
    Mullainathan and Raghavan (2017); Pleiss et al. (2017).

    >>> from vigil.metrics.example import SEX, profile, view
    >>> def half(ones, zeros):
    ...     return {"1": tuple(ones if i == 50 else 0 for i in range(100)),
    ...             "0": tuple(zeros if i == 50 else 0 for i in range(100))}
    >>> night = profile(rows=400, group_scores={"sex=female": half(120, 80), "sex=male": half(100, 100)})
    >>> round(next(calibration_gap(Given(night, None, view(protected=(SEX,))))).value, 3)
    0.1
    """
    for subject, reference, mine, other in _groups(given):
        one, two = _residual(mine), _residual(other)
        if one is None or two is None:
            none_yet = not any(any(bins) for bins in mine.values()) and given.tonight.rows
            yield unknown(subject, NO_SCORE if none_yet and not given.tonight.group_scores else LABELS_PENDING)
            continue
        if min(one.n, two.n) < LEAST:
            why = because(TOO_FEW, f"{one.n} and {two.n} labelled rows, {LEAST} of each group are needed")
            yield unknown(subject, why, n=one.n)
            continue
        value = one.mean - two.mean
        half = z_of() * sqrt(one.sd**2 / one.n + two.sd**2 / two.n)
        detail = f"label minus score {one.mean:+.3f}, {reference} {two.mean:+.3f}"
        yield Reading(subject=subject, value=value, low=value - half, high=value + half, n=one.n, detail=detail)


def _residual(by_label: Mapping[str, Sequence[int]]) -> Scored | None:
    """Mean and sd of (label - score) over labelled rows; None without one."""
    pairs = [(b, label - m) for label in (0, 1) for b, m in zip(by_label.get(str(label), ()), MIDDLES, strict=False)]
    n = sum(b for b, _ in pairs)
    if not n:
        return None
    mean = sum(b * e for b, e in pairs) / n
    return Scored(mean, sqrt(sum(b * (e - mean) ** 2 for b, e in pairs) / n), n)
