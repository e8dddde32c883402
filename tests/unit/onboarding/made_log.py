"""A stranger's log of calls: a score in per cent, an offer that follows it, ages, and labels inside."""

from typing import Any

import pandas as pd

from vigil.onboarding.columns import look
from vigil.onboarding.draft import Draft, draft
from vigil.onboarding.request import Asked


def calls(count: int = 600, *, a_night: int = 40, **columns: Any) -> pd.DataFrame:
    """Rows in order of time, as a CSV is read: text. Columns may be replaced, added, or taken away with None."""
    scores = [(n * 37 + n // 100) % 100 for n in range(count)]
    start = pd.Timestamp("2026-10-01 09:00")
    nights = -(-count // a_night)
    made: dict[str, Any] = {
        "call_ref": [f"C{100000 + n}" for n in range(count)],
        "called_on": [
            f"{start + pd.Timedelta(days=n // a_night, minutes=5 * (n % a_night)):%d.%m.%Y %H:%M}" for n in range(count)
        ],
        "propensity_pct": [f"{s + 0.25:.2f}" for s in scores],
        "offer": ["yes" if s >= 40 else "no" for s in scores],
        "age": [str(20 + n * 13 % 60) for n in range(count)],
        "marital_status": [("married", "married", "single")[n % 3] for n in range(count)],
        "job": [("clerk", "cook", "nurse", "pilot")[n * 7 % 4] for n in range(count)],
        "balance": [f"{1000 + n * 31.7 % 700:.1f}" for n in range(count)],
        "bought": [
            None if n // a_night >= nights - 2 else ("yes" if (s * 7 + n * 11) % 100 < s else "no")
            for n, s in enumerate(scores)
        ],
        **columns,
    }
    return pd.DataFrame({name: values for name, values in made.items() if values is not None})


def drafted(frame: pd.DataFrame, truth: pd.DataFrame | None = None, **asked: Any) -> Draft:
    """What is understood of it."""
    said = Asked(name="calls", log="calls.csv", outcomes="truth.csv" if truth is not None else None, **asked)
    return draft(said, frame, look(frame), truth)
