"""Share of values outside the range of the reference."""

from collections.abc import Iterator

from vigil.metrics.readings import ALL_NULL, share
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def out_of_range(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """Finite values below the smallest or above the largest of the reference / finite values, in [0, 1].

    Exact: the first and the last bin hold just these (`profiles.edges.fit`).
    """
    del view
    for name, column in night.columns.numeric.items():
        before = baseline.columns.numeric.get(name) if baseline else None
        was = (before.bins[0] + before.bins[-1], before.finite) if before and before.bins else None
        if not column.finite:
            yield Reading(subject=name, why_not=ALL_NULL)
            continue
        yield share(name, column.bins[0] + column.bins[-1], column.finite, was=was)
