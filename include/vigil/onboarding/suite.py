"""A Great Expectations suite that fits the reference: it fires on what the reference never showed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vigil.profiles.layout import FeatureType

if TYPE_CHECKING:
    import pandas as pd

MOST_LEVELS = 30  # of a set; beyond, `new_category` counts what is new
MARGIN = 0.5  # of the reference's span, on both sides: a range is for units and typing errors, drift is for the rest
MOSTLY = 0.99


def suite(
    name: str, reference: pd.DataFrame, features: Mapping[str, FeatureType], *, rows_a_night: int
) -> dict[str, Any]:
    """GX's own JSON. reference: rows in the log's words; rows_a_night: of a usual night."""
    found = [
        _expect("table_row_count_to_be_between", gate=True, min_value=max(1, rows_a_night // 10)),
        _expect("table_columns_to_match_set", gate=True, exact_match=False,
                column_set=["prediction_id", "served_at", "prediction", *features]),
        _expect("column_values_to_not_be_null", gate=True, column="prediction_id"),
        _expect("column_values_to_be_unique", gate=True, column="prediction_id", mostly=0.99),  # senders retry
    ]  # fmt: skip
    for feature, kind in features.items():
        found += _of_feature(feature, kind, reference[feature])
    return {"name": name, "expectations": found, "meta": {"vigil": {"fitted_on_rows": len(reference)}}}


def _of_feature(name: str, kind: FeatureType, values: pd.Series) -> list[dict[str, Any]]:
    import pandas as pd

    missing = float(values.isna().mean())
    found = []
    if missing < 0.5:
        allowed = 1 - min(1.0, missing + max(0.02, 3 * math.sqrt(missing * (1 - missing) / max(1, len(values)))))
        found.append(_expect("column_values_to_not_be_null", column=name, mostly=round(allowed, 3)))
    there = values.dropna()
    if kind is FeatureType.NUMERIC:
        numbers = pd.to_numeric(there, errors="coerce").dropna()
        if numbers.empty or len(numbers) < len(there):
            return found
        low, high = float(numbers.min()), float(numbers.max())
        margin = (high - low) * MARGIN or max(abs(high), 1.0)
        bottom = 0.0 if low >= 0 and low - margin < 0 else low - margin  # what was never negative stays so
        span: dict[str, Any] = {"min_value": _round(bottom, down=True), "max_value": _round(high + margin, down=False)}
        found.append(_expect("column_values_to_be_between", column=name, mostly=MOSTLY, severity="warning", **span))
    elif 1 <= there.nunique() <= MOST_LEVELS:
        levels = sorted(map(str, there.unique()))
        found.append(
            _expect("column_values_to_be_in_set", column=name, value_set=levels, mostly=MOSTLY, severity="warning")
        )
    return found


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
