"""Why a night was judged as it was: the judgement is made again from what was stored then, and told step by step."""

import inspect
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.core.spec import Spec
from vigil.core.window import night_window
from vigil.incidents.events import NightRestated, SettingsRecorded
from vigil.metrics.catalog import CATALOG
from vigil.metrics.evaluate import load
from vigil.ports import ReadPorts
from vigil.usecases.baseline import past_nights, usual_of
from vigil.usecases.last_known import restored
from vigil.usecases.model_stream import stream
from vigil.usecases.nightly import night_result
from vigil.usecases.nights import load_night
from vigil.usecases.record import recorded
from vigil.verdicts.evidence import Evidence
from vigil.verdicts.explained import Step, explained
from vigil.verdicts.service_days import service_days
from vigil.verdicts.types import NightResult, Verdict

Then = Callable[[NightResult, datetime], ReadPorts]


class Rebuilt(Spec):
    """A judgement as it is stored, and made again. settings: whose they are; notes: what is not as it was then."""

    stored: NightResult
    rebuilt: NightResult
    evaluated_at: datetime
    as_of: date
    settings: str
    identical: bool
    differs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def rebuild(
    stored: ReadPorts, then: Then, monitor: Monitor, night: date, *, known_at: datetime | None = None
) -> tuple[Rebuilt, ReadPorts, Monitor]:
    """The judgement that was the latest at `known_at`, the ports and the settings of its time.

    Raises DataError where nothing was judged by then.
    """
    told = stored.results.versions_of_truth(monitor.model, monitor.environment, night)
    known = [(at, result) for at, result in told if known_at is None or at <= known_at]
    if not known or not told:
        when = f" by {known_at}; the first judgement is of {told[0][0].isoformat()}" if told else ""
        raise DataError(f"{monitor.model}: the night of {night} was not judged{when}. `vigil night` judges one")
    at, result = known[-1]
    settings, says = _settings(stored, monitor, result)
    ports = then(result, at)
    rebuilt, as_of = _closest(stored, ports, settings, result, at)
    identical = rebuilt.model_dump_json() == result.model_dump_json()
    made = Rebuilt(
        stored=result,
        rebuilt=rebuilt,
        evaluated_at=at,
        as_of=as_of,
        settings=says,
        identical=identical,
        differs=() if identical else _differs(result, rebuilt),
        notes=_notes(stored, ports, settings, result, at),
    )
    return made, ports, settings


def _settings(stored: ReadPorts, monitor: Monitor, result: NightResult) -> tuple[Monitor, str]:
    """The settings that the night was judged with: today's, or those that the ledger has kept."""
    if monitor.digest == result.config_digest:
        return monitor, f"{monitor.digest}, as they are today"
    for event in reversed(recorded(stored, stream(monitor.model), SettingsRecorded)):
        if event.body.digest == result.config_digest:
            try:
                return restored(event.body), f"{result.config_digest}, from the ledger"
            except ValidationError:
                break  # written by a release with other keys
    return monitor, (
        f"{result.config_digest} then, and the ledger has no copy that can be read; today's ({monitor.digest}) are "
        "used instead, so that what follows from them differs"
    )


def _closest(
    stored: ReadPorts, ports: ReadPorts, monitor: Monitor, result: NightResult, at: datetime
) -> tuple[NightResult, date]:
    """The judgement as of the night that it was made on: that is told for restatements, and tried for others."""
    wanted = result.model_dump_json()
    made: list[tuple[NightResult, date]] = []
    for as_of in _as_of(stored, monitor, result, at):
        again = night_result(ports, monitor, result.night, as_of=as_of)
        if not result.basis:  # judged by a release that kept none
            again = again.model_copy(update={"basis": ""})
        if not result.coverage:
            again = again.model_copy(update={"coverage": ()})
        again = _with_limits_as_stored(again, result)
        if again.model_dump_json() == wanted:
            return again, as_of
        made.append((again, as_of))
    return made[0]


def _with_limits_as_stored(again: NightResult, stored: NightResult) -> NightResult:
    """A limit of an older release is known as exactly as its text was: the same words are the same limit."""
    then = {v.id: v.limit for v in stored.verdicts}
    verdicts = (
        v.model_copy(update={"limit": then[v.id]}) if v.id in then and str(then[v.id]) == str(v.limit) else v
        for v in again.verdicts
    )
    return again.model_copy(update={"verdicts": tuple(verdicts)})


