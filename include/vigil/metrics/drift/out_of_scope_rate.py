"""Requests that are none the model knows."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.quality.pii_rate import flagged
from vigil.metrics.types import Reading
from vigil.profiles.layout import Flag


def out_of_scope_rate(given: Given) -> Iterator[Reading]:
    """Rows flagged out of scope / rows that say so or not, in [0, 1]; interval Wilson.

    Subject: the column. Of columns under `flags: {out_of_scope: […]}`.

    >>> from vigil.metrics.example import profile, view
    >>> night = profile(rows=10, flags={"lost": (1, 10)})
    >>> next(out_of_scope_rate(Given(night, None, view(flags={"out_of_scope": ("lost",)})))).value
    0.1
    """
    return flagged(given, Flag.OUT_OF_SCOPE)
