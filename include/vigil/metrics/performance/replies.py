"""How a text model's replies end: refused, passed on to staff, marked as unhelpful."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.quality.pii_rate import flagged
from vigil.metrics.types import Reading
from vigil.profiles.layout import Flag


def refusal_rate(given: Given) -> Iterator[Reading]:
    """Replies that decline to help / replies, in [0, 1]; interval Wilson. Of `flags: {refusal: […]}`.

    >>> from vigil.metrics.example import profile, view
    >>> night = profile(rows=10, flags={"reply__refusal": (1, 10)})
    >>> next(refusal_rate(Given(night, None, view(flags={"refusal": ("reply__refusal",)})))).value
    0.1
    """
    return flagged(given, Flag.REFUSAL)


def handoff_rate(given: Given) -> Iterator[Reading]:
    """Replies that pass the person on to staff / replies, in [0, 1]; interval Wilson. Of `flags: {handoff: […]}`."""
    return flagged(given, Flag.HANDOFF)


def negative_feedback_rate(given: Given) -> Iterator[Reading]:
    """Rows whose person was not helped / rows with feedback, in [0, 1]; interval Wilson.

    Of `flags: {negative_feedback: […]}`. Those who answer are a selection: compare it with its own past.
    """
    return flagged(given, Flag.NEGATIVE_FEEDBACK)
