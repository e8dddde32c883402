"""What each night adds to an objective: good and total, or why the night does not count.

Statistics: docs/statistics.md#objectives-and-budgets.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import partial

from vigil.core.spec import Spec
from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG
from vigil.metrics.types import Measurement
from vigil.verdicts.coverage import METRIC, coverage_of
from vigil.verdicts.service_days import EVERY_DAY, ServiceDays
from vigil.verdicts.types import BURN, PROVISIONAL, Cause, Labels, NightResult, Slo, State

ESTIMATES = tuple(name for name, entry in CATALOG.items() if entry.estimate)
# these do not say how well a night went
UNTOLD = (BURN, METRIC, "label_coverage", "group_label_coverage", *ESTIMATES)
COUNTED = {
    "availability": "success_rate",
    "latency": "latency_within",
    "completeness": "missing",
    "version_integrity": "version_integrity",
    "log_completeness": "log_completeness",
    "label_completeness": "label_coverage",
}  # objective -> the metric whose counts it adds up
OF_NULLS = ("completeness",)  # objectives whose metric counts what is bad


class Spent(Spec):
    """Good and total of one night; total 0 means that the night could not be counted.

    waiting: it cannot be counted yet (labels that are not due), and costs nothing. asked: the objective was asked
    about on that night. overdue: it was not counted, and something was unknown that must not be; the second such night
    in a row opens an incident.
    """

    night: date
    good: float
    total: float
    waiting: bool = False
    asked: bool = True
    overdue: bool = False


def spent(slo: Slo, night: NightResult, *, labels: Labels | None = None, as_of: date | None = None) -> Spent:
    """What one judged night adds to an SLO.

    labels, as_of: when the labels of the night are due, and the moment of asking; without them they are due.
    """
    due = labels is None or as_of is None or labels.overdue(night.night, as_of)
    good, total, waiting = _count(slo, night, due=due)
    return Spent(
        night=night.night,
        good=good,
        total=total,
        waiting=waiting,
        asked=total > 0 or any(b.slo == slo.name for b in night.budgets),
        overdue=total <= 0 and any(v.overdue for v in night.verdicts),
    )


def nights_spent(
    slo: Slo, results: Sequence[NightResult], *, labels: Labels | None = None, as_of: date | None = None,
    daily: bool = True, service: ServiceDays = EVERY_DAY,
) -> list[Spent]:  # fmt: skip
    """What each of `results` (in date order) added, oldest first.

    daily: every day of service is a night, so that one without a result is one that nobody judged.
    service: on which weekdays the model serves; days of rest are neither good nor unjudged.
    """
    told = partial(spent, slo, labels=labels, as_of=as_of)
    rested = {r.night for r in results if _rested(r, service)}
    made: list[Spent] = []
    for result in (r for r in results if r.night not in rested):
        if daily and made:
            days = [made[-1].night + timedelta(days=n) for n in range(1, (result.night - made[-1].night).days)]
            lost = [day for day in days if not service.rests(day) and day not in rested]
            made += [Spent(night=day, good=0, total=0, asked=made[-1].asked, overdue=True) for day in lost]
        made.append(told(result))
    return made


def _rested(result: NightResult, service: ServiceDays) -> bool:
    """Whether a result is of a day of rest, also where an older release did not know it as one."""
    return result.rest or (not result.rows and service.rests(result.night))


def _count(slo: Slo, night: NightResult, *, due: bool) -> tuple[float, float, bool]:
    """(good, total, waiting)."""
    match slo.sli:
        case "good_nights":
            return _good_night(slo.family, night)
        case "evaluation_coverage":
            return (*_decided(night), False)
        case "label_completeness" if not due:
            return 0, 0, True
        case _:
            return (*_added(slo, night), False)


def _added(slo: Slo, night: NightResult) -> tuple[float, float]:
    """The counts of the objective's metric, over all its subjects (features)."""
    metric = COUNTED[slo.sli]
    found = [m for m in _measured(night, metric) if len(m.parts) == 2]
    if slo.sli == "latency":
        found = [m for m in found if m.subject == f"<={slo.threshold_ms:g} ms"]
    hits, total = sum(m.parts[0] for m in found), sum(m.parts[1] for m in found)
    return (total - hits if slo.sli in OF_NULLS else hits), total


def _measured(night: NightResult, metric: str) -> Iterable[Measurement]:
    """The metric's numbers, each subject once, whether a rule asked about it or not."""
    asked = [v.measurement for v in night.verdicts if v.metric == metric and v.measurement is not None]
    return {m.subject: m for m in (*asked, *(m for m in night.measurements if m.metric == metric))}.values()


def _decided(night: NightResult) -> tuple[float, float]:
    """Questions that were due and got an answer. A night without any answer was not judged at all."""
    families = coverage_of(night)
    decided = sum(c.judged for c in families)
    return (decided, sum(c.due for c in families)) if decided else (0, 0)


def _good_night(family: Family | None, night: NightResult) -> tuple[float, float, bool]:
    """A breach makes a night bad at once; it is good once no label is waited for and something was answered.

    What labels tell counts once a cohort is mature: before, the night waits, and is lost once it is overdue. The first
    nights of a model, which are compared with its past, wait too.
    """
    mine = [v for v in night.verdicts if v.family is family and v.metric not in UNTOLD]
    if any(v.state is State.BREACH for v in mine):
        return 0, 1, False
    immature = [v for v in mine if v.cause is Cause.LABELS_PENDING or v.cohort == PROVISIONAL]
    if immature:
        return 0, 0, not any(v.overdue for v in immature)
    if any(v.state in (State.OK, State.WARN) for v in mine):
        return 1, 1, False
    return 0, 0, any(v.cause is Cause.TOO_FEW_NIGHTS for v in mine)
