"""What the steps of a night share: its window, its partition, its stored profiles, its past."""

from collections.abc import Sequence
from datetime import date, timedelta

from vigil.config.schema import Monitor, monitor_lookback
from vigil.core.errors import NotRegistered
from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.core.window import night_window
from vigil.core.words import Family, Role
from vigil.incidents.lifecycle import fold
from vigil.incidents.types import Incident, Status
from vigil.metrics.types import View
from vigil.ports import Partition, Ports, QualityOutcome, ReadPorts, ServingState
from vigil.profiles.merge import merge_all
from vigil.profiles.types import Key, Profile
from vigil.usecases.night.notes import SuiteNote
from vigil.usecases.reference import REFERENCE
from vigil.verdicts.coverage import YOUNG_NIGHTS
from vigil.verdicts.types import Cause, NightResult, State, Verdict

SERVING = (Role.CHAMPION, Role.FALLBACK)  # a challenger in shadow decides nothing
HISTORY_NIGHTS = 90


class Night(Spec):
    """One night's stored profiles, put together for judging."""

    served: Profile  # everything that was answered, by champion and fallback
    champion: Profile | None  # the champion's part alone
    version: str  # the version that answered most rows in the champion's role, else most rows
    baseline: Profile | None
    yardstick: str


def partition(ports: ReadPorts, monitor: Monitor, night: date) -> Partition:
    """The night's stored rows."""
    found: Partition = ports.log.partition(monitor, night_window(night, monitor.timezone))
    return found


def view(monitor: Monitor) -> View:
    """What the metrics must know of the monitor."""
    return View(
        task=monitor.task,
        features=monitor.features,
        decision=monitor.decision,
        protected=monitor.protected,
        latency_ms=tuple(s.threshold_ms for s in monitor.slos if s.threshold_ms is not None),
        intersections=monitor.intersections,
        strata=monitor.strata,
        flags=monitor.flags,
        sums=monitor.sums,
        kpis=monitor.kpis,
        weighted=monitor.data.sampling_weight is not None,
    )


def lookback(monitor: Monitor, as_of: date) -> tuple[date, ...]:
    """The nights whose late rows or labels are still looked for, oldest first, `as_of` last."""
    return tuple(as_of - timedelta(days=n) for n in range(monitor_lookback(monitor).days, -1, -1))


def load_night(ports: ReadPorts, monitor: Monitor, night: date) -> Night | None:
    """The profiles of a night, merged; None when nothing was profiled."""
    stored: dict[Key, Profile] = dict(ports.profiles.night(monitor.model, monitor.environment, night))
    serving = {k: p for k, p in stored.items() if k.role in SERVING and p.rows > 0}
    if not serving:
        return None
    champion = [p for k, p in serving.items() if k.role is Role.CHAMPION]
    of = {k: p for k, p in serving.items() if k.role is Role.CHAMPION} or serving
    version = max(of.items(), key=lambda item: (item[1].rows, item[0].version))[0].version
    own = ports.profiles.baseline(monitor.model, version)
    baseline = own or ports.profiles.baseline(monitor.model, REFERENCE)
    return Night(
        served=merge_all(list(serving.values())),
        champion=merge_all(champion) if champion else None,
        version=version,
        baseline=baseline,
        yardstick=f"holdout of version {version}" if own or baseline is None else "reference",
    )


def serving_state(ports: Ports, model: str) -> ServingState:
    """What the registry says should answer: nothing, for a model that was never registered."""
    try:
        state: ServingState = ports.registry.serving(model)
    except NotRegistered:
        return ServingState(champion=None)
    return state


def rows_key(found: Partition) -> str:
    """Identifies the rows of a partition, whatever labels came later."""
    return digest([sorted(found.files), sorted(found.broken)], length=12)


def suite_note(ports: ReadPorts, monitor: Monitor, night: date, found: Partition) -> QualityOutcome | None:
    """What the suite said about these rows; None where it has not run over them."""
    note: SuiteNote | None = ports.notes.get(monitor.model, night, SuiteNote, rows=rows_key(found))
    return note.content if note else None


