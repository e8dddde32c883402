"""Giving a version an alias, and letting the champion serve again."""

from typing import TYPE_CHECKING, Any

from vigil.config.schema import Monitor
from vigil.core.errors import RegistryError
from vigil.core.ids import digest
from vigil.core.words import Mitigation, Role
from vigil.incidents.events import (
    MitigationDone,
    MitigationEnded,
    PromotionRequested,
    QuarantineLifted,
    RestoreRequested,
    incident_event,
)
from vigil.incidents.lifecycle import fold
from vigil.incidents.types import Incident
from vigil.ports import Ports, ServingState, VersionInfo
from vigil.responses.rollback import QUARANTINED
from vigil.usecases.budget_policy import Asked, allowed
from vigil.usecases.model_stream import Fence, fail, finish, found, held, settle, stream, told
from vigil.usecases.record import append

if TYPE_CHECKING:
    import pyarrow as pa

EXPLAINED = 300  # rows of a holdout whose contributions are the version's baseline, about


def promote(
    ports: Ports,
    monitor: Monitor,
    version: str,
    *,
    actor: str,
    reason: str,
    alias: str = "champion",
    despite_freeze: bool = False,
    approved_by: str | None = None,
) -> ServingState:
    """Gives `version` the alias (champion, challenger or fallback) and records its baseline.

    Every file is checked against the manifest; the holdout becomes the version's baseline profile, and
    with the monitor's first promotion its bin edges. `previous` is set to the champion that is left.
    Promoting the version that has the alias changes nothing. A retry after a crash makes one move.
    approved_by: one of the budget policy's approvers, where little of an error budget is left.
    Raises RegistryError (unknown or quarantined version, no holdout; an open incident or a spent error budget
    freezes promotions, or the budget policy asks for an approver),
    TamperedArtifact, LeaseLost.
    """
    if alias not in tuple(Role):
        raise RegistryError(f"alias {alias!r}: promote to {', '.join(Role)}")
    model = monitor.model
    with held(ports, model, holder=f"promote/{alias}/{version}/{actor}") as fence:
        settle(ports, model)
        info: VersionInfo = ports.registry.version(model, version)
        state: ServingState = ports.registry.serving(model)
        if info.tags.get(QUARANTINED):
            raise RegistryError(
                f"{model!r} version {version} is quarantined ({info.tags[QUARANTINED]}); "
                "register a corrected version, or lift the quarantine with a reason"
            )
        if found(state)[alias] == version and ports.profiles.baseline(model, version) is not None:
            return state
        _not_frozen(ports, monitor, alias, despite_freeze=despite_freeze)
        asked = Asked(version=version, alias=alias, approved_by=approved_by, despite_freeze=despite_freeze)
        excepted = allowed(ports, monitor, asked)
        ports.registry.verify(model, version)
        evidence = _baseline(ports, monitor, info, Role(alias))
        if found(state)[alias] == version:
            return state
        request = PromotionRequested(
            alias=Role(alias), from_version=found(state)[alias], to_version=version, reason=reason, by=actor,
            manifest=evidence["manifest"], evidence=evidence, **excepted,
        )  # fmt: skip
        return _move(ports, model, version, request, fence)


def _baseline(ports: Ports, monitor: Monitor, info: VersionInfo, role: Role) -> dict[str, Any]:
    """Profiles the holdout with the monitor's edges; returns the evidence of what was promoted."""
    rows = as_logged(monitor, ports.registry.holdout(monitor.model, info.version), info, role)
    if ports.explain is not None:  # what the version rests on when all is well
        rows = ports.explain(monitor, rows, share=min(1.0, EXPLAINED / max(1, rows.num_rows)))
    edges = ports.profiles.edges(monitor.model)
    if edges is None:
        edges = ports.scanner.fit_edges(monitor, rows)
        ports.profiles.put_edges(monitor.model, edges, reason=f"first promotion: holdout of version {info.version}")
    profile = ports.scanner.scan_table(
        monitor, rows, edges, night=info.created_at.date(), version=info.version, role=role
    )
    ports.profiles.put_baseline(monitor.model, info.version, profile)
    return {
        "manifest": digest(info.manifest),
        "dataset_sha256": info.dataset_sha256,
        "git_commit": info.git_commit,
        "run_id": info.run_id,
        "holdout_rows": profile.rows,
        "edges_digest": profile.edges_digest,
    }


def as_logged(monitor: Monitor, rows: "pa.Table", info: VersionInfo, role: Role) -> "pa.Table":
    """The holdout as if it had been logged: the log's own columns are added where they are missing."""
    import pyarrow as pa

    count, data = rows.num_rows, monitor.data
    own = {
        data.prediction_id: pa.array([f"holdout-{info.version}-{n}" for n in range(count)]),
        data.served_at: pa.repeat(pa.scalar(info.created_at, pa.timestamp("us", "UTC")), count),
        "environment": pa.repeat(monitor.environment, count),
        "model": pa.repeat(monitor.model, count),
        data.model_version: pa.repeat(info.version, count),
        data.role: pa.repeat(role.value, count),
        data.status: pa.repeat("ok", count),
        data.latency_ms: pa.nulls(count, pa.float64()),
        data.pipeline_version: pa.nulls(count, pa.string()),
    }
    for name, column in own.items():
        if name not in rows.column_names:
            rows = rows.append_column(name, column)
    return rows


