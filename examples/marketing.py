"""Whom to call about a deposit: real telephone calls of a Portuguese bank, May to August 2008, in their true order.

The model learns three weeks of May; June is quiet, and on 4 July the bank begins to call mobile phones, which the model
has never seen: a drift that really happened. Age and marital status are never inputs; they are logged, and watched.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from examples.nights import generator, moved, stamped
from examples.served import Decider

MODEL, ZONE, ENVIRONMENT = "marketing_personalisation", "Europe/Lisbon", "production"
DATA = Path(__file__).parent / "data" / "bank_calls.parquet"
CATEGORIES = ["job", "education", "credit_in_default", "housing_loan", "personal_loan", "contact_type"]
FEATURES = [*CATEGORIES, "contacts_this_campaign"]
PROTECTED = ["age_band", "marital_status"]
LOGGED = [*FEATURES, *PROTECTED]
TRAINED_UNTIL, HELD_UNTIL = date(2008, 5, 23), date(2008, 5, 30)
HAPPENED = date(2008, 7, 4)  # the first calls to mobile phones
LAST = date(2008, 7, 7)
LABEL_DAYS = 1
PIPELINE = "crm-2026.11"
PORTUGUESE = {
    "admin.": "administrativo",
    "blue-collar": "operário",
    "technician": "técnico",
    "services": "serviços",
    "management": "gestor",
    "retired": "reformado",
}


class Fault(StrEnum):
    """What can go wrong on a night, beside what did go wrong."""

    TRANSLATED = "translated"  # the customer system's new version sends jobs in Portuguese


@cache
def calls() -> pd.DataFrame:
    """All calls, in order."""
    data = pd.read_parquet(DATA)
    band = pd.cut(data["age"], [0, 29, 59, 200], labels=["under_30", "30_to_59", "60_or_over"]).astype(str)
    return data.assign(age_band=band, label=data["subscribed"].astype(str))


def calendar(last: date) -> list[tuple[date, date]]:
    """(real working day, its day of the played calendar) from 2 June to 7 July 2008: weekdays stay."""
    days = sorted(calls()["contact_day"].unique())
    return moved([day for day in days if HELD_UNTIL < day <= LAST], last)


def night_rows(night: date, *, seed: int = 7, fault: Fault | None = None, played: date | None = None) -> pd.DataFrame:
    """The real calls of a day, in their order; the hours are ours, no hour is published."""
    rng, data = generator(MODEL, night, seed), calls()
    drawn = data.loc[data["contact_day"] == night, [*LOGGED, "label"]]
    rows = stamped(drawn, MODEL, played or night, ZONE, rng)
    rows = rows.assign(pipeline_version=PIPELINE, latency_ms=rng.gamma(3, 8, len(rows)).round(2))
    if fault is Fault.TRANSLATED:
        rows = rows.assign(job=rows["job"].replace(PORTUGUESE), pipeline_version="crm-2026.12")
    return rows


def train() -> tuple[Decider, pd.DataFrame]:
    """Logistic regression; it says call to the likelier half of its training clients."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    rows = calls().loc[calls()["contact_day"] <= TRAINED_UNTIL]
    known = OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    parts = [("known", known, CATEGORIES), ("contacts", StandardScaler(), ["contacts_this_campaign"])]
    model = make_pipeline(ColumnTransformer(parts), LogisticRegression(C=0.3, max_iter=500))
    model.fit(rows[FEATURES], rows["subscribed"])
    threshold = round(float(np.median(model.predict_proba(rows[FEATURES])[:, 1])), 4)
    return Decider(model, FEATURES, threshold, ("skip", "call")), rows


def holdout() -> pd.DataFrame:
    """The week after the training weeks."""
    day = calls()["contact_day"]
    return calls().loc[(day > TRAINED_UNTIL) & (day <= HELD_UNTIL), [*LOGGED, "label"]]


def right(seen: pd.DataFrame) -> Sequence[bool]:
    """Which answers were right."""
    return list((seen["prediction"] == "call") == (seen["label"] == "1"))
