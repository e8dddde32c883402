"""Drafts a Great Expectations suite from the reference: it fails on values that the reference never had.

Shares are allowed what a night of so few rows may have by chance; one value that is impossible is a breach.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vigil.onboarding.ranges import possible
from vigil.profiles.layout import FeatureType

if TYPE_CHECKING:
    import pandas as pd

MOST_LEVELS = 30  # of a set; beyond, `new_category` counts what is new
MARGIN = 0.5  # of the reference's span, on both sides, for 99 % of the values: drift is for the rest
MOSTLY = 0.99
NULLS = 0.02  # beyond the reference's worst night
CHANCE = 1e-6  # of a night that has more by chance alone: some columns, some years


def suite(
    name: str,
    nights: Sequence[pd.DataFrame],
    features: Mapping[str, FeatureType],
    *,
    rows_a_night: int,
    nightly: Collection[str] = (),
    moving: Collection[str] = (),
) -> dict[str, Any]:
    """GX's own JSON. nights: rows of the reference in the log's words; rows_a_night: of a usual night.

    nightly: features of which a night has one value, so that the reference has seen few: only the impossible is asked.
    moving: features that go on moving, so that not even that can be told from the reference.
    """
    least = min(rows_a_night // 10, *(len(night) for night in nights))
    made = [
        _expect("table_row_count_to_be_between", gate=True, min_value=max(1, least)),
        _expect("table_columns_to_match_set", gate=True, exact_match=False,
                column_set=["prediction_id", "served_at", "prediction", *features]),
        _expect("column_values_to_not_be_null", gate=True, column="prediction_id"),
        _expect("column_values_to_be_unique", gate=True, column="prediction_id", mostly=0.99),  # senders retry
    ]  # fmt: skip
    for feature, kind in features.items():
        values = [night[feature] for night in nights]
        made += _nulls(feature, values, rows_a_night)
        found = _values(feature, kind, values, rows_a_night) if feature not in moving else []
        made += [one for one in found if feature not in nightly or one["kwargs"]["mostly"] == 1.0]
    return {"name": name, "expectations": made, "meta": {"vigil": {"fitted_on_rows": sum(map(len, nights))}}}


def _nulls(name: str, nights: Sequence[pd.Series], rows: int) -> list[dict[str, Any]]:
    missing, count = sum(int(v.isna().sum()) for v in nights), sum(map(len, nights))
    if not count or missing / count >= 0.5:
        return []
    worst = max(float(v.isna().mean()) for v in nights if len(v))
    allowed = max(worst + NULLS, by_chance(missing, count, rows))
    return [_expect("column_values_to_not_be_null", column=name, mostly=_down(1 - min(1.0, allowed)))]


def _values(name: str, kind: FeatureType, nights: Sequence[pd.Series], rows: int) -> list[dict[str, Any]]:
    import pandas as pd

    there = pd.concat(nights).dropna()
    if kind is FeatureType.CATEGORY:
        return _levels(name, there, rows)
    numbers = pd.to_numeric(there, errors="coerce").dropna()
    numbers = numbers[numbers.abs() < math.inf]
    if numbers.empty or len(numbers) < len(there):
        return []
    low, high = float(numbers.min()), float(numbers.max())
    margin = (high - low) * MARGIN or max(abs(high), 1.0)
    bottom = 0.0 if low >= 0 and low - margin < 0 else low - margin  # what was never negative stays so
    usual = _span(bottom, high + margin)
    mostly = _down(min(MOSTLY, 1 - by_chance(0, len(numbers), rows)))
    made = [_expect("column_values_to_be_between", column=name, mostly=mostly, severity="warning", **usual)]
    ends = possible(numbers, rows_a_night=rows)
    if ends is not None:
        widest = _span(min(ends[0], low), max(ends[1], high))
        made.append(_expect("column_values_to_be_between", column=name, mostly=1.0, **widest))
    return made


def _levels(name: str, there: pd.Series, rows: int) -> list[dict[str, Any]]:
    words = there.map(str)
    counts = words.value_counts()
    if not 1 <= len(counts) <= MOST_LEVELS:
        return []
    once = int((counts == 1).sum())  # Good (1953): as often as levels were seen once, others will be seen
    mostly = _down(min(MOSTLY, 1 - by_chance(once, len(words), rows)))
    levels = sorted(counts.index)
    return [_expect("column_values_to_be_in_set", column=name, value_set=levels, mostly=mostly, severity="warning")]


def by_chance(seen: int, of: int, rows: int) -> float:
    """The share that a night of so many rows may have, of what was seen so often in the reference.

    >>> by_chance(0, 10_000, 1000), round(by_chance(0, 300, 24), 3)
    (0.005, 0.208)
    """
    from scipy.stats import binom

    rate = min(1.0, (seen + 3 + 2 * math.sqrt(seen)) / max(of, 1))
    return float(binom.isf(CHANCE, max(rows, 1), rate)) / max(rows, 1)


def _down(share: float) -> float:
    return math.floor(1000 * share) / 1000


def _span(low: float, high: float) -> dict[str, Any]:
    return {"min_value": _round(low, down=True), "max_value": _round(high, down=False)}


def _round(number: float, *, down: bool) -> float:
    """To three figures, outwards.

    >>> _round(0.12345, down=False), _round(98765.0, down=True)
    (0.124, 98700.0)
    """
    if number == 0 or not math.isfinite(number):
        return number
    step = 10.0 ** (math.floor(math.log10(abs(number))) - 2)
    return float(f"{(math.floor if down else math.ceil)(number / step) * step:.6g}")


def _expect(kind: str, *, gate: bool = False, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "meta": {"vigil": {"gate": gate}}, "severity": severity}
