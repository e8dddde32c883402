"""The rules that a monitor has when it says nothing about drift: everything that can move, against its own nights."""

from collections.abc import Mapping
from typing import Any

NUMERIC = ("position_shift", "width_shift")
CATEGORY = ("level_shift",)
GROUPED = ("position_shift", "missing_shift", "level_shift")


def drift_rules(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Surprise rules for what a monitor has: its features' places, widths, levels and gaps, in groups too, and its
    answers.

    said: the monitor as it is written; what is missing or wrong in it is told elsewhere.

    >>> [r["metric"] for r in drift_rules({"task": "regression", "features": {"income": "numeric"}})]
    ['position_shift', 'width_shift', 'missing_shift', 'score_shift']
    """
    features = said.get("features")
    kinds = set(map(str, features.values())) if isinstance(features, Mapping) else set()
    names = [*(NUMERIC if "numeric" in kinds else ()), *(CATEGORY if "category" in kinds else ())]
    names += ["missing_shift"] if kinds else []
    grouped = [f"group_{name}" for name in names if name in GROUPED] if said.get("protected") else []
    task = said.get("task")
    answers = (["score_shift"] if task in ("binary", "regression") else []) + (
        ["class_shift"] if task in ("binary", "multiclass") else []
    )
    return [{"metric": name, "surprise": True} for name in (*names, *grouped, *answers)]
