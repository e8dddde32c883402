"""One model's changes: one at a time, announced before, recorded after, finished by whoever comes next.

Every change of an alias has an event that announces it and one that ends it. A process that dies in
between leaves an announced change; `settle` ends it if the registry shows that it happened, and records
what somebody did to the aliases without Vigil.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vigil.core.errors import LeaseLost, RegistryError
from vigil.core.ids import digest
from vigil.core.words import Mitigation, Role
from vigil.incidents.types import Event
from vigil.ports import Ports, ServingState
from vigil.responses.model_history import ModelHistory, history
from vigil.usecases.record import append

LEASE_SECONDS = 900
ALIASES = ("champion", "fallback", "challenger")
Fence = Callable[[], int]  # raises LeaseLost if the lease is not ours any more; else its token


def stream(model: str) -> str:
    """The ledger stream of a model."""
    return f"model/{model}"


def told(ports: Ports, model: str) -> ModelHistory:
    """What the ledger says about the model."""
    return history(ports.ledger.read(stream(model)))


@contextmanager
def held(ports: Ports, model: str, *, holder: str) -> Iterator[Fence]:
    """Holds the model's lease; the fence is asked before every write. Raises LeaseLost while somebody else holds it."""
    name = stream(model)
    grant = ports.lease.acquire(name, holder, now=ports.clock.now(), seconds=LEASE_SECONDS)
    if grant is None:
        raise LeaseLost(
            f"{name}: another change of this model is being made; try again when it is done, "
            f"at the latest in {LEASE_SECONDS // 60} minutes"
        )

    def fence() -> int:
        ports.lease.check(grant, now=ports.clock.now())
        return int(grant.token)

    try:
        yield fence
    finally:
        ports.lease.release(grant)


def found(state: ServingState) -> dict[str, str | None]:
    """What the registry says, as it is recorded."""
    return {**{alias: getattr(state, alias) for alias in ALIASES}, "serve": state.serve.value}


def settle(ports: Ports, model: str) -> bool:
    """Ends an announced change that happened, and records changes made outside Vigil. The lease must be held.

    Returns whether something was changed outside.
    """
    known = told(ports, model)
    state = ports.registry.serving(model)
    if known.pending is not None and happened(known.pending, state):
        finish(ports, model, known.pending)
        known = told(ports, model)
    now = found(state)
    recorded = {**{alias: known.aliases.get(alias) for alias in ALIASES}, "serve": known.serve.value}
    if now == recorded:
        return False
    append(
        ports,
        stream(model),
        key=f"outside/{known.completed}/{digest([recorded, now], length=16)}",
        type="alias_moved_outside",
        payload={"recorded": recorded, "found": now},
    )
    return True


def happened(announced: Event, state: ServingState) -> bool:
    """Whether the registry shows the announced change."""
    p = announced.payload
    if announced.type == "promote_requested":
        return found(state).get(p["alias"]) == str(p["to"])
    if announced.type == "restore_requested":
        return state.serve is Role.CHAMPION
    if p["mitigation"] == Mitigation.FALLBACK:
        return state.serve is Role.FALLBACK
    return state.champion == str(p["to"])


def finish(ports: Ports, model: str, announced: Event, **more: Any) -> Event:
    """Appends the event that ends an announced change; a mitigation's goes to its incident first."""
    p = {**announced.payload, **more}
    key = p["key"]
    if announced.type == "promote_requested":
        return append(ports, stream(model), key=f"{key}/moved", type="alias_moved", payload=p)
    if announced.type == "restore_requested":
        return append(ports, stream(model), key=f"{key}/restored", type="champion_restored", payload=p)
    p = {"verified": False, "how": "finished by a later run, which did not ask the serving layer", **p}
    if p["incident"]:
        event = append(ports, f"incident/{p['incident']}", key=f"{key}/done", type="mitigation_done", payload=p)
        p = event.payload  # a retry tells what was told first
    return append(ports, stream(model), key=f"{key}/done", type="mitigation_done", payload=p)


def fail(ports: Ports, model: str, announced: Event, why: str) -> RegistryError:
    """Records that an announced change did not come out as written, and returns the error to raise."""
    p = {**announced.payload, "why": why}
    kind = {
        "promote_requested": "promote_failed",
        "restore_requested": "restore_failed",
        "mitigation_started": "mitigation_failed",
    }[announced.type]
    if p.get("incident"):
        append(ports, f"incident/{p['incident']}", key=f"{p['key']}/failed", type=kind, payload=p)
    append(ports, stream(model), key=f"{p['key']}/failed", type=kind, payload=p)
    return RegistryError(f"{stream(model)}: {why}. Look at the aliases in the registry and at the model's ledger")
