"""The file of a suite, read without importing Great Expectations as far as its parameters have no expressions."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vigil.config.suites import PARAMETER, Expectation, Suite, substituted, suite_of, with_parameters
from vigil.core.errors import DataError
from vigil.core.value_word import word

if TYPE_CHECKING:
    from vigil.config.schema import Monitor


def read_suite(path: Path, monitor: Monitor) -> Suite:
    """The suite of a monitor. Raises DataError with the file, what is wrong with it as a whole, and the next step."""
    shown = f"{path.parent.name}/{path.name}"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"there is no {shown}: add it, or change `suite:` of monitor {monitor.model}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{shown} is not a suite in JSON ({error}): correct the file") from error
    return whole_suite(raw, shown, monitor)


def whole_suite(raw: Any, shown: str, monitor: Monitor) -> Suite:
    """The suite of a parsed file, expressions in its parameters worked out. Raises DataError as `read_suite`."""
    suite = suite_of(raw, shown, monitor.model)
    known = tuple(_by_word(_worked_out(one, suite.parameters)) for one in suite.expectations)
    return replace(suite, expectations=known)


def _by_word(one: Expectation) -> Expectation:
    """The expectation with the word of each text in its set: a suite that says True is true of the log's 1."""
    members = one.kwargs.get("value_set")
    if not one.type.endswith("to_be_in_set") or not isinstance(members, list):
        return one
    words = [word(member) for member in members if isinstance(member, str)]
    more = [known for known in dict.fromkeys(words) if known is not None and known not in members]
    return replace(one, kwargs={**one.kwargs, "value_set": [*members, *more]}) if more else one


def _worked_out(one: Expectation, parameters: Mapping[str, Any]) -> Expectation:
    """With the values of expressions such as `{"$PARAMETER": "rows * 0.9"}`, which are GX's own language."""
    if one.problem or PARAMETER not in json.dumps(one.kwargs, default=str):
        return one
    try:
        kwargs = substituted(one.kwargs, partial(_value, parameters=parameters))
    except DataError as error:
        return replace(one, problem=str(error))
    return with_parameters(replace(one, kwargs=kwargs), parameters)


def _value(asked: str, _: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read when GX is imported
    from great_expectations.core.suite_parameters import parse_suite_parameter
    from great_expectations.exceptions.exceptions import GreatExpectationsError

    try:
        return parse_suite_parameter(asked, dict(parameters))
    except (GreatExpectationsError, ValueError, TypeError, ArithmeticError, IndexError, KeyError) as error:
        raise DataError(
            f"the parameter {asked!r} cannot be worked out from `suite_parameters` of the file "
            f"({', '.join(parameters) or 'which has none'}): correct it, or add what it names"
        ) from error
