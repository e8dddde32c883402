"""The rules that a monitor has when it says nothing about drift: everything that can move, against its own nights."""

from collections.abc import Mapping
from typing import Any

NUMERIC = ("position_shift", "width_shift")
CATEGORY = ("level_shift",)
GROUPED = ("position_shift", "missing_shift", "level_shift")
PLACED = ("position_shift", "width_shift", "level_shift", "group_position_shift", "group_level_shift")


def drift_rules(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Surprise rules for what a monitor has: its features' places, widths, levels and gaps, in groups too, the size
    of its groups, and its answers.

    said: the monitor as it is written; what is missing or wrong in it is told elsewhere. Features under `surprise:
    without:` are only asked for their nulls, metrics there are not asked for at all.

    >>> [r["metric"] for r in drift_rules({"task": "regression", "features": {"income": "numeric"}})]
    ['position_shift', 'width_shift', 'missing_shift', 'score_shift']
    >>> season = {"features": {"season": "category"}, "surprise": {"without": ["season"]}}
    >>> [r["metric"] for r in drift_rules(season)]
    ['missing_shift']
    """
    named = said.get("features")
    features = named if isinstance(named, Mapping) else {}
    left = _without(said)
    placed = {str(kind) for name, kind in features.items() if str(name) not in left}
    names = [*(NUMERIC if "numeric" in placed else ()), *(CATEGORY if "category" in placed else ())]
    names += ["missing_shift"] if features else []
    grouped = [f"group_{name}" for name in names if name in GROUPED] if said.get("protected") else []
    task = said.get("task")
    grouped += ["group_share_shift"] if said.get("protected") and task == "binary" else []
    answers = (["score_shift"] if task in ("binary", "regression") else []) + (
        ["class_shift"] if task in ("binary", "multiclass") else []
    )
    here = [str(name) for name in features if str(name) in left]
    asked = [name for name in (*names, *grouped, *answers) if name not in left]
    return [_rule(name, here if name in PLACED else []) for name in asked]


def _without(said: Mapping[str, Any]) -> frozenset[str]:
    surprise = said.get("surprise")
    listed = surprise.get("without") if isinstance(surprise, Mapping) else None
    return frozenset(map(str, listed)) if isinstance(listed, list | tuple) else frozenset()


def _rule(metric: str, without: list[str]) -> dict[str, Any]:
    return {"metric": metric, "surprise": True, **({"without": without} if without else {})}