def quality_of(
    ports: ReadPorts, monitor: Monitor, night: date, found: Partition, *, served: bool = True
) -> tuple[QualityOutcome, tuple[Verdict, ...]]:
    """What the suite said about these rows. Where it has not run, that is unknown, and a gate that nobody passed.

    served: whether the files hold rows of the night.
    """
    outcome = suite_note(ports, monitor, night, found)
    if outcome is None and monitor.suite is not None and found.files and served:
        return _not_run(monitor.suite)
    outcome = outcome or QualityOutcome(verdicts=())
    return outcome, outcome.verdicts


def suite_failed(suite: str, why: str) -> QualityOutcome:
    """The outcome of a suite that could not be run as a whole: it says so, and the night is judged without it."""
    verdict = _unchecked(f"suite: check failed; the suite {suite!r} could not be run ({why})")
    return QualityOutcome(verdicts=(verdict,))


def _unchecked(reason: str) -> Verdict:
    return Verdict(
        metric="expectation",
        subject="suite",
        family=Family.QUALITY,
        state=State.UNKNOWN,
        cause=Cause.CHECK_FAILED,
        reason=reason,
        overdue=True,
    )


def _not_run(suite: str) -> tuple[QualityOutcome, tuple[Verdict, ...]]:
    verdict = _unchecked(f"suite: check failed; the suite {suite!r} has not run over these rows")
    gate = f"suite {suite!r} (it has not run over these rows)"
    return QualityOutcome(verdicts=(verdict,), failed_gates=(gate,)), (verdict,)


def incidents(ports: ReadPorts, monitor: Monitor) -> list[Incident]:
    """Every incident of the monitor and its environment, oldest first."""
    folded = [fold(ports.ledger.read(stream)) for stream in ports.ledger.streams("incident/")]
    mine = [i for i in folded if i and (i.monitor, i.environment) == (monitor.model, monitor.environment)]
    return sorted(mine, key=lambda i: (i.opened_night, i.id))


def incident_nights(found: Sequence[Incident]) -> frozenset[date]:
    """The nights of incidents that show harm, from the first bad night of each to its last."""
    nights: set[date] = set()
    for incident in found:
        if incident.status is Status.NEVER_WAS or not _shows_harm(incident):
            continue
        days = (incident.last_bad_night - incident.first_night).days
        nights.update(incident.first_night + timedelta(days=n) for n in range(days + 1))
    return frozenset(nights)


def _shows_harm(incident: Incident) -> bool:
    signals = [s for f in incident.findings for s in f.signals]
    return not signals or any(not s.verdict.of_budget and s.verdict.state is not State.UNKNOWN for s in signals)


def history(
    ports: ReadPorts, monitor: Monitor, night: date, *, nights: int = HISTORY_NIGHTS
) -> tuple[NightResult, ...]:
    """The model's own judged nights before `night`, oldest first."""
    found: tuple[NightResult, ...] = ports.results.history(monitor.model, monitor.environment, night, nights)
    return found


def is_young(ports: ReadPorts, monitor: Monitor, past: Sequence[NightResult], night: date) -> bool:
    """Whether the model has too few judged nights with rows to be blamed for a short past. past: the last ones."""
    if sum(1 for r in past if r.rows and r.night < night) >= YOUNG_NIGHTS:
        return False
    oldest = ports.results.oldest(monitor.model, monitor.environment)
    if oldest is None or (night - oldest).days <= HISTORY_NIGHTS:
        return True
    found = ports.results.first(monitor.model, monitor.environment, since=oldest, before=night, nights=YOUNG_NIGHTS)
    return len(found) < YOUNG_NIGHTS


def budget_past(
    ports: ReadPorts, monitor: Monitor, night: date, known: Sequence[NightResult]
) -> tuple[NightResult, ...]:
    """The nights before `night` that its budgets look at: the longest window, beside nights that wait for labels.

    known: judged nights that are read already, the last HISTORY_NIGHTS among them.
    """
    waiting = monitor.labels.delay_nights + monitor.labels.grace_nights
    nights = max((slo.nights for slo in monitor.slos), default=0) + waiting
    past = known if nights <= HISTORY_NIGHTS else history(ports, monitor, night, nights=nights)
    return tuple(r for r in past if (night - r.night).days <= nights)
