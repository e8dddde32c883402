"""A value and the one word (text) that it has at every door: SDK, files, databases, gateway, replay, holdout.

Categories, groups, answers and labels are compared by their words. A value reaches Vigil in many types: a class is a
boolean in a data frame, `1.0` after pandas met a missing value, "1" or "True" in a CSV. `adapters/duckdb_word` has the
same in SQL, for stored columns; a law holds the two together. What the rules are and why: docs/adr/0023.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unicodedata import normalize

from vigil.core.errors import DataError

BLANKS = " \t\n\r\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
TRUE, FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
WHOLE = r"^(?:-(0)|(-?[1-9][0-9]*|0))[.]0+$"  # a whole number that was written as a float; 007.0 and 1.10 are none
EXACT = 1e16  # from here on, floats are written with an exponent: 1e+16
_WHOLE = re.compile(WHOLE)


def word(value: object) -> str | None:
    """The word of a value; None where it is missing. Raises DataError for what is no single value.

    >>> [word(v) for v in (True, 1, 1.0, "1.0", "True", Decimal("1.00"))]
    ['1', '1', '1', '1', '1', '1']
    >>> [word(v) for v in (1.5, Decimal("1.50"), "1.10", "007", "  yes ", b"no", float("nan"), "", None)]
    ['1.5', '1.5', '1.10', '007', 'yes', 'no', None, None, None]
    """
    if isinstance(value, str):
        return _of_text(value)
    if value is None:
        return None
    if isinstance(value, int):  # a boolean too: True is 1
        return str(int(value))
    if isinstance(value, float):
        return _of_float(value, repr(float(value)))
    return _of_other(value)


def words(values: Iterable[Any]) -> dict[Any, str | None]:
    """Each of the values with its word.

    >>> words([True, "no"])
    {True: '1', 'no': 'no'}
    """
    return {value: word(value) for value in values}


def _of_text(text: str) -> str | None:
    stripped = text.strip(BLANKS)
    if stripped in TRUE:
        return "1"
    if stripped in FALSE:
        return "0"
    if stripped.endswith("0") and (number := _WHOLE.match(stripped)):
        return number[1] or number[2]
    return normalize("NFC", stripped) or None


def _of_float(value: float, written: str) -> str | None:
    if value != value:  # noqa: PLR0124 - NaN
        return None
    return str(int(value)) if abs(value) < EXACT and value == int(value) else written


def _of_other(value: object) -> str | None:
    """Decimals, times, bytes, and the scalars of numpy and pandas, of which the core knows no names."""
    for kind, rule in _RULES.items():
        if isinstance(value, kind):
            return rule(value)
    if hasattr(value, "dtype") and getattr(value, "shape", None) == ():
        inner = _inner(value)
        return _of_float(float(inner), str(value)) if isinstance(inner, float) else word(inner)
    if type(value).__name__ == "NAType":  # pandas.NA, which is not even equal to itself
        return None
    if isinstance(value, complex | timedelta | dict | list | tuple | set | frozenset) or hasattr(value, "shape"):
        raise DataError(f"a {type(value).__name__} is no single value that has a word")
    return _of_text(str(value))


def _of_decimal(value: Decimal) -> str | None:
    if not value.is_finite():
        return None if value.is_nan() else str(float(value))
    return str(int(value)) if value == value.to_integral_value() else format(value.normalize(), "f")


def _inner(value: Any) -> object:
    """Python's value of a scalar of numpy: of its times to the microsecond, of its longest floats the nearest float."""
    if value.dtype.kind in "mM":
        return value.astype(f"{value.dtype.kind}8[us]").item()
    inner = value.item()
    return float(inner) if hasattr(inner, "dtype") and value.dtype.kind == "f" else inner


def _of_bytes(value: bytes) -> str | None:
    try:
        return _of_text(value.decode())
    except UnicodeDecodeError:
        raise DataError(f"{len(value)} bytes that are no UTF-8 text have no word") from None


def _of_time(value: date) -> str | None:
    """As the stored column writes it: in UTC where it has a zone, without trailing zeros."""
    if value != value:  # noqa: PLR0124 - pandas.NaT
        return None
    if not isinstance(value, datetime):
        return value.isoformat()
    zoned = value.tzinfo is not None
    text = (value.astimezone(UTC) if zoned else value).replace(tzinfo=None).isoformat(sep=" ")
    return (text.rstrip("0") if "." in text else text) + ("+00" if zoned else "")


_RULES: Mapping[type, Callable[[Any], str | None]] = {Decimal: _of_decimal, bytes: _of_bytes, date: _of_time}
