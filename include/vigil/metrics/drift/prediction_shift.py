"""The largest move of one predicted class's share."""

from collections.abc import Iterator

from vigil.metrics.drift.share_shift import largest_move
from vigil.metrics.given import Given
from vigil.metrics.types import Reading


def prediction_shift(given: Given) -> Iterator[Reading]:
    """max over predicted classes (binary: decisions) of |share tonight - share on the baseline|, in [0, 1].

    One reading, "all"; the detail names the class. See `share_shift.largest_move`.

    >>> from vigil.metrics.example import told
    >>> from vigil.profiles.types import Outcome
    >>> next(prediction_shift(told(Outcome(predictions={"1": 1, "0": 3}), Outcome(predictions={"0": 8})))).value
    0.25
    """
    was = given.baseline.outcome.predictions if given.baseline else {}
    yield largest_move("all", given.tonight.outcome.predictions, was)
