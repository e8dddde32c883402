"""The incident process: a judged night joins its incident, and people's decisions are recorded."""

import logging
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from vigil.config.schema import Monitor
from vigil.core.errors import Conflict, LedgerError, RegistryError
from vigil.core.words import Family, Mitigation
from vigil.diagnosis.onset import clues
from vigil.incidents.correlate import free_id, signals
from vigil.incidents.episodes import NewEvent, bad_night_events, episode_of, has_night, may_join
from vigil.incidents.events import IncidentAcknowledged, IncidentHeld, IncidentReleased
from vigil.incidents.lifecycle import fold
from vigil.incidents.recovery import AnswerKind, Answers, Recovery, kind_of, night_events, usual_rows_share
from vigil.incidents.restated import never_was_events, told
from vigil.incidents.severity import assess, each
from vigil.incidents.types import Clue, Event, Incident, Signal
from vigil.ports import Ports
from vigil.responses.plan import plan
from vigil.usecases.baseline import past_nights, usual_of
from vigil.usecases.nights import Night, history, incidents, load_night, serving_state
from vigil.usecases.record import append
from vigil.usecases.row_ledgers import answered_rows
from vigil.usecases.standing import standing
from vigil.usecases.surroundings import measured
from vigil.verdicts import coverage
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.service_days import night_before, service_days
from vigil.verdicts.types import NightResult, Verdict

log = logging.getLogger("vigil")

# a night that was judged without them answers them well
EXPECTATION, WHOLE_SUITE = "expectation", "suite"  # the metric; its subject where the suite could not be run
ASKED_WHEN_BAD = ("monitor", "rows", "schema", "baseline", coverage.METRIC)


def all_incidents(ports: Ports) -> list[Incident]:
    """Every incident, newest first."""
    folded = [fold(ports.ledger.read(stream)) for stream in ports.ledger.streams("incident/")]
    return sorted((i for i in folded if i), key=lambda i: (i.opened_at, i.id), reverse=True)


def _in_effect(incident: Incident) -> bool:
    return incident.is_open and incident.mitigation is not Mitigation.NONE and not incident.mitigation_over


def get(ports: Ports, incident: str) -> tuple[Incident, tuple[Event, ...]]:
    """One incident with its events. Raises LedgerError for an id that does not exist."""
    events: tuple[Event, ...] = ports.ledger.read(f"incident/{incident}")
    found = fold(events)
    if found is None:
        raise LedgerError(f"there is no incident {incident!r}; `vigil incidents` lists them")
    return found, events


@retry(
    retry=retry_if_exception_type(Conflict),
    stop=stop_after_attempt(8),
    wait=wait_random_exponential(multiplier=0.05, max=1),
    reraise=True,
)
def correlate(ports: Ports, monitor: Monitor, night: date) -> str | None:
    """Joins the latest judgement of `night`; returns the incident if actions are still to be done for it."""
    result = ports.results.latest(monitor.model, monitor.environment, night)
    if result is None:
        raise LedgerError(f"{monitor.model} {night}: nothing was judged; run the `judge` step first")
    known, past = incidents(ports, monitor), history(ports, monitor, night)
    new = _signals(ports, monitor, result, known, past)
    current = _joined(known, new, night)
    if new:
        name = current.id if current else free_id([i.id for i in known], monitor.model, monitor.environment, night)
        write(ports, name, _bad(ports, monitor, result, current, new))
        known = incidents(ports, monitor)
    still = [i for i in known if i.is_open and may_join(i, night)]
    given = answers_of(ports, monitor, result, past) if still else None
    for incident in still:
        away = () if new else _restated_away(ports, monitor, incident)
        write(ports, incident.id, away or _answered(given, monitor, result, incident))
    if new:
        return _pending(ports, monitor, name)
    about = current or next((i for i in reversed(known) if has_night(i, night)), None)  # its end is news
    return _pending(ports, monitor, about.id) if about else None


