"""Which nights teach drift: tried on a log's own nights."""

from datetime import date, timedelta
from math import cos, tau

import numpy as np
import pytest

from vigil.config.schema import Monitor
from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG
from vigil.metrics.types import Measurement
from vigil.onboarding.evidence import Evidence
from vigil.onboarding.reference_window import ReferenceWindow
from vigil.usecases.reference_window_trial import choose_window

FEATURES = ("a", "b", "c", "d")
ROWS = 400
MONITOR = Monitor.model_validate({
    "version": "vigil/v1", "model": "demand", "environment": "production", "task": "regression",
    "features": dict.fromkeys(FEATURES, "numeric"), "people": {"owner": "a@example.com"},
})  # fmt: skip


def score(name: str, value: float) -> Measurement:
    entry, error = CATALOG["position_shift"], ROWS**-0.5
    return Measurement(
        metric=entry.name, subject=name, family=Family.DRIFT, kind=entry.kind, value=value, low=value - 1.96 * error,
        high=value + 1.96 * error, n=ROWS, unit=entry.unit, worse=entry.worse, variance=error**2, baseline=0.0,
        yardstick="reference",
    )  # fmt: skip


def volume() -> Measurement:
    entry = CATALOG["volume"]
    return Measurement(
        metric=entry.name, subject="all", family=entry.family, kind=entry.kind, value=ROWS, n=ROWS, unit=entry.unit,
        worse=entry.worse,
    )  # fmt: skip


def nights(count: int, *, swing: float) -> tuple[Evidence, list[date]]:
    """Nights whose features follow a year from winter to summer by so many sd, beside the noise of their rows."""
    rng = np.random.default_rng(3)
    days = [date(2025, 1, 6) + timedelta(days=n) for n in range(count)]
    shown = [
        (volume(), *(score(f, swing * (1 - cos(tau * n / 365)) / 2 + rng.normal(0, ROWS**-0.5)) for f in FEATURES))
        for n in range(count)
    ]
    return Evidence(nights=tuple(shown), counts=dict.fromkeys(days, ROWS)), days


@pytest.mark.parametrize("count", [30, 90])
def test_a_log_without_a_season_or_with_few_nights_learns_from_its_first_nights(count: int) -> None:
    assert choose_window(MONITOR, *nights(count, swing=0.0)) is None


def test_a_log_that_follows_the_year_learns_from_its_last_nights_and_says_what_was_tried() -> None:
    choice = choose_window(MONITOR, *nights(150, swing=3.0))
    assert choice is not None
    assert choice.window is ReferenceWindow.ROLLING
    assert choice.alarms_of_first > choice.nights * 0.3 > choice.alarms
    assert choice.seen >= max(8, choice.seen_otherwise)
    assert choice.surprise["window"] == "rolling"
    assert f"{choice.seen} of {choice.faults} faults injected into this log" in choice.reason
