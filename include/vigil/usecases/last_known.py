"""The settings that judged a model's nights are recorded, so that a YAML that breaks later does not lose its people."""

from collections.abc import Mapping

from pydantic import ValidationError

from vigil.config.schema import Monitor
from vigil.incidents.types import Event
from vigil.ports import Ports
from vigil.usecases.model_stream import stream
from vigil.usecases.record import append

RECORDED = "settings_recorded"


def record(ports: Ports, monitor: Monitor) -> None:
    """Keeps the monitor as it is now in its model's stream; settings that are the newest already are not kept again."""
    before = [event for event in ports.ledger.read(stream(monitor.model)) if event.type == RECORDED]
    if before and before[-1].payload["digest"] == monitor.digest:
        return
    told = {"monitor": monitor.model_dump(mode="json"), "text": monitor.model_dump_json()}
    payload = {"digest": monitor.digest, **told}
    key = f"settings/{len(before) + 1}/{monitor.digest}"  # settings that come back after others are news
    append(ports, stream(monitor.model), key=key, type=RECORDED, payload=payload)


def last_known(ports: Ports, model: str) -> Monitor | None:
    """The newest recorded settings of a model that this release can still read, or None."""
    for event in reversed(ports.ledger.read(stream(model))):
        if event.type == RECORDED:
            try:
                return restored(event)
            except ValidationError:
                continue  # written by a release with other keys
    return None


def restored(event: Event) -> Monitor:
    """The settings that an event keeps. `text` has its keys in the order of the file: numbers are listed in that order,
    and a judgement that is made again must be the same to the byte. Raises ValidationError for those of a release with
    other keys.
    """
    text = event.payload.get("text")
    return Monitor.model_validate_json(text) if text else Monitor.model_validate(event.payload["monitor"])


def with_last_known(ports: Ports, monitors: Mapping[str, Monitor]) -> dict[str, Monitor]:
    """The monitors that load, and the last known settings of every other model that was ever judged."""
    known = {name.removeprefix(stream("")) for name in ports.ledger.streams(stream(""))}
    lost = {model: last_known(ports, model) for model in known if model not in monitors}
    return {**monitors, **{model: monitor for model, monitor in lost.items() if monitor is not None}}
