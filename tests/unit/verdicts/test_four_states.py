"""One place judges: four states, each with its reason; what cannot be known is never ok."""

from datetime import timedelta

import pytest
from made_measurements import judged
from made_numbers import NIGHT, facts, moved, night, ratio, share

from vigil.core.words import Family
from vigil.metrics.types import Kind, Measurement, Worse
from vigil.verdicts.judge import judge
from vigil.verdicts.types import Cause, Labels, Rule, Rules, State

MISSING = Rules(quality=(Rule(metric="missing", breach="> 0.05"),))
RATIO = Rules(fairness=(Rule(metric="selection_rate_ratio", breach="< 0.8"),))
SIGMA = Rules(drift=(Rule(metric="mean_shift", sigma=5, nights=28, floor=0.2),))


def only(measured, rules, past=(), **more):
    (verdict,) = judge([measured], rules, past, facts(**more))
    return verdict


def performance(value=0.9):
    return Measurement(
        metric="auc", subject="all", family=Family.PERFORMANCE, kind=Kind.NUMBER, value=value, low=value - 0.02,
        high=value + 0.02, n=500, unit="", worse=Worse.LOWER, baseline=0.9,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "n", "state"),
    [
        pytest.param(100, 1000, State.BREACH, id="ten per cent of a thousand is beyond five"),
        pytest.param(70, 1000, State.BREACH, id="seven per cent of a thousand is beyond five, p = 0.003"),
        pytest.param(65, 1000, State.WARN, id="six and a half per cent of a thousand is probably beyond five"),
        pytest.param(50, 1000, State.OK, id="exactly on the bound is no breach, and ten per cent is excluded"),
        pytest.param(1, 1000, State.OK, id="one in a thousand is within"),
        pytest.param(1, 20, State.UNKNOWN, id="one in twenty excludes nothing"),
        pytest.param(0, 3, State.UNKNOWN, id="three rows are unknown, not ok"),
    ],
)
def test_a_bound_is_tested_with_the_uncertainty_of_the_night(bad, n, state):
    verdict = only(share(bad, n), MISSING)
    assert verdict.state is state
    assert (verdict.cause is Cause.TOO_FEW_ROWS) == (state is State.UNKNOWN)


def test_an_unknown_for_few_rows_names_how_many_would_do():
    verdict = only(share(0, 3), MISSING)
    assert "3 rows cannot exclude a value 0.05 beyond > 0.05; about " in verdict.reason
    needed = int(verdict.reason.rsplit("about ", 1)[1].split()[0])
    assert only(share(0, needed), MISSING).state is State.OK


def test_a_group_of_three_rows_is_unknown_even_when_nobody_of_it_was_favoured():
    verdict = only(ratio(0, 3, 500, 1000), RATIO)
    assert verdict.state is State.UNKNOWN
    assert verdict.cause is Cause.TOO_FEW_ROWS


def test_small_groups_add_up_over_a_week_until_something_can_be_said():
    small = ratio(5, 40, 500, 1000)  # an eighth against a half, forty people a night
    alone = only(ratio(12, 40, 500, 1000), RATIO)
    week = only(ratio(12, 40, 500, 1000), RATIO, [night(n, ratio(12, 40, 500, 1000)) for n in range(7, 0, -1)])
    assert alone.state in (State.UNKNOWN, State.WARN)
    assert week.state in (State.WARN, State.BREACH)
    assert only(small, RATIO).state is State.BREACH


def test_many_groups_share_the_chance_of_a_false_alarm():
    """p = 0.003 alone is a breach; among twelve groups that are fair it is not."""
    borderline, fair = (
        ratio(345, 1000, 500, 1000, subject="g=a"),
        [ratio(500, 1000, 500, 1000, subject=f"g={n}") for n in range(12)],
    )
    alone = {v.subject: v for v in judge([borderline], RATIO, (), facts())}
    among = {v.subject: v for v in judge([borderline, *fair], RATIO, (), facts())}
    assert alone["g=a"].state is State.BREACH
    assert among["g=a"].state is State.WARN
    assert {among[f"g={n}"].state for n in range(12)} == {State.OK}


def test_the_past_is_not_known_before_a_week_of_nights():
    verdict = only(moved(0.0), SIGMA, [night(n, moved(0.0)) for n in range(6, 0, -1)])
    assert verdict.state is State.UNKNOWN
    assert "6 past nights; 7 are needed" in verdict.reason


def test_one_unusual_night_warns_and_the_second_of_three_breaches():
    past = [night(n, moved(0.02 * (n % 3))) for n in range(28, 0, -1)]
    first = only(moved(1.5), SIGMA, past)
    assert first.state is State.WARN
    kept = night(1, verdicts=(first,))
    assert only(moved(1.5), SIGMA, [*past[:-1], kept]).state is State.BREACH
    assert only(moved(0.01), SIGMA, [*past[:-1], kept]).state is State.OK


def test_a_quiet_past_does_not_make_a_move_below_the_floor_matter():
    past = [night(n, moved(0.0)) for n in range(28, 0, -1)]
    assert only(moved(0.19), SIGMA, past).state is State.OK


