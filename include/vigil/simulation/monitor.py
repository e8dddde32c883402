"""The monitor of a simulated model, as a file of monitors/ would say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vigil.simulation.nights import APPROVE, ENVIRONMENT

if TYPE_CHECKING:
    from vigil.simulation.nights import Simulation


def document(run: Simulation) -> str:
    """The YAML of a simulation's monitor."""
    import yaml

    head = f"# A simulated model ({run.regime}, seed {run.seed}), made by `vigil simulate`; docs/simulate.md.\n"
    return head + str(yaml.safe_dump(_monitor(run), sort_keys=False, width=110, default_flow_style=None))


def relocated(text: str, origin: str) -> str:
    """The YAML of a model whose nights were resampled: its log is Vigil's own now."""
    import yaml

    said = {key: value for key, value in yaml.safe_load(text).items() if key != "source"}
    head = f"# Nights resampled from {origin} by `vigil simulate`; docs/simulate.md.\n"
    return head + str(yaml.safe_dump(said, sort_keys=False, width=110, default_flow_style=None, allow_unicode=True))


def _monitor(run: Simulation) -> dict[str, Any]:
    spec = run.spec
    reference, *groups = spec.population.groups
    return {
        "version": "vigil/v1",
        "model": run.model,
        "description": f"Simulated: approves or denies, {run.regime} nights of {run.rows} rows",
        "environment": ENVIRONMENT,
        "timezone": "UTC",
        "task": "binary",
        "data": {"score": "score"},
        "features": dict(spec.features),
        "decision": {
            "positive": "1", "threshold": spec.model.threshold, "favourable": APPROVE, "deserving": "0",
        },
        "protected": [{"attribute": spec.population.attribute, "reference": reference, "groups": groups}],
        "labels": {"delay_nights": spec.outcome.delay_nights, "grace_nights": 2, "mature_share": 0.8},
        "rules": _rules(run.rows),
        "slos": [
            {"name": "availability", "sli": "availability", "target": 0.99},
            {"name": "latency", "sli": "latency", "threshold_ms": spec.latency.median_ms * 5, "target": 0.95},
        ],
        "risk": {"tier": 2, "affects_access": True},
        "people": {"owner": "owner@example.com", "on_call": ["on.call@example.com"]},
    }  # fmt: skip


def _rules(rows: int) -> dict[str, Any]:
    return {
        "service": [
            {"metric": "success_rate", "breach": "< 0.98", "min_difference": 0.02},
            {"metric": "volume", "breach": f"< {rows * 0.3:g}", "surprise": True, "floor": 0.25},
        ],
        "quality": [
            {"metric": "missing", "breach": "> 0.10"},
            {"metric": "not_finite", "breach": "> 0.02"},
            {"metric": "wrong_type", "breach": "> 0.02"},
            {"metric": "new_category", "breach": "> 0.01", "min_difference": 0.01},
        ],
        "performance": [{"metric": "auc", "holdout": -0.05}],
        "fairness": [{"metric": "selection_rate_ratio", "breach": "< 0.80"}],
    }
