"""Converts the scores of a log to probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from vigil.core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Scale = float | Literal["logit"]


def probability(values: pd.Series, scale: Scale) -> pd.Series:
    """Scores in [0, 1]. Raises DataError where a value is none of that scale, with the scale that may be meant."""
    import numpy as np
    import pandas as pd

    numbers: pd.Series[Any] = pd.to_numeric(values, errors="coerce")
    if scale == "logit":
        odds: pd.Series[Any] = 1 / (1 + np.exp(-numbers.clip(-700, 700)))  # beyond, exp is no number
        return odds
    scaled: pd.Series[Any] = numbers / scale
    least, most = scaled.min(), scaled.max()
    if pd.notna(least) and least < -1e-9:
        raise DataError(
            f"score: some values are as low as {least * scale:g}, so they are not probabilities; set "
            "`score_scale: logit` under `source:` if they are log-odds, else log a probability"
        )
    if pd.notna(most) and most > 1 + 1e-9:
        hint = 100 if scale == 1 and most <= 100 else "the maximum of the scale"
        raise DataError(
            f"score: some values are as high as {most * scale:g}; set `score_scale: {hint}` under `source:`"
        )
    return scaled
