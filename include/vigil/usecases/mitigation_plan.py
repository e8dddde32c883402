"""May it be rolled back, to what, and who must agree? Reads everything, writes nothing.

The questions asked are in `responses.rollback`.
"""

from datetime import timedelta
from enum import StrEnum

from vigil.config.schema import Monitor
from vigil.core.errors import RegistryError
from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.core.words import Mitigation, Role
from vigil.incidents.events import MitigationDone, MitigationStarted
from vigil.incidents.lifecycle import fold
from vigil.incidents.types import Incident
from vigil.ports import Ports, ServingState, VersionInfo
from vigil.responses.model_history import ModelHistory
from vigil.responses.rollback import (
    QUARANTINED,
    Asker,
    Candidate,
    Check,
    Situation,
    asks,
    blocked,
    candidates,
    check_candidate,
)
from vigil.responses.types import Autonomy
from vigil.usecases.model_stream import told


class RollbackRequest(Spec):
    """What is asked for.

    to_version: None = the newest earlier champion that passes (rollback), or the fallback alias.
    from_version: the version it is about; None = those of the incident, or the present champion.
    actor: who asks, as the ledger names them. asker: whether that is a person, or Vigil by itself.
    """

    model: str
    environment: str
    mitigation: Mitigation
    to_version: str | None = None
    from_version: str | None = None
    reason: str
    incident: str | None = None
    actor: str
    asker: Asker
    dry_run: bool = False


class Outlook(StrEnum):
    """What would happen now."""

    POSSIBLE = "possible"
    APPROVAL = "possible, if a person approves"
    BLOCKED = "not possible"
    BEGUN = "begun, and will be finished"
    DONE = "done already"


class RollbackPlan(Spec):
    """What would be done. request: identity of the request; key: of this change. done: the result, if it was done."""

    request: str
    key: str
    mitigation: Mitigation
    model: str
    from_version: str | None
    to_version: str | None
    checks: tuple[Check, ...]
    allowed: bool
    needs_approval: bool
    done: MitigationDone | None = None
    text: str


def preflight(ports: Ports, monitor: Monitor, request: RollbackRequest) -> RollbackPlan:
    """Chooses the version and asks every question; writes nothing. Resumes what an earlier run has announced."""
    if request.mitigation not in (Mitigation.ROLLBACK, Mitigation.FALLBACK):
        raise RegistryError(f"{request.mitigation.value}: only rollback and fallback can be carried out")
    incident = fold(ports.ledger.read(f"incident/{request.incident}")) if request.incident else None
    identity = _identity(request, incident)
    known, state = told(ports, monitor.model), ports.registry.serving(monitor.model)
    announced, done = announced_for(known, identity), _done(known, identity, state)
    if done is not None:
        why = "it was done already; nothing is left to do"
        return _resumed(monitor, request, identity, done, why, Outlook.DONE)
    if announced is not None and known.pending is not None:
        why = f"it was checked and begun at {known.pending.at:%H:%M:%S} UTC"
        return _resumed(monitor, request, identity, announced, why, Outlook.BEGUN)
    situation = _situation(ports, monitor, request, incident, known, state)
    to, checks = _choose(ports, monitor.model, request, situation)
    checks = (*_incident_checks(request, incident), *checks)
    key = f"mitigation/{digest([identity, state.champion, to, known.completed], length=16)}"
    checks = (*checks, *_policy_checks(monitor, request))
    outlook = _outlook(monitor, request, checks)
    return RollbackPlan(
        request=identity,
        key=key,
        mitigation=request.mitigation,
        model=monitor.model,
        from_version=state.champion,
        to_version=to,
        checks=checks,
        allowed=outlook is not Outlook.BLOCKED,
        needs_approval=outlook is Outlook.APPROVAL,
        text=_text(request, state.champion, to, checks, outlook),
    )


def _identity(request: RollbackRequest, incident: Incident | None) -> str:
    """The same for every retry; a reopened incident may be mitigated again."""
    plain = request.model_dump(mode="json", exclude={"dry_run", "asker"})
    return digest([plain, incident.reopened if incident else 0], length=16)


def announced_for(known: ModelHistory, identity: str) -> MitigationStarted | None:
    """This request's own announced and unfinished change."""
    change = known.pending.change if known.pending else None
    return change if isinstance(change, MitigationStarted) and change.request == identity else None


def _done(known: ModelHistory, identity: str, state: ServingState) -> MitigationDone | None:
    """The same request's result, if it is the last mitigation and still in effect."""
    last = known.mitigations[-1] if known.mitigations else None
    if last is None or last.done.request != identity:
        return None
    if last.done.mitigation is Mitigation.FALLBACK:
        in_effect = state.serve is Role.FALLBACK
    else:
        in_effect = state.champion == last.done.to_version
    return last.done if in_effect else None


