"""Small drift that lasts: an e-detector for each score (judgement §3). It opens a ticket, never a page."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIZES = (0.25, 0.5, 1.0, 2.0, 3.0)  # of the drift, in sd of a night: the mixture bets a fifth on each
FARTHEST = 4.0  # one night may not decide alone, however far it is
ENDS = 0.05  # of what begins a ticket is left when it ends: a ticket that comes and goes is two tickets
YEARS = 4.0  # between false tickets of a model whose nights are as usual, by the bound


def detector(
    surprise: "Floats", *, tolerated: "Floats | None" = None, persistence: float = 0.0, most: float = 1e300
) -> "Floats":
    """Shiryaev-Roberts sums of mixture e-values, upwards and downwards, after each night: shape (2, S, N).

    surprise: (S, N) standard normal scores of consecutive nights, oldest first; NaN where a night tells nothing.
    tolerated: (S,) drift, in the same units, that is none: what the centre is not known by, and what does not matter.
    persistence: correlation of a night with the next; each night then counts for what the last one did not tell.
    most: what a sum is held at, so that drift which was large is over as soon as drift which was small.
    While nothing drifts, e-values have mean 1, so that the sum reaches A on average not before A nights.
    Source: Shin, Ramdas and Rinaldo (2024), E-detectors; Pollak (1987) for the mixture.

    >>> import numpy as np
    >>> quiet, drift = np.zeros((1, 20)), np.full((1, 20), 2.0)
    >>> bool(detector(quiet).max() < 21), bool(detector(drift)[0, 0, -1] > 1000)
    (True, True)
    """
    import numpy as np

    z = np.clip(surprise, -FARTHEST, FARTHEST)
    sums, path = np.zeros((2, z.shape[0])), np.zeros((2, *z.shape))
    margin = (np.zeros(z.shape[0]) if tolerated is None else tolerated) * np.sqrt((1 - persistence) / (1 + persistence))
    last = np.zeros(z.shape[0])
    for night in range(z.shape[1]):
        known = np.isfinite(z[:, night])
        news = (z[:, night] - persistence * last) / np.sqrt(1 - persistence**2)
        news = np.where(known, news, 0.0)
        for row, sign in enumerate((1.0, -1.0)):
            e = np.mean([np.exp(size * (sign * news - margin) - size**2 / 2) for size in SIZES], axis=0)
            sums[row] = np.where(known, (1 + sums[row]) * e, sums[row])
        path[:, :, night] = sums = np.minimum(sums, most)
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
