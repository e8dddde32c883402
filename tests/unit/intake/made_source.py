"""A stranger's log of loans and the `source:` that explains it, for the tests of what turns one into Vigil's words."""

from typing import Any

import pandas as pd

from vigil.intake.column_values import Wanted
from vigil.intake.types import Source


def source(**parts: Any) -> Source:
    """A file of rows with an id, a time, a score in per cent and an answer in words."""
    declared: dict[str, Any] = {
        "predictions": "loans.csv",
        "served_at": {"column": "asked_on"},
        "columns": {"prediction_id": "ref", "score": "risk"},
    }
    return Source.model_validate({**declared, **parts})


def wanted(**parts: Any) -> Wanted:
    """What a binary monitor reads of it."""
    declared: dict[str, Any] = {
        "environment": "production",
        "columns": ("income", "city", "score", "prediction"),
        "score": "score",
        "prediction": "prediction",
        "numbers": frozenset({"income", "score"}),
    }
    return Wanted(**{**declared, **parts})


def log(count: int = 3, **columns: Any) -> pd.DataFrame:
    """`count` rows as a CSV is read: all is text. Columns may be replaced, added, or taken away with None."""
    given: dict[str, Any] = {
        "ref": [f"{n:03d}" for n in range(count)],
        "asked_on": [f"2026-11-20 09:{n:02d}" for n in range(count)],
        "risk": ["0.2"] * count,
        "prediction": ["grant"] * count,
        "income": ["1200.50"] * count,
        "city": ["Bonn"] * count,
        **columns,
    }
    return pd.DataFrame({name: values for name, values in given.items() if values is not None})
