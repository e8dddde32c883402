"""Labelled rows whose sampling weight cannot be used."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.reasons import CHECK_FAILED, LABELS_PENDING, WhyNot, because
from vigil.metrics.types import Reading

TOO_MANY = 0.05  # beyond this share, a weighted number would be about other rows than those that were labelled


def unusable_weight(given: Given) -> Iterator[Reading]:
    """Labelled rows whose weight is missing, negative or endless / labelled rows, in [0, 1]; 0 is good.

    Measured where the monitor names `data.sampling_weight`. They are in no weighted number; beyond 5 % of them,
    weighted performance is unknown.

    >>> from vigil.metrics.example import profile, view
    >>> from vigil.profiles.types import Outcome
    >>> night = profile(rows=10, outcome=Outcome(labelled=10, bad_weights=2))
    >>> next(unusable_weight(Given(night, None, view(weighted=True)))).value
    0.2
    """
    outcome = given.tonight.outcome
    if given.view.weighted:
        yield share("all", outcome.bad_weights, outcome.labelled, empty=LABELS_PENDING)


def spoilt(given: Given) -> WhyNot | None:
    """Why weighted numbers of tonight cannot be known, or None.

    >>> from vigil.metrics.example import profile, view
    >>> from vigil.profiles.types import Outcome
    >>> night = profile(rows=10, outcome=Outcome(labelled=10, bad_weights=2))
    >>> spoilt(Given(night, None, view(weighted=True))).words
    'check failed: 2 of 10 labelled rows have no usable sampling weight'
    """
    outcome = given.tonight.outcome
    if not given.view.weighted or outcome.bad_weights <= TOO_MANY * outcome.labelled:
        return None
    words = f"{outcome.bad_weights:,} of {outcome.labelled:,} labelled rows have no usable sampling weight"
    return because(CHECK_FAILED, words)