def _situation(
    ports: Ports,
    monitor: Monitor,
    request: RollbackRequest,
    incident: Incident | None,
    known: ModelHistory,
    state: ServingState,
) -> Situation:
    about = (request.from_version,) if request.from_version else tuple(incident.versions) if incident else ()
    inputs = ports.registry.version(monitor.model, state.champion).inputs if state.champion else {}
    return Situation(
        mitigation=request.mitigation,
        asker=request.asker,
        now=ports.clock.now(),
        champion=state.champion,
        fallback=state.fallback,
        about=about,
        available=inputs or dict.fromkeys(monitor.features, ""),
        history=known,
        open_incidents={
            i.id: tuple(i.versions)
            for i in (fold(ports.ledger.read(name)) for name in ports.ledger.streams("incident/"))
            if i is not None and i.monitor == monitor.model and i.is_open and i.id != request.incident
        },
        cooldown=timedelta(hours=monitor.response.cooldown_hours),
    )


def _choose(
    ports: Ports, model: str, request: RollbackRequest, situation: Situation
) -> tuple[str | None, tuple[Check, ...]]:
    """The first candidate that nothing blocks; else the first one, with what blocks it."""
    infos = {i.version: _candidate(i) for i in ports.registry.versions(model)}
    wanted = request.to_version or (situation.fallback if request.mitigation is Mitigation.FALLBACK else None)
    if wanted is not None:
        options = tuple(infos[v] for v in (wanted,) if v in infos)
    elif request.mitigation is Mitigation.ROLLBACK:
        options = candidates(tuple(infos.values()), situation.history, champion=situation.champion)
    else:
        options = ()
    refused: tuple[str | None, tuple[Check, ...]] | None = None
    for option in options:
        tried = option.model_copy(update={"problem": _problem(ports, model, option.version)})
        checks = check_candidate(tried, situation)
        if not blocked(checks):
            return option.version, checks
        refused = refused or (option.version, checks)
    return refused or (None, (Check(name="candidate", ok=False, why=_nobody(request, wanted)),))


def _nobody(request: RollbackRequest, wanted: str | None) -> str:
    if wanted is not None:
        return f"version {wanted} is not registered"
    if request.mitigation is Mitigation.FALLBACK:
        return "no version has the fallback alias; promote one with `vigil promote --alias fallback`"
    return "the ledger knows no earlier champion that is ready and not quarantined"


def _candidate(info: VersionInfo) -> Candidate:
    return Candidate(
        version=info.version,
        status=info.status,
        quarantined=info.tags.get(QUARANTINED, ""),
        inputs=info.inputs,
        manifest=digest(info.manifest),
    )


def _problem(ports: Ports, model: str, version: str) -> str:
    try:
        ports.registry.verify(model, version)
    except RegistryError as error:
        return str(error)
    return ""


def _incident_checks(request: RollbackRequest, incident: Incident | None) -> tuple[Check, ...]:
    if request.incident is None:
        return ()
    if incident is None:
        return (Check(name="incident", ok=False, why=f"there is no incident {request.incident}"),)
    if incident.held:
        return (Check(name="incident", ok=False, why="a person holds the incident: nothing is done until its release"),)
    why = f"the incident is {incident.status.value}"
    return (Check(name="incident", ok=incident.is_open, why=why),)


def _autonomy(monitor: Monitor, request: RollbackRequest) -> Autonomy:
    policy = monitor.response
    return policy.rollback if request.mitigation is Mitigation.ROLLBACK else policy.fallback


def _policy_checks(monitor: Monitor, request: RollbackRequest) -> tuple[Check, ...]:
    if _autonomy(monitor, request) is not Autonomy.NEVER or request.asker is Asker.PERSON:
        return ()
    why = f"the monitor's policy is `{request.mitigation.value}: never`; a person may ask for it"
    return (Check(name="policy", ok=False, why=why),)


def _outlook(monitor: Monitor, request: RollbackRequest, checks: tuple[Check, ...]) -> Outlook:
    if blocked(checks):
        return Outlook.BLOCKED
    if _autonomy(monitor, request) is not Autonomy.AUTO or asks(checks):
        return Outlook.APPROVAL
    return Outlook.POSSIBLE


def _resumed(
    monitor: Monitor,
    request: RollbackRequest,
    identity: str,
    recorded: MitigationStarted | MitigationDone,
    why: str,
    outlook: Outlook,
) -> RollbackPlan:
    """The plan of a change that was decided before: it keeps its key and versions, and asks nobody again."""
    checks = (Check(name=outlook.name.lower(), ok=True, why=why),)
    return RollbackPlan(
        request=identity,
        key=recorded.key,
        mitigation=request.mitigation,
        model=monitor.model,
        from_version=recorded.from_version,
        to_version=recorded.to_version,
        checks=checks,
        allowed=True,
        needs_approval=False,
        done=recorded if isinstance(recorded, MitigationDone) else None,
        text=_text(request, recorded.from_version, recorded.to_version, checks, outlook),
    )


def _text(
    request: RollbackRequest, left: str | None, to: str | None, checks: tuple[Check, ...], outlook: Outlook
) -> str:
    """Plain lines for a form, a log or a room."""
    lines = [
        f"{request.mitigation.value.capitalize()} of {request.model} ({request.environment}) "
        f"from version {left or 'none'} to {to or 'none'}: {outlook.value}.",
        f"Asked by {request.actor}: {request.reason}",
        *(f"{'✓' if c.ok else '✗'} {c.name.replace('_', ' ')}: {c.why}" for c in checks),
    ]
    return "\n".join(lines)
