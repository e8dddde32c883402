"""The settings that judged a model's nights are recorded, so that a YAML that breaks later does not lose its people."""

from collections.abc import Mapping

from pydantic import ValidationError

from vigil.config.schema import Monitor
from vigil.incidents.events import SettingsRecorded
from vigil.ports import Ports
from vigil.usecases.model_stream import stream
from vigil.usecases.record import append, recorded


def record(ports: Ports, monitor: Monitor) -> None:
    """Keeps the monitor as it is now in its model's stream; settings that are the newest already are not kept again."""
    before = recorded(ports, stream(monitor.model), SettingsRecorded)
    if before and before[-1].body.digest == monitor.digest:
        return
    text = monitor.model_dump_json()
    body = SettingsRecorded(digest=monitor.digest, monitor=monitor.model_dump(mode="json"), text=text)
    key = f"settings/{len(before) + 1}/{monitor.digest}"  # settings that come back after others are news
    append(ports, stream(monitor.model), key=key, body=body)


def last_known(ports: Ports, model: str) -> Monitor | None:
    """The newest recorded settings of a model that this release can still read, or None."""
    for event in reversed(recorded(ports, stream(model), SettingsRecorded)):
        try:
            return restored(event.body)
        except ValidationError:
            continue  # written by a release with other keys
    return None


def restored(settings: SettingsRecorded) -> Monitor:
    """The settings that an event keeps. `text` has its keys in the order of the file: numbers are listed in that order,
    and a judgement that is made again must be the same to the byte. Raises ValidationError for those of a release with
    other keys.
    """
    text = settings.text
    return Monitor.model_validate_json(text) if text else Monitor.model_validate(settings.monitor)


def with_last_known(ports: Ports, monitors: Mapping[str, Monitor]) -> dict[str, Monitor]:
    """The monitors that load, and the last known settings of every other model that was ever judged."""
    known = {name.removeprefix(stream("")) for name in ports.ledger.streams(stream(""))}
    lost = {model: last_known(ports, model) for model in known if model not in monitors}
    return {**monitors, **{model: monitor for model, monitor in lost.items() if monitor is not None}}
