"""Share of values that the reference never had."""

from collections.abc import Iterator

from vigil.metrics.readings import ALL_NULL, share
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def new_category(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """new levels / filled values per category feature, in [0, 1]; the detail names examples (text from data)."""
    del view
    for name, column in night.columns.category.items():
        before = baseline.columns.category.get(name) if baseline else None
        if not column.filled:
            yield Reading(subject=name, why_not=ALL_NULL)
            continue
        detail = "new: " + ", ".join(repr(e[:40]) for e in column.new_examples[:3]) if column.new else ""
        yield share(name, column.new, column.filled, was=(before.new, before.filled) if before else None, detail=detail)
