"""What was found of a suite, in the shape of Great Expectations' own results, whoever counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vigil.config.suites import Expectation

NO_ERROR = {"raised_exception": False, "exception_traceback": None, "exception_message": None}
SAMPLE = "vigil_sample"  # key of a result that rests on a sample: {"rows": n, "of": N}


@dataclass(slots=True)
class Result:
    """What was found of one expectation; the names are those of GX's own. problem: why it could not be checked."""

    success: bool
    expectation_config: Expectation
    result: dict[str, Any]
    sentence: str = ""
    problem: str = ""
    exception_info: Mapping[str, Any] = field(default_factory=lambda: dict(NO_ERROR))

    def to_json_dict(self) -> dict[str, Any]:
        """As GX writes it."""
        asked = self.expectation_config.to_json_dict()
        raised = {"raised_exception": bool(self.problem), "exception_message": self.problem or None}
        return {
            "success": self.success,
            "result": self.result,
            "exception_info": {**self.exception_info, **raised},
            "expectation_config": asked,
        }


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The result of a suite, in the order of the file; the names are those of GX's own."""

    suite_name: str
    results: tuple[Any, ...]

    def to_json_dict(self) -> dict[str, Any]:
        """As GX writes it, without values of rows."""
        good, n = sum(bool(each.success) for each in self.results), len(self.results)
        statistics = {
            "evaluated_expectations": n, "successful_expectations": good, "unsuccessful_expectations": n - good,
            "success_percent": 100 * good / n,
        }  # fmt: skip
        results = [without_values(each.to_json_dict()) for each in self.results]
        return {"success": good == n, "suite_name": self.suite_name, "statistics": statistics, "results": results}


def unchecked(one: Expectation, why: str) -> Result:
    """An expectation that nobody could check."""
    return Result(False, one, {}, problem=why)


def unaskable(one: Expectation, why: str) -> Result:
    """An expectation that nobody can check of any rows, with the place of the file that is to be corrected."""
    return unchecked(one, f"{why}; correct {one.where}")


def without_values(told: dict[str, Any]) -> dict[str, Any]:
    """A result as JSON, without what may be values of rows: lists of a column's values, messages of exceptions."""
    found = dict(told.get("result") or {})
    about_columns = str((told.get("expectation_config") or {}).get("type")).startswith("expect_table_")
    if isinstance(found.get("observed_value"), list) and not about_columns:
        found["observed_value"] = f"{len(found['observed_value']):,} values"
    if not about_columns:
        found.pop("details", None)
    return {**told, "result": found, "exception_info": _quiet(told.get("exception_info") or {})}


def _quiet(info: Mapping[str, Any]) -> dict[str, Any]:
    """What was raised, by name. A message of ours names columns only, so it stays."""
    if "raised_exception" not in info:
        return {name: _quiet(each) if isinstance(each, Mapping) else each for name, each in info.items()}
    trace = str(info.get("exception_traceback") or "")
    message = raised(trace) if trace else info.get("exception_message")
    return {"raised_exception": info["raised_exception"], "exception_traceback": None, "exception_message": message}


def raised(trace: str) -> str:
    """The name of the exception that began a traceback, without its message: that may quote a row.

    >>> raised("Traceback ...\\nTypeError: 'secret'\\n\\nThe above ...\\ngx.MetricResolutionError: 'secret'")
    'TypeError'
    """
    names = re.findall(r"^(?:\w+\.)*(\w+)(?=:|$)", trace, flags=re.MULTILINE)
    errors = [name for name in names if name.endswith(("Error", "Exception", "Warning", "Interrupt"))]
    return errors[0] if errors else "no reason was given"
