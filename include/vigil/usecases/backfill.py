"""Judging past nights of a real log: the same steps, no outward actions."""

from collections.abc import Iterator, Sequence
from datetime import date
from uuid import uuid4

from vigil.config.schema import Monitor
from vigil.core.errors import LeaseLost
from vigil.core.stages import JUDGING, Stage
from vigil.ports import Grant, Ports
from vigil.usecases.night.run import NightOptions, run_night
from vigil.verdicts.types import NightResult

LEASE_SECONDS = 1800  # at most, for one night


def backfill(ports: Ports, monitor: Monitor, nights: Sequence[date]) -> Iterator[NightResult]:
    """Judges `nights` in date order and yields each result as it is stored.

    Incidents are not opened, nothing is sent, no alias moves: history teaches, it does not page. Raises LeaseLost while
    another backfill of the model runs: each night learns from the nights before it, so two would judge by half a past.
    """
    days, holder = sorted(nights), f"backfill-{uuid4().hex}"
    grant = _turn(ports, monitor, holder)
    try:
        if days:
            run_night(ports, monitor, days[-1], stages=(Stage.INTAKE,), options=NightOptions(since=days[0]))
        for night in days:
            grant = _turn(ports, monitor, holder)
            run_night(ports, monitor, night, stages=JUDGING, options=NightOptions(nights=(night,)))
            result = ports.results.latest(monitor.model, monitor.environment, night)
            if result is not None:
                yield result
    finally:
        ports.lease.release(grant)


def _turn(ports: Ports, monitor: Monitor, holder: str) -> Grant:
    """The model's lease for backfills, for one more night."""
    name = f"backfill/{monitor.model}/{monitor.environment}"
    grant: Grant | None = ports.lease.acquire(name, holder, now=ports.clock.now(), seconds=LEASE_SECONDS)
    if grant is None:
        raise LeaseLost(
            f"{monitor.model}: another backfill is judging past nights; wait until it has ended (one that was killed "
            f"lets go after {LEASE_SECONDS // 60} minutes at the latest)"
        )
    return grant
