"""Labels that name neither class of a binary model."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share
from vigil.metrics.reasons import CHECK_FAILED, LABELS_PENDING, WhyNot, because
from vigil.metrics.types import Reading

TOO_MANY = 0.05  # beyond this share, a number would be about other rows than those that were labelled
SHOWN, LONGEST = 3, 40  # examples, and their characters


def unknown_label(given: Given) -> Iterator[Reading]:
    """Labels that are neither `decision.positive` nor the negative word / labels, in [0, 1]; 0 is good.

    The negative word is `decision.deserving`, or where that is the positive one, the word that says no, else the most
    frequent other one. Such labels are in no other number; beyond 5 % of them, what needs labels is unknown. The detail
    has examples: text from data, to be escaped by whoever shows it. `source.values.label` translates words.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> reading = next(unknown_label(told(Outcome(labelled=90, neither=10, neither_examples=("?", "yes")))))
    >>> reading.value, reading.detail
    (0.1, "such as '?', 'yes'")
    """
    outcome = given.tonight.outcome
    shown = ", ".join(repr(e[:LONGEST]) for e in outcome.neither_examples[:SHOWN])
    detail = f"such as {shown}" if outcome.neither and shown else ""
    yield share("all", outcome.neither, outcome.labelled + outcome.neither, empty=LABELS_PENDING, detail=detail)


def misnamed(given: Given) -> WhyNot | None:
    """Why numbers of tonight that need labels cannot be known, or None.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> misnamed(told(Outcome(labelled=90, neither=10))).words
    'check failed: 10 of 100 labels are in words of neither class (`unknown_label`)'
    """
    outcome = given.tonight.outcome
    total = outcome.labelled + outcome.neither
    if outcome.neither <= TOO_MANY * total:
        return None
    return because(
        CHECK_FAILED, f"{outcome.neither:,} of {total:,} labels are in words of neither class (`unknown_label`)"
    )
