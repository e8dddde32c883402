"""Share of nulls of each feature."""

from collections.abc import Iterator

from vigil.metrics.readings import all_columns, share
from vigil.metrics.types import Reading, View
from vigil.profiles.types import Profile


def missing(night: Profile, baseline: Profile | None, view: View) -> Iterator[Reading]:
    """nulls / rows per feature, in [0, 1]. NaN and infinities are counted apart (`not_finite`)."""
    del view
    before = all_columns(baseline.columns) if baseline else {}
    for name, column in all_columns(night.columns).items():
        was = (before[name].nulls, before[name].rows) if name in before else None
        yield share(name, column.nulls, column.rows, was=was)
