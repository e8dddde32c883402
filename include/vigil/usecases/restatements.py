"""What the judging of one night changes in the past: nights whose figures moved, and nights that were missed."""

from datetime import date, datetime

from vigil.config.schema import Monitor
from vigil.incidents.events import MovedFigure, NightJudgedLate, NightRestated
from vigil.ports import Ports
from vigil.usecases.baseline import rebaselinings
from vigil.usecases.model_stream import stream
from vigil.usecases.record import append, recorded
from vigil.verdicts.types import NightResult


def told_by(ports: Ports, monitor: Monitor, as_of: date) -> tuple[date, ...]:
    """The past nights that the judging of `as_of` restated, or judged because they had been missed, in whichever try.

    The incident process has not heard of what is known of them now.
    """
    where = stream(monitor.model)
    restated = [e.body for e in recorded(ports, where, NightRestated)]
    news: list[NightRestated | NightJudgedLate] = [
        *restated,
        *(e.body for e in recorded(ports, where, NightJudgedLate)),
    ]
    mine = {b.night for b in news if b.as_of == as_of and b.environment == monitor.environment}
    return tuple(sorted(mine))


def same(ports: Ports, monitor: Monitor, before: NightResult, after: NightResult) -> bool:
    """Whether two judgements are the same one, so that the second is no news.

    A result of a release that kept no basis is compared by what it tells of it: newer software alone restates nothing.
    """
    if before.basis:
        return before.digest_key == after.digest_key
    if before.facts_key != after.facts_key or _held_against(before) != _held_against(after):
        return False
    return not any(_later(ports, monitor, before, named.at) for named in rebaselinings(ports, monitor)[-1:])


def _held_against(result: NightResult) -> tuple[object, ...]:
    """Edges, yardsticks and what the suite said, as a result of any release tells them."""
    suite = [(v.id, v.state, v.measurement.value if v.measurement else None)
             for v in result.verdicts if v.metric == "expectation"]  # fmt: skip
    return result.edges_digest, {m.yardstick for m in result.all_measurements if m.yardstick}, suite


def _later(ports: Ports, monitor: Monitor, before: NightResult, at: datetime) -> bool:
    """Whether something was said after a night was judged last."""
    told = ports.results.versions_of_truth(monitor.model, monitor.environment, before.night)
    return bool(at > told[-1][0])


def record(ports: Ports, monitor: Monitor, before: NightResult | None, after: NightResult, as_of: date) -> None:
    """Says that a judgement is news of the past, before it is stored: what is stored is not looked at again."""
    if before is not None:
        _restated(ports, monitor, before, after, as_of)
    elif after.night < as_of and _was_missed(ports, monitor, after.night, as_of):
        late = NightJudgedLate(night=after.night, environment=monitor.environment, as_of=as_of)
        key = f"{late.type}/{monitor.environment}/{after.night}/{as_of}"
        append(ports, stream(monitor.model), key=key, body=late)


def _was_missed(ports: Ports, monitor: Monitor, night: date, as_of: date) -> bool:
    """Whether nights before it had been judged by an earlier run. History that the first run finds was not missed."""
    oldest = ports.results.oldest(monitor.model, monitor.environment)
    if oldest is None or night <= oldest:
        return False
    told = ports.results.versions_of_truth(monitor.model, monitor.environment, oldest)
    return bool(told[0][1].as_of != as_of)


def _restated(ports: Ports, monitor: Monitor, before: NightResult, after: NightResult, as_of: date) -> None:
    """A past night's figures moved: an event of the model's stream says which, from what to what."""
    old = {v.id: v for v in before.verdicts}
    moved = []
    for v in after.verdicts:
        was = old.get(v.id)
        then = was.measurement.value if was and was.measurement else None
        now = v.measurement.value if v.measurement else None
        if was is None or was.state is not v.state or then != now or was.overdue is not v.overdue:
            state = was.state if was else None
            moved.append(MovedFigure(id=v.id, was=then, now=now, from_state=state, to_state=v.state))
    body = NightRestated(
        night=after.night,
        environment=monitor.environment,
        as_of=as_of,
        digest=after.digest_key,
        moved=tuple(moved),
    )
    key = f"{body.type}/{monitor.environment}/{after.night}/{after.digest_key}/{as_of}"
    append(ports, stream(monitor.model), key=key, body=body)
