"""How much of a cohort's truth is known, and what may be said of it before all of it is.

Statistics: docs/statistics.md#late-labels.
"""

from collections.abc import Sequence
from enum import StrEnum

from vigil.core.words import Family
from vigil.metrics.types import Measurement, Worse
from vigil.verdicts.disparity import p_worse
from vigil.verdicts.history import LEAST_NIGHTS
from vigil.verdicts.limits import Limit, LimitKind
from vigil.verdicts.types import PROVISIONAL, Cause, Labels, State, Verdict
from vigil.verdicts.words import measured

WARN_LEVEL = 0.001  # one-sided; a cohort is looked at again whenever labels come


class Maturity(StrEnum):
    """What the share of labels makes of a cohort."""

    IMMATURE = "immature"  # nothing is said of it
    PROVISIONAL = PROVISIONAL  # it may warn, held against past cohorts at the same age
    MATURE = "mature"  # it is judged


def maturity(labels: Labels, labelled_share: float) -> Maturity:
    """Of a cohort with labels for this share of its rows.

    >>> [maturity(Labels(), share).value for share in (0.1, 0.5, 0.9)]
    ['immature', 'provisional', 'mature']
    """
    if labelled_share >= labels.mature_share:
        return Maturity.MATURE
    return Maturity.PROVISIONAL if labelled_share >= labels.provisional_share else Maturity.IMMATURE


def provisional(
    m: Measurement, family: Family, past: Sequence[Measurement], *, labels: Labels, labelled_share: float, age: int
) -> Verdict:
    """Early labels are not like late ones, so a provisional cohort is held against past cohorts at the same age.

    past: the same number of earlier cohorts as it was known when they were as old (`age` nights), oldest first. Worse
    than they were is a warn; else it stays unknown, since nobody can say yet that it is ok.
    """
    known = f"labels for {labelled_share:.0%} of the cohort; {labels.mature_share:.0%} make it mature"
    stage = f"{known}; provisional at the age of {age} nights"
    used = [p for p in past if p.value is not None and p.kind is m.kind]
    p = _p(m, used) if len(used) >= LEAST_NIGHTS else None
    worse = p is not None and p < WARN_LEVEL
    if p is None:
        said = f"{len(used)} past cohorts are known at this age, {LEAST_NIGHTS} are needed to compare"
    elif worse:
        said = f"worse than {len(used)} past cohorts at the same age (p = {p:.1g})"
    else:
        said = f"like {len(used)} past cohorts at the same age (p = {p:.2g})"
    cause = None if worse else Cause.LABELS_PENDING
    begins = f"{m.metric}({m.subject}) {measured(m)}" if worse else f"{m.metric}({m.subject}): labels pending"
    return Verdict(
        metric=m.metric,
        subject=m.subject,
        family=family,
        state=State.WARN if worse else State.UNKNOWN,
        cause=cause,
        reason=f"{begins}; {stage}; {said}",
        measurement=m,
        limit=Limit(kind=LimitKind.COHORTS) if worse else None,
        cohort=Maturity.PROVISIONAL.value,
    )


def _p(m: Measurement, used: Sequence[Measurement]) -> float:
    if m.worse is Worse.AWAY:
        return min(1.0, 2 * min(p_worse(m, used, "<"), p_worse(m, used, ">")))
    return p_worse(m, used, "<" if m.worse is Worse.LOWER else ">")
