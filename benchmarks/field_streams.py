"""Streams of public data, as somebody who never saw Vigil would log them: a file a day, labels inside or apart.

Rows are real. Where a data set has an order in time it is kept (`Order.REAL`); else rows are dealt to nights at random
(`Order.DEALT`): such nights differ by chance alone, so that every alarm on them is false. The model of a stream is a
small one of scikit-learn, fitted on rows that the stream does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

FIRST = date(2025, 3, 3)  # a Monday
NIGHTS = 60


class Order(StrEnum):
    """Where the order of a stream's nights comes from."""

    REAL = "as it was"
    DEALT = "dealt at random"


@dataclass(frozen=True)
class Stream:
    """A log and what is known of it.

    rows: with `day`, and with the label that came true. late: nights until it is known. apart: labels have files of
    their own. known: parts of the questions that the stream breaks from its first night on. bound: a rule that its
    owner adds to the drafted monitor. protected: column -> most frequent group, the usual answer of `vigil init`.
    """

    name: str
    says: str
    order: Order
    rows: pd.DataFrame
    label: str
    flags: tuple[str, ...]
    late: int = 2
    apart: bool = False
    known: tuple[tuple[str, str], ...] = ()
    bound: Mapping[str, Any] = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        """Whether every alarm on it is false, but those about what is known."""
        return self.order is Order.DEALT

    @property
    def days(self) -> list[date]:
        """Days with rows, in order."""
        return sorted(self.rows["day"].unique())

    @property
    def nights(self) -> list[date]:
        """All days from the first with rows to the last."""
        return [self.days[0] + timedelta(days=n) for n in range((self.days[-1] - self.days[0]).days + 1)]

    def served(self, day: date, *, as_of: date) -> pd.DataFrame:
        """The rows of a day as the log has them at the end of another: labels only where they were known by then."""
        mine = self.rows[self.rows["day"] == day].drop(columns="day")
        if self.apart:
            return mine.drop(columns=self.label)
        due = day + timedelta(days=self.late) <= as_of
        return mine if due else mine.assign(**{self.label: pd.Series([None] * len(mine), dtype=object)})

    def truth(self, day: date) -> pd.DataFrame:
        """The labels that became known on a day, for a log of their own."""
        mine = self.rows[self.rows["day"] == day - timedelta(days=self.late)]
        at = mine["created_at"] + timedelta(days=self.late)
        return pd.DataFrame({"request_id": mine["request_id"], self.label: mine[self.label], "known_at": at})


def weekdays(nights: int) -> list[date]:
    """Mondays to Fridays."""
    return [d for n in range(nights * 2) if (d := FIRST + timedelta(days=n)).weekday() < 5][:nights]


def dealt(rows: pd.DataFrame, days: Sequence[date], a_night: int, seed: int) -> pd.DataFrame:
    """Rows dealt to days at random, each at most once where there are enough of them."""
    rng = np.random.default_rng(seed)
    row_count = len(days) * a_night
    order = rng.permutation(len(rows)) if row_count <= len(rows) else rng.integers(0, len(rows), row_count)
    drawn = rows.iloc[order[:row_count]].reset_index(drop=True)
    return stamped(drawn.assign(day=np.repeat(np.array(days, dtype=object), a_night)), seed)


def stamped(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """With an id and a time between six and ten in the evening for each row, in order within its day."""
    rng = np.random.default_rng([seed, 1])
    second = rng.integers(6 * 3600, 22 * 3600, len(rows))
    order = np.lexsort((second, rows["day"].map(date.toordinal)))
    log_rows = rows.iloc[order].reset_index(drop=True)
    at = pd.to_datetime(log_rows["day"], utc=True) + pd.to_timedelta(second[order], unit="s")
    return log_rows.assign(request_id=[f"r{n:07d}" for n in range(len(log_rows))], created_at=at)


def scored(rows: pd.DataFrame, training_rows: pd.DataFrame, label: str, features: Sequence[str]) -> np.ndarray:
    """Probabilities of the label, of a logistic model that is fitted on `taught`."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    words = [f for f in features if training_rows[f].dtype == object]
    numbers = [f for f in features if f not in words]
    pipeline = make_pipeline(
        ColumnTransformer([("n", StandardScaler(), numbers), ("w", OneHotEncoder(handle_unknown="ignore"), words)]),
        LogisticRegression(max_iter=500),
    ).fit(training_rows[list(features)], training_rows[label])
    probabilities: np.ndarray = pipeline.predict_proba(rows[list(features)])[:, 1]
    return probabilities


def split(rows: pd.DataFrame, training_count: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows that fit the model, rows of the stream), at random."""
    order = np.random.default_rng(seed).permutation(len(rows))
    return rows.iloc[order[:training_count]].reset_index(drop=True), rows.iloc[order[training_count:]].reset_index(
        drop=True
    )


def decided(rows: pd.DataFrame, score: np.ndarray, threshold: float, above: str, below: str) -> pd.DataFrame:
    """With the score and the decision that follows from it."""
    rounded_score = np.round(score, 5)
    return rows.assign(score=rounded_score, decision=np.where(rounded_score >= threshold, above, below))
