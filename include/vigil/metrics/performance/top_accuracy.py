"""How often the label is among the model's likeliest classes."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.performance.confusion import absent
from vigil.metrics.readings import share, unknown
from vigil.metrics.reasons import NOT_LOGGED, because
from vigil.metrics.types import Reading


def _top(given: Given, k: int) -> Iterator[Reading]:
    ranks = given.tonight.outcome.ranks
    if not ranks:
        logged = because(NOT_LOGGED, "the log has no order of classes (`data.ranking`)")
        yield unknown("all", logged if given.tonight.outcome.labelled else absent(given))
        return
    yield share("all", sum(ranks.get(str(place), 0) for place in range(1, k + 1)), sum(ranks.values()))


def top_3_accuracy(given: Given) -> Iterator[Reading]:
    """Labelled rows whose label is one of the three likeliest classes / those with a logged order, in [0, 1].

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> next(top_3_accuracy(told(Outcome(labelled=10, ranks={"1": 6, "3": 2, "beyond": 2})))).value
    0.8
    """
    yield from _top(given, 3)


def top_5_accuracy(given: Given) -> Iterator[Reading]:
    """Labelled rows whose label is one of the five likeliest classes / those with a logged order, in [0, 1].

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> next(top_5_accuracy(told(Outcome(labelled=10, ranks={"1": 6, "5": 1, "beyond": 3})))).value
    0.7
    """
    yield from _top(given, 5)
