"""The values of one column of a log: numbers or words, and None where they are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vigil.core.errors import DataError
from vigil.core.value_word import word
from vigil.intake.missing import NEVER, WORDS, without
from vigil.intake.types import Source

if TYPE_CHECKING:
    import pandas as pd

OF_A_REQUEST = ("prediction_id", "model_version", "role", "status", "latency_ms", "pipeline_version")


class Wanted(NamedTuple):
    """The columns that a monitor uses, under Vigil's names."""

    environment: str
    columns: tuple[str, ...]  # features, groups, prediction, score, and what else is counted of a row
    score: str | None
    prediction: str
    numbers: frozenset[str]  # of `columns`, those that are numbers
    threshold: float | None = None  # binary logs of scores alone: at or above it the decision is `above`
    above: str = ""
    below: str = ""
    further: frozenset[str] = frozenset()  # of `columns`, those that a log has and a holdout may lack
    classes: frozenset[str] = frozenset()  # words of answers and labels that are declared
    open: bool = False  # answers and labels may be in further words


def text(values: pd.Series) -> pd.Series:
    """The word of each value (`core/value_word`); None where it is missing. Raises DataError for what has no word."""
    import numpy as np
    import pandas as pd

    try:
        codes, index = pd.factorize(values)
        distinct = index.to_numpy() if values.dtype == np.float32 else index  # Python's 0.1 would be 0.10000000149
        known = np.array([*(word(value) for value in distinct), None], dtype=object)
    except (TypeError, DataError) as error:  # what cannot be hashed is no single value either
        why = error if isinstance(error, DataError) else "it holds lists or structures"
        raise DataError(f"column {str(values.name)!r} cannot be read as text: {why}; exclude the column") from None
    return pd.Series(known[codes], index=values.index, name=values.name, dtype=object)


def values_of(values: pd.Series, name: str, source: Source, wanted: Wanted) -> pd.Series:
    """The values of one of Vigil's columns: numbers, or words; translated, and None where they are missing."""
    import pandas as pd

    meant = source.values.get(name, {})
    values = without(values, _missing(name, source, wanted) - {key.lower() for key in meant})
    if meant:
        values = text(values).map(lambda v: meant.get(v, v) if v is not None else None)
    if name in wanted.numbers:
        return values if pd.api.types.is_numeric_dtype(values) else _numbers(values)
    return text(values)


def _missing(name: str, source: Source, wanted: Wanted) -> frozenset[str]:
    """The words, in small letters, that say that a value of the column is missing."""
    given = frozenset(one.strip().lower() for one in source.missing)
    declared = {one.lower() for one in wanted.classes}
    if name in wanted.numbers:
        return WORDS | given
    if name in (wanted.prediction, "label"):
        return ((NEVER if wanted.open else WORDS) - declared) | given
    return NEVER | given if name in OF_A_REQUEST else given


def _numbers(values: pd.Series) -> pd.Series:
    """Numbers where all that is there are numbers; else their words: the night counts what has the wrong type."""
    import pandas as pd

    words = text(values)  # True is 1
    read = pd.to_numeric(words, errors="coerce")
    return read if read.notna().sum() == words.notna().sum() else words
