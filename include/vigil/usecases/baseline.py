"""What taught a model what is usual: which nights, on whose yardstick, and how a person names other ones."""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.ids import digest
from vigil.core.words import Family
from vigil.incidents.events import Rebaselined, RebaselineProposed
from vigil.metrics.evaluate import evaluate
from vigil.metrics.reasons import Absence
from vigil.metrics.types import Measurement
from vigil.ports import Ports, ReadPorts
from vigil.usecases.model_stream import stream
from vigil.usecases.nights import Night, history, load_night, view
from vigil.usecases.record import Recorded, append, recorded
from vigil.verdicts.memory import is_bad, lesson
from vigil.verdicts.scored_nights import REACH, reference_nights
from vigil.verdicts.surprise import LEAST_NIGHTS
from vigil.verdicts.types import NightResult, Surprise, Verdict

LEAST_CLOSED = 7  # usable nights of a span that has a last one; an open one grows
QUIET_NIGHTS = 28  # after the nights that teach, before others are proposed


def rebaselinings(ports: ReadPorts, monitor: Monitor) -> list[Recorded[Rebaselined]]:
    """What people said about the nights that teach, oldest first."""
    named = recorded(ports, stream(monitor.model), Rebaselined)
    return [e for e in named if e.body.environment == monitor.environment]


def usual_of(ports: ReadPorts, monitor: Monitor) -> Surprise:
    """The monitor's settings, with the nights that the latest re-baselining named."""
    settings: Surprise = monitor.surprise
    for named in rebaselinings(ports, monitor)[-1:]:
        settings = settings.model_copy(update={"since": named.body.since, "until": named.body.until})
    return settings


def basis_of(ports: ReadPorts, monitor: Monitor, loaded: Night | None, suite: Sequence[Verdict]) -> str:
    """A digest of what tonight's numbers are held against: where it is another one, judging again is news.

    Bin edges, the yardstick, the latest re-baselining, and what the suite said.
    """
    said = [(v.id, v.state, v.measurement.value if v.measurement else None) for v in suite]
    if loaded is None:
        return digest(["", "", "", said], length=12)
    base = loaded.baseline
    yardstick = [loaded.yardstick, base.rows, base.edges_digest] if base is not None else []
    named = rebaselinings(ports, monitor)[-1:] if surprising(monitor) else []
    return digest([loaded.served.edges_digest, yardstick, [e.sequence for e in named], said], length=12)


def past_nights(ports: ReadPorts, monitor: Monitor, night: date, loaded: Night | None) -> tuple[NightResult, ...]:
    """The judged nights before `night` that its verdicts look at: the recent ones, and those that teach what is usual.

    Scores that a past night has not, or has against another holdout, are measured anew from its profile.
    """
    recent = history(ports, monitor, night)
    names = surprising(monitor)
    if not names:
        return recent
    found = {r.night: r for r in (*_teachers(ports, monitor, night), *recent)}
    past = tuple(found[n] for n in sorted(found))
    return past if loaded is None else tuple(_on_yardstick(ports, monitor, r, loaded, names) for r in past)


def surprising(monitor: Monitor) -> frozenset[str]:
    """The metrics that a rule judges by surprise."""
    return frozenset(r.metric for f in Family for r in getattr(monitor.rules, f.value) if r.surprise)


def _teachers(ports: ReadPorts, monitor: Monitor, night: date) -> tuple[NightResult, ...]:
    settings = usual_of(ports, monitor)
    first = settings.since or ports.results.oldest(monitor.model, monitor.environment)
    if first is None or first >= night:
        return ()
    found: tuple[NightResult, ...]
    if settings.window == "rolling":
        found = ports.results.history(monitor.model, monitor.environment, night, REACH * settings.nights)
    elif settings.until is not None:
        last = min(settings.until, night - timedelta(days=1))
        found = ports.results.between(monitor.model, monitor.environment, first, last)
    else:
        found = ports.results.first(
            monitor.model,
            monitor.environment,
            since=first,
            before=night,
            nights=REACH * settings.nights,  # each question has bad nights of its own
        )
    return found


def _on_yardstick(
    ports: ReadPorts, monitor: Monitor, result: NightResult, loaded: Night, names: frozenset[str]
) -> NightResult:
    """A past night with the scores of `names` as they are against tonight's baseline, where they were not."""
    have = result.all_measurements
    mine: dict[str, list[Measurement]] = {}
    for m in have:
        if m.metric in names:
            mine.setdefault(m.metric, []).append(m)
    fitting = {name for name, numbers in mine.items() if _fits(numbers, loaded)}
    if not result.rows or names <= fitting | _unasked(monitor, names):
        return result
    then = load_night(ports, monitor, result.night)
    if then is None:
        return result
    anew = evaluate(
        then.served,
        loaded.baseline,
        view(monitor),
        yardstick=loaded.yardstick,
        only=names - fitting,
        edges=ports.profiles.edges(monitor.model),
    )
    return _replaced(result, {m.id: m for m in anew})


