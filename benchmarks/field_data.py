"""The streams of `make bench-field`: data sets of examples/data, cut as real logs are cut; and chronic conditions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from field_streams import FIRST, Order, Stream, dealt, decided, scored, split, stamped, weekdays

DATA = Path(__file__).resolve().parents[1] / "examples" / "data"
NIGHTS = 60
OWNER = ("--owner", "owner@example.com")
DAILY = [FIRST + timedelta(days=n) for n in range(NIGHTS)]
PROTECTED_CREDIT = ("--protected", "sex=female", "--protected", "marital_status=single", "--protected", "age=26_to_59")
CREDIT_FLAGS = (*OWNER, "--favourable", "approve", *PROTECTED_CREDIT)


@lru_cache(maxsize=1)
def credit_pool() -> pd.DataFrame:
    """Taiwan's credit-card clients, scored; applications are approved below 0.3."""
    rows = pd.read_parquet(DATA / "credit_default_taiwan.parquet").drop(columns="client_id")
    rows = rows.rename(columns={"default_next_month": "defaulted"})
    training_rows, mine = split(rows, 6000, 1)
    used = [c for c in rows.columns if c not in ("defaulted", "sex", "marital_status", "age")]
    return decided(mine, scored(mine, training_rows, "defaulted", used), 0.3, "deny", "approve")


def credit(days: Sequence[date] | None = None, a_night: int = 300, seed: int = 11, **more: Any) -> Stream:
    """Credit applications, dealt to nights."""
    nights = days or DAILY
    defaults: dict[str, Any] = {
        "name": "credit", "says": f"credit applications, {a_night} a night", "order": Order.DEALT, "label": "defaulted",
        "flags": CREDIT_FLAGS, "rows": dealt(credit_pool(), nights, a_night, seed),
    }  # fmt: skip
    return Stream(**{**defaults, **more})


PROTECTED_CALLS = ("--protected", "marital_status=married", "--protected", "age=26_to_59")
# the guess is another column that is named after a default: whoever reads the table of `vigil init` corrects it
CALLS_FLAGS = (*OWNER, "--label", "subscribed", "--favourable", "offer", *PROTECTED_CALLS)
CALLS = ("job", "marital_status", "education", "credit_in_default", "housing_loan", "personal_loan", "contact_type",
         "age", "contacts_this_campaign")  # fmt: skip


@lru_cache(maxsize=1)
def calls_pool() -> tuple[pd.DataFrame, pd.DataFrame]:
    """(a bank's calls after the 4,000 first ones that fit the model, in their order; all but 4,000 random ones)."""
    rows = pd.read_parquet(DATA / "bank_calls.parquet").drop(columns="contact_order")
    used = [f for f in CALLS if f not in ("marital_status", "age")]
    first, later = rows.iloc[:4000], rows.iloc[4000:].reset_index(drop=True)
    training_rows, mine = split(rows, 4000, 2)
    decisions = [decided(m, scored(m, t, "subscribed", used), 0.05, "offer", "skip") for t, m in
            ((first, later), (training_rows, mine))]  # fmt: skip
    return decisions[0], decisions[1]


def calls(a_night: int = 300, seed: int = 21, **more: Any) -> Stream:
    """The calls of all months, dealt to nights."""
    rows = calls_pool()[1].drop(columns="contact_day")
    defaults: dict[str, Any] = {
        "name": "calls", "says": f"a bank's calls, {a_night} a night", "order": Order.DEALT, "label": "subscribed",
        "flags": CALLS_FLAGS, "rows": dealt(rows, DAILY, a_night, seed),
    }  # fmt: skip
    return Stream(**{**defaults, **more})


def sparse(stream: Stream, column: str) -> Stream:
    """97 of 100 values of a column are missing, as they always were."""
    is_blank = np.random.default_rng(97).random(len(stream.rows)) < 0.97
    rows = stream.rows.assign(**{column: stream.rows[column].astype(object).where(~is_blank, None)})
    if pd.api.types.is_numeric_dtype(stream.rows[column]):
        rows[column] = pd.to_numeric(rows[column]).astype(float)
    return replace(stream, name=f"{stream.name}_sparse", says=f"{stream.says}; {column} is 97 % empty", rows=rows,
                   known=(("quality", column),))  # fmt: skip


