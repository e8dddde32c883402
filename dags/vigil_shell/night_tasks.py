"""The tasks of the nightly DAG: each runs its stages of `run_night` and hands on the progress as JSON."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from vigil.core.stages import TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping


def run_task(
    task: str, model: str, night: str, progress: Mapping[str, Any] | None = None, *, run_url: str | None = None
) -> dict[str, Any]:
    """Runs the stages of one task for a night. progress: what the tasks before it returned."""
    from vigil.usecases.night.run import NightOptions, NightProgress, run_night
    from vigil_shell.connections import monitor, open_ports

    return run_night(
        open_ports(),
        monitor(model),
        date.fromisoformat(night),
        stages=TASKS[task],
        progress=NightProgress.model_validate(progress) if progress else None,
        options=NightOptions(run_url=run_url),
    ).model_dump(mode="json")


def open_blind_incident(model: str, night: str) -> dict[str, str]:
    """Opens or joins the incident of a monitor that could not judge a night; returns the run that responds to it."""
    from vigil.usecases import watch
    from vigil_shell.connections import monitor, open_ports
    from vigil_shell.responding import request

    ports = open_ports()
    incident = watch.blind(ports, monitor(model), date.fromisoformat(night), reason=f"a step of {night} failed")
    return request(ports, incident)