def _fits(numbers: Sequence[Measurement], loaded: Night) -> bool:
    """Whether a night has a metric as it is against tonight's baseline. What has no value is against nothing."""
    known = [m for m in numbers if m.value is not None]
    if not known:
        return loaded.baseline is None or not any(m.absence is Absence.NO_BASELINE for m in numbers)
    return all(m.baseline != 0 or m.yardstick == loaded.yardstick for m in known)


def _unasked(monitor: Monitor, names: frozenset[str]) -> frozenset[str]:
    """Metrics that no night has for lack of what they are about."""
    from vigil.metrics.catalog import CATALOG

    return frozenset(n for n in names if n in CATALOG and monitor.task not in CATALOG[n].tasks)


def _replaced(result: NightResult, anew: dict[str, Measurement]) -> NightResult:
    verdicts = tuple(
        v.model_copy(update={"measurement": anew.pop(v.id)}) if v.id in anew else v for v in result.verdicts
    )
    kept = tuple(m for m in result.measurements if m.id not in anew)
    return result.model_copy(update={"verdicts": verdicts, "measurements": (*kept, *anew.values())})


def rebaseline(ports: Ports, monitor: Monitor, *, since: date, until: date | None, actor: str, reason: str) -> str:
    """Records which nights teach from now on. Returns what was recorded. Raises DataError where they cannot teach.

    until: the last of them; None takes the first `surprise.nights` usable ones, now and in nights to come.
    """
    usable = _named(ports, monitor, since, until, actor, reason)
    wanted = Rebaselined(
        environment=monitor.environment, since=since, until=until, actor=actor.strip(), reason=reason.strip()
    )
    known = rebaselinings(ports, monitor)
    if not known or known[-1].body != wanted:  # said twice is said once
        number = len(known) + 1
        while _numbered(ports, monitor, number, wanted) != wanted:  # somebody else took the number
            number += 1
    said = f"{monitor.model}: {usable} judged nights from {since} to {until or 'now'} teach what is usual"
    young = f"; what is compared with past nights is unknown until {LEAST_NIGHTS} have been judged"
    return said + (young if usable < LEAST_NIGHTS else "")


def _numbered(ports: Ports, monitor: Monitor, number: int, body: Rebaselined) -> Rebaselined:
    key = f"{body.type}/{monitor.environment}/{number}"
    return append(ports, stream(monitor.model), key=key, body=body)


def _named(ports: Ports, monitor: Monitor, since: date, until: date | None, actor: str, reason: str) -> int:
    """How many nights of a span are usable by now. Raises DataError for what cannot be recorded.

    An open span may have none yet: on the day on which the world changes, the nights to come are the usual ones.
    """
    if not actor.strip() or not reason.strip():
        raise DataError(
            f"{monitor.model}: the ledger keeps who named other nights, and why: give --actor and --reason, in words"
        )
    today = ports.clock.now().astimezone(ZoneInfo(monitor.timezone)).date()
    if since > today:
        raise DataError(
            f"{monitor.model}: --since {since} lies in the future (today is {today}); nights that were judged teach. "
            "Name the first night after the change"
        )
    judged = ports.results.between(monitor.model, monitor.environment, since, until or today)
    usable = len([r for r in judged if lesson(r).sound])
    if until is not None and usable < LEAST_CLOSED:
        raise DataError(
            f"{monitor.model}: {usable} usable nights from {since} to {until}; at least {LEAST_CLOSED} teach what is "
            "usual. Name a longer span, or leave --until out: then nights to come teach too"
        )
    return usable


def proposal(ports: ReadPorts, monitor: Monitor, past: Sequence[NightResult], night: date) -> str:
    """What is proposed once the nights that teach are old: which quiet nights could teach instead; "" for nothing."""
    if not surprising(monitor):
        return ""
    settings = usual_of(ports, monitor)
    if settings.window == "rolling":
        return ""
    taught = reference_nights([r.night for r in past if lesson(r).sound], night, settings)
    if len(taught) < settings.nights and settings.until is None:
        return ""
    later = [r.night for r in past if taught and r.night > taught[-1] and lesson(r).sound and not _drifted(r)]
    if len(later) < QUIET_NIGHTS:
        return ""
    return (
        f"what is usual was learnt from {len(taught)} nights, {taught[0]} to {taught[-1]}; {len(later)} quiet nights "
        f"came since. If the world has changed for good: `vigil rebaseline {monitor.model} --since {later[0]}`"
    )


def _drifted(result: NightResult) -> bool:
    return any(is_bad(v) and v.family in (Family.DRIFT, Family.QUALITY) for v in result.verdicts)


def propose(ports: Ports, monitor: Monitor, night: date, text: str) -> None:
    """Records a proposal, once a month."""
    if text:
        body = RebaselineProposed(environment=monitor.environment, night=night, says=text)
        key = f"{body.type}/{monitor.environment}/{night:%Y-%m}"
        append(ports, stream(monitor.model), key=key, body=body)
