"""A bank's chatbot on real questions (BANKING77): it names the intent and replies with a template, or hands over.

The messages have no times: which night has which is our construction. The labels are of the data's annotators. The log
keeps what is derived from a text, never the text.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from examples.nights import before, generator, stamped
from examples.served import Bot
from vigil.sdk import without_text

MODEL, ZONE, ENVIRONMENT = "customer_service_chatbot", "Europe/Berlin", "production"
DATA = Path(__file__).parent / "data"
INPUTS = ["message"]
PROTECTED: list[str] = []
ROWS, HOLDOUT_ROWS = 500, 1_000
UNSURE, LOST = 0.20, 0.10
HANDOFF = "I am not sure that I understand. I will pass you on to a colleague."
QUIET, LABEL_DAYS = 12, 3
PIPELINE = "chat-2026.11"
FORM = "My e-mail address is customer{n}@example.com. "


class Fault(StrEnum):
    """What can go wrong on a night."""

    OFF_TOPIC = "off_topic"  # a link on the wrong page: 40 % of the messages are real ones that no bank can answer
    FORM = "form"  # the app's new form writes an e-mail address in front of every message


@cache
def questions() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """(training, holdout, the others): the publisher's training split, and its test split cut in two."""
    data = pd.read_parquet(DATA / "chat_banking77.parquet").rename(columns={"text": "message", "intent": "label"})
    test = data[data["split"] == "test"]
    order = np.random.default_rng(77).permutation(len(test))
    return data[data["split"] == "train"], test.iloc[order[:HOLDOUT_ROWS]], test.iloc[order[HOLDOUT_ROWS:]]


@cache
def off_topic() -> pd.DataFrame:
    """Messages of CLINC150 that its authors call out of scope."""
    return pd.read_parquet(DATA / "chat_out_of_scope.parquet").rename(columns={"text": "message", "intent": "label"})


def calendar(last: date) -> list[tuple[date, date]]:
    """(night, night): constructed nights have no days of their own. The last one is bad."""
    return [(night, night) for night in before(last, QUIET + 1)]


def night_rows(night: date, *, seed: int = 7, fault: Fault | None = None, played: date | None = None) -> pd.DataFrame:
    """The messages of a night."""
    rng = generator(MODEL, night, seed)
    drawn = _drawn(questions()[2], ROWS, rng)
    if fault is Fault.OFF_TOPIC:
        strange = rng.random(ROWS) < 0.4
        drawn[strange] = _drawn(off_topic(), int(strange.sum()), rng)
    rows = pd.DataFrame(drawn, columns=["message", "label"])
    if fault is Fault.FORM:
        rows["message"] = [FORM.format(n=n) for n in range(len(rows))] + rows["message"]
    rows = stamped(rows, MODEL, played or night, ZONE, rng)
    version = "chat-2026.12" if fault is Fault.FORM else PIPELINE
    return rows.assign(pipeline_version=version, latency_ms=rng.gamma(3, 20, len(rows)).round(2))


def _drawn(pool: pd.DataFrame, rows: int, rng: np.random.Generator) -> np.ndarray:
    picked: np.ndarray = pool[["message", "label"]].to_numpy()[rng.choice(len(pool), rows, replace=False)]
    return picked


def train() -> tuple[Bot, pd.DataFrame]:
    """Words, weighted by how rare they are, and a logistic regression over 77 intents."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    rows = questions()[0]
    words = TfidfVectorizer(sublinear_tf=True, max_features=1500)
    model = make_pipeline(words, LogisticRegression(C=10, max_iter=60, tol=1e-3)).fit(rows["message"], rows["label"])
    replies = {i: f"You ask about {i.replace('_', ' ').lower()}. Here is what to do." for i in map(str, model.classes_)}
    return Bot(model, replies, HANDOFF, UNSURE, LOST), rows[["message", "label"]]


def holdout() -> pd.DataFrame:
    """Questions that no night has."""
    return questions()[1][["message", "label"]]


def kept(rows: pd.DataFrame) -> pd.DataFrame:
    """What the log keeps: columns derived from message and reply in place of the texts."""
    return without_text(rows.drop(columns=["reply"]), "message")


def right(seen: pd.DataFrame) -> Sequence[bool]:
    """Which answers were right."""
    return list(seen["prediction"] == seen["label"])