def _as_of(stored: ReadPorts, monitor: Monitor, result: NightResult, at: datetime) -> list[date]:
    told = [
        e.body.as_of
        for e in recorded(stored, stream(monitor.model), NightRestated)
        if e.body.digest == result.digest_key and e.body.night == result.night
        and e.body.environment == monitor.environment and e.body.as_of is not None
    ]  # fmt: skip
    yesterday = at.astimezone(ZoneInfo(monitor.timezone)).date() - timedelta(days=1)
    return list(dict.fromkeys([*told, result.night, max(yesterday, result.night)]))


def _differs(stored: NightResult, rebuilt: NightResult) -> tuple[str, ...]:
    """What is not the same, in words."""
    found = []
    for name in type(stored).model_fields:
        was, now = getattr(stored, name), getattr(rebuilt, name)
        if was == now or name in ("verdicts", "measurements"):
            continue
        found.append(f"{name}: {was!r} then, {now!r} now" if len(repr(was)) < 80 else f"{name} differ")
    then, now = ({v.id: v for v in r.verdicts} for r in (stored, rebuilt))
    found += [f"{q}: judged then, and not now" for q in then if q not in now]
    found += [f"{q}: judged now, and not then" for q in now if q not in then]
    found += [f"{q}: {then[q].reason} | now {now[q].reason}" for q in then if q in now and then[q] != now[q]]
    if stored.measurements != rebuilt.measurements:
        found.append("numbers that no rule asks about differ")
    return tuple(found) or ("their JSON differs, their content does not",)


def _notes(stored: ReadPorts, ports: ReadPorts, monitor: Monitor, result: NightResult, at: datetime) -> tuple[str, ...]:
    notes = []
    window = night_window(result.night, monitor.timezone)
    digests = (stored.log.partition(monitor, window, labels_through=through).digest for through in (at, None))
    if result.partition_digest not in digests:
        notes.append("the log has other rows or labels of the night now; the profile of those that were judged is used")
    if result.rows and not ports.profiles.night(result.monitor, result.environment, result.night):
        notes.append("the profile of those rows is not stored any more: nothing can be measured again")
    return tuple(notes)


def asked(result: NightResult, subject: str | None) -> tuple[Verdict, ...]:
    """The verdicts that a person means: metric/subject, metric(subject), a metric, or a subject; else those not ok."""
    if subject is None:
        return tuple(v for v in result.verdicts if v.state.value != "ok")
    wanted = subject.strip().removesuffix(")").replace("(", "/", 1) if "(" in subject else subject.strip()
    found = tuple(v for v in result.verdicts if wanted in (v.id, v.metric, v.subject))
    if not found:
        from difflib import get_close_matches

        known = sorted({name for v in result.verdicts for name in (v.id, v.metric, v.subject)})
        near = get_close_matches(wanted, known, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"metrics: {', '.join(known)}"
        raise DataError(f"{result.monitor} {result.night}: nothing was judged about {subject!r}; {hint}")
    return found


def steps(
    ports: ReadPorts, monitor: Monitor, result: NightResult, verdicts: Sequence[Verdict]
) -> list[tuple[Step, ...]]:
    """The steps of each verdict. ports, monitor: of the time of the judgement, as `rebuild` returns them."""
    loaded = load_night(ports, monitor, result.night)
    past = tuple(r for r in past_nights(ports, monitor, result.night, loaded) if r.rows)
    usual = usual_of(ports, monitor)
    service = service_days(monitor.serves, past, result.night)
    told = []
    for verdict in verdicts:
        entry = CATALOG.get(verdict.metric)
        formula = _formula(verdict.metric) if entry else ""
        evidence = Evidence(
            result=result, rules=monitor.rules, past=past, surprise=usual, service=service,
            says=entry.says if entry else "", formula=formula,
        )  # fmt: skip
        told.append(explained(verdict, evidence))
    return told


def _formula(metric: str) -> str:
    """The metric's own documentation, without its example, in one line."""
    doc = inspect.getdoc(load(CATALOG[metric])) or ""
    return " ".join(doc.split("\n>>> ")[0].split())