def test_nights_on_which_the_question_was_a_breach_do_not_teach():
    good = [night(n, moved(0.02)) for n in range(48, 20, -1)]
    odd = [night(n, moved(3.0)) for n in range(20, 0, -1)]
    bad = [
        night(n, verdicts=(judged(moved(3.0), State.BREACH, limit="5 sigma of 28 nights"),)) for n in range(20, 0, -1)
    ]
    assert only(moved(3.0), SIGMA, [*good, *odd]).state is State.OK, "the odd nights have become usual"
    assert only(moved(3.0), SIGMA, [*good, *bad]).state is State.BREACH


def test_beyond_the_hard_bound_one_night_is_enough_in_both_directions():
    rules = Rules(drift=(Rule(metric="mean_shift", sigma=5, hard="> 1.0"),))
    for value in (2.0, -2.0):
        verdict = only(moved(value), rules)
        assert (verdict.state, verdict.hard) == (State.BREACH, True)
        assert "beyond ±1" in verdict.reason
    assert only(moved(0.5), rules).state is State.UNKNOWN, "the hard bound does not vouch for the sigma rule"


def test_a_figure_may_not_be_much_worse_than_on_the_holdout():
    rules = Rules(performance=(Rule(metric="auc", holdout=-0.05),))
    assert only(performance(0.9), rules).state is State.OK
    assert only(performance(0.7), rules).state is State.BREACH
    unrecorded = performance(0.7).model_copy(update={"baseline": None})
    verdict = only(unrecorded, rules)
    assert (verdict.state, verdict.cause) == (State.UNKNOWN, Cause.NO_DATA)


@pytest.mark.parametrize(("days", "overdue"), [(0, False), (9, False), (11, True)])
def test_performance_waits_for_mature_labels_and_is_overdue_when_they_do_not_come(days, overdue):
    rules = Rules(performance=(Rule(metric="auc", holdout=-0.05),))
    labels = Labels(delay_nights=7, grace_nights=3, mature_share=0.8)
    verdict = only(performance(), rules, labels=labels, labelled_share=0.5, as_of=NIGHT + timedelta(days=days))
    assert (verdict.state, verdict.cause, verdict.overdue) == (State.UNKNOWN, Cause.LABELS_PENDING, overdue)
    assert "labels for 50% of the cohort; 80% make it mature" in verdict.reason


def test_a_failed_gate_takes_the_trust_from_every_ok_and_from_nothing_else():
    gates = ("table_row_count_to_be_between(all)",)
    fine, bad = only(share(1, 1000), MISSING, failed_gates=gates), only(share(100, 1000), MISSING, failed_gates=gates)
    assert (fine.state, fine.cause, fine.overdue) == (State.UNKNOWN, Cause.GATE_FAILED, True)
    assert "not trusted: the gate table_row_count_to_be_between(all) failed" in fine.reason
    assert fine.would_see == ""
    assert bad.state is State.BREACH


def test_an_unreadable_file_takes_the_trust_from_every_ok():
    verdict = only(share(1, 1000), MISSING, unreadable=("part-3.parquet: cut in half",))
    assert (verdict.state, verdict.cause) == (State.UNKNOWN, Cause.CHECK_FAILED)
    assert "1 file(s) could not be read: part-3.parquet: cut in half" in verdict.reason


def test_a_feature_that_is_all_null_breaches_without_any_rule():
    (verdict,) = judge([share(1000, 1000, baseline=0.01, yardstick="holdout of version 2")], Rules(), (), facts())
    assert (verdict.state, verdict.hard) == (State.BREACH, True)
    assert verdict.reason == "age is null in all 1,000 rows (was 1.0% on the holdout of version 2)"


def test_a_feature_that_was_mostly_null_before_is_no_news():
    assert judge([share(1000, 1000, baseline=0.9)], Rules(), (), facts()) == ()


def test_a_rule_about_a_subject_that_nothing_measured_is_unknown():
    rules = Rules(fairness=(Rule(metric="selection_rate_ratio", subjects=("sex=female",), breach="< 0.8"),))
    (verdict,) = judge([], rules, (), facts())
    assert (verdict.state, verdict.cause) == (State.UNKNOWN, Cause.NO_DATA)
    assert "selection_rate_ratio(sex=female) was not measured" in verdict.reason


def test_of_two_rules_on_one_subject_the_worse_counts():
    rules = Rules(quality=(Rule(metric="missing", breach="> 0.5"), Rule(metric="missing", breach="> 0.05")))
    assert only(share(100, 1000), rules).state is State.BREACH


def test_an_ok_says_what_it_could_have_seen():
    verdict = only(share(10, 1000), MISSING)
    assert verdict.would_see.startswith("a true value above 0.0")
    assert verdict.would_see.endswith("tonight would have been found (80 % power)")


def test_a_warn_bound_never_breaches():
    rules = Rules(quality=(Rule(metric="missing", warn="> 0.05"),))
    assert only(share(1000, 2000), rules).state is State.WARN
