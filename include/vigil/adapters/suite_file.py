"""The file of a suite: Great Expectations' own JSON, read without importing it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.core.errors import DataError
from vigil.core.value_word import word

if TYPE_CHECKING:
    from vigil.config.schema import Monitor


def raw_suite(path: Path, monitor: Monitor) -> dict[str, Any]:
    """The parsed file. Raises DataError with the file, what is wrong with it, and the next step."""
    shown = f"{path.parent.name}/{path.name}"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"there is no {shown}: add it, or change `suite:` of monitor {monitor.model}") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{shown} is not a suite in JSON ({error}): correct the file") from error
    return {**raw, "expectations": [_by_word(one) for one in expected(raw, shown, monitor)]}


def _by_word(one: Any) -> Any:
    """The expectation with the word of each text in its set: a suite that says True is true of the log's 1."""
    kwargs = one.get("kwargs") if isinstance(one, Mapping) else None
    members = kwargs.get("value_set") if isinstance(kwargs, Mapping) else None
    if not str(one.get("type") if kwargs else "").endswith("to_be_in_set") or not isinstance(members, list):
        return one
    words = [word(member) for member in members if isinstance(member, str)]
    more = [known for known in dict.fromkeys(words) if known is not None and known not in members]
    return {**one, "kwargs": {**(kwargs or {}), "value_set": [*members, *more]}} if more else one


def expected(raw: Any, shown: str, monitor: Monitor) -> list[Any]:
    """The expectations of a parsed file. Raises DataError where it has no list of them, or an empty one."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("expectations"), list):
        raise DataError(f"{shown} has no list `expectations`: write it as GX's `suite.to_json_dict()` does")
    if not raw["expectations"]:
        raise DataError(f"{shown} expects nothing: add an expectation, or leave out `suite:` of {monitor.model}")
    return list(raw["expectations"])
