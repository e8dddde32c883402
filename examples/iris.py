"""Iris: a first model. Nights are resampled from the 150 real flowers with measurement noise, because 150 rows are
no traffic: the noise (0.1 cm) is what a sensor adds, and is ours. The labels are the real species of the flower.
"""

from datetime import date
from enum import StrEnum
from functools import cache

import numpy as np
import pandas as pd

from examples.nights import generator, stamped
from examples.served import Classifier, Rules

MODEL, ZONE, ENVIRONMENT = "iris", "Europe/Berlin", "production"
FEATURES = ["sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"]
NOISE_CM = 0.1
INCH = 2.54


class Fault(StrEnum):
    """What can go wrong on a night."""

    INCHES = "inches"  # the petal sensor reports inches


@cache
def flowers() -> pd.DataFrame:
    """The 150 flowers of Fisher (1936), from scikit-learn."""
    from sklearn.datasets import load_iris

    data = load_iris()
    frame = pd.DataFrame(data.data, columns=FEATURES)
    return frame.assign(label=[str(data.target_names[i]) for i in data.target])


def resampled(rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Flowers drawn with replacement, each measured anew."""
    drawn = flowers().iloc[rng.integers(0, len(flowers()), rows)].reset_index(drop=True)
    measured = drawn[FEATURES] + rng.normal(0, NOISE_CM, (rows, len(FEATURES)))
    return measured.clip(lower=0.05).round(2).assign(label=drawn["label"])


def night_rows(night: date, *, seed: int = 7, fault: Fault | None = None) -> pd.DataFrame:
    """The requests of a night: features, the true species as `label`, prediction_id, served_at, pipeline_version."""
    rng = generator(MODEL, night, seed)
    rows = stamped(resampled(int(rng.integers(320, 381)), rng), MODEL, night, ZONE, rng)
    rows = rows.assign(pipeline_version="sensor-1.4")
    if fault is Fault.INCHES:
        petals = ["petal_length_cm", "petal_width_cm"]
        rows[petals] = (rows[petals] / INCH).round(2)
        rows = rows.assign(pipeline_version="sensor-1.5")
    return rows


def train(rng: np.random.Generator, *, trees: int) -> tuple[Classifier, pd.DataFrame]:
    """A random forest and the rows it was trained on."""
    from sklearn.ensemble import RandomForestClassifier

    rows = resampled(900, rng)
    forest = RandomForestClassifier(n_estimators=trees, min_samples_leaf=5, random_state=int(rng.integers(2**31)))
    return Classifier(forest.fit(rows[FEATURES], rows["label"]), FEATURES), rows


def rules() -> Rules:
    """Petal thresholds that a botanist would give."""

    def rule(rows: pd.DataFrame) -> pd.DataFrame:
        length, width = rows["petal_length_cm"], rows["petal_width_cm"]
        answer = np.where(length < 2.5, "setosa", np.where((length < 4.9) & (width < 1.7), "versicolor", "virginica"))
        return pd.DataFrame({"prediction": answer})

    return Rules(rule)
