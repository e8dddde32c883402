"""Profiles -> measurements: every metric of the catalogue that applies. One that fails takes no other down."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib import import_module
from math import isnan

from vigil.core.errors import MonitorError
from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG, Against, Entry, Scope, suggest
from vigil.metrics.given import Given
from vigil.metrics.quality.unknown_label import misnamed
from vigil.metrics.quality.unusable_weight import spoilt
from vigil.metrics.readings import unknown
from vigil.metrics.reasons import CHECK_FAILED, NO_BASELINE, Absence, WhyNot, because
from vigil.metrics.types import Measurement, Reading, View
from vigil.profiles.edges import edges_digest
from vigil.profiles.types import Edges, Profile

OTHER_EDGES = because(NO_BASELINE, "its bins have other edges; profile it again on the new ones").words
Metric = Callable[[Given], Iterable[Reading]]


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
    ruled: Collection[str] = (),
    edges: Edges | None = None,
) -> tuple[Measurement, ...]:
    """Measures `profile`, and against `baseline`; `yardstick` is what the baseline is called in reasons.

    only: names of the catalogue; None is all that make sense for the task, without those that are measured on demand
    unless they are in `ruled` (names that rules ask for). edges: those of the profile; others are ignored.
    A number that cannot be known has value None and an `absence`, which its `why_not` says to people. A
    metric that fails for one feature or protected attribute says "check failed" for that one. Raises MonitorError for
    a name the catalogue does not have.
    """
    unknown = sorted({*(only or ()), *ruled} - CATALOG.keys())
    if unknown:
        near = suggest(unknown[0])
        hint = f"did you mean {near!r}?" if near else f"the catalogue has {', '.join(CATALOG)}"
        raise MonitorError(f"unknown metric {unknown[0]!r}; {hint}")
    fitting = edges if edges is not None and edges_digest(edges) == profile.edges_digest else None
    comparable = baseline is not None and baseline.edges_digest == profile.edges_digest
    given = Given(profile, baseline if comparable else None, view, fitting)
    found: list[Measurement] = []
    for entry in CATALOG.values():
        wanted = entry.name in ruled or not entry.on_demand if only is None else entry.name in only
        if view.task in entry.tasks and wanted:
            found += _measure(entry, given, baseline, yardstick)
    return tuple(found)


def _measure(entry: Entry, given: Given, baseline: Profile | None, yardstick: str) -> Iterator[Measurement]:
    metric = _guarded(entry)
    base = _on_baseline(entry, metric, baseline, given.view)
    lost = _lost(entry, given)
    unlike = _unweighted(entry, baseline, given.view)
    for reading in metric(given):
        if lost:
            yield _measurement(entry, unknown(reading.subject, lost, n=reading.n), None, yardstick)
            continue
        was = base.get(reading.subject)
        if entry.against is Against.WITHIN and reading.value is not None:
            was = 0.0
        other_edges = reading.absence is Absence.NO_BASELINE and baseline is not None and given.baseline is None
        why_not = OTHER_EDGES if other_edges else reading.why_not
        detail = "; ".join(said for said in (reading.detail, unlike) if said) if reading.value is not None else ""
        yield _measurement(entry, reading.model_copy(update={"why_not": why_not, "detail": detail}), was, yardstick)


def _on_baseline(entry: Entry, metric: Metric, baseline: Profile | None, view: View) -> Mapping[str, float | None]:
    """The same numbers on the baseline, by subject. They need no common bins."""
    if baseline is None or entry.against is not Against.SAME or _unweighted(entry, baseline, view):
        return {}
    given = Given(baseline, None, view)
    return {} if _lost(entry, given) else {reading.subject: reading.value for reading in metric(given)}


def _lost(entry: Entry, given: Given) -> WhyNot | None:
    """Why labels or weights of a night say nothing about it, or None."""
    if not entry.needs_labels or entry.family not in (Family.PERFORMANCE, Family.FAIRNESS):
        return None
    return misnamed(given) or (spoilt(given) if entry.family is Family.PERFORMANCE else None)


def _unweighted(entry: Entry, baseline: Profile | None, view: View) -> str:
    """Why a weighted number of tonight is not compared with the baseline's, or ""."""
    if entry.family is not Family.PERFORMANCE or not entry.needs_labels or baseline is None or not view.weighted:
        return ""
    if baseline.outcome.weighted or entry.against is not Against.SAME or not baseline.outcome.labelled:
        return ""
    return "not compared with the baseline, which has no sampling weights"


def _guarded(entry: Entry) -> Metric:
    """The metric, with failures as readings: of the one feature or attribute that fails, where it has such."""

    def readings(given: Given) -> list[Reading]:
        try:
            return [_checked(r) for r in load(entry)(given)]
        except Exception as error:  # noqa: BLE001 - one broken metric must not silence the others
            parts = _parts(entry.scope, given)
            if len(parts) > 1:
                return [r for _, part in parts for r in readings(part)]
            why = because(CHECK_FAILED, f"{type(error).__name__}: {error}")
            return [unknown(parts[0][0] if parts else "all", why)]

    return readings


def _parts(scope: Scope, given: Given) -> list[tuple[str, Given]]:
    """(subject, the same night seen through one feature or one protected attribute)."""
    view = given.view
    if scope is Scope.FEATURE:
        seen = [
            (n, view.model_copy(update={"features": {n: kind}, "protected": ()})) for n, kind in view.features.items()
        ]
    elif scope is Scope.GROUP:
        seen = [(p.attribute, view.model_copy(update={"protected": (p,)})) for p in view.protected]
    else:
        seen = []
    return [(name, Given(given.tonight, given.baseline, one, given.edges)) for name, one in seen]


def _checked(reading: Reading) -> Reading:
    """A value that is not a number is a failed check, whatever its metric thinks."""
    if reading.value is None or not isnan(reading.value):
        return reading
    return unknown(reading.subject, because(CHECK_FAILED, "the value is not a number"), n=reading.n)


def _measurement(entry: Entry, reading: Reading, baseline: float | None, yardstick: str) -> Measurement:
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
        worse=reading.worse or entry.worse,
        parts=reading.parts,
        variance=reading.variance,
        baseline=baseline,
        yardstick=yardstick if baseline is not None else "",
        absence=reading.absence,
        why_not=reading.why_not,
        detail=reading.detail,
    )
