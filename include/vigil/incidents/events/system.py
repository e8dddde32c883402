"""The events of the stream `system`."""

from typing import Literal

from vigil.incidents.events.body import EventBody


class MonitorBroken(EventBody):
    """A monitor's YAML does not load."""

    type: Literal["monitor_broken"] = "monitor_broken"
    model: str
    error: str = ""


class CheckpointTaken(EventBody):
    """The heads of all streams: name -> sequence and hash of its last event."""

    type: Literal["checkpoint"] = "checkpoint"
    heads: dict[str, tuple[int, str]]
