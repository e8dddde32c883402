"""What Prometheus may ask about judged nights: budgets, verdicts, incidents. Labels are names of ours only.

Moments are written as Unix times, so that a file that nobody renews grows old instead of staying fresh.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from math import inf
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vigil.config.schema import Monitor
from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.incidents.types import Incident, Severity
from vigil.ports import Ports
from vigil.usecases.budget_policy import newest
from vigil.usecases.incidents import all_incidents
from vigil.verdicts.policy import PolicyState, standing
from vigil.verdicts.types import Budget, BurnLevel, NightResult, Prospect, State

WHO = ("model", "environment")
OF_SLO = (*WHO, "slo")


NUMBERS: tuple[tuple[str, str, Callable[[Budget], float | None]], ...] = (
    ("target_ratio", "Share that must be good.", lambda b: b.target),
    ("attained_ratio", "Share that was good, of all that was counted in the window.", lambda b: b.attained),
    ("budget_left_ratio", "Error budget left: 1 untouched, 0 exhausted, below 0 overspent.", lambda b: b.left),
    ("burn_ratio", "Tonight's spend in multiples of the even one (lower 95 % limit).", lambda b: b.burn),
    ("coverage_left_ratio", "Budget left of nights that may go unjudged.", lambda b: b.coverage_left),
    ("unjudged_nights", "Nights of the window that could not be judged.", lambda b: b.unjudged_nights),
)


class Watched(Spec):
    """A model with its newest judged night (None: never judged) and its open incidents."""

    monitor: Monitor
    result: NightResult | None
    incidents: tuple[Incident, ...] = ()


def watched(ports: Ports, monitors: Collection[Monitor]) -> tuple[Watched, ...]:
    """What is told about these models."""
    still = [i for i in all_incidents(ports) if i.is_open]
    return tuple(
        Watched(
            monitor=m,
            result=newest(ports, m),
            incidents=tuple(i for i in still if (i.monitor, i.environment) == (m.model, m.environment)),
        )
        for m in monitors
    )


def exposition(models: Sequence[Watched]) -> str:
    """Prometheus' text format, version 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_Nights(models))
    return generate_latest(registry).decode()


class _Nights(Collector):
    """Families of the models, made anew at each scrape."""

    def __init__(self, models: Sequence[Watched]) -> None:
        self._models = models

    def collect(self) -> Iterable[Metric]:
        """All families; those without a sample are left out."""
        return [f for f in (*_slos(self._models), *_policies(self._models), *_nights(self._models)) if f.samples]


def _slos(models: Sequence[Watched]) -> Iterator[Metric]:
    told = [((m.monitor.model, m.monitor.environment, b.slo), b) for m in models if m.result for b in m.result.budgets]
    for name, says, value in NUMBERS:
        family = GaugeMetricFamily(f"vigil_slo_{name}", says, labels=OF_SLO)
        for labels, b in told:
            found = value(b)
            if found is not None:  # what is not known is not told
                family.add_metric(labels, found)
        yield family
    levels = GaugeMetricFamily("vigil_slo_burn_level", "1 for the burn rule that fires.", labels=(*OF_SLO, "level"))
    ends = GaugeMetricFamily(
        "vigil_slo_exhaustion_timestamp_seconds",
        "When the budget is exhausted at the present rate (bound: expected, earliest, latest); +Inf: never.",
        labels=(*OF_SLO, "bound"),
    )
    for labels, b in told:
        for level in BurnLevel:
            levels.add_metric((*labels, level.value), float(b.level is level))
        for bound, moment in _ends(b):
            ends.add_metric((*labels, bound), moment)
    yield from (levels, ends)


def _ends(b: Budget) -> Iterator[tuple[str, float]]:
    """The bounds of the exhaustion date as Unix times. A spent budget has none ahead: what is left says so."""
    found = b.exhaustion
    if found is None or found.prospect in (Prospect.UNKNOWN, Prospect.EXHAUSTED):
        return
    for bound, night in (("expected", found.on), ("earliest", found.earliest), ("latest", found.latest)):
        yield bound, inf if night is None else _end(night, "UTC")


def _end(night: date, zone: str) -> float:
    """The end of a calendar day there."""
    after = night + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp()


def _policies(models: Sequence[Watched]) -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "vigil_budget_policy_state", "1 for the state of the budget policy.", labels=(*WHO, "state")
    )
    for m in models:
        if m.monitor.budget_policy is not None and m.result is not None:
            now = standing(m.monitor.budget_policy, m.result.budgets).state
            for state in PolicyState:
                family.add_metric((m.monitor.model, m.monitor.environment, state.value), float(state is now))
    yield family


def _nights(models: Sequence[Watched]) -> Iterator[Metric]:
    verdicts = GaugeMetricFamily(
        "vigil_verdicts", "Verdicts of the newest judged night.", labels=(*WHO, "family", "state")
    )
    last = GaugeMetricFamily("vigil_last_judged_night_timestamp_seconds", "End of the newest judged night.", labels=WHO)
    rows = GaugeMetricFamily("vigil_night_rows", "Predictions of the newest judged night.", labels=WHO)
    rest = GaugeMetricFamily("vigil_night_rest", "1 where the newest judged night is a day of rest.", labels=WHO)
    due = GaugeMetricFamily("vigil_questions_due", "Questions that were to be answered.", labels=(*WHO, "family"))
    judged = GaugeMetricFamily("vigil_questions_judged", "Those of them that were.", labels=(*WHO, "family"))
    grave = GaugeMetricFamily("vigil_open_incidents", "Incidents that are open.", labels=(*WHO, "severity"))
    for m in models:
        who = (m.monitor.model, m.monitor.environment)
        for severity in Severity:
            grave.add_metric((*who, severity.name), sum(i.severity is severity for i in m.incidents))
        if m.result is None:
            continue
        last.add_metric(who, _end(m.result.night, m.monitor.timezone))
        rows.add_metric(who, m.result.rows)
        rest.add_metric(who, float(m.result.rest))
        for one in m.result.coverage:
            due.add_metric((*who, one.family.value), one.due)
            judged.add_metric((*who, one.family.value), one.judged)
        tally = Counter((v.family, v.state) for v in m.result.verdicts)
        for family in Family:
            for state in State:
                verdicts.add_metric((*who, family.value, state.value), tally[family, state])
    yield from (verdicts, last, rows, rest, due, judged, grave)
