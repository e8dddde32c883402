"""An expectation in words: GX's own sentence, with its parameters filled in as people write them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

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
        result.render()
        _SENTENCES[key] = _rendered(result.expectation_config)
    return _SENTENCES[key]


def _rendered(config: Any) -> str:
    for block in config.rendered_content or ():
        template = getattr(block.value, "template", None)
        if block.name == "atomic.prescriptive.summary" and template:
            given = {name: each.get("value") for name, each in (block.value.params or {}).items()}
            for name in given:
                if name.startswith("row_condition"):  # GX shows the object that it made of the text
                    given[name] = condition_of(config.kwargs.get("row_condition"))
            return filled(template, given)
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
    """What a check of the whole table saw: a number, or names of columns; never a list of values from rows."""
    missing = ((result.get("details") or {}).get("mismatched") or {}).get("missing")
    if missing:
        return f"missing: {_plain(missing)}"
    value = result.get("observed_value")
    if isinstance(value, bool | int | float):
        return f"observed {_plain(value)}"
    if isinstance(value, list):
        return f"observed {len(value):,} of them"
    return ""


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
            last = str(record.get("exception_traceback") or "").strip().splitlines()[-1:]
            named = re.match(r"[\w.]+", last[0]) if last else None
            return f"the check itself failed ({named[0].rpartition('.')[2] if named else 'no reason was given'})"
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