def disparity(stream: Stream, column: str, group: str, decisions: tuple[str, str, float], share: float) -> Stream:
    """A group gets the favourable answer less often than others, as it always did.

    decisions: (above the threshold, below, threshold); share: of the group's favourable answers that are turned over.
    """
    above, below, threshold = decisions
    favourable = "approve" if "approve" in decisions else "offer"
    rows = stream.rows
    turned = (rows[column] == group) & (rows["decision"] == favourable)
    turned &= np.random.default_rng(98).random(len(rows)) < share
    far = threshold * 1.2 if favourable == below else threshold * 0.8
    score = rows["score"].where(~turned, far)
    return replace(stream, name=f"{stream.name}_disparity", says=f"{stream.says}; {group} is favoured less, always",
                   rows=rows.assign(score=score, decision=np.where(score >= threshold, above, below)),
                   known=(("fairness", f"{column}={group}"),))  # fmt: skip


def beyond(stream: Stream) -> Stream:
    """The owner adds a bound that the model has never kept."""
    return replace(stream, name=f"{stream.name}_beyond", says=f"{stream.says}; its owner wants an accuracy of 0.99",
                   known=(("performance", "accuracy/"),), bound={"metric": "accuracy", "breach": "< 0.99"})  # fmt: skip


CREDIT_CUT, CALLS_CUT = ("deny", "approve", 0.3), ("offer", "skip", 0.05)
CHRONIC: Mapping[str, Mapping[str, Callable[[Stream], Stream]]] = {
    "credit": {
        "sparse": lambda s: sparse(s, "paid_amount_apr"),
        "disparity": lambda s: disparity(s, "sex", "male", CREDIT_CUT, 0.35),
        "beyond": beyond,
    },
    "calls": {
        "sparse": lambda s: sparse(s, "personal_loan"),
        "disparity": lambda s: disparity(s, "marital_status", "single", CALLS_CUT, 0.45),
        "beyond": beyond,
    },
}


def real_calls() -> Stream:
    """The bank's calls on the days on which they were made: weekdays, and what the summer of 2008 changed."""
    rows = calls_pool()[0]
    rows = stamped(rows.assign(day=pd.to_datetime(rows.pop("contact_day")).dt.date), 22)
    return calls(
        name="calls_2008", says="a bank's calls on their own days, May to August 2008", order=Order.REAL, rows=rows
    )


def marketing() -> Stream:
    """The bank's calls of 26 months in their order, 580 a night; days are ours, what changes is not."""
    rows = pd.read_parquet(DATA / "bank_marketing.parquet").sort_values("contact_order")
    rows = rows.drop(columns=["contact_order", "contact_month", "call_duration_s", "days_since_previous_contact"])
    first, later = rows.iloc[:6000], rows.iloc[6000:].reset_index(drop=True)
    used = [f for f in CALLS if f not in ("marital_status", "age")]
    calls_log = decided(later, scored(later, first, "subscribed", used), 0.05, "offer", "skip")
    calls_log = calls_log.iloc[: NIGHTS * 580].assign(day=np.repeat(np.array(DAILY, dtype=object), 580))
    return Stream(
        name="marketing", says="a bank's calls of 26 months in their order, 580 a night", order=Order.REAL,
        rows=stamped(calls_log, 31), label="subscribed", flags=CALLS_FLAGS,
    )  # fmt: skip


def bikes(nights: int = 180) -> Stream:
    """A city's bikes in 2012, hour by hour, with the forecast of a model of 2011."""
    rows = _bikes()
    rows = rows[rows["day"] < rows["day"].iloc[0] + timedelta(days=nights)]
    at = rows["timestamp"].dt.tz_localize("UTC")
    log_rows = rows.drop(columns="timestamp").assign(created_at=at, request_id=[f"h{n:06d}" for n in range(len(rows))])
    return Stream(name="bikes_2012", says="a city's bikes hour by hour, 2012: 24 rows a night", order=Order.REAL,
                  rows=log_rows, label="rental_count", flags=OWNER, late=1)  # fmt: skip


def bikes_dealt() -> Stream:
    """The same hours, dealt to nights."""
    rows = _bikes().drop(columns=["day", "timestamp"])
    return Stream(name="bikes_dealt", says="the hours of a city's bikes, 24 a night", order=Order.DEALT,
                  rows=dealt(rows, DAILY, 24, 41), label="rental_count", flags=OWNER, late=1)  # fmt: skip


