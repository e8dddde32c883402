"""Scores of so few rows that one night shows nothing: they are judged on some nights together.

A group of three people a night moves by a standard deviation by chance. A week says what no night of it can, or two, or
four; where those are too few rows too, the answer is `unknown`. They are compared with the nights that teach and are
none of them. The worst night is left out, so that one odd night is told once and not on the nights after it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from vigil.metrics.types import Measurement
from vigil.verdicts.scales import ARCSINE, LOG, Scaled, anchor

if TYPE_CHECKING:
    import numpy as np

    from vigil.verdicts.usual import Usual

SPANS = (7, 14, 28)  # nights of service together, tonight included
LEAST_BEFORE = 5  # nights that teach, beside those
FARTHEST = {LOG: 3.0, "sd": 3.0}  # a night that sees no smaller move than this sees nothing


class Seen(NamedTuple):
    """What tonight shows of each score, (S,) each.

    away: surprise in standard normal units. moved: from the usual place. error: of that move, from sampling alone for
    one night. nights: that were taken together, 1 for tonight alone. blind: nothing that can happen would be a warn.
    """

    away: "np.ndarray"
    moved: "np.ndarray"
    error: "np.ndarray"
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
    asked: Sequence[Measurement],
    tonight: Sequence[Scaled],
    values: "np.ndarray",
    taught: "np.ndarray",
    usual: "Usual",
    away: "np.ndarray",
    critical: "np.ndarray",
) -> Seen:
    """What tonight shows, or some nights together where tonight shows nothing.

    values, taught: (S, N) scores and whether they teach, tonight last. away: (S,) tonight's surprise. critical: (S,)
    the surprise that would be a warn.
    """
    import numpy as np

    moved = values[:, -1] - usual.centre[:, -1]
    error = np.sqrt(np.array([s.variance for s in tonight]))
    nights, away = np.ones(len(asked), dtype=int), away.copy()
    blind = np.zeros(len(asked), dtype=bool)
    for row, m in enumerate(asked):
        scale, centre = tonight[row].scale, float(usual.centre[row, -1])
        blind[row] = hidden(m, scale, centre, critical[row] * error[row])
        for span in SPANS if blind[row] else ():
            some = _together(values[row], usual.spread[row], taught[row], span)
            if some is None:
                break
            moved[row], error[row], nights[row] = some
            away[row] = moved[row] / error[row]
            blind[row] = hidden(m, scale, centre, critical[row] * error[row])
            if not blind[row]:
                break
    return Seen(away, moved, error, nights, blind)


def _together(
    values: "np.ndarray", spread: "np.ndarray", taught: "np.ndarray", span: int
) -> tuple[float, float, int] | None:
    """(move, its standard error, nights) of the last nights from those that teach before them; None where few do.

    Each night weighs by what it is known by.
    """
    import numpy as np

    known = np.flatnonzero(np.isfinite(values))
    last = known[-span:]
    before = np.setdiff1d(np.flatnonzero(taught & np.isfinite(values)), last)
    if len(last) < span or len(before) < LEAST_BEFORE:
        return None
    weight = 1 / spread**2
    centre = float(np.average(values[before], weights=weight[before]))
    worst = int(np.argmax(np.abs(values[last] - centre) * np.sqrt(weight[last])))
    last = np.delete(last, worst)
    move = float(np.average(values[last], weights=weight[last])) - centre
    return move, float(np.sqrt(1 / weight[last].sum() + 1 / weight[before].sum())), len(last)
