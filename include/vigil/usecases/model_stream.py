"""One model's changes: one at a time, announced before, recorded after, finished by whoever comes next.

Every change of an alias has an event that announces it and one that ends it. A process that dies in
between leaves an announced change; `settle` ends it if the registry shows that it happened, and records
what somebody did to the aliases without Vigil.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import assert_never

from vigil.core.errors import LeaseLost, RegistryError
from vigil.core.ids import digest
from vigil.core.words import Mitigation, Role
from vigil.incidents.events import (
    AliasChange,
    AliasMoved,
    AliasMovedOutside,
    ChampionRestored,
    EventBody,
    MitigationDone,
    MitigationFailed,
    MitigationStarted,
    PromotionFailed,
    PromotionRequested,
    RestoreFailed,
    RestoreRequested,
)
from vigil.ports import Ports, ServingState
from vigil.responses.model_history import ModelHistory, history
from vigil.usecases.record import append

LEASE_SECONDS = 900
ALIASES = ("champion", "fallback", "challenger")
UNVERIFIED = "finished by a later run, which did not ask the serving layer"
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
    if known.pending is not None and happened(known.pending.change, state):
        finish(ports, model, known.pending.change)
        known = told(ports, model)
    now = found(state)
    recorded = {**{alias: known.aliases.get(alias) for alias in ALIASES}, "serve": known.serve.value}
    if now == recorded:
        return False
    append(
        ports,
        stream(model),
        key=f"outside/{known.completed}/{digest([recorded, now], length=16)}",
        body=AliasMovedOutside(recorded=recorded, found=now),
    )
    return True


def happened(announced: AliasChange, state: ServingState) -> bool:
    """Whether the registry shows the announced change."""
    match announced:
        case PromotionRequested():
            return found(state).get(announced.alias) == announced.to_version
        case RestoreRequested():
            return state.serve is Role.CHAMPION
        case MitigationStarted():
            if announced.mitigation is Mitigation.FALLBACK:
                return state.serve is Role.FALLBACK
            return state.champion == announced.to_version
        case _:
            assert_never(announced)


def finish(
    ports: Ports, model: str, announced: AliasChange, *, verified: bool = False, how: str = UNVERIFIED
) -> EventBody:
    """Appends the event that ends an announced change, and returns it; a mitigation's goes to its incident first.

    verified, how: whether the serving layer was seen to answer with a mitigation's version, and how that is known.
    """
    where, key = stream(model), announced.key
    match announced:
        case PromotionRequested():
            return append(ports, where, key=f"{key}/moved", body=AliasMoved.after(announced))
        case RestoreRequested():
            return append(ports, where, key=f"{key}/restored", body=ChampionRestored.after(announced))
        case MitigationStarted():
            done = MitigationDone.after(announced, verified=verified, how=how)
            if announced.incident:
                done = append(ports, f"incident/{announced.incident}", key=f"{key}/done", body=done)
            return append(ports, where, key=f"{key}/done", body=done)
        case _:
            assert_never(announced)


def fail(ports: Ports, model: str, announced: AliasChange, why: str) -> RegistryError:
    """Records that an announced change did not come out as written, and returns the error to raise."""
    key = f"{announced.key}/failed"
    match announced:
        case PromotionRequested():
            append(ports, stream(model), key=key, body=PromotionFailed.after(announced, why=why))
        case RestoreRequested():
            append(ports, stream(model), key=key, body=RestoreFailed.after(announced, why=why))
        case MitigationStarted():
            failed = MitigationFailed.after(announced, why=why)
            if announced.incident:
                append(ports, f"incident/{announced.incident}", key=key, body=failed)
            append(ports, stream(model), key=key, body=failed)
        case _:
            assert_never(announced)
    return RegistryError(f"{stream(model)}: {why}. Look at the aliases in the registry and at the model's ledger")
