"""Rollback and fallback: announced with evidence, one write, proved, recorded. A retry finishes, it never repeats.

`preflight` decides (in `mitigation_plan`), `execute` acts, `verify` asks the serving layer, `decline` records a no.
"""

import time
from collections.abc import Callable
from typing import Any

from vigil.config.schema import Monitor
from vigil.core.errors import DataError, RegistryError
from vigil.core.ids import digest
from vigil.core.spec import Spec
from vigil.core.words import Mitigation, Role
from vigil.incidents.events import MitigationDeclined, MitigationFailed, MitigationStarted
from vigil.incidents.lifecycle import fold
from vigil.ports import Ports, ServingState, VersionInfo
from vigil.responses.rollback import QUARANTINED, Asker
from vigil.usecases.mitigation_plan import RollbackPlan, RollbackRequest, announced_for, preflight
from vigil.usecases.model_stream import Fence, fail, finish, happened, held, settle, stream, told
from vigil.usecases.record import append

POLL_SECONDS = 0.5


class Verification(Spec):
    """Whether the serving layer was seen to answer with the version, and how that is known."""

    verified: bool
    how: str


def execute(
    ports: Ports,
    monitor: Monitor,
    request: RollbackRequest,
    plan: RollbackPlan,
    *,
    approved_by: str | None,
    wait_seconds: float = 10.0,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Carries out the plan: at most one alias write, however often it is called. Returns what was recorded.

    Raises RegistryError when the plan is not allowed or not approved, when the champion is not the one
    that was planned for, or when the registry does not show what was written (recorded as
    `mitigation_failed`); LeaseLost while another change is being made.
    """
    _permitted(plan, approved_by)
    if request.dry_run:
        return {"dry_run": True, "mitigation": plan.mitigation.value, "from": plan.from_version, "to": plan.to_version}
    model = monitor.model
    with held(ports, model, holder=f"mitigate/{plan.request}") as fence:
        known = told(ports, model)
        past = next((m for m in known.mitigations if m.done.key == plan.key), None)
        if past is not None:
            return {**past.done.payload, "dry_run": False}
        announced = announced_for(known, plan.request)
        if announced is None:
            _not_held(ports, request, plan)
            settle(ports, model)
            announced = _announce(ports, monitor, request, plan, fence, approved_by)
        _act(ports, model, announced, fence)
        state = ports.registry.serving(model)
        if not happened(announced, state):
            raise fail(ports, model, announced, _surprise(plan, state))
        proof = verify(ports, monitor, state.serving, wait_seconds=wait_seconds, sleep=sleep)
        done = finish(ports, model, announced, verified=proof.verified, how=proof.how)
        return {**done.payload, "dry_run": False}


def verify(
    ports: Ports,
    monitor: Monitor,
    expected_version: str | None,
    *,
    wait_seconds: float = 10.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Verification:
    """Asks the serving layer, twice a second, until it answers with `expected_version` or the time is over.

    A serving layer that cannot be asked is never reported as verified.
    """
    answer: tuple[str, str] | None = None
    for turn in range(max(1, round(wait_seconds / POLL_SECONDS))):
        if turn:
            sleep(POLL_SECONDS)
        answer = ports.probe.answering(monitor.model)
        if answer is not None and answer[0] == expected_version:
            return Verification(verified=True, how=f"the gateway answers with version {answer[0]} as {answer[1]}")
    if answer is None:
        return Verification(verified=False, how="serving layer not configured or not reachable: not verified")
    how = f"the gateway still answers with version {answer[0]} as {answer[1]} after {wait_seconds:g} s"
    return Verification(verified=False, how=how)


def decline(ports: Ports, request: RollbackRequest, plan: RollbackPlan, *, why: str, by: str) -> None:
    """Records in the incident, and with the model, that the mitigation is not done, and who decided so."""
    body = MitigationDeclined(mitigation=request.mitigation, why=why, by=by, to_version=plan.to_version)
    key = f"{plan.key}/declined"
    if request.incident:
        append(ports, f"incident/{request.incident}", key=key, body=body)
    append(ports, stream(request.model), key=key, body=body)


def _permitted(plan: RollbackPlan, approved_by: str | None) -> None:
    if not plan.allowed:
        reasons = "; ".join(c.why for c in plan.checks if not c.ok)
        raise RegistryError(f"{plan.mitigation.value} of {plan.model} is not possible: {reasons}")
    if plan.needs_approval and not approved_by:
        raise RegistryError(f"{plan.mitigation.value} of {plan.model} needs the approval of a person")


def _not_held(ports: Ports, request: RollbackRequest, plan: RollbackPlan) -> None:
    """A hold that came after the checks, while somebody was asked, counts too."""
    found = fold(ports.ledger.read(f"incident/{request.incident}")) if request.incident else None
    if found is not None and found.held:
        why = "a person holds the incident: nothing is done until its release"
        decline(ports, request, plan, why=why, by="checks")
        raise RegistryError(f"{plan.mitigation.value} of {plan.model} is not possible: {why}")


def _announce(
    ports: Ports,
    monitor: Monitor,
    request: RollbackRequest,
    plan: RollbackPlan,
    fence: Fence,
    approved_by: str | None,
) -> MitigationStarted:
    """Re-reads the champion, then records the evidence before anything is touched."""
    model = monitor.model
    state, versions = ports.registry.serving(model), ports.registry.versions(model)
    target = next((v for v in versions if v.version == plan.to_version), None)
    if state.champion != plan.from_version or target is None or target.tags.get(QUARANTINED):
        why = (
            f"the champion is version {state.champion}, planned was {plan.from_version} -> {plan.to_version}; "
            "somebody changed the model in between, so nothing was done"
        )
        if request.incident:
            failed = MitigationFailed(mitigation=plan.mitigation, why=why)
            append(ports, f"incident/{request.incident}", key=f"{plan.key}/failed", body=failed)
        raise RegistryError(f"{stream(model)}: {why}. Plan it again")
    started = MitigationStarted(
        key=plan.key,
        request=plan.request,
        mitigation=plan.mitigation,
        from_version=plan.from_version,
        to_version=plan.to_version,
        by=approved_by or request.actor,
        asked_by=request.actor,
        automatic=request.asker is Asker.VIGIL and approved_by is None,
        incident=request.incident,
        reason=request.reason,
        manifest=digest(target.manifest),
        token=fence(),
        evidence=_evidence(monitor, state, versions, plan),
    )
    return append(ports, stream(model), key=f"{plan.key}/started", body=started)


def _evidence(
    monitor: Monitor, state: ServingState, versions: tuple[VersionInfo, ...], plan: RollbackPlan
) -> dict[str, Any]:
    """How things were before the change."""
    return {
        "serve": state.serve.value,
        "config_digest": monitor.digest,
        "aliases": {alias: v.version for v in versions for alias in v.aliases},
        "versions": {
            v.version: {
                "status": v.status,
                "manifest": digest(v.manifest),
                "dataset_sha256": v.dataset_sha256,
                "git_commit": v.git_commit,
                "run_id": v.run_id,
                "quarantined": v.tags.get(QUARANTINED, ""),
            }
            for v in versions
        },
        "checks": [c.model_dump(mode="json") for c in plan.checks],
    }


def _act(ports: Ports, model: str, announced: MitigationStarted, fence: Fence) -> None:
    """The one write, if the registry does not show it yet; a version that is rolled back is quarantined first."""
    if happened(announced, ports.registry.serving(model)):
        return
    fence()
    if announced.mitigation is Mitigation.FALLBACK:
        ports.registry.serve(model, Role.FALLBACK)
        return
    if announced.from_version is None or announced.to_version is None:
        raise DataError(
            f"{model}: the rollback that was announced names no version; run `vigil ledger show model/{model}`"
        )
    ports.registry.tag(model, announced.from_version, QUARANTINED, announced.incident or announced.reason)
    ports.registry.move_alias(model, "previous", announced.from_version)
    fence()
    ports.registry.move_alias(model, "champion", announced.to_version)


def _surprise(plan: RollbackPlan, state: ServingState) -> str:
    return (
        f"after the {plan.mitigation.value} to version {plan.to_version} the registry says champion "
        f"{state.champion}, fallback {state.fallback}, serving {state.serve.value}: somebody else wrote too"
    )


__all__ = ["RollbackPlan", "RollbackRequest", "Verification", "decline", "execute", "preflight", "verify"]
