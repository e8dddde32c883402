"""A column that is stuck at one or two values."""

from datetime import date, timedelta

import pytest

from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG
from vigil.metrics.types import Measurement
from vigil.verdicts.judge import Facts, judge
from vigil.verdicts.types import NightResult, Onset, Rule, Rules, State, Verdict

TONIGHT = date(2026, 3, 1)


def values(count: float, *, n: int = 200, usual: float | None = 30, share: float = 0.05) -> Measurement:
    """How many different values of `amount` there are; the reference has `usual`, `share` in the commonest ones."""
    entry = CATALOG["distinct_values"]
    return Measurement(
        metric=entry.name, subject="amount", family=Family.QUALITY, kind=entry.kind, value=count, n=n, unit=entry.unit,
        worse=entry.worse, parts=(share,) if usual is not None else (), baseline=usual,
        yardstick="holdout of version 2" if usual is not None else "", detail="only 50" if count == 1 else "",
    )  # fmt: skip


def night(days_ago: int, measurement: Measurement, *verdicts: Verdict) -> NightResult:
    return NightResult(
        monitor="m", environment="production", night=TONIGHT - timedelta(days=days_ago), partition_digest="p",
        config_digest="c", edges_digest="e", rows=200, verdicts=verdicts, measurements=(measurement,),
    )  # fmt: skip


def judged(tonight: Measurement, *history: NightResult, drift: tuple[Rule, ...] = ()) -> list[Verdict]:
    verdicts = judge([tonight], Rules(drift=drift), history, Facts(night=TONIGHT, as_of=TONIGHT))
    return [v for v in verdicts if v.metric == tonight.metric]


def lively(nights: int) -> list[NightResult]:
    return [night(n, values(28)) for n in range(nights, 0, -1)]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("nights", [0, 20])
def test_a_quantity_with_one_or_two_values_is_a_hard_breach_on_the_first_night_and_later(
    count: int, nights: int
) -> None:
    (verdict,) = judged(values(count), *lively(nights))
    assert (verdict.state, verdict.hard, verdict.onset) == (State.BREACH, True, Onset.NEW)


def test_the_reason_names_the_value_and_what_the_reference_had() -> None:
    (verdict,) = judged(values(1))
    assert verdict.reason == (
        "amount is stuck: all 200 values are 50; the holdout of version 2 has at least 30 different ones"
    )


@pytest.mark.parametrize("count", [3, 30])
def test_a_column_with_more_values_is_not_stuck(count: int) -> None:
    assert judged(values(count)) == []


def test_rows_too_few_to_tell_are_not_called_stuck() -> None:
    assert judged(values(1, n=19)) == []


def test_a_reference_as_poor_as_tonight_makes_nothing_stuck() -> None:
    assert judged(values(2, usual=2, share=1.0)) == []
    assert judged(values(1, usual=None)) == []


def test_what_a_past_night_had_too_is_usual() -> None:
    assert judged(values(1), *lively(20), night(30, values(1))) == []


def test_a_past_night_of_few_rows_does_not_make_one_value_usual() -> None:
    (verdict,) = judged(values(1), night(30, values(1, n=2)), *lively(20))
    assert verdict.state is State.BREACH


def test_a_column_that_stays_stuck_stays_a_breach() -> None:
    (first,) = judged(values(1), *lively(20))
    (second,) = judged(values(1), *lively(20), night(1, values(1), first))
    assert (second.state, second.onset) == (State.BREACH, Onset.NEW)


def test_a_column_that_was_stuck_on_every_night_is_known() -> None:
    past: list[NightResult] = []
    for n in range(12, 0, -1):
        (verdict,) = judged(values(1), *past)
        past.append(night(n, values(1), verdict))
    onsets = [r.verdicts[0].onset for r in past]
    assert onsets == [Onset.NEW] * 7 + [Onset.KNOWN] * 5


def test_codes_need_five_nights_that_show_more_of_them_and_before_nothing_is_said() -> None:
    """A season, a holiday, a weekday: one night has one of them, and the reference cannot tell."""
    codes = values(1, usual=4, share=0.3)
    past = [night(n, values(4, usual=4)) for n in (5, 4, 3, 2, 1)]
    assert judged(codes) == judged(codes, *past[:4]) == []
    (later,) = judged(codes, *past)
    assert (later.state, later.hard) == (State.BREACH, True)


def test_a_value_that_is_nearly_always_the_same_needs_two_weeks_of_nights_with_others() -> None:
    zeros = values(1, n=300, share=0.9)
    assert judged(zeros, *lively(13)) == []
    assert [v.state for v in judged(zeros, *lively(14))] == [State.BREACH]


def test_a_column_that_drift_leaves_out_by_name_moves_by_nature() -> None:
    assert judged(values(1), drift=(Rule(metric="position_shift", surprise=True, without=("amount",)),)) == []


def outside(k: int, *, n: int = 200) -> Measurement:
    """How many of n values lie outside the reference's range."""
    entry = CATALOG["out_of_range"]
    return Measurement(
        metric=entry.name, subject="amount", family=Family.QUALITY, kind=entry.kind, value=k / n, n=n, unit=entry.unit,
        worse=entry.worse, parts=(k, n), baseline=0.0, yardstick="reference", detail="7 to 8, was 7 to 7" if k else "",
    )  # fmt: skip


def changed(k: int, *history: NightResult, usual: float = 1) -> list[Verdict]:
    facts = Facts(night=TONIGHT, as_of=TONIGHT)
    found = judge([outside(k), values(2, usual=usual, share=1.0)], Rules(), history, facts)
    return [v for v in found if v.metric == "out_of_range"]


def test_a_constant_that_changes_is_a_breach_that_names_both_values() -> None:
    (verdict,) = changed(100, *[night(n, outside(0)) for n in range(9, 0, -1)])
    assert (verdict.state, verdict.hard) == (State.BREACH, True)
    assert verdict.reason == (
        "amount never changed on the reference and changes tonight: 100 of 200 values are others (7 to 8, was 7 to 7)"
    )


def test_a_constant_that_stays_changed_stays_a_breach_and_one_that_changed_before_is_usual() -> None:
    (first,) = changed(100)
    assert [v.state for v in changed(100, night(1, outside(100), first))] == [State.BREACH]
    assert changed(100, night(1, outside(1))) == []


@pytest.mark.parametrize("k", [0, 3])
def test_a_constant_of_which_a_row_or_two_are_odd_is_left_to_the_rules(k: int) -> None:
    assert changed(k) == []


def test_a_column_that_is_no_constant_is_left_to_drift() -> None:
    assert changed(100, usual=2) == []
