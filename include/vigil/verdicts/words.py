"""How numbers are written in reasons: short, with unit, interval, rows and yardstick."""

from vigil.core.words import Family
from vigil.metrics.types import Measurement


def number(value: float | None, unit: str = "") -> str:
    """Three significant digits; shares as per cent.

    >>> number(0.6123, "ratio"), number(0.0512, "share"), number(1204, "rows")
    ('0.612', '5.12 %', '1,204 rows')
    """
    if value is None:
        return "unknown"
    if unit == "share":
        return f"{100 * value:.3g} %"
    text = f"{value:,.0f}" if abs(value) >= 1000 or unit in ("rows", "count") else f"{value:.3g}"
    return text if unit in ("", "ratio") else f"{text} {unit}"


def measured(m: Measurement) -> str:
    """`0.61 [0.55, 0.68], n = 1,204, was 0.97 on the holdout of version 2`."""
    return f"{number(m.value, m.unit)}{interval(m)}, {counted(m)}"


def interval(m: Measurement) -> str:
    """` [0.55, 0.68]`; empty where there is none."""
    if m.low is None or m.high is None:
        return ""
    return f" [{number(m.low, m.unit)}, {number(m.high, m.unit)}]"


def counted(m: Measurement) -> str:
    """`n = 1,204, was 0.97 on the holdout of version 2`."""
    text = f"n = {m.n:,}"
    if m.baseline == 0 and m.family is Family.DRIFT:  # a distance is 0 from its own yardstick: that says nothing
        text += f", from the {m.yardstick or 'baseline'}"
    elif m.baseline is not None:
        text += f", was {number(m.baseline, m.unit)} on the {m.yardstick or 'baseline'}"
    return text
