"""Since which hour: where in the night a group's favourable share changed, and which pipelines ran."""

from collections.abc import Mapping
from math import sqrt

from vigil.core.spec import Spec
from vigil.incidents.types import Clue

LEAST_ROWS = 20  # on either side of the change
LEAST_Z = 4.0  # the largest of some 20 dependent statistics passes 4 by chance on about one night in a thousand

Hours = Mapping[str, Mapping[str, tuple[int, int]]]


class Onset(Spec):
    """A change of a share within one night."""

    hour: int  # local hour, 0..23, at which the other share begins
    before: float
    after: float
    z: float


def onset(hours: Hours, group: str) -> Onset | None:
    """The hour that splits the night into the two most different parts; None when no split is clear.

    hours: local hour -> group -> (n, favourable), as in a profile. Two-proportion z statistic, pooled.

    >>> night = {str(h): {"sex=female": (50, 40 if h < 5 else 15)} for h in range(24)}
    >>> onset(night, "sex=female").hour
    5
    """
    counts = [hours.get(str(hour), {}).get(group, (0, 0)) for hour in range(24)]
    best: Onset | None = None
    for hour in range(1, 24):
        n0, k0 = (sum(c[i] for c in counts[:hour]) for i in (0, 1))
        n1, k1 = (sum(c[i] for c in counts[hour:]) for i in (0, 1))
        if min(n0, n1) < LEAST_ROWS:
            continue
        pooled = (k0 + k1) / (n0 + n1)
        spread = sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1))
        z = abs(k1 / n1 - k0 / n0) / spread if spread else 0.0
        if z >= LEAST_Z and (best is None or z > best.z):
            best = Onset(hour=hour, before=k0 / n0, after=k1 / n1, z=z)
    return best


def clues(hours: Hours, pipelines: Mapping[str, int], groups: tuple[str, ...]) -> tuple[Clue, ...]:
    """What the night's counts tell of when and with what it began, in sentences; candidates, never "the cause"."""
    told = []
    for group in groups:
        found = onset(hours, group)
        if found is not None:
            text = (
                f"{group}: the favourable share went from {found.before:.0%} to {found.after:.0%} "
                f"at about {found.hour:02d}:00 local time"
            )
            told.append(Clue(text=text, group=group))
    if len(pipelines) > 1:
        ran = ", ".join(f"{name or '(none)'} ({n:,} rows)" for name, n in sorted(pipelines.items()))
        told.append(Clue(text=f"several pipeline versions ran that night: {ran}"))
    return tuple(told)
