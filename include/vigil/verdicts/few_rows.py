"""Scores of so few rows that one night shows nothing: they are judged on a week of nights together.

A group of three people a night moves by a standard deviation by chance. Its week says what no night of it can; where a
week is too short too, the answer is `unknown`. The worst night of the week is left out, so that one odd night is told
once and not on the six nights after it.
"""

from typing import TYPE_CHECKING, NamedTuple

from vigil.metrics.types import Measurement
from vigil.verdicts.scales import ARCSINE, LOG, Scaled, anchor

if TYPE_CHECKING:
    import numpy as np

    from vigil.verdicts.usual import Usual

WEEK = 7  # nights of service, tonight included
LEAST_TOGETHER = 3  # nights that are more than tonight and a worst one
FARTHEST = {LOG: 3.0, "sd": 3.0}  # a night that sees no smaller move than this sees nothing


class Seen(NamedTuple):
    """What tonight shows of each score, (S,) each.

    away: surprise in standard normal units. moved: from the usual place. noise: the move that sampling alone would
    hide with 20 % probability. nights: that were taken together, 1 for tonight alone. blind: nothing would be seen.
    """

    away: "np.ndarray"
    moved: "np.ndarray"
    noise: "np.ndarray"
    nights: "np.ndarray"
    blind: "np.ndarray"


def hidden(m: Measurement, scale: str, centre: float, noise: float) -> bool:
    """Whether every move that can happen is smaller than the noise: of a share, to 0 and to 1.

    >>> from vigil.core.words import Family
    >>> from vigil.metrics.types import Kind, Worse
    >>> m = Measurement(metric="position_shift", subject="x", family=Family.DRIFT, kind=Kind.NUMBER, value=0.0, n=1,
    ...                 unit="sd", worse=Worse.AWAY)
    >>> hidden(m, "sd", 0.0, 5.0), hidden(m, "sd", 0.0, 1.0)
    (True, False)
    """
    from math import inf, pi

    if scale == ARCSINE:
        place = centre + anchor(m)
        return noise > place and noise > pi - place
    return noise > FARTHEST.get(scale, inf)


def seen(
    asked: "list[Measurement]",
    tonight: "list[Scaled]",
    values: "np.ndarray",
    usual: "Usual",
    away: "np.ndarray",
    factor: "np.ndarray",
) -> Seen:
    """What tonight shows, or a week where tonight shows nothing.

    values: (S, N), tonight last. away: (S,) tonight's surprise. factor: (S,) standard errors of a move that is found
    with 80 % power.
    """
    import numpy as np

    moved = values[:, -1] - usual.centre[:, -1]
    noise = factor * np.sqrt(np.array([s.variance for s in tonight]))
    nights, away = np.ones(len(asked), dtype=int), away.copy()
    blind = np.zeros(len(asked), dtype=bool)
    for row, m in enumerate(asked):
        scale, centre = tonight[row].scale, float(usual.centre[row, -1])
        if not hidden(m, scale, centre, noise[row]):
            continue
        week = _together(values[row, -WEEK:], usual.centre[row, -WEEK:], usual.spread[row, -WEEK:])
        if week is not None:
            away[row], moved[row], error, nights[row] = week
            noise[row] = factor[row] * error
        blind[row] = hidden(m, scale, centre, noise[row])
    return Seen(away, moved, noise, nights, blind)


def _together(
    values: "np.ndarray", centre: "np.ndarray", spread: "np.ndarray"
) -> tuple[float, float, float, int] | None:
    """(surprise, move, its standard error, nights) of nights together, weighted by what each is known by."""
    import numpy as np

    known = np.isfinite(values)
    if known.sum() < LEAST_TOGETHER:
        return None
    off, weight = (values - centre)[known], 1 / spread[known] ** 2
    worst = int(np.argmax(np.abs(off) * np.sqrt(weight)))
    off, weight = np.delete(off, worst), np.delete(weight, worst)
    error = float(1 / np.sqrt(weight.sum()))
    move = float((off * weight).sum() / weight.sum())
    return move / error, move, error, len(off)
