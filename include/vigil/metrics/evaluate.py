"""Profiles -> measurements: every metric of the catalogue that applies. One that fails does not take others down."""

from collections.abc import Callable, Collection, Iterator
from importlib import import_module

from vigil.metrics.catalog import CATALOG, Entry
from vigil.metrics.types import Measurement, Reading, View
from vigil.profiles.types import Profile

Metric = Callable[[Profile, Profile | None, View], Iterator[Reading]]
CHECK_FAILED = "check failed"


def load(entry: Entry) -> Metric:
    """The metric's function."""
    module, _, name = entry.path.partition(":")
    found: Metric = getattr(import_module(module), name)
    return found


def evaluate(
    profile: Profile,
    baseline: Profile | None,
    view: View,
    *,
    yardstick: str,
    only: Collection[str] | None = None,
) -> tuple[Measurement, ...]:
    """Measures `profile` against `baseline`; `yardstick` is what the baseline is called in reasons.

    A number that cannot be known has value None and says why: no rows, no baseline, all null, labels pending,
    too few rows, or check failed (with the error).
    """
    found: list[Measurement] = []
    for entry in CATALOG.values():
        if only is None or entry.name in only:
            found += [_measurement(entry, r, yardstick) for r in _readings(entry, profile, baseline, view)]
    return tuple(found)


def _readings(entry: Entry, profile: Profile, baseline: Profile | None, view: View) -> list[Reading]:
    try:
        return list(load(entry)(profile, baseline, view))
    except Exception as error:  # noqa: BLE001 - one broken metric must not silence the others
        return [Reading(subject="all", why_not=f"{CHECK_FAILED}: {type(error).__name__}: {error}")]


def _measurement(entry: Entry, reading: Reading, yardstick: str) -> Measurement:
    return Measurement(
        metric=entry.name,
        subject=reading.subject,
        family=entry.family,
        kind=entry.kind,
        value=reading.value,
        low=reading.low,
        high=reading.high,
        n=reading.n,
        unit=reading.unit or entry.unit,
        worse=entry.worse,
        parts=reading.parts,
        baseline=reading.baseline,
        yardstick=yardstick if reading.baseline is not None else "",
        why_not=reading.why_not,
        detail=reading.detail,
    )
