"""Judging past nights of a real log: the same steps, no outward actions."""

from collections.abc import Iterator, Sequence
from datetime import date

from vigil.config.schema import Monitor
from vigil.ports import Ports
from vigil.usecases import nightly
from vigil.verdicts.types import NightResult


def backfill(ports: Ports, monitor: Monitor, nights: Sequence[date]) -> Iterator[NightResult]:
    """Judges `nights` in date order and yields each result as it is stored.

    Incidents are not opened, nothing is sent, no alias moves: history teaches, it does not page.
    """
    days = sorted(nights)
    if days:
        nightly.intake(ports, monitor, days[-1], since=days[0])
    for night in days:
        nightly.quality(ports, monitor, night)
        nightly.profile(ports, monitor, night, nights=[night])
        nightly.judge(ports, monitor, night, nights=[night])
        result = ports.results.latest(monitor.model, monitor.environment, night)
        if result is not None:
            yield result