@lru_cache(maxsize=1)
def _bikes() -> pd.DataFrame:
    """The hours of 2012 with a forecast."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    rows = pd.read_parquet(DATA / "bike_hours.parquet").drop(columns=["casual_count", "registered_count"])
    rows = rows.assign(hour=rows["timestamp"].dt.hour, day=rows["timestamp"].dt.date)
    for flag in ("is_holiday", "is_working_day"):
        rows[flag] = np.where(rows[flag], "yes", "no")
    used = ["temp_norm", "humidity_norm", "windspeed_norm", "hour"]
    features = rows[used].assign(working=rows["is_working_day"] == "yes")
    past = rows["timestamp"].dt.year == 2011
    model = HistGradientBoostingRegressor(random_state=0).fit(features[past], rows.loc[past, "rental_count"])
    later_rows = rows[~past].reset_index(drop=True)
    forecast: pd.DataFrame = later_rows.assign(forecast=model.predict(features[~past]).round(1))
    return forecast


def fraud() -> Stream:
    """Card transactions; 29 features without a name. Drawn with replacement: there are few."""
    rows = pd.read_parquet(DATA / "card_fraud.parquet")
    rows = rows.drop(columns=["transaction_id", "seconds_since_start", "sampling_weight"])
    rows = rows.astype({c: float for c in rows.columns if c != "is_fraud"}).round(5)
    training_rows, mine = split(rows, 2000, 3)
    used = [c for c in rows.columns if c != "is_fraud"]
    decisions = decided(mine, scored(mine, training_rows, "is_fraud", used), 0.5, "block", "pass")
    return Stream(
        name="fraud", says="card transactions, 400 a night, drawn with replacement", order=Order.DEALT,
        rows=dealt(decisions, DAILY, 400, 51), label="is_fraud",
        flags=(*OWNER, "--favourable", "pass", "--no-protected"),
    )  # fmt: skip


def chatbot() -> Stream:
    """Questions to an online bank; the model says which of 77 intents they have."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    rows = pd.read_parquet(DATA / "chat_banking77.parquet")[["text", "intent"]]
    training_rows, mine = split(rows, 4000, 4)
    model = make_pipeline(TfidfVectorizer(min_df=2), LogisticRegression(C=5, max_iter=200)).fit(
        training_rows["text"], training_rows["intent"]
    )
    mine = mine.assign(predicted_intent=model.predict(mine["text"])).rename(columns={"intent": "actual_intent"})
    return Stream(
        name="chatbot", says="questions to an online bank, 150 a night", order=Order.DEALT,
        rows=dealt(mine, DAILY, 150, 61), label="actual_intent", flags=(*OWNER, "--no-protected"),
    )  # fmt: skip


def restarting() -> Stream:
    """Credit applications whose ids begin at 1 every day."""
    base_stream = credit(seed=12)
    ids = (base_stream.rows.groupby("day").cumcount() + 1).astype(str)
    return replace(base_stream, name="credit_ids", says=f"{base_stream.says}; ids begin at 1 every day",
                   rows=base_stream.rows.assign(request_id=ids))  # fmt: skip


def named(stream: Stream, name: str, says: str) -> Stream:
    """Under another name."""
    return replace(stream, name=name, says=says)


MONDAYS = [FIRST + timedelta(days=7 * n) for n in range(32)]
STREAMS: Mapping[str, Callable[[], Stream]] = {
    "credit": credit,
    "credit_24": lambda: named(credit(a_night=24, seed=13), "credit_24", "credit applications, 24 a night"),
    "credit_weekly": lambda: named(credit(MONDAYS, 500, 14), "credit_weekly", "credit applications, 500 each Monday"),
    "credit_weekdays": lambda: named(
        credit(weekdays(NIGHTS), 300, 15), "credit_weekdays", "credit applications, Mondays to Fridays"
    ),
    "credit_ids": restarting,
    "credit_apart": lambda: named(
        credit(seed=16, apart=True, late=5), "credit_apart", "credit applications; labels apart, 5 nights late"
    ),
    "credit_sparse": lambda: CHRONIC["credit"]["sparse"](credit(seed=17)),
    "credit_disparity": lambda: CHRONIC["credit"]["disparity"](credit(seed=18)),
    "credit_beyond": lambda: CHRONIC["credit"]["beyond"](credit(seed=19)),
    "calls": calls,
    "calls_2008": real_calls,
    "marketing": marketing,
    "bikes_2012": bikes,
    "bikes_dealt": bikes_dealt,
    "fraud": fraud,
    "chatbot": chatbot,
}  # fmt: skip
