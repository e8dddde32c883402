"""What `/health` says: for operators and probes, without data."""

from typing import Any

from vigil.serving.gateway import Gateway
from vigil.serving.loader import Slot


def health(gateway: Gateway) -> tuple[int, dict[str, Any]]:
    """HTTP status and content. 503 `unhealthy` when a model is not served; `degraded` still answers every request."""
    models = {name: _model(slot) for name, slot in gateway.slots.items()}
    compactor = gateway.compactor
    segments, size = compactor.spool.depth() if compactor else (0, 0)
    damaged = len(list(compactor.spool.damaged.glob("*"))) if compactor else 0
    problem = compactor.problem if compactor else "the gateway was not started"
    states = {model["status"] for model in models.values()}
    overall = "degraded" if problem or "degraded" in states else "ok"
    overall = "unhealthy" if "unavailable" in states else overall
    content = {
        "status": overall,
        "models": models,
        "spool": {"segments": segments, "bytes": size, "damaged": damaged, "problem": problem or None},
    }
    return (503 if overall == "unhealthy" else 200), content


def _model(slot: Slot) -> dict[str, Any]:
    now = slot.now
    reasons = [f"{p.short}: {p.detail}" for p in (slot.problem,) if p]
    reasons += [f"standing by: {p.short}: {p.detail}" for p in (slot.standby,) if p]
    status = "unavailable" if now is None else ("degraded" if reasons else "ok")
    return {
        "status": status,
        "version": now.model.version if now else None,
        "role": now.role.value if now else None,
        "last_poll": slot.last_poll.isoformat() if slot.last_poll else None,
        "reason": "; ".join(reasons) or None,
    }
