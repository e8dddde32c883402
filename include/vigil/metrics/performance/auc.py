"""Area under the ROC curve from the fine score histogram."""

from collections.abc import Iterator

from vigil.core.words import Task
from vigil.metrics.intervals import auc_interval
from vigil.metrics.readings import LABELS_PENDING, TOO_FEW
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile

MIN_CLASS = 50  # below this the interval does not hold its level


def auc(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """P(score of a positive > score of a negative), ties half, in [0, 1]; 0.5 is chance.

    Binning 100 logit-spaced bins costs at most half the share of pairs that fall into one bin. Unknown while either
    class has fewer than 50 labelled rows. Source: DeLong et al. (1988).
    """
    if view.task is not Task.BINARY:
        return
    pos, neg = night.outcome.scores.get("1", ()), night.outcome.scores.get("0", ())
    if not sum(pos) and not sum(neg):
        yield Reading(subject="all", why_not=LABELS_PENDING)
        return
    if min(sum(pos), sum(neg)) < MIN_CLASS:
        why = f"{TOO_FEW}: {sum(pos)} positive and {sum(neg)} negative labels, {MIN_CLASS} of each are needed"
        yield Reading(subject="all", n=sum(pos) + sum(neg), why_not=why)
        return
    value, low, high = auc_interval(pos, neg)
    yield Reading(subject="all", value=value, low=low, high=high, n=sum(pos) + sum(neg), baseline=_base(baseline))


def _base(baseline: Profile | None) -> float | None:
    scores = baseline.outcome.scores if baseline else {}
    pos, neg = scores.get("1", ()), scores.get("0", ())
    return auc_interval(pos, neg)[0] if sum(pos) and sum(neg) else None
