"""What `vigil why` tells of a test is what the judge has done."""

import re
from datetime import timedelta

import pytest

from tests.unit.verdicts.made_measurements import NIGHT, judged, missing, number
from vigil.verdicts.explained import Evidence, explained
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.types import PROVISIONAL, NightResult, Rules, State, Verdict


def night(ago: int, *verdicts: Verdict) -> NightResult:
    return NightResult(monitor="credit", environment="staging", night=NIGHT - timedelta(days=ago), rows=200,
                       partition_digest="p", config_digest="c", edges_digest="e", verdicts=verdicts)  # fmt: skip


def steps(rule, m, past) -> tuple[Verdict, dict[str, list[str]]]:
    """The judge's verdict, and the steps that are told of it."""
    rules = Rules.model_validate({m.family.value: [rule]})
    (verdict,) = judge([m], rules, past, Facts(night=NIGHT, as_of=NIGHT))
    told: dict[str, list[str]] = {}
    for step in explained(verdict, Evidence(result=night(0, verdict), rules=rules, past=tuple(past))):
        told.setdefault(step.title, []).append(step.says)
    return verdict, told


@pytest.fixture
def month() -> list[NightResult]:
    """Each night 6.5 % are missing: too few rows to tell from 5 %, but not on 28 nights."""
    return [night(ago, judged(missing(13, 200))) for ago in range(28, 0, -1)]


def test_a_breach_of_28_nights_together_is_told_with_the_p_value_that_made_it(month):
    verdict, told = steps({"metric": "missing", "breach": "> 0.05"}, missing(13, 200), month)
    assert verdict.state is State.BREACH
    (p,) = re.findall(r"on 28 nights together \(p = (\S+)\)", verdict.reason)
    (test,) = told["test"]
    assert "over 7 (1,400 rows)" in test
    (said,) = re.findall(r"(\S+) over 28 \(5,600 rows\)", test)
    assert float(f"{float(said):.1g}") == float(p)
    assert "Below 0.005 it is a breach, also on 28 nights where fewer cannot tell" in test


def test_a_warn_bound_is_told_as_one_that_never_breaks(month):
    verdict, told = steps({"metric": "missing", "warn": "> 0.05"}, missing(40, 200), month)
    assert verdict.state is State.WARN
    (test,) = told["test"]
    assert test.endswith("or below 0.005 tonight or on 28 nights, it is a warn, and never a breach")
    assert "it is a breach" not in test


def test_cohorts_that_were_provisional_are_in_no_pool_and_teach_nothing(month):
    early = [v.model_copy(update={"cohort": PROVISIONAL, "state": State.WARN}) for v in month[-1].verdicts]
    past = [*month[:-1], night(1, *early)]
    _, told = steps({"metric": "missing", "breach": "> 0.05"}, missing(13, 200), past)
    assert "over 28 (5,600 rows)" in told["test"][0]
    assert "1 without its labels yet (2026-11-19)" in told["past"][0]
    few, told = steps({"metric": "missing", "breach": "> 0.05"}, missing(13, 200), past[-4:])
    assert few.state is not State.BREACH
    assert "over 7 (800 rows)" in told["test"][0]


def test_a_provisional_cohort_is_told_as_held_against_none_of_the_bounds():
    m = missing(13, 200)
    early = judged(m).model_copy(update={"cohort": PROVISIONAL, "state": State.WARN})
    rules = Rules.model_validate({"quality": [{"metric": "missing", "breach": "> 0.05"}]})
    tests = [s.says for s in explained(early, Evidence(result=night(0, early), rules=rules)) if s.title == "test"]
    assert tests == [
        "no bound is tested before the cohort is mature: it is held against past cohorts as they were at its age"
    ]


def test_a_jump_beyond_a_hard_bound_is_told_of_tonight_alone(month):
    _, told = steps({"metric": "missing", "hard": "> 0.5"}, missing(150, 200), month)
    assert told["test"][0].endswith("tonight. Below 0.005 it is a breach")


def test_a_number_that_does_not_add_up_is_told_of_tonight_alone():
    past = [night(ago, judged(number(0.1, half=0.1))) for ago in range(28, 0, -1)]
    _, told = steps({"metric": "mean_shift", "breach": "> 0.5"}, number(0.9, half=0.1), past)
    assert "tonight. Below 0.005 it is a breach, below 0.05 on 7 nights a warn" in told["test"][0]
