"""What `/health` says: for operators and probes, without data."""

from typing import Any

from vigil.serving.gateway import Gateway
from vigil.serving.loader import Problem, Slot
from vigil.serving.spool import Depth


def health(gateway: Gateway, *, details: bool) -> tuple[int, dict[str, Any]]:
    """HTTP status and content. 503 `unhealthy` when a model is not served; `degraded` still answers every request.

    details: what libraries said is told too; operators need it, and it may name hosts and paths.
    """
    models = {name: _model(slot, details) for name, slot in gateway.slots.items()}
    compactor = gateway.compactor
    waits = compactor.spool.depth() if compactor else Depth(0, 0, 0)
    damaged = len(list(compactor.spool.damaged.glob("*"))) if compactor else 0
    problem = compactor.problem if compactor else "the gateway was not started"
    states = {model["status"] for model in models.values()}
    overall = "degraded" if problem or "degraded" in states else "ok"
    overall = "unhealthy" if "unavailable" in states else overall
    told = problem if details else "rows wait"
    spool = {**waits._asdict(), "damaged": damaged, "problem": told if problem else None}
    return (503 if overall == "unhealthy" else 200), {"status": overall, "models": models, "spool": spool}


def _model(slot: Slot, details: bool) -> dict[str, Any]:
    now = slot.now
    reasons = [_told(p, details) for p in (slot.problem,) if p]
    reasons += [f"standing by: {_told(p, details)}" for p in (slot.standby,) if p]
    status = "unavailable" if now is None else ("degraded" if reasons else "ok")
    return {
        "status": status,
        "version": now.model.version if now else None,
        "role": now.role.value if now else None,
        "last_poll": slot.last_poll.isoformat() if slot.last_poll else None,
        "reason": "; ".join(reasons) or None,
    }


def _told(problem: Problem, details: bool) -> str:
    return f"{problem.short}: {problem.detail}" if details else problem.short
