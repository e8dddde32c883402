"""What taught a model what is usual: which nights, on whose yardstick, and how a person names other ones."""

from collections.abc import Sequence
from datetime import date, timedelta

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.words import Family
from vigil.metrics.evaluate import evaluate
from vigil.metrics.types import Measurement
from vigil.ports import Ports
from vigil.usecases.model_stream import stream
from vigil.usecases.nights import Night, history, incident_nights, incidents, load_night, view
from vigil.usecases.record import append
from vigil.verdicts.surprise import reference_nights
from vigil.verdicts.types import NightResult, Surprise

REBASELINED, PROPOSED = "rebaselined", "rebaseline_proposed"
QUIET_NIGHTS = 28  # after the nights that teach, before others are proposed
SPARE = 14  # nights without rows that the search for nights that teach reaches over


def usual_of(ports: Ports, monitor: Monitor) -> Surprise:
    """The monitor's settings, with the nights that the latest re-baselining named."""
    settings: Surprise = monitor.surprise
    for event in ports.ledger.read(stream(monitor.model)):
        if event.type == REBASELINED and event.payload["environment"] == monitor.environment:
            since, until = event.payload["since"], event.payload["until"]
            settings = settings.model_copy(
                update={"since": date.fromisoformat(since), "until": until and date.fromisoformat(until)}
            )
    return settings


def past_nights(ports: Ports, monitor: Monitor, night: date, loaded: Night | None) -> tuple[NightResult, ...]:
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


def _teachers(ports: Ports, monitor: Monitor, night: date) -> tuple[NightResult, ...]:
    settings = usual_of(ports, monitor)
    first = settings.since or ports.results.oldest(monitor.model, monitor.environment)
    if first is None or first >= night:
        return ()
    bad = sum(first <= n < night for n in incident_nights(incidents(ports, monitor)))
    last = settings.until or first + timedelta(days=settings.nights + bad + SPARE)
    found: tuple[NightResult, ...] = ports.results.between(
        monitor.model, monitor.environment, first, min(last, night - timedelta(days=1))
    )
    return found


def _on_yardstick(
    ports: Ports, monitor: Monitor, result: NightResult, loaded: Night, names: frozenset[str]
) -> NightResult:
    """A past night with the scores of `names` as they are against tonight's baseline, where they were not."""
    have = [*(v.measurement for v in result.verdicts if v.measurement), *result.measurements]
    mine = [m for m in have if m.metric in names]
    fitting = {m.metric for m in mine if m.baseline != 0 or m.yardstick == loaded.yardstick}
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
    """Records which nights teach from now on. Returns what was recorded. Raises DataError where none were judged.

    until: the last of them; None takes the first `surprise.nights` usable ones, now and in nights to come.
    """
    last = until or ports.clock.now().date()
    judged = ports.results.between(monitor.model, monitor.environment, since, last)
    bad = incident_nights(incidents(ports, monitor))
    usable = [r.night for r in judged if r.rows and r.night not in bad]
    if until is not None and len(usable) < 7:
        raise DataError(
            f"{monitor.model}: {len(usable)} usable nights from {since} to {until}; at least 7 teach what is usual. "
            f"Name an earlier --since, or leave --until out"
        )
    until_text = until.isoformat() if until else None
    key = f"{REBASELINED}/{monitor.environment}/{since}/{until_text}/{ports.clock.now().date()}"
    payload = {
        "environment": monitor.environment,
        "since": since.isoformat(),
        "until": until_text,
        "actor": actor,
        "reason": reason,
    }
    append(ports, stream(monitor.model), key=key, type=REBASELINED, payload=payload)
    return f"{monitor.model}: {len(usable)} judged nights from {since} to {until or 'now'} teach what is usual"


def proposal(ports: Ports, monitor: Monitor, past: Sequence[NightResult], night: date) -> str:
    """What is proposed once the nights that teach are old: which quiet nights could teach instead; "" for nothing."""
    if not surprising(monitor):
        return ""
    settings = usual_of(ports, monitor)
    bad = incident_nights(incidents(ports, monitor))
    taught = reference_nights([r.night for r in past if r.rows], night, settings, bad)
    if len(taught) < settings.nights and settings.until is None:
        return ""
    later = [r.night for r in past if r.rows and taught and r.night > taught[-1] and r.night not in bad]
    if len(later) < QUIET_NIGHTS:
        return ""
    return (
        f"what is usual was learnt from {len(taught)} nights, {taught[0]} to {taught[-1]}; {len(later)} quiet nights "
        f"came since. If the world has changed for good: `vigil rebaseline {monitor.model} --since {later[0]}`"
    )


def propose(ports: Ports, monitor: Monitor, night: date, text: str) -> None:
    """Records a proposal, once a month."""
    if text:
        key = f"{PROPOSED}/{monitor.environment}/{night:%Y-%m}"
        payload = {"environment": monitor.environment, "night": night.isoformat(), "says": text}
        append(ports, stream(monitor.model), key=key, type=PROPOSED, payload=payload)
