"""Arguments of an expectation that no rows can satisfy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


def impossible(kind: str, kwargs: Mapping[str, Any]) -> str:
    """Why no rows can satisfy these arguments; "" if some can.

    >>> impossible("expect_column_values_to_be_between", {"column": "age", "min_value": 9, "max_value": 1})
    'min_value 9 is above max_value 1: no value lies between them'
    >>> impossible("expect_column_max_to_be_between", {"column": "age", "min_value": 1, "max_value": 9})
    ''
    """
    mostly = kwargs.get("mostly")
    if _is_number(mostly) and not 0 <= float(mostly) <= 1:  # type: ignore[arg-type]
        return f"mostly is {mostly:g}: it is a share of the values, between 0 and 1"
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    strict = [name for name in ("strict_min", "strict_max") if kwargs.get(name) is True]
    wrong = _crossed(low, high, strict)
    if wrong:
        return wrong
    return _quantiles(kwargs.get("quantile_ranges")) if kind == "expect_column_quantile_values_to_be_between" else ""


def _crossed(low: Any, high: Any, strict: Sequence[str], names: tuple[str, str] = ("min_value", "max_value")) -> str:
    """Why there is nothing between two bounds, or ""."""
    pair = _comparable(low, high)
    if pair is None or pair[0] < pair[1]:
        return ""
    if pair[0] > pair[1]:
        return f"{names[0]} {low} is above {names[1]} {high}: no value lies between them"
    if strict:
        return f"{names[0]} and {names[1]} are both {low} with {' and '.join(strict)}: no value lies between them"
    return ""


def _comparable(low: Any, high: Any) -> tuple[Any, Any] | None:
    """Two numbers, or two times; None for anything else."""
    if _is_number(low) and _is_number(high):
        return low, high
    if isinstance(low, str) and isinstance(high, str):
        try:
            first, last = datetime.fromisoformat(low), datetime.fromisoformat(high)
        except ValueError:
            return None
        return (first, last) if (first.tzinfo is None) == (last.tzinfo is None) else None
    return None


def _quantiles(asked: Any) -> str:
    quantiles, ranges = (asked.get(k) for k in ("quantiles", "value_ranges")) if isinstance(asked, Mapping) else (0, 0)
    if not isinstance(quantiles, Sequence) or not isinstance(ranges, Sequence):
        return "quantile_ranges has two lists: `quantiles`, and as many `value_ranges`"
    if len(quantiles) != len(ranges) or not quantiles:
        return f"quantile_ranges has {len(quantiles)} quantiles and {len(ranges)} value_ranges: give one range for each"
    return next(filter(None, map(_quantile, quantiles, ranges)), "")


def _quantile(quantile: Any, span: Any) -> str:
    if not _is_number(quantile) or not 0 <= quantile <= 1:
        return f"the quantile {quantile} is not a number between 0 and 1"
    if not isinstance(span, Sequence) or isinstance(span, str) or len(span) != 2:
        return f"the range of the quantile {quantile} is not [lowest, highest]"
    wrong = _crossed(span[0], span[1], (), ("the lowest value", "the highest value"))
    return f"the quantile {quantile}: {wrong}" if wrong else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
