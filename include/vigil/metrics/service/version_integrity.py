"""Whether the versions that answered are those that should have."""

from collections.abc import Iterator

from vigil.metrics.given import Given
from vigil.metrics.readings import share, unknown
from vigil.metrics.reasons import NOT_LOGGED, because
from vigil.metrics.types import Reading


def version_integrity(given: Given) -> Iterator[Reading]:
    """Rows answered by a version that the registry had in service on that night / rows, in [0, 1]; 1 is good.

    Below 1, a server runs a model that nobody promoted: a replica that missed a rollback, or a file left behind.
    Unknown where no promotion of the model is recorded. The detail names the strangers.

    >>> from vigil.metrics.example import profile, view
    >>> night = profile(rows=100, versions={"2": 90, "1": 10})
    >>> reading = next(version_integrity(Given(night, None, view(expected_versions=("2", "3")))))
    >>> reading.value, reading.detail
    (0.9, '10 rows of version 1')
    """
    versions, expected = given.tonight.versions, given.view.expected_versions
    n = sum(versions.values())
    if not expected:
        yield unknown("all", because(NOT_LOGGED, "no record says which versions were in service then"), n=n)
        return
    strangers = {v: rows for v, rows in sorted(versions.items()) if v not in expected}
    detail = ", ".join(f"{rows:,} rows of version {v}" for v, rows in strangers.items())
    yield share("all", n - sum(strangers.values()), n, detail=detail)
