"""Detects features that change with every night, so that every night would look like drift.

A night has one value of a season, a holiday, a weekday or an interest rate: its rows are no sample of anything.
Counters and clocks grow for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vigil.profiles.layout import FeatureType

if TYPE_CHECKING:
    import pandas as pd

NIGHTLY = "a night has one value of it"
GROWING = "it grows or falls from night to night, like a counter or a clock"
MOSTLY = 0.95  # of the nights have one value
LEAST_NIGHTS = 5
LEAST_REPEATS = 20  # rows that said what another row of their night had said
IN_ORDER, NIGHTS_IN_ORDER = 0.99, 8  # correlation of ranks with time, and nights before it can tell


def moving(frame: pd.DataFrame, nights: pd.Series, features: Mapping[str, FeatureType]) -> dict[str, str]:
    """Feature -> why it moves. frame: rows in the features' names; nights: the local day of each row."""
    found = {}
    for name, kind in features.items():
        if name in frame and _one_a_night(frame[name], nights):
            found[name] = NIGHTLY
        elif name in frame and kind is FeatureType.NUMERIC and _growing(frame[name], nights):
            found[name] = GROWING
    return found


def _growing(values: pd.Series, nights: pd.Series) -> bool:
    """Whether the nights lie in order, and further apart in all than the rows of one night."""
    import pandas as pd

    grouped: Any = pd.to_numeric(values, errors="coerce").groupby(nights)
    middle = grouped.median().dropna()
    if len(middle) < NIGHTS_IN_ORDER or middle.nunique() < 2:
        return False
    width = float((grouped.quantile(0.75) - grouped.quantile(0.25)).median())
    order = pd.Series(range(len(middle)), index=middle.index, dtype=float)
    in_order = abs(float(middle.rank().corr(order))) > IN_ORDER
    return in_order and abs(float(middle.iloc[-1] - middle.iloc[0])) > width


def _one_a_night(values: pd.Series, nights: pd.Series) -> bool:
    """Whether nearly all nights have one value, and what is not the usual value comes by whole nights.

    A value that is rare also leaves most nights with one value; but then the others have both.
    """
    known = values.notna() & nights.notna()
    values, nights = values[known], nights[known]
    seen = values.groupby(nights).agg(["nunique", "count"])
    seen = seen[seen["count"] > 1]
    if len(seen) < LEAST_NIGHTS or int((seen["count"] - 1).sum()) < LEAST_REPEATS or values.nunique() < 2:
        return False
    single = seen["nunique"] == 1
    if float(single.mean()) <= MOSTLY:
        return False
    unusual = values != values.mode().iloc[0]
    return float(nights[unusual].isin(seen.index[single]).mean()) > 0.5
