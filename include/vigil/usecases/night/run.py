"""`run_night`: the only sequence of a night. The DAG, the CLI, backfills, backtests, the demo and the tests call it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

from pydantic import Field

from vigil.config.schema import Monitor
from vigil.core.spec import Spec
from vigil.core.stages import Stage
from vigil.incidents.types import Replay
from vigil.ports import Ports
from vigil.usecases import nightly, respond
from vigil.usecases.ingest import Ingested
from vigil.usecases.replay import replay

log = logging.getLogger("vigil")
OPTIONAL = frozenset({Stage.REPORT})  # where it fails, the stages after it still run


class PlannedResponse(Spec):
    """What is still to be done for an incident. digest: identifies these actions, so that asking twice is harmless."""

    incident: str
    digest: str
    actions: tuple[str, ...]


class NightProgress(Spec):
    """What the stages of a night have produced so far. Airflow hands it from task to task as JSON.

    profiled: nights with a new profile. changed: past nights whose judgement changed, of which the incident process
    must hear. tally: verdicts by state. incident: the one for which something is still to be done.
    """

    night: date
    intake: Ingested | None = Field(default=None, exclude=True)  # the night's notes have it
    profiled: tuple[date, ...] = ()
    changed: tuple[date, ...] = ()
    tally: Mapping[str, int] = {}
    report_url: str | None = None
    incident: str | None = None
    replay: Replay | None = Field(default=None, exclude=True)  # the ledger has it
    response: PlannedResponse | None = None
    line: str = ""


class NightOptions(Spec):
    """How stages differ between callers.

    nights: where late rows and labels are looked for; None: as far back as the monitor's labels may come.
    since: the first night whose rows are taken in; None: as far back as late rows are looked for.
    run_url: of the Airflow run, for the ledger.
    """

    nights: tuple[date, ...] | None = None
    since: date | None = None
    run_url: str | None = None


class Call(Spec):
    """One night of one monitor, as a stage gets it."""

    monitor: Monitor
    progress: NightProgress
    options: NightOptions

    @property
    def night(self) -> date:
        """The night that is judged."""
        return self.progress.night


NIGHTLY = NightOptions()
AfterStage = Callable[[Stage, NightProgress], None]


def run_night(
    ports: Ports,
    monitor: Monitor,
    night: date,
    *,
    stages: Collection[Stage] = tuple(Stage),
    progress: NightProgress | None = None,
    options: NightOptions = NIGHTLY,
    after: AfterStage | None = None,
) -> NightProgress:
    """Runs the stages of a night in their order and returns what they produced.

    stages: those to run. progress: what earlier stages produced, where they ran in another call. after: called when a
    stage has ended. Where the report fails, the other stages still run, and its error is raised after them.
    """
    progress = progress or NightProgress(night=night)
    failed: Exception | None = None
    for stage in Stage:
        if stage not in stages:
            continue
        try:
            update = STAGES[stage](ports, Call(monitor=monitor, progress=progress, options=options))
        except Exception as error:
            if stage not in OPTIONAL:
                raise
            log.exception("model=%s night=%s: the stage %s failed", monitor.model, night, stage.value)
            failed = error
            continue
        progress = progress.model_copy(update=update)
        if after is not None:
            after(stage, progress)
    if failed is not None:
        raise failed
    return progress


Update = Mapping[str, object]  # fields of NightProgress


def _intake(ports: Ports, call: Call) -> Update:
    return {"intake": nightly.intake(ports, call.monitor, call.night, since=call.options.since)}


def _quality(ports: Ports, call: Call) -> Update:
    nightly.quality(ports, call.monitor, call.night)
    return {}


def _profile(ports: Ports, call: Call) -> Update:
    return {"profiled": nightly.profile(ports, call.monitor, call.night, nights=call.options.nights)}


def _judge(ports: Ports, call: Call) -> Update:
    judgement = nightly.judge(ports, call.monitor, call.night, nights=call.options.nights)
    return {"changed": judgement.changed, "tally": judgement.tally}


def _report(ports: Ports, call: Call) -> Update:
    return {"report_url": nightly.report(ports, call.monitor, call.night)}


def _correlate(ports: Ports, call: Call) -> Update:
    return {"incident": nightly.correlate(ports, call.monitor, call.night, changed=call.progress.changed)}


def _replay(ports: Ports, call: Call) -> Update:
    incident = call.progress.incident
    return {"replay": replay(ports, call.monitor, call.night, incident)} if incident else {}


def _plan(ports: Ports, call: Call) -> Update:
    incident, monitors = call.progress.incident, {call.monitor.model: call.monitor}
    if not incident:
        return {}
    actions: Sequence[Mapping[str, object]] = respond.plan(ports, monitors, incident)
    digest = respond.plan_digest(ports, monitors, incident)
    kinds = tuple(str(action["kind"]) for action in actions)
    return {"response": PlannedResponse(incident=incident, digest=digest, actions=kinds)}


def _account(ports: Ports, call: Call) -> Update:
    return {"line": nightly.account(ports, call.monitor, call.night, run_url=call.options.run_url)}


STAGES: Mapping[Stage, Callable[[Ports, Call], Update]] = {
    Stage.INTAKE: _intake,
    Stage.QUALITY: _quality,
    Stage.PROFILE: _profile,
    Stage.JUDGE: _judge,
    Stage.REPORT: _report,
    Stage.CORRELATE: _correlate,
    Stage.REPLAY: _replay,
    Stage.PLAN: _plan,
    Stage.ACCOUNT: _account,
}