def _signals(
    ports: Ports, monitor: Monitor, result: NightResult, known: Sequence[Incident], past: Sequence[NightResult]
) -> tuple[Signal, ...]:
    """What is bad, but for what is known: told of an open incident, or standing."""
    told = {question for i in known if i.is_open for question in i.questions}
    stands = standing(ports, monitor, known, past)
    return signals(result, night_before(past), told=told, standing=stands)


def _joined(known: Sequence[Incident], new: Sequence[Signal], night: date) -> Incident | None:
    """The incident of a night's signals. A review that is due reopens none: it is a new one."""
    current = episode_of(known, night)
    reviewed = bool(new) and all(s.review for s in new)
    return None if current and reviewed and not current.is_open and not has_night(current, night) else current


def _restated_away(ports: Ports, monitor: Monitor, incident: Incident) -> Sequence[NewEvent]:
    """The end of an incident that, by what is known now, never was."""
    events = ports.ledger.read(f"incident/{incident.id}")
    results = {
        night: ports.results.latest(monitor.model, monitor.environment, night)
        for night in {s.night for s in told(events)}
    }
    answers = {(night, v.id): v for night, result in results.items() if result for v in result.verdicts}
    return never_was_events(incident, events, answers)


def nights_after_opening(ports: Ports, monitor: Monitor, night: date, *, until: date) -> list[date]:
    """The judged nights after one in the past that opened an incident: they were good or bad before it was known of."""
    if not any(i.is_open and i.opened_night == night for i in incidents(ports, monitor)):
        return []
    days = [night + timedelta(days=n) for n in range(1, (until - night).days)]
    return [d for d in days if ports.results.latest(monitor.model, monitor.environment, d) is not None]


def write(ports: Ports, incident: str, events: Sequence[NewEvent]) -> None:
    """Appends what was decided on the stream as it was read; Conflict means: read and decide again."""
    stream = f"incident/{incident}"
    for event in events:
        expected = len(ports.ledger.read(stream))
        ports.ledger.append(
            stream, expected=expected, key=event.key, type=event.type, at=ports.clock.now(), payload=event.payload
        )


def _bad(
    ports: Ports, monitor: Monitor, result: NightResult, current: Incident | None, new: Sequence[Signal]
) -> Sequence[NewEvent]:
    report = ports.artifacts.path(monitor.model, result.night, "report.html")
    how_bad = partial(
        assess,
        risk=monitor.risk,
        environment=monitor.environment,
        has_fallback=_has_fallback(ports, monitor),
        mitigated=current is not None and _in_effect(current),
    )
    return bad_night_events(
        current,
        new,
        monitor=monitor.model,
        environment=monitor.environment,
        night=result.night,
        knowledge=result.digest_key,
        assessment=how_bad(new),
        assessments=each(new, how_bad),
        versions=result.versions,
        clues=_clues(ports, monitor, result, new),
        report_url=ports.artifacts.url(monitor.model, result.night, "report.html") if report.exists() else None,
    )


def _has_fallback(ports: Ports, monitor: Monitor) -> bool:
    """Whether rules can stand in. A registry that does not answer must not keep an incident from being opened."""
    try:
        return serving_state(ports, monitor.model).fallback is not None
    except RegistryError as error:
        log.warning("no fallback is counted on while the registry is silent: %s", error)
        return False


def _clues(ports: Ports, monitor: Monitor, result: NightResult, new: Sequence[Signal]) -> tuple[Clue, ...]:
    """Since which hour the groups were treated differently, and which pipelines ran that night."""
    loaded = load_night(ports, monitor, result.night)
    if loaded is None:
        return ()
    groups = dict.fromkeys(s.verdict.subject for s in new if s.verdict.family is Family.FAIRNESS)
    return clues(loaded.served.hours, loaded.served.pipelines, tuple(groups))


