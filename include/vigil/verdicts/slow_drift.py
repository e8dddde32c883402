"""Small drift that lasts: an e-detector for each score. It opens a ticket, never a page.

Statistics: docs/statistics.md#small-drift-that-lasts.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIZES = (0.25, 0.5, 1.0, 2.0, 3.0)  # of the drift, in sd of a night: a detector for each, and their mean counts
IGNORED = 1 / 3  # of the effect floor: drift that small is none
FARTHEST = 4.0  # one night may not decide alone, however far it is
ENDS = 0.05  # of what begins a ticket is left when it ends: a ticket that comes and goes is two tickets
YEARS = 4.0  # between false tickets of a model whose nights are as usual, by the bound


def detector(
    surprise: "Floats", *, tolerated: "Floats | None" = None, persistence: float = 0.0, most: float = 1e300
) -> "Floats":
    """Mean of Shiryaev-Roberts sums for drifts of several sizes, upwards and downwards, after each night: (2, S, N).

    surprise: (S, N) standard normal scores of consecutive nights, oldest first; NaN where a night tells nothing.
    tolerated: (S,) drift, in the same units, that is none: what the centre is not known by, and what does not matter.
    persistence: correlation of a night with the next; each night then counts for what the last one did not tell.
    most: what sums are cut to once their mean is there: drift that was large is over as soon as drift that was small.
    While nothing drifts, e-values have mean 1, so that each sum, and their mean, reaches A on average not before A
    nights. A sum of its own for each size pays for not knowing the size once, and not every night.
    Source: Shin, Ramdas and Rinaldo (2024), E-detectors (mixtures of e-detectors, section 4); Pollak (1987).

    >>> import numpy as np
    >>> quiet, drift = np.zeros((1, 20)), np.full((1, 20), 2.0)
    >>> bool(detector(quiet).max() < 21), bool(detector(drift)[0, 0, -1] > 1000)
    (True, True)
    """
    import numpy as np

    z = np.clip(surprise, -FARTHEST, FARTHEST)
    sizes = np.array(SIZES)[:, None]
    sums, path = np.zeros((2, len(SIZES), z.shape[0])), np.zeros((2, *z.shape))
    margin = (np.zeros(z.shape[0]) if tolerated is None else tolerated) * np.sqrt((1 - persistence) / (1 + persistence))
    last = np.zeros(z.shape[0])
    for night in range(z.shape[1]):
        known = np.isfinite(z[:, night])
        news = (z[:, night] - persistence * last) / np.sqrt(1 - persistence**2)
        news = np.where(known, news, 0.0)
        for row, sign in enumerate((1.0, -1.0)):
            e = np.exp(sizes * (sign * news - margin) - sizes**2 / 2)
            sums[row] = np.where(known, (1 + sums[row]) * e, sums[row])
        path[:, :, night] = reached = sums.mean(axis=1)
        sums = np.where((reached >= most)[:, None, :], np.minimum(sums, most), sums)
        last = np.where(known, z[:, night], 0.0)
    return path


def lasting(path: "Floats", least: float) -> "NDArray[np.bool_]":
    """Whether drift is on after the last night: it begins where a sum reaches `least`, and ends where little is left.

    >>> import numpy as np
    >>> bool(lasting(np.array([1.0, 120.0, 50.0]), 100.0)), bool(lasting(np.array([1.0, 120.0, 0.5]), 100.0))
    (True, False)
    """
    import numpy as np

    on = np.zeros(path.shape[:-1], dtype=bool)
    for night in range(path.shape[-1]):
        on = np.where(path[..., night] >= least, True, on & (path[..., night] >= ENDS * least))
    return on


def limit(scores: int) -> float:
    """What a sum must reach among `scores` scores, each watched both ways, for a ticket.

    >>> limit(100)
    292000.0
    """
    return YEARS * 365 * 2 * max(scores, 1)
