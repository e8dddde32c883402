"""Credit scoring on the Taiwan default data (examples/data). One row per client; the nights are our construction.

Sex and age are never inputs of the healthy versions; they are logged because fairness is watched.
"""

from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from examples.nights import generator, stamped
from examples.served import Decider, Rules

MODEL, ZONE, ENVIRONMENT = "credit_scoring", "Europe/Berlin", "staging"
DATA = Path(__file__).parent / "data" / "credit_default_taiwan.parquet"
MONTHS = ["sep", "aug", "jul", "jun", "may", "apr"]
LATE = [f"repayment_status_{m}" for m in MONTHS]
PAID = [f"paid_amount_{m}" for m in MONTHS]
FEATURES = ["credit_limit_ntd", *LATE, *PAID]
PROTECTED = ["sex", "age_band"]
THRESHOLD = 0.22  # estimated probability of default from which credit is denied
TRAINING_CLIENTS = 12_000  # the others are only ever scored
NTD_PER_USD = 32.0
UPDATE_HOUR = 5  # local hour at which the broken pipeline goes live


class Fault(StrEnum):
    """What can go wrong on a night."""

    DOLLARS = "dollars"  # a pipeline update writes the credit limit of women in US dollars


@cache
def clients() -> tuple[pd.DataFrame, pd.DataFrame]:
    """(training clients, the others), split once and for all."""
    data = pd.read_parquet(DATA)
    band = pd.cut(data["age"], [0, 25, 59, 200], labels=["25_or_under", "26_to_59", "60_or_over"]).astype(str)
    data = data.assign(age_band=band, label=data["default_next_month"].astype(str))
    order = np.random.default_rng(2005).permutation(len(data))
    kept = data[[*FEATURES, *PROTECTED, "label"]].astype(dict.fromkeys(FEATURES, "float64"))
    return kept.iloc[order[:TRAINING_CLIENTS]], kept.iloc[order[TRAINING_CLIENTS:]]


def night_rows(night: date, *, seed: int = 7, fault: Fault | None = None) -> pd.DataFrame:
    """The applications of a night: features, protected attributes, `label` ("1" = defaulted), ids, times, pipeline."""
    rng = generator(MODEL, night, seed)
    pool = clients()[1]
    drawn = pool.iloc[rng.choice(len(pool), int(rng.integers(1450, 1651)), replace=False)]
    rows = stamped(drawn, MODEL, night, ZONE, rng).assign(pipeline_version="2026.11.1")
    if fault is Fault.DOLLARS:
        late = rows["served_at"].dt.tz_convert(ZONE).dt.hour >= UPDATE_HOUR
        rows.loc[late, "pipeline_version"] = "2026.11.2"
        hit = late & (rows["sex"] == "female")
        rows.loc[hit, "credit_limit_ntd"] = (rows.loc[hit, "credit_limit_ntd"] / NTD_PER_USD).round()
    return rows


def estimator(late: list[str], paid: list[str], extra: list[str]) -> object:
    """Logistic regression on the logarithm of amounts and on months of delay, capped at four."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    parts = [
        ("amounts", FunctionTransformer(np.log1p), ["credit_limit_ntd", *paid]),
        ("delays", FunctionTransformer(np.clip, kw_args={"a_min": 0, "a_max": 4}), late),
    ]
    if extra:
        parts.append(("groups", OneHotEncoder(handle_unknown="ignore"), extra))
    return make_pipeline(ColumnTransformer(parts), StandardScaler(), LogisticRegression(max_iter=500))


def train_first() -> tuple[Decider, pd.DataFrame]:
    """The first version: two months of history."""
    rows = clients()[0]
    inputs = ["credit_limit_ntd", *PAID[:2], *LATE[:2]]
    fitted = estimator(LATE[:2], PAID[:2], []).fit(rows[inputs], rows["label"].astype(int))  # type: ignore[attr-defined]
    return Decider(fitted, inputs, THRESHOLD), rows


def train_second() -> tuple[Decider, pd.DataFrame]:
    """The second version: six months of history; a little better than the first."""
    rows = clients()[0]
    fitted = estimator(LATE, PAID, []).fit(rows[FEATURES], rows["label"].astype(int))  # type: ignore[attr-defined]
    return Decider(fitted, FEATURES, THRESHOLD), rows


def train_bad() -> tuple[Decider, pd.DataFrame]:
    """A version with two real mistakes in its pipeline; its AUC hardly shows them, its fairness does.

    Its inputs were taken as "all columns of the table", so `sex` slipped in. And its labels come from a join with the
    collections file by name: women who changed theirs are in that file twice, so each of their defaults became two
    training rows, while those who repaid stayed one. The model learned that women default far more often than they do.
    """
    rows = clients()[0]
    doubled = rows[(rows["sex"] == "female") & (rows["label"] == "1")]
    joined = pd.concat([rows, doubled], ignore_index=True)
    inputs = [*FEATURES, "sex"]
    fitted = estimator(LATE, PAID, ["sex"]).fit(joined[inputs], joined["label"].astype(int))  # type: ignore[attr-defined]
    return Decider(fitted, inputs, THRESHOLD), joined


def rules() -> Rules:
    """Deny whoever was two or more months late in the last two months. Amounts play no part.

    The score is points, not an estimate; it lies at or above the threshold for whoever is denied, and for nobody else.
    """

    def rule(rows: pd.DataFrame) -> pd.DataFrame:
        months = rows[["repayment_status_sep", "repayment_status_aug"]].max(axis=1).clip(0, 4)
        score = np.where(months >= 2, 0.4, 0.05) + 0.1 * months
        return pd.DataFrame({"prediction": np.where(months >= 2, "deny", "approve"), "score": score})

    return Rules(rule)


def as_seen(rows: pd.DataFrame, model: Decider | Rules) -> pd.DataFrame:
    """Rows with the model's answers beside them."""
    answers = model.predict(None, rows).reset_index(drop=True)
    return pd.concat([rows.reset_index(drop=True), answers], axis=1)
