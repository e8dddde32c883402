"""Profile <-> bytes: compressed JSON that names its version."""

import json
import zlib
from typing import Any

from pydantic import ValidationError

from vigil.core.errors import DataError
from vigil.core.ids import canonical
from vigil.core.value_word import word
from vigil.profiles.types import Profile

CURRENT = 5
REMEDY = "run the night again to make it anew"


def encode(profile: Profile) -> bytes:
    """Some kilobytes; equal profiles give equal bytes, whatever order their maps were made in."""
    return zlib.compress(canonical(profile).encode(), level=6)


def decode(stored: bytes) -> Profile:
    """Raises DataError for bytes that are no profile, or one of a newer Vigil."""
    try:
        raw = json.loads(zlib.decompress(stored))
        version = int(raw["schema_version"])
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise DataError(f"stored profile cannot be read ({type(error).__name__}: {error}); {REMEDY}") from error
    if version > CURRENT:
        raise DataError(f"stored profile has version {version}, this Vigil reads up to {CURRENT}: upgrade Vigil")
    try:
        return Profile.model_validate(_by_word(_upgraded(raw, version)))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"stored profile is not whole ({where}: {first['msg']}); {REMEDY}") from error


def _upgraded(raw: dict[str, Any], version: int) -> dict[str, Any]:
    """The same profile in the present shape. 1 -> 2 only adds fields: what was not counted then is empty, not nought.

    A profile of version 1 was counted on edges without tails, and adds up only with profiles on the same edges: there
    `new` means now what it meant then, every level that is not one of `levels`. 2 -> 3: the sums of the outermost bins
    were of other bins; they are left out, and distances that need them are unknown. 3 -> 4 and 4 -> 5 only
    add fields.
    """
    if version == CURRENT:
        return raw
    columns = [raw.get("columns"), raw.get("prediction"), *(raw.get("group_columns") or {}).values()]
    for column in (c for each in columns if each for c in (each.get("numeric") or {}).values()):
        column.pop("low_sum", None)
        column.pop("high_sum", None)
    return {**raw, "schema_version": CURRENT}


def _by_word(raw: dict[str, Any]) -> dict[str, Any]:
    """The same profile with groups, answers and labels by their words: older ones may have True, or 1.0.

    Levels of categories stay as the edges write them.
    """
    outcome = raw.get("outcome") or {}
    pairs = {name: _renamed(outcome[name], "\t") for name in ("confusion", "weighted") if name in outcome}
    if "predictions" in outcome:
        pairs["predictions"] = _renamed(outcome["predictions"])
    nested = {"groups": None, "crossed": "+"}
    made = {
        name: {key: _renamed(cells, separator) for key, cells in raw[name].items()}
        for name, separator in nested.items()
        if name in raw
    }
    for name in ("group_columns", "group_scores"):
        if name in raw:
            made[name] = _renamed(raw[name], "=")
    if "hours" in raw:
        made["hours"] = {hour: _renamed(by, "=") for hour, by in raw["hours"].items()}
    if "strata" in raw:
        made["strata"] = {
            attribute: {level: _renamed(cells) for level, cells in _renamed(levels).items()}
            for attribute, levels in raw["strata"].items()
        }
    return {**raw, **made, "outcome": {**outcome, **pairs}}


def _renamed(mapping: dict[str, Any], separator: str | None = None) -> dict[str, Any]:
    """The mapping with its keys by their words, part by part; a key stays where two would become one."""
    made: dict[str, Any] = {}
    for key, value in mapping.items():
        parts = key.split(separator) if separator else [key]
        name = (separator or "").join(word(part) or part for part in parts)
        made[key if name in made or (name != key and name in mapping) else name] = value
    return made
