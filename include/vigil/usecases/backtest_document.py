"""A backtest as a JSON document."""

from typing import Any

from vigil.usecases.backtest import Judged, Told
from vigil.usecases.backtest_account import Account
from vigil.verdicts.types import Verdict


def document(told: Told, sums: Account, **more: Any) -> dict[str, Any]:
    """The JSON of a backtest. The same nights under the same settings give the same text."""
    incidents = [{**o.model_dump(mode="json"), "findings": list(o.findings)} for o in sums.incidents]
    summary = sums.model_dump(mode="json", exclude={"monitor", "settings_digest", "incidents"})
    return {
        "monitor": sums.monitor,
        "settings_digest": sums.settings_digest,
        "nights": [_night(d) for d in told.nights],
        "summary": {**summary, "incidents": incidents, "missed": [m.what for m in sums.missed], **more},
    }


def _night(day: Judged) -> dict[str, Any]:
    return {
        "night": day.night.isoformat(),
        "rows": day.last.rows,
        "verdicts": [_verdict(v) for v in day.last.verdicts],
        "incident": _incident(day),
    }


def _verdict(v: Verdict) -> dict[str, Any]:
    m = v.measurement
    number = {k: getattr(m, k) if m else None for k in ("value", "low", "high", "n", "baseline")}
    told = {"metric": v.metric, "subject": v.subject, "family": v.family.value, "state": v.state.value}
    return {**told, "reason": v.reason, **{k: _digits(x) for k, x in number.items()}}


def _digits(value: float | None) -> float | None:
    """Ten significant digits: the last ones of a sum depend on the order in which a machine adds."""
    return float(f"{value:.10g}") if isinstance(value, float) else value


def _incident(day: Judged) -> dict[str, Any] | None:
    if day.joined is None:
        return None
    findings: dict[str, list[str]] = {}
    for family, name in day.joined.signals:
        findings.setdefault(family, []).append(name)
    told = [{"family": family, "signals": names} for family, names in findings.items()]
    return {"opened": day.joined.opened.isoformat(), "severity": day.joined.severity, "findings": told}
