"""Past cohorts as they were known when they were as old as one is now."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from vigil.config.schema import Monitor
from vigil.metrics.catalog import CATALOG
from vigil.metrics.types import Measurement
from vigil.ports import ReadPorts
from vigil.verdicts.cohorts import Maturity, maturity
from vigil.verdicts.memory import lesson
from vigil.verdicts.types import NightResult

COHORTS = 28  # looked back at


def same_age(
    ports: ReadPorts, monitor: Monitor, night: date, *, as_of: date, labelled_share: float
) -> Mapping[str, tuple[Measurement, ...]]:
    """Numbers that need labels, by question, of the cohorts before `night` as they were at its age; oldest first.

    A cohort whose night is known as bad for a question by now says nothing about it.

    Only for a provisional cohort, since nobody else asks. A cohort's judgement knows the night as of which it was made;
    one from before that was kept is left out.
    """
    if maturity(monitor.labels, labelled_share) is not Maturity.PROVISIONAL or monitor.labels.overdue(night, as_of):
        return {}
    found: dict[str, list[Measurement]] = {}
    age = as_of - night
    for back in range(COHORTS, 0, -1):
        then = night - timedelta(days=back)
        result = _at_age(ports, monitor, then, age)
        latest = ports.results.latest(monitor.model, monitor.environment, then)
        if result is None or latest is None:
            continue
        for m in _numbers(result):
            if not lesson(latest).holds_back(m):
                found.setdefault(m.id, []).append(m)
    return {question: tuple(numbers) for question, numbers in found.items()}


def _at_age(ports: ReadPorts, monitor: Monitor, night: date, age: timedelta) -> NightResult | None:
    known = [r for _, r in ports.results.versions_of_truth(monitor.model, monitor.environment, night)]
    then = [r for r in known if r.as_of is not None and r.as_of - night <= age]
    return then[-1] if then else None


def _numbers(result: NightResult) -> Iterable[Measurement]:
    return (
        m
        for m in result.all_measurements
        if m.value is not None and m.metric in CATALOG and CATALOG[m.metric].needs_labels
    )
