"""Changed settings of a monitor for one trial: `rules.drift.0.sigma=5`."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import yaml

from vigil.config.explain import fields_at, near
from vigil.core.errors import MonitorError
from vigil.verdicts.defaults import drift_rules

NAMES = ("metric", "name", "attribute")  # by which an item of a list may be called
Where = tuple[str | int, ...]


def changed(raw: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """The document with each `key=value` set. A step of a key is a name, a place in a list, or a metric.

    >>> changed({"rules": {"drift": [{"metric": "psi", "breach": "> 0.2"}]}}, ["rules.drift.psi.breach=> 0.3"])
    {'rules': {'drift': [{'metric': 'psi', 'breach': '> 0.3'}]}}
    """
    document = deepcopy(dict(raw))
    if any(setting.strip().startswith("rules.drift.") for setting in settings):
        rules = document.setdefault("rules", {})
        rules["drift"] = rules.get("drift", drift_rules(document))  # as they are where a file says nothing of them
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key.strip():
            raise MonitorError(f"--set {setting}: write KEY=VALUE, such as rules.drift.0.sigma=5")
        try:
            value = text.strip() if text.strip().startswith(("<", ">")) else yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise MonitorError(f"--set {setting}: {text!r} is not valid YAML") from error
        _put(document, key.strip().split("."), value, f"--set {key.strip()}")
    return document


def _put(document: dict[str, Any], steps: Sequence[str], value: Any, said: str) -> None:
    place: Any = document
    path: Where = ()
    for n, step in enumerate(steps):
        last = n == len(steps) - 1
        if isinstance(place, list):
            at: str | int = _item(place, step, said, path)
        else:
            at = step
            _known(place, step, path, said)
        if last:
            place[at] = value
            return
        if isinstance(place, dict) and place.get(at) is None:
            place[at] = [] if steps[n + 1].isdigit() or path == ("rules",) else {}
        place, path = place[at], (*path, at)
        if not isinstance(place, dict | list):
            raise MonitorError(f"{said}: {'.'.join(map(str, path))} is the value {place!r}; it has no keys")


def _known(place: Mapping[str, Any], step: str, path: Where, said: str) -> None:
    """Raises MonitorError with a suggestion for a key that neither the schema nor the document has at this place."""
    fields = fields_at(path)
    if step in place or step in fields or (not fields and path and path[0] in ("features", "flags")):
        return
    known = sorted({*fields, *map(str, place)})
    where = f"in {'.'.join(map(str, path))}" if path else "at the top level"
    raise MonitorError(f"{said}: unknown key {step!r} {where}; {near(step, known)}")


def _item(place: list[Any], step: str, said: str, path: Where) -> int:
    if step.isdigit():
        if int(step) < len(place):
            return int(step)
        indices = f"0 to {len(place) - 1}" if place else "the list is empty"
        raise MonitorError(f"{said}: {'.'.join(map(str, path))}: index out of range ({indices})")
    called = [next((str(item[k]) for k in NAMES if k in item), "") if isinstance(item, dict) else "" for item in place]
    if called.count(step) == 1:
        return called.index(step)
    where = ".".join(map(str, path))
    if step in called:
        places = [str(n) for n, name in enumerate(called) if name == step]
        raise MonitorError(
            f"{said}: {where} has {len(places)} items named {step!r}; use an index: {' or '.join(places)}"
        )
    names = [name for name in called if name]
    hint = near(step, names) if names else "it is empty"
    raise MonitorError(f"{said}: {where} has no item named {step!r}; {hint}")
