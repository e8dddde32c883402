"""Card fraud on two real days of September 2013 (examples/data). The model learns the first day and scores the second.

Times of day are real; nights beyond the second day are our construction: each draws from that day's transactions.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from examples.nights import before, generator, stamped
from examples.served import Decider, Rules

MODEL, ZONE, ENVIRONMENT = "fraud_detection", "Europe/Brussels", "production"
DATA = Path(__file__).parent / "data" / "card_fraud.parquet"
DAY = 86_400
FEATURES = [*(f"v{n}" for n in range(1, 29)), "amount_eur"]
PROTECTED: list[str] = []  # the publisher gives no attribute of a person
LOGGED = [*FEATURES, "sampling_weight"]
THRESHOLD = 0.1
ROWS = 1_200
QUIET, LABEL_DAYS = 12, 5
PIPELINE = "cards-2026.11"


class Fault(StrEnum):
    """What can go wrong on a night."""

    CENTS = "cents"  # a feature pipeline writes amounts in cents
    SLOW = "slow"  # the service answers ten times as slowly


@cache
def transactions() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """(training: the first day, holdout: a third of the second day, the rest of the second day)."""
    data = pd.read_parquet(DATA)
    data = data.assign(label=data["is_fraud"].astype(str)).drop(columns=["is_fraud"])
    first, second = data[data["seconds_since_start"] < DAY], data[data["seconds_since_start"] >= DAY]
    held = np.random.default_rng(2013).random(len(second)) < 1 / 3
    return first, second[held], second[~held]


def calendar(last: date) -> list[tuple[date, date]]:
    """(night, night): constructed nights have no days of their own. The last one is bad."""
    return [(night, night) for night in before(last, QUIET + 1)]


def night_rows(
    night: date, *, seed: int = 7, fault: Fault | None = None, played: date | None = None, rows: int = ROWS
) -> pd.DataFrame:
    """The transactions of a night, at their real time of day."""
    rng, pool = generator(MODEL, night, seed), transactions()[2]
    drawn = pool.iloc[np.sort(rng.choice(len(pool), rows, replace=False))]
    place = (drawn["seconds_since_start"].to_numpy() - DAY) / DAY
    made = stamped(drawn[[*LOGGED, "label"]], MODEL, played or night, ZONE, rng, place=place)
    made = made.assign(pipeline_version=PIPELINE, latency_ms=rng.gamma(3, 8, len(made)).round(2))
    if fault is Fault.CENTS:
        made = made.assign(amount_eur=made["amount_eur"] * 100, pipeline_version="cards-2026.12")
    if fault is Fault.SLOW:
        made = made.assign(latency_ms=made["latency_ms"] * 10)
    return made


def train() -> tuple[Decider, pd.DataFrame]:
    """Logistic regression on components and the logarithm of the amount, at the natural share of frauds."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    rows = transactions()[0]
    parts = [("amount", FunctionTransformer(np.log1p), ["amount_eur"]), ("components", "passthrough", FEATURES[:-1])]
    model = make_pipeline(ColumnTransformer(parts), StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    model.fit(rows[FEATURES], rows["label"].astype(int), logisticregression__sample_weight=rows["sampling_weight"])
    return Decider(model, FEATURES, THRESHOLD, ("pass", "block")), rows


def holdout() -> pd.DataFrame:
    """Transactions of the second day that no night has."""
    return transactions()[1][[*LOGGED, "label"]]


def rules() -> Rules:
    """Block what lies far out on the two components that any analyst of these data looks at first."""

    def rule(rows: pd.DataFrame) -> pd.DataFrame:
        far = (rows["v14"] < -4) | (rows["v17"] < -4)
        return pd.DataFrame({"prediction": np.where(far, "block", "pass"), "score": np.where(far, 0.9, 0.01)})

    return Rules(rule)


def right(seen: pd.DataFrame) -> Sequence[bool]:
    """Which answers were right."""
    return list((seen["prediction"] == "block") == (seen["label"] == "1"))
