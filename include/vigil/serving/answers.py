"""What a model answered -> one value, one word and at most one score for each row."""

import math
from typing import Any, NamedTuple

from vigil.core.value_word import word


class UnfitAnswer(Exception):
    """The model's answer has no value for each row; the text holds no data."""


class Answer(NamedTuple):
    """For each row: the value for the response, the word for the log (None: no answer), and the score if any."""

    values: list[Any]
    texts: list[str | None]
    scores: list[float] | None


def read_answer(raw: Any, rows: int) -> Answer:
    """From a DataFrame with `prediction` (and `score`), a Series, an array or a list.

    >>> read_answer([1.0, float("nan")], 2)
    Answer(values=[1.0, None], texts=['1', None], scores=None)
    """
    import numpy as np
    import pandas as pd

    scores = None
    if isinstance(raw, pd.DataFrame):
        if "prediction" not in raw.columns:
            if raw.shape[1] != 1:
                raise UnfitAnswer(f"{raw.shape[1]} columns without `prediction`")
            raw = raw.set_axis(["prediction"], axis=1)
        scores = raw["score"].to_numpy().astype("float64").tolist() if "score" in raw.columns else None
        raw = raw["prediction"]
    values = raw.to_numpy() if isinstance(raw, pd.Series) else np.asarray(raw)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or len(values) != rows:
        raise UnfitAnswer(f"shape {values.shape} for {rows} row(s)")
    plain = values.tolist()
    return Answer([_value(v) for v in plain], [word(v) for v in values], scores)


def finite(number: float) -> float | None:
    """The number as JSON can say it: NaN and infinities are null."""
    return number if math.isfinite(number) else None


def _value(value: object) -> Any:
    if isinstance(value, float):
        return finite(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)
