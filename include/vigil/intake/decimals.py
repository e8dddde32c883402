"""Numbers with a decimal comma."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

Decimal = Literal[".", ","]
WHOLE = r"[+-]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)"
COMMA = re.compile(rf"{WHOLE},\d+(?:[eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
POINT = re.compile(r"[+-]?\d+\.\d+(?:[eE][+-]?\d+)?")


def pointed(frame: pd.DataFrame, decimal: Decimal, numbers: Collection[str] = ()) -> pd.DataFrame:
    """A log with decimal points: 5,2 is 5.2, and 1.234,5 is 1234.5. numbers: columns in which 1.234 is 1234, too."""
    if decimal == ".":
        return frame
    return frame.assign(**{
        name: frame[name].map(lambda v, count=name in numbers: _point(v, count))
        for name in frame.columns[[kind.kind == "O" for kind in frame.dtypes]]
    })  # fmt: skip


def _point(value: object, number: bool) -> object:
    """
    >>> _point("1.234,5", False), _point("5,2", False), _point("1.234", True), _point("1.234", False)
    ('1234.5', '5.2', '1234', '1.234')
    """
    if not isinstance(value, str):
        return value
    word = value.strip()
    if COMMA.fullmatch(word) or (number and THOUSANDS.fullmatch(word)):
        return word.replace(".", "").replace(",", ".")
    return value


def decimal_of(frame: pd.DataFrame) -> Decimal:
    """The decimal separator of a log: a comma if a column consists of such numbers and none has points."""
    found = False
    for name in frame.columns[[kind.kind == "O" for kind in frame.dtypes]]:
        words = [v.strip() for v in frame[name].dropna().head(2000) if isinstance(v, str) and v.strip()]
        if words and all(POINT.fullmatch(w) for w in words):
            return "."
        commas = sum(bool(COMMA.fullmatch(w)) for w in words)
        found = found or (commas > 0 and all(COMMA.fullmatch(w) or re.fullmatch(WHOLE, w) for w in words))
    return "," if found else "."
