"""How much each feature moves from night to night in a log, so that the drafted rules leave usual movement alone.

A hard bound is for what one night must not do: a unit, a code, a source that changed. What the seasons do is slower,
and what the weekday does is known beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from vigil.core.spec import Spec
from vigil.profiles.layout import FeatureType

if TYPE_CHECKING:
    import pandas as pd

USUAL = 0.9  # the quantile of nightly distances from the reference that counts as usual: one bad night is not
ROOM = 2.0  # times the usual movement, before one night is enough
CALM = {FeatureType.NUMERIC: 1.0, FeatureType.CATEGORY: 0.35}  # hard bounds of features that hardly move
CALENDAR = 0.7  # share of the movement that the weekday explains, above which it is the calendar
LEAST_NIGHTS = 21
NIGHTLY = 0.95  # share of the nights on which all rows have one value, above which it is the night that has it


class Movement(Spec):
    """usual: distance from the reference that nine of ten nights stay below, in reference sd or share of a level.
    weekday: share of its variance that the day of the week explains, in [0, 1].
    nightly: a night has one value of it: a season, a holiday, an interest rate. Its rows are no sample of anything."""

    kind: FeatureType
    usual: float
    weekday: float
    nightly: bool = False

    @property
    def hard(self) -> float:
        """The bound beyond which one night is enough."""
        return float(f"{max(CALM[self.kind], self.usual * ROOM):.2g}")

    @property
    def calendar(self) -> bool:
        """Whether it follows the weekday."""
        return self.weekday > CALENDAR and self.usual > CALM[self.kind] / 4


def movements(
    frame: pd.DataFrame, nights: pd.Series, features: Mapping[str, FeatureType], *, reference_nights: int
) -> dict[str, Movement]:
    """Of each feature. frame: rows in the features' names; nights: the local day of each row."""
    days = sorted(nights.dropna().unique())
    early = nights.isin(days[:reference_nights])
    found = {}
    for name, kind in features.items():
        if name in frame:
            daily = _numeric if kind is FeatureType.NUMERIC else _category
            moved = _movement(kind, daily(frame[name], nights, early))
            found[name] = moved.model_copy(update={"nightly": _nightly(frame[name], nights)})
    return found


def _nightly(values: pd.Series, nights: pd.Series) -> bool:
    """Whether nearly all nights have one value, and not all of them the same."""
    seen = values.groupby(nights).agg(["nunique", "count"])
    seen = seen[seen["count"] > 1]
    return len(seen) >= LEAST_NIGHTS and values.nunique() > 1 and bool((seen["nunique"] == 1).mean() > NIGHTLY)


def _movement(kind: FeatureType, daily: pd.DataFrame) -> Movement:
    """daily: one row a night, signed distances from the reference in the columns."""
    if daily.empty:
        return Movement(kind=kind, usual=0.0, weekday=0.0)
    widest = daily.abs().max(axis=1)
    usual = float(widest.quantile(USUAL))
    weekday = max((_weekday(daily[c]) for c in daily.columns), default=0.0) if len(daily) >= LEAST_NIGHTS else 0.0
    return Movement(kind=kind, usual=usual if usual == usual else 0.0, weekday=weekday)  # noqa: PLR0124 - NaN


def _numeric(values: pd.Series, nights: pd.Series, early: pd.Series) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    numbers = pd.to_numeric(values, errors="coerce").replace([np.inf, -np.inf], np.nan)
    centre, spread = float(numbers[early].mean()), float(numbers[early].std())
    if not spread > 0:
        return pd.DataFrame()
    return ((numbers.groupby(nights).mean() - centre) / spread).dropna().to_frame()


def _category(values: pd.Series, nights: pd.Series, early: pd.Series) -> pd.DataFrame:
    import pandas as pd

    was = values[early].value_counts(normalize=True)
    daily: Any = pd.crosstab(nights, values, normalize="index")
    return daily.sub(was.reindex(daily.columns).fillna(0), axis=1) if not daily.empty else pd.DataFrame()


def _weekday(series: pd.Series) -> float:
    import pandas as pd

    total = float(((series - series.mean()) ** 2).sum())
    if total <= 0:
        return 0.0
    day = pd.Series([d.weekday() for d in series.index], index=series.index)
    fitted = series.groupby(day).transform("mean")
    return 1 - float(((series - fitted) ** 2).sum()) / total


class Quiet(Spec):
    """One drift rule: the features that share a bound."""

    subjects: tuple[str, ...]  # empty: all of them
    hard: float
    kind: FeatureType


def drift_rules(found: Mapping[str, Movement]) -> tuple[list[Quiet], dict[str, str]]:
    """(rules, features that have none and why). Bounds are shared in two steps: calm and lively."""
    rules: list[Quiet] = []
    for kind in FeatureType:
        mine = {n: m for n, m in found.items() if m.kind is kind and not (m.calendar or m.nightly)}
        calm = [n for n, m in mine.items() if m.hard <= CALM[kind]]
        lively = [n for n in mine if n not in calm]
        for names, hard in ((calm, CALM[kind]), (lively, _most(mine[n].hard for n in lively))):
            if names:
                everything = len(names) == sum(m.kind is kind for m in found.values())
                rules.append(Quiet(subjects=() if everything else tuple(names), hard=hard, kind=kind))
    weekly = "follows the weekday: every weekend would look like drift"
    nightly = "has one value a night: each new one would look like drift; the suite has its usual values"
    return rules, {n: nightly if m.nightly else weekly for n, m in found.items() if m.calendar or m.nightly}


def _most(bounds: Iterable[float]) -> float:
    return max(bounds, default=0.0)
