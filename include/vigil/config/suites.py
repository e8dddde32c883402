"""A suite of expectations, read from the JSON of Great Expectations 1.x or 0.1x.

An expectation that cannot be checked keeps its place and says why (`problem`); the others are not affected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from vigil.config.suite_bounds import impossible
from vigil.core.errors import DataError

SEVERITIES = ("critical", "warning", "info")
PARAMETER = "$PARAMETER"
UNNAMED = "expectation"  # the type of an entry that has none
# arguments of 0.1x about how a check runs, or how its page looks: 1.x has them elsewhere or not at all
TECHNICAL = {
    "result_format", "include_config", "catch_exceptions", "batch_id", "auto", "profiler_config", "meta", "notes",
    "interactive_evaluation", "output_strftime_format",
}  # fmt: skip
RENAMED = {  # 0.1x -> 1.x
    "expect_column_pair_values_A_to_be_greater_than_B": "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_multicolumn_values_to_be_unique": "expect_select_column_values_to_be_unique_within_record",
}


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation, in the terms of 1.x; `type`, `kwargs`, `severity` and `meta` are GX's names.

    place, file: where it stands, from 1. problem: why it cannot be asked of any rows; "" where it can.
    """

    type: str
    place: int
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    severity: str = "critical"
    meta: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    problem: str = ""
    file: str = ""

    @property
    def where(self) -> str:
        """Where it stands, for messages."""
        return f"{self.file}, expectation {self.place}"

    def to_json_dict(self) -> dict[str, Any]:
        """As GX writes it."""
        return {"type": self.type, "kwargs": self.kwargs, "severity": self.severity, "meta": self.meta}


@dataclass(frozen=True, slots=True)
class Suite:
    """The expectations of a file, in its order."""

    name: str
    expectations: tuple[Expectation, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)


def suite_of(raw: Any, shown: str, model: str) -> Suite:
    """The suite of a parsed file. Raises DataError if the file has no usable expectation."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("expectations"), list):
        raise DataError(f"{shown} has no list `expectations`: write it as GX's `suite.to_json_dict()` does")
    if not raw["expectations"]:
        raise DataError(f"{shown} has no expectations: add one, or remove `suite:` from {model}")
    parameters: dict[str, Any] = {}
    for key in ("evaluation_parameters", "suite_parameters"):  # of 0.1x, of 1.x
        if isinstance(raw.get(key), Mapping):
            parameters |= raw[key]
    read = tuple(
        replace(_expectation(one, place, parameters), file=shown) for place, one in enumerate(raw["expectations"], 1)
    )
    named = next((str(raw[key]) for key in ("name", "expectation_suite_name") if raw.get(key)), model)
    return Suite(named, read, parameters)


def problems(suite: Suite) -> list[str]:
    """Each expectation that can never be checked, with its place in the file and the reason."""
    return [f"{one.where} ({one.type}): {one.problem}" for one in suite.expectations if one.problem]


def _expectation(raw: Any, place: int, parameters: Mapping[str, Any]) -> Expectation:
    """One entry of the list. What is wrong with its form, its parameters or its limits is its `problem`."""
    kind = (raw.get("type") or raw.get("expectation_type")) if isinstance(raw, Mapping) else None
    if not isinstance(kind, str):
        return Expectation(UNNAMED, place, problem="it has no `type`: write it as GX's `to_json_dict()` does")
    read = Expectation(RENAMED.get(kind, kind), place)
    kwargs, meta, severity = raw.get("kwargs") or {}, raw.get("meta") or {}, raw.get("severity") or "critical"
    if not isinstance(kwargs, Mapping):
        return replace(read, problem="`kwargs` is not a mapping of its arguments")
    if not isinstance(meta, Mapping) or not isinstance(meta.get("vigil") or {}, Mapping):
        return replace(read, problem='`meta` and `meta.vigil` are mappings, such as {"vigil": {"gate": true}}')
    arguments = {k: v for k, v in kwargs.items() if k not in TECHNICAL and v is not None}
    read = replace(read, kwargs=arguments, meta=dict(meta), description=str(raw.get("description") or ""))
    if severity not in SEVERITIES:
        return replace(read, problem=f"severity {severity!r} is none of {', '.join(SEVERITIES)}")
    return with_parameters(replace(read, severity=severity), parameters)


def with_parameters(one: Expectation, parameters: Mapping[str, Any]) -> Expectation:
    """The expectation with the values of its parameters, and with what cannot be right about its arguments.

    An expression such as `{"$PARAMETER": "rows * 0.9"}` stays as it is: only GX can work it out.
    """
    try:
        kwargs = substituted(one.kwargs, partial(_filled, parameters=parameters))
    except DataError as error:
        return replace(one, problem=str(error))
    kept = {name: value for name, value in kwargs.items() if not _of_the_past(name, value)}
    why = gone(kept) or impossible(one.type, kept)
    return replace(one, kwargs=kept, problem=why)


def _of_the_past(name: str, value: Any) -> bool:
    """Whether an argument that only 0.1x has asks for nothing."""
    return name in ("parse_strings_as_datetimes", "allow_cross_type_comparisons") and not value


def gone(kwargs: Mapping[str, Any]) -> str:
    """Why an argument of 0.1x cannot be kept, or ""."""
    for name in ("parse_strings_as_datetimes", "allow_cross_type_comparisons"):
        if name in kwargs:
            return f"{name} is of Great Expectations 0.1x, and 1.x has nothing that does the same: leave it out"
    return ""


def substituted(value: Any, fill: Callable[[str, Mapping[str, Any]], Any]) -> Any:
    """An argument in which each `{"$PARAMETER": name}`, however deep, is what `fill(name, the mapping)` returns."""
    if isinstance(value, list):
        return [substituted(each, fill) for each in value]
    if not isinstance(value, Mapping):
        return value
    name = value.get(PARAMETER)
    if isinstance(name, str):
        return fill(name, value)
    return {key: substituted(each, fill) for key, each in value.items()}


def _filled(asked: str, value: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
    """The value of a parameter; an expression stays as it is. Raises DataError for a name that has no value."""
    own = {k.removeprefix(f"{PARAMETER}."): v for k, v in value.items() if k != PARAMETER}  # 0.1x: a value for the try
    known = {**own, **parameters}
    if asked in known:
        return known[asked]
    if asked.startswith("urn:"):
        raise DataError(
            f"the parameter {asked!r} is the result of another validation, which Vigil does not store; use a value"
        )
    if re.search(r"\bnow\b", asked):
        raise DataError(
            f"the parameter {asked!r} depends on the current time, so judging a night again would give another "
            "result: use a fixed value, or compare with a column"
        )
    if re.fullmatch(r"[A-Za-z]\w*", asked):
        raise DataError(f"the parameter {asked!r} has no value: add it to `suite_parameters` of the file")
    return {PARAMETER: asked}
