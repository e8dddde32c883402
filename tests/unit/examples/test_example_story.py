"""The monitors, judged by the real engine: silent on quiet nights, and on each bad night the verdict of its story."""

from datetime import timedelta
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from played import FIRST, HOLDOUT_ROWS, HOME, Played, ids, in_state, verdict

from examples import credit, iris
from vigil.config.load import lint
from vigil.core.words import Family
from vigil.verdicts.types import State

pytestmark = pytest.mark.slow
BAD = (State.WARN, State.BREACH)
QUIET = 20
TAUGHT = 8  # nights until k-sigma rules know what is usual
RATIO = "selection_rate_ratio/sex=female"


@cache
def told(which: str) -> tuple[Played, Any]:
    """QUIET nights of a model, judged, and the model."""
    if which == "iris":
        example: ModuleType = iris
        model: Any = iris.train(np.random.default_rng([11, *b"second"]), trees=60)[0]
        holdout = iris.resampled(HOLDOUT_ROWS, np.random.default_rng(1936))
    else:
        example, model, pool = credit, credit.train_second()[0], credit.clients()[1]
        holdout = pool.iloc[np.random.default_rng(2009).choice(len(pool), HOLDOUT_ROWS, replace=False)]
    played = Played(example, credit.as_seen(holdout, model))
    played.quiet(model, QUIET)
    return played, model


def test_the_monitors_are_without_problems_and_their_suites_exist() -> None:
    found = lint(HOME / "monitors", expectations_dir=HOME / "expectations")
    assert {"iris.yaml", "credit_scoring.yaml"} <= set(found)
    assert {name: problem for name, problem in found.items() if problem} == {}


@pytest.mark.parametrize("which", ["iris", "credit"])
def test_quiet_nights_are_silent_and_once_the_past_is_known_nothing_is_unknown(which: str) -> None:
    played, _ = told(which)
    assert [v.reason for result in played.results for v in in_state(result, *BAD)] == []
    assert [v.reason for result in played.results[TAUGHT:] for v in in_state(result, State.UNKNOWN)] == []


def test_petals_in_inches_breach_drift_beyond_the_hard_bound_on_the_first_night() -> None:
    played, model = told("iris")
    result = played.night(model, FIRST + timedelta(days=QUIET), fault=iris.Fault.INCHES, keep=False)
    for asked in ("mean_shift/petal_length_cm", "prediction_shift/all"):
        assert verdict(result, asked).state is State.BREACH
        assert verdict(result, asked).hard
    assert not any(v.subject.startswith("sepal") for v in in_state(result, *BAD))


def test_the_broken_pipeline_breaches_fairness_for_women_with_the_limit_that_moved_in_that_group() -> None:
    played, model = told("credit")
    result = played.night(model, FIRST + timedelta(days=QUIET), fault=credit.Fault.DOLLARS, keep=False)
    ratio = verdict(result, RATIO)
    assert ratio.state is State.BREACH
    assert ratio.measurement is not None
    assert ratio.measurement.high is not None
    assert ratio.measurement.high < 0.75
    assert "group_mean_shift/credit_limit_ntd|sex=female" in ids(in_state(result, State.BREACH))


@pytest.mark.parametrize(
    ("which", "fault", "unfair"),
    [("first", True, True), ("rules", True, False), ("bad", False, True), ("first", False, False)],
)
def test_a_replay_tells_a_broken_input_from_a_bad_version(which: str, fault: bool, unfair: bool) -> None:
    played, _ = told("credit")
    made = {"first": credit.train_first, "bad": credit.train_bad}
    model = credit.rules() if which == "rules" else made[which]()[0]
    night = FIRST + timedelta(days=QUIET)
    result = played.night(model, night, fault=credit.Fault.DOLLARS if fault else None, keep=False)
    breached = [v for v in in_state(result, State.BREACH) if v.family is Family.FAIRNESS]
    assert (RATIO in ids(breached)) is unfair
    assert bool(breached) is unfair