def _move(ports: Ports, model: str, version: str, request: PromotionRequested, fence: Fence) -> ServingState:
    alias, left = request.alias.value, request.from_version
    key = f"promote/{told(ports, model).completed}/{alias}/{left}/{version}"
    announced = append(ports, stream(model), key=key, body=request.model_copy(update={"key": key, "token": fence()}))
    if alias == Role.CHAMPION and left is not None:
        ports.registry.move_alias(model, "previous", left)
    fence()
    ports.registry.move_alias(model, alias, version)
    state: ServingState = ports.registry.serving(model)
    if found(state)[alias] != version:
        raise fail(ports, model, announced, f"{alias} is version {found(state)[alias]} after {version} was written")
    finish(ports, model, announced)
    return state


def restore(ports: Ports, monitor: Monitor, *, actor: str, reason: str) -> ServingState:
    """Lets the champion serve again after the fallback stood in. Changes nothing when it serves already."""
    model = monitor.model
    with held(ports, model, holder=f"restore/{actor}") as fence:
        settle(ports, model)
        state: ServingState = ports.registry.serving(model)
        if state.serve is Role.CHAMPION:
            _end_fallbacks(ports, monitor, actor=actor, reason=reason)  # an earlier run may have died before this
            return state
        if state.champion is None:
            raise RegistryError(f"{model!r} has no champion to restore; promote one with `vigil promote`")
        key = f"restore/{told(ports, model).completed}"
        request = RestoreRequested(
            from_version=state.fallback, to_version=state.champion, by=actor, reason=reason, key=key, token=fence()
        )
        announced = append(ports, stream(model), key=key, body=request)
        ports.registry.serve(model, Role.CHAMPION)
        state = ports.registry.serving(model)
        if state.serve is not Role.CHAMPION:
            raise fail(ports, model, announced, f"the {state.serve.value} serves after the champion was restored")
        finish(ports, model, announced)
        _end_fallbacks(ports, monitor, actor=actor, reason=reason)
        return state


def _open_incidents(ports: Ports, monitor: Monitor) -> list[Incident]:
    folded = (fold(ports.ledger.read(name)) for name in ports.ledger.streams("incident/"))
    mine = (monitor.model, monitor.environment)
    return [i for i in folded if i is not None and i.is_open and (i.monitor, i.environment) == mine]


def _end_fallbacks(ports: Ports, monitor: Monitor, *, actor: str, reason: str) -> None:
    """Open incidents learn that nobody stands in any more: what breaks from now on is answered anew."""
    for incident in _open_incidents(ports, monitor):
        if incident.mitigation is Mitigation.FALLBACK and not incident.mitigation_over:
            where = f"incident/{incident.id}"
            done = sum(isinstance(incident_event(e), MitigationDone) for e in ports.ledger.read(where))
            ended = MitigationEnded(by=actor, reason=reason, mitigation=Mitigation.FALLBACK)
            append(ports, where, key=f"{ended.type}/{done}", body=ended)


def _not_frozen(ports: Ports, monitor: Monitor, alias: str, *, despite_freeze: bool) -> None:
    """While no version would have answered better, a new champion would hide what is wrong."""
    freezing = [i.id for i in _open_incidents(ports, monitor) if i.proposed is Mitigation.FREEZE]
    if freezing and alias == Role.CHAMPION and not despite_freeze:
        raise RegistryError(
            f"promotions of {monitor.model!r} are frozen by incident {freezing[0]}, because no other version would "
            "have answered better: resolve it first, or promote with --despite-freeze and say why in the reason"
        )


def lift_quarantine(ports: Ports, monitor: Monitor, version: str, *, actor: str, reason: str) -> None:
    """Lets a quarantined version be promoted again; the ledger keeps who said so and why."""
    with held(ports, monitor.model, holder=f"lift/{version}/{actor}"):
        was = ports.registry.version(monitor.model, version).tags.get(QUARANTINED)
        if not was:
            return
        lifted = QuarantineLifted(version=version, was=was, by=actor, reason=reason)
        key = f"lift/{version}/{told(ports, monitor.model).completed}/{digest(was, length=8)}"
        append(ports, stream(monitor.model), key=key, body=lifted)
        ports.registry.tag(monitor.model, version, QUARANTINED, "")


def reconcile_aliases(ports: Ports, monitor: Monitor) -> bool:
    """Compares the registry with the ledger, and records aliases moved by other means. True if there were any.

    Raises LeaseLost while a change is being made: then there is nothing to compare yet.
    """
    with held(ports, monitor.model, holder="reconcile"):
        return settle(ports, monitor.model)
