"""An expectation in words: GX's own sentence, with its parameters filled in as people write them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from vigil.adapters.suite_shape import raised

SHORTER = (
    ("greater than or equal to ", "at least "),
    ("less than or equal to ", "at most "),
    ("Must have ", "must have "),
)
LISTED = 12  # members of a set that are named
LONGEST = 400  # characters of a sentence


def filled(template: str, params: Mapping[str, Any]) -> str:
    """GX's template with its values. Text from data is not escaped here: whoever shows it does that.

    >>> filled("$column values must be greater than or equal to $min_value.", {"column": "age", "min_value": 18.0})
    'age values must be at least 18'
    >>> filled("Must have $min_value rows.", {"min_value": 12000})
    'must have 12,000 rows'
    >>> filled("$column is one of $v__0 $v__1", {"column": "sex", "v__0": "female", "v__1": "male"})
    'sex is one of female, male'
    """
    template = re.sub(r"(\$\w+?_\d+) (?=\$\w+?_\d+)", r"\1, ", template)  # GX's lists have no commas
    text = re.sub(r"\$(\w+)", lambda found: _plain(params.get(found[1], found[1])), template)
    for long, short in SHORTER:
        text = text.replace(long, short)
    text = text.strip().rstrip(".")
    return text if len(text) <= LONGEST else text[: LONGEST - 2] + " …"


_SENTENCES: dict[str, str] = {}  # GX takes 50 ms to render one; a suite asks the same every night


def sentence(result: Any) -> str:
    """What the expectation of a result asks. GX's sentence where it has one, else the type and its arguments."""
    config = result.expectation_config
    asked = {k: v for k, v in config.kwargs.items() if k != "batch_id"}
    key = f"{config.type} {json.dumps(asked, sort_keys=True, default=str)}"
    if key not in _SENTENCES:
        try:
            result.render()
        except Exception:  # noqa: BLE001 - whatever GX's own page cannot say is said by its type and arguments
            return by_arguments(config)
        _SENTENCES[key] = _rendered(result.expectation_config)
    return _SENTENCES[key]


def _rendered(config: Any) -> str:
    for block in config.rendered_content or ():
        template = getattr(block.value, "template", None)
        if block.name == "atomic.prescriptive.summary" and template and "(**{" not in template:
            given = {name: each.get("value") for name, each in (block.value.params or {}).items()}
            for name in given:
                if name.startswith("row_condition"):  # GX shows the object that it made of the text
                    given[name] = condition_of(config.kwargs.get("row_condition"))
            return filled(re.sub(r"\s*</?pre>\s*", " ", template), given)
    return by_arguments(config)


def by_arguments(config: Any) -> str:
    """What an expectation asks, by its type and its arguments."""
    asked = {k: v for k, v in config.kwargs.items() if k != "batch_id" and v is not None}
    return f"{config.type} {', '.join(f'{k} {_plain(v)}' for k, v in asked.items())}".strip()


def condition_of(condition: Any) -> str:
    """A row condition as its author wrote it, of text or of the objects that GX makes of it.

    >>> condition_of({"type": "comparison", "column": {"name": "age"}, "operator": ">", "parameter": 3})
    'age > 3'
    """
    if not isinstance(condition, Mapping):
        return str(condition)
    if "pass_through_filter" in condition:
        return str(condition["pass_through_filter"])
    if "conditions" in condition:
        return f" {condition.get('type', 'and')} ".join(condition_of(each) for each in condition["conditions"])
    parts = (condition.get("column") or {}).get("name"), condition.get("operator"), condition.get("parameter")
    return " ".join(_plain(part) for part in parts if part is not None)


def observed(result: Mapping[str, Any]) -> str:
    """What a check of the whole table saw: numbers, or names of columns; never a list of values from rows."""
    told = _missing(result)
    if told:
        return told
    value = result.get("observed_value")
    if isinstance(value, bool | int | float):
        return f"observed {_plain(value)}"
    if isinstance(value, list):
        return f"observed {len(value):,} of them"
    if isinstance(value, Mapping) and "quantiles" in value:
        return "observed " + ", ".join(f"{_plain(q)}: {_plain(v)}" for q, v in zip(*value.values(), strict=False))
    return value if isinstance(value, str) and value.endswith("unexpected rows") else ""


def _missing(result: Mapping[str, Any]) -> str:
    """What is missing, out of place or too much of a set or a list of columns."""
    mismatched = (result.get("details") or {}).get("mismatched")
    if isinstance(mismatched, Mapping) and mismatched.get("missing"):
        return f"missing: {_plain(mismatched['missing'])}"
    if isinstance(mismatched, list) and mismatched:
        return _misplaced(mismatched)
    if result.get("observed_value") is not None:
        return ""
    counts = [(result.get("unexpected_count"), "others"), (result.get("missing_count"), "missing")]
    return ", ".join(f"{n:,} {what}" for n, what in counts if isinstance(n, int))


def _misplaced(columns: list[Any]) -> str:
    """The first column of an ordered list that is not in its place."""
    first = columns[0]
    place = int(first["Expected Column Position"]) + 1
    wanted, there = first["Expected"] or "no column", first["Found"] or "no column"
    more = f", and {len(columns) - 1:,} more" if len(columns) > 1 else ""
    return f"column {place} is {there}, not {wanted}{more}"


def failure(exception_info: Mapping[str, Any]) -> str | None:
    """Why a check could not be made, or None. Names of columns and exceptions only: a message may quote a row.

    exception_info: as in a result; either one record, or one for each metric that failed.
    """
    records = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    for record in records:
        if isinstance(record, Mapping) and record.get("raised_exception"):
            message = str(record.get("exception_message") or "")
            absent = re.search(r'column "([^"]+)"[^.]* does not exist', message)
            if absent:
                return f"the rows have no column {absent[1]}"
            if "No provider found for " in message:
                return "Great Expectations asks this of SQL databases only, and it cannot be counted here either"
            return f"the check itself failed ({raised(str(record.get('exception_traceback') or ''))})"
    return None


def _plain(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:,.12g}"
    if isinstance(value, list | tuple | set):
        named = [_plain(v) for v in value]
        return ", ".join(named[:LISTED]) + (f" and {len(named) - LISTED:,} more" if len(named) > LISTED else "")
    return str(value)
