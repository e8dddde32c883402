"""What the judging of one night changes in the past: nights whose figures moved, and nights that were missed."""

from datetime import date

from vigil.config.schema import Monitor
from vigil.ports import Ports
from vigil.usecases.model_stream import stream
from vigil.usecases.record import append
from vigil.verdicts.types import NightResult

RESTATED, JUDGED_LATE = "restated", "judged_late"


def told_by(ports: Ports, monitor: Monitor, as_of: date) -> list[str]:
    """The past nights that the judging of `as_of` restated, or judged because they had been missed, in whichever try.

    The incident process has not heard of what is known of them now.
    """
    events = ports.ledger.read(stream(monitor.model))
    told = [e.payload for e in events if e.type in (RESTATED, JUDGED_LATE)]
    mine = [p for p in told if p.get("as_of") == as_of.isoformat() and p["environment"] == monitor.environment]
    return sorted({p["night"] for p in mine})


def record(ports: Ports, monitor: Monitor, before: NightResult | None, after: NightResult, as_of: date) -> None:
    """Says that a judgement is news of the past, before it is stored: what is stored is not looked at again."""
    if before is not None:
        _restated(ports, monitor, before, after, as_of)
    elif after.night < as_of and _was_missed(ports, monitor, after.night, as_of):
        payload = {"night": after.night.isoformat(), "environment": monitor.environment, "as_of": as_of.isoformat()}
        key = f"{JUDGED_LATE}/{monitor.environment}/{after.night}/{as_of}"
        append(ports, stream(monitor.model), key=key, type=JUDGED_LATE, payload=payload)


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
            moved.append(
                {"id": v.id, "was": then, "is": now, "from": was.state.value if was else None, "to": v.state.value}
            )
    about = {"night": after.night.isoformat(), "environment": monitor.environment, "as_of": as_of.isoformat()}
    payload = {**about, "digest": after.digest_key, "moved": moved}
    key = f"{RESTATED}/{monitor.environment}/{after.night}/{after.digest_key}"
    append(ports, stream(monitor.model), key=key, type=RESTATED, payload=payload)
