"""Words that stand for missing values in logs."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

NEVER = frozenset({"", "null", "n/a", "#n/a", "nan", "nat", "<na>", "\\n"})  # no value has such a name; \n is Hive's \N
OFTEN = frozenset({"na", "none", "-", "--"})  # a value may have one: NA is Namibia, and none a class
WORDS = NEVER | OFTEN


class Cleaned(NamedTuple):
    """Rows whose missing values are None, and the words that said so in columns that are not numbers."""

    frame: pd.DataFrame
    words: tuple[str, ...]


def without(values: pd.Series, words: Collection[str]) -> pd.Series:
    """The values, None where a text is one of the words, whatever its capitals and the blanks around it.

    >>> import pandas as pd
    >>> without(pd.Series(["5", " NULL", "na"]), NEVER).tolist()
    ['5', None, 'na']
    """
    gone = _among(values, words)
    return values.astype(object).where(~gone, None) if gone.any() else values


def cleaned(frame: pd.DataFrame) -> Cleaned:
    """The rows of an unknown log: a column without its missing words may turn out to hold numbers."""
    import pandas as pd

    made, found = {}, set[str]()
    for name in frame.columns:
        values = frame[name]
        fewer = without(values, WORDS)
        if fewer is values:
            continue
        if not pd.to_numeric(fewer, errors="coerce")[fewer.notna()].notna().all():
            gone = _among(values, NEVER)
            found |= {word.strip() for word in values[gone]}
            fewer = without(values, NEVER)
        made[name] = fewer
    return Cleaned(frame.assign(**made) if made else frame, tuple(sorted(found - {""})))


def _among(values: pd.Series, words: Collection[str]) -> pd.Series:
    """Whether each value is a text that is one of the words (in small letters)."""
    import pandas as pd

    if values.dtype.kind != "O" or not words:
        return pd.Series(False, index=values.index)
    return values.map(lambda v: isinstance(v, str) and v.strip().lower() in words).astype(bool)