def answers_of(ports: Ports, monitor: Monitor, result: NightResult, past: Sequence[NightResult]) -> Answers | None:
    """The night's answers in the champion's role; None where too few rows were the champion's."""
    loaded = load_night(ports, monitor, result.night)
    needed = monitor.response.recovery_rows or usual_rows_share([r.champion_rows or 0 for r in past])
    if loaded is None or loaded.champion is None or loaded.champion.rows < needed:
        return None
    given = _champion_answers(ports, monitor, result, loaded)
    return Answers(night=result.night, version=loaded.version, rows=loaded.champion.rows, verdicts=dict(given))


def _answered(given: Answers | None, monitor: Monitor, result: NightResult, incident: Incident) -> Sequence[NewEvent]:
    """What a night says of each question of an incident."""
    if given is None:
        return ()
    asked = {s.verdict.id: s.verdict for f in incident.findings for s in f.signals}
    said = {q: _answer(v, given.verdicts, result, monitor) for q, v in asked.items()}
    kinds = {kind.value: tuple(q for q, k in said.items() if k is kind) for kind in AnswerKind}
    r = monitor.response
    policy = Recovery(nights=r.recovery_nights, standing_nights=r.standing_nights, review_days=r.review_days)
    return night_events(incident, given.model_copy(update=kinds), policy)


def _champion_answers(ports: Ports, monitor: Monitor, result: NightResult, loaded: Night) -> Mapping[str, Verdict]:
    """Question -> verdict of the night's rows that the champion answered; the night's own where it answered all."""
    answers = {v.id: v for v in result.verdicts}
    if loaded.champion is None or loaded.champion.rows >= loaded.served.rows:
        return answers
    measurements = measured(ports, monitor, result.night, loaded.champion, loaded)
    facts = Facts(
        night=result.night,
        as_of=result.night,
        labels=monitor.labels,
        labelled_share=min(1.0, loaded.champion.outcome.labelled / loaded.champion.rows),
        version=loaded.version,  # good nights of the fallback say nothing of the champion
        surprise=usual_of(ports, monitor),
        rows=answered_rows(monitor, loaded.champion, loaded.baseline),
    )
    past = past_nights(ports, monitor, result.night, loaded)
    service = service_days(monitor.serves, past, result.night)
    return answers | {v.id: v for v in judge(measurements, monitor.rules, past, facts, service)}


def _answer(asked: Verdict, answers: Mapping[str, Verdict], result: NightResult, monitor: Monitor) -> AnswerKind | None:
    """How a night answers the question of a bad verdict; one that nobody asks any more, if its subject was seen."""
    verdict = answers.get(asked.id)
    if verdict is not None:
        return kind_of(verdict)
    if asked.metric in ASKED_WHEN_BAD:
        return AnswerKind.GOOD
    if asked.metric == EXPECTATION:  # the suite could not be read then, or does not have it any more
        subjects = {v.subject for v in answers.values() if v.metric == EXPECTATION}
        ran = bool(subjects) and WHOLE_SUITE not in subjects
        return AnswerKind.GOOD if ran or monitor.suite is None else None
    seen = any(m.id == asked.id and m.value is not None for m in result.measurements)
    return AnswerKind.GOOD if seen else AnswerKind.UNANSWERED


def _pending(ports: Ports, monitor: Monitor, incident: str) -> str | None:
    found, events = get(ports, incident)
    return incident if plan(found, events, monitor.response) else None


def acknowledge(ports: Ports, incident: str, *, by: str) -> None:
    """A person takes the incident."""
    get(ports, incident)
    taken = IncidentAcknowledged(by=by)
    append(ports, f"incident/{incident}", key=taken.type, body=taken)


def hold(ports: Ports, incident: str, *, by: str, why: str) -> None:
    """Nothing is changed automatically any more (a suspected serious incident: evidence first)."""
    found, _ = get(ports, incident)
    held = IncidentHeld(by=by, why=why)
    append(ports, f"incident/{incident}", key=f"{held.type}/{found.events}", body=held)


def release(ports: Ports, incident: str, *, by: str, why: str) -> None:
    """The hold ends."""
    found, _ = get(ports, incident)
    released = IncidentReleased(by=by, why=why)
    append(ports, f"incident/{incident}", key=f"{released.type}/{found.events}", body=released)
